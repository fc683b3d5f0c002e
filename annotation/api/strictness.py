"""The rules of a study over HTTP: how strictly each is applied, and changing that.

Shapes and methods only; limits are `annotation.rules`' own.
"""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api import schema
from annotation.api.access import MANAGERS, StudyView
from annotation.api.shapes import Shape
from annotation.rules.settings import SEVERITIES
from annotation.selectors import strictness as reads
from annotation.services import strictness
from annotation.states import Severity


class ThresholdShape(serializers.Serializer[Any]):
    """A number that a rule goes by."""

    name = serializers.CharField()
    says = serializers.CharField(source="threshold.says")
    low = serializers.FloatField(source="threshold.low")
    high = serializers.FloatField(source="threshold.high")
    usual = serializers.FloatField(source="threshold.default", help_text="What holds where the study says nothing.")
    is_by_class = serializers.BooleanField(source="threshold.by_class")
    value = serializers.FloatField()
    by_class = serializers.DictField(child=serializers.FloatField(), help_text="Classes with a value of their own.")


class RuleShape(serializers.Serializer[Any]):
    """A rule as the next pass applies it."""

    code = serializers.CharField(source="rule.code")
    title = serializers.CharField(source="rule.title")
    meaning = serializers.CharField(source="rule.meaning")
    stakes = serializers.CharField(source="rule.stakes")
    usual = serializers.ChoiceField(Severity.choices, source="rule.severity", help_text="Severity by default.")
    may_change = serializers.BooleanField(source="rule.is_waivable", help_text="Whether a study may lower it.")
    severity = serializers.ChoiceField(SEVERITIES, allow_blank=True, help_text="Empty: by default.")
    thresholds = ThresholdShape(source="limits", many=True)
    found = serializers.IntegerField(
        allow_null=True, help_text="Findings in the newest pass; null where it did not run."
    )
    open = serializers.IntegerField(allow_null=True)


class RulesBody(Shape):
    """What differs from now, rule by rule; null takes a value back to its default."""

    values = serializers.DictField(
        child=serializers.DictField(child=serializers.JSONField(allow_null=True), allow_null=True)
    )


class RulesView(StudyView):
    roles = {"get": MANAGERS, "put": MANAGERS}

    @schema.reads(RuleShape(many=True), summary="Every rule of a consistency pass, as the next pass applies it")
    def get(self, request: Request, slug: str) -> Response:
        return Response(self.show(RuleShape, reads.read(self.study), many=True))

    @schema.writes(RuleShape(many=True), body=RulesBody, summary="Change how strictly rules are applied")
    def put(self, request: Request, slug: str) -> Response:
        study = strictness.update(study=self.study, values=self.read_body(RulesBody)["values"])
        return Response(self.show(RuleShape, reads.read(study), many=True))
