"""Examples of the classes over HTTP: for every member to look at, for managers to choose.

Shapes and methods only; which regions may be examples is decided in services.examples.
"""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api import schema
from annotation.api.access import ANYONE, MANAGERS, StudyView
from annotation.api.queue import LeasedRegion
from annotation.api.shapes import Shape
from annotation.selectors import examples as example_reads
from annotation.services import examples


class ExampleShape(serializers.Serializer[Any]):
    label = serializers.CharField(source="label_class.code")  # type: ignore[assignment]
    region = LeasedRegion()
    caption = serializers.CharField()


class ExampleKey(Shape):
    label = serializers.CharField(max_length=60)  # type: ignore[assignment]
    region = serializers.CharField(max_length=20)


class ExampleBody(ExampleKey):
    caption = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)


class ExamplesView(StudyView):
    roles = {"get": ANYONE, "post": MANAGERS, "delete": MANAGERS}

    @schema.reads(ExampleShape(many=True), summary="Examples of the classes")
    def get(self, request: Request, slug: str) -> Response:
        return Response(self.show(ExampleShape, example_reads.of_study(self.study), many=True))

    @schema.writes(ExampleShape, body=ExampleBody, status=201, summary="Show a region as an example of a class")
    def post(self, request: Request, slug: str) -> Response:
        made = examples.add(study=self.study, member=self.member, **self.read_body(ExampleBody))
        return Response(self.show(ExampleShape, made), status=201)

    @schema.writes(None, query=ExampleKey, summary="Show the region as an example no more")
    def delete(self, request: Request, slug: str) -> Response:
        examples.remove(study=self.study, **self.read_query(ExampleKey))
        return Response(status=204)
