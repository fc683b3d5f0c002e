"""Model versions over HTTP: what the gate said of each, and going back to an earlier one.

Shapes and methods only; which model is active is decided in services.modelling.
"""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api import schema
from annotation.api.access import MANAGERS, StudyView
from annotation.api.pagination import PageQuery, page_of
from annotation.api.shapes import Shape
from annotation.selectors import background
from annotation.services import modelling
from annotation.states import ModelState


class ModelShape(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    digest = serializers.CharField(help_text="SHA-256 over weights and manifest.")
    state = serializers.ChoiceField(ModelState.choices)
    encoder = serializers.CharField()
    training_set = serializers.CharField(source="training_set.digest")
    training_revisions = serializers.SerializerMethodField()
    class_codes = serializers.ListField(child=serializers.CharField())
    numbers = serializers.DictField(help_text="Out-of-fold and audit metrics.")
    gate_reasons = serializers.ListField(child=serializers.CharField())
    audit_looks = serializers.IntegerField(help_text="Looks at the gate half of the audit sample so far.")
    created_at = serializers.DateTimeField()
    activated_at = serializers.DateTimeField(allow_null=True)

    def get_training_revisions(self, model: Any) -> int:
        return len(model.training_set.revision_ids)


class ReasonBody(Shape):
    reason = serializers.CharField(max_length=2000)


class ModelsView(StudyView):
    roles = {"get": MANAGERS}

    @schema.reads(page_of(ModelShape), query=PageQuery, summary="The study's models, newest first")
    def get(self, request: Request, slug: str) -> Response:
        self.read_query(PageQuery)
        return self.answer_page(background.models(self.study), ModelShape)


class ModelDetail(StudyView):
    roles = {"get": MANAGERS}

    @schema.reads(ModelShape, summary="A model and what the gate said of it")
    def get(self, request: Request, slug: str, number: int) -> Response:
        return Response(self.show(ModelShape, background.model(study=self.study, number=number)))


class ActivateModel(StudyView):
    roles = {"post": MANAGERS}

    @schema.writes(ModelShape, body=ReasonBody, summary="Go back to this model, with a reason")
    def post(self, request: Request, slug: str, number: int) -> Response:
        model = background.model(study=self.study, number=number)
        reason = self.read_body(ReasonBody)["reason"]
        done = modelling.rollback(study=self.study, model=model, member=self.member, reason=reason)
        return Response(self.show(ModelShape, done))
