"""Gold over HTTP: how much there is of each class, adding from a list or from adjudications, retiring.

Shapes and methods only; which regions may be gold is decided in services.gold. Managers only: gold tests people.
"""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api import schema
from annotation.api.access import MANAGERS, StudyView
from annotation.api.shapes import Shape
from annotation.models import LabelClass, Study
from annotation.selectors import gold as gold_reads
from annotation.services import gold
from annotation.studyfolder import read_gold


class StockShape(serializers.Serializer[Any]):
    label = serializers.CharField()  # type: ignore[assignment]
    checks = serializers.IntegerField(help_text="Asked unmarked in the queue.")
    qualification = serializers.IntegerField(help_text="Asked in the entry test.")


class MadeShape(serializers.Serializer[Any]):
    changed = serializers.IntegerField(help_text="How many regions became gold, or are gold no more.")
    stock = StockShape(many=True)


class GoldBody(Shape):
    table = serializers.CharField(
        max_length=4_000_000, trim_whitespace=False, help_text="A CSV with the columns region and label."
    )
    is_qualification = serializers.BooleanField(required=False, default=False)


class AdoptBody(Shape):
    count = serializers.IntegerField(min_value=1, max_value=gold.LARGEST_LIST)


class RetireBody(Shape):
    regions = serializers.ListField(
        child=serializers.CharField(max_length=20), min_length=1, max_length=gold.LARGEST_LIST
    )


def stock(study: Study) -> list[dict[str, Any]]:
    """How much gold there is of each of today's classes, in their order."""
    checks = gold_reads.count_by_class(study, is_qualification=False)
    tests = gold_reads.count_by_class(study, is_qualification=True)
    codes = LabelClass.objects.filter(protocol=study.protocol_id).order_by("position", "code")
    return [
        {"label": code, "checks": checks[code], "qualification": tests[code]}
        for code in codes.values_list("code", flat=True)
    ]


class GoldActView(StudyView):
    """An act that changes what is gold, and says what there is afterwards."""

    def answer(self, changed: int) -> Response:
        return Response(self.show(MadeShape, {"changed": changed, "stock": stock(self.study)}))


class GoldView(GoldActView):
    roles = {"get": MANAGERS, "post": MANAGERS}

    @schema.reads(StockShape(many=True), summary="Gold by class")
    def get(self, request: Request, slug: str) -> Response:
        return Response(self.show(StockShape, stock(self.study), many=True))

    @schema.writes(MadeShape, body=GoldBody, summary="Make the regions of a list gold; all problems are told at once")
    def post(self, request: Request, slug: str) -> Response:
        body = self.read_body(GoldBody)
        made = gold.add(
            study=self.study,
            regions_and_labels=read_gold(body["table"]),
            member=self.member,
            is_qualification=body["is_qualification"],
        )
        return self.answer(len(made))


class AdoptGold(GoldActView):
    roles = {"post": MANAGERS}

    @schema.writes(MadeShape, body=AdoptBody, summary="Make regions gold that adjudicators have settled")
    def post(self, request: Request, slug: str) -> Response:
        body = self.read_body(AdoptBody)
        return self.answer(len(gold.adopt_adjudicated(study=self.study, count=body["count"], member=self.member)))


class RetireGold(GoldActView):
    roles = {"post": MANAGERS}

    @schema.writes(MadeShape, body=RetireBody, summary="Ask about these regions as gold no more")
    def post(self, request: Request, slug: str) -> Response:
        return self.answer(gold.retire(study=self.study, regions=self.read_body(RetireBody)["regions"]))
