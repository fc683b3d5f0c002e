"""The acceptance sample of a pass over HTTP: what a size would tell, drawing one, how far it is, what it found.

Shapes and methods only; who is asked and what is estimated is decided in services.acceptance.
"""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api import schema
from annotation.api.access import MANAGERS
from annotation.api.findings import PassView
from annotation.api.passes import NoBody
from annotation.api.shapes import Finite, Shape
from annotation.errors import Missing
from annotation.selectors import samples as reads
from annotation.services import acceptance
from annotation.services.acceptance.sampling import FEWEST_OPINIONS, LARGEST, MOST_OPINIONS
from annotation.states import SampleState

EXPECTED_SHARE = 0.03


class SampleQuery(Shape):
    size = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST)
    share = Finite(required=False, default=EXPECTED_SHARE, min_value=0, max_value=1)


class ForeseenShape(serializers.Serializer[Any]):
    """What a sample of a size would tell, at best."""

    size = serializers.IntegerField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    answers = serializers.IntegerField(help_text="By annotators, before any adjudication.")
    hours = serializers.FloatField(allow_null=True, help_text="At the pace of the study's answers so far.")


class SampleShape(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    state = serializers.ChoiceField(SampleState.choices)
    size = serializers.IntegerField()
    opinions = serializers.IntegerField()
    done = serializers.IntegerField()
    answering = serializers.IntegerField(help_text="Regions that wait for answers.")
    deciding = serializers.IntegerField(help_text="Regions that wait for an adjudicator.")
    wrong = serializers.IntegerField(allow_null=True, help_text="Of the regions, those with another verdict.")
    share = serializers.ListField(
        child=serializers.FloatField(), allow_null=True, help_text="Wrong labels as they stood: value, low, high."
    )
    after = serializers.ListField(
        child=serializers.FloatField(), allow_null=True, help_text="The same once every verdict is taken over."
    )
    drawn_at = serializers.DateTimeField(source="created_at")
    closed_at = serializers.DateTimeField(allow_null=True)


class SampleBoard(serializers.Serializer[Any]):
    population = serializers.IntegerField(help_text="How many regions a sample of this pass is drawn from.")
    share = serializers.FloatField(help_text="The share of wrong labels that the forecast assumes.")
    foreseen = ForeseenShape(many=True)
    open_in = serializers.IntegerField(allow_null=True, help_text="The pass whose sample is open now.")
    sample = SampleShape(allow_null=True, help_text="The newest sample of this pass.")


class DrawBody(Shape):
    size = serializers.IntegerField(min_value=1, max_value=LARGEST)
    opinions = serializers.IntegerField(
        required=False, default=FEWEST_OPINIONS, min_value=FEWEST_OPINIONS, max_value=MOST_OPINIONS
    )


class PassSample(PassView):
    roles = {"get": MANAGERS, "post": MANAGERS}

    @schema.reads(SampleBoard, query=SampleQuery, summary="What a sample of the pass would tell, or has told")
    def get(self, request: Request, slug: str, number: int) -> Response:
        query = self.read_query(SampleQuery)
        found = reads.board(self.find_pass(number), size=query.get("size"), share=query["share"])
        return Response(self.show(SampleBoard, found))

    @schema.writes(SampleShape, body=DrawBody, status=201, summary="Have a random sample of the pass answered blind")
    def post(self, request: Request, slug: str, number: int) -> Response:
        row = self.find_pass(number)
        body = self.read_body(DrawBody)
        acceptance.draw(consistency_pass=row, member=self.member, size=body["size"], opinions=body["opinions"])
        return Response(self.show(SampleShape, reads.of_pass(row)), status=201)


class AbandonSample(PassView):
    roles = {"post": MANAGERS}

    @schema.writes(SampleShape, body=NoBody, summary="Give the open sample of the pass up")
    def post(self, request: Request, slug: str, number: int) -> Response:
        self.read_body(NoBody)
        row = self.find_pass(number)
        sample = reads.newest(row)
        if sample is None:
            raise Missing(f"No sample was drawn from pass {number}.")
        acceptance.abandon(sample=sample, member=self.member)
        return Response(self.show(SampleShape, reads.of_pass(row)))
