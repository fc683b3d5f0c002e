"""Regions over HTTP: the manager's list, a region's history of truth and its answers, a decision by hand.

Shapes and methods only; who sees what is decided in selectors.regions, what becomes truth in services.truth.
"""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api import schema
from annotation.api.access import ANYONE, MANAGERS, StudyView
from annotation.api.pagination import PageQuery, page_of
from annotation.api.shapes import AnswerField, Shape
from annotation.selectors import regions
from annotation.services import truth
from annotation.states import AnswerKind, AuditHalf, Method, RegionState, Role

_FILTERS = {
    "state": "state",
    "slide": "slide__public_id",
    "label": "current_revision__label",
    "audit": "audit_half",
}


class RegionQuery(PageQuery):
    state = serializers.ChoiceField(RegionState.choices, required=False)
    slide = serializers.CharField(required=False, max_length=20, help_text="Id of the slide.")
    label = serializers.SlugField(required=False, max_length=60, help_text="Class of the current truth.")  # type: ignore[assignment]
    audit = serializers.ChoiceField([AuditHalf.GATE, AuditHalf.REPORT], required=False)


class RegionShape(serializers.Serializer[Any]):
    id = serializers.CharField(source="public_id")
    slide = serializers.CharField(source="slide.public_id")
    x = serializers.IntegerField(help_text="Level-0 pixels, origin top left.")
    y = serializers.IntegerField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    state = serializers.ChoiceField(RegionState.choices)
    audit = serializers.CharField(source="audit_half", help_text="Half of the audit sample, or empty.")
    label = serializers.CharField(source="current_revision.label", default="")  # type: ignore[assignment]
    confidence = serializers.FloatField(source="current_revision.confidence", default=None, allow_null=True)
    revision = serializers.IntegerField(source="current_revision.number", default=None, allow_null=True)


class RevisionShape(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    parent = serializers.IntegerField(source="parent.number", default=None, allow_null=True)  # type: ignore[assignment]
    is_settled = serializers.BooleanField()
    is_excluded = serializers.BooleanField()
    answer = AnswerField(allow_null=True)
    confidence = serializers.FloatField(allow_null=True)
    posterior = serializers.DictField(child=serializers.FloatField())
    method = serializers.ChoiceField(Method.choices)
    answers = serializers.SerializerMethodField()
    protocol = serializers.IntegerField(source="protocol.number")
    snapshot = serializers.IntegerField(source="snapshot.number", default=None, allow_null=True)
    actor = serializers.CharField(source="actor.pseudonym", default=None, allow_null=True)
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()

    def get_answers(self, revision: Any) -> int:
        return len(revision.annotation_ids)


class RegionAnswer(serializers.Serializer[Any]):
    """An answer to a region; for an annotator only the own ones, and what each was for stays unsaid."""

    annotator = serializers.CharField(source="annotator.pseudonym")
    number = serializers.IntegerField()
    corrects = serializers.SerializerMethodField()
    assignment_kind = serializers.SerializerMethodField()
    protocol = serializers.IntegerField(source="protocol.number")
    kind = serializers.ChoiceField(AnswerKind.choices)
    answer = AnswerField(allow_null=True)
    seconds = serializers.FloatField(allow_null=True)
    flagged = serializers.BooleanField(source="is_flagged")
    created_at = serializers.DateTimeField()

    def get_corrects(self, annotation: Any) -> int | None:
        # A recheck corrects an earlier answer, a repeat does not: its author may not tell the two apart by this.
        is_told = self.context["member"].role == Role.MANAGER or annotation.kind == AnswerKind.WITHDRAWN
        return annotation.parent.number if is_told and annotation.parent else None

    def get_assignment_kind(self, annotation: Any) -> str:
        return regions.shown_kind(annotation.assignment_kind, member=self.context["member"])


class DecideBody(Shape):
    answer = AnswerField(required=False, allow_null=True, default=None)
    exclude = serializers.BooleanField(required=False, default=False, help_text="Leave it out of the dataset.")
    reason = serializers.CharField(max_length=2000)


class RegionsView(StudyView):
    roles = {"get": MANAGERS}
    page_key = page_order = "public_id"

    @schema.reads(page_of(RegionShape), query=RegionQuery, summary="The study's regions")
    def get(self, request: Request, slug: str) -> Response:
        query = self.read_query(RegionQuery)
        wanted = {path: query[name] for name, path in _FILTERS.items() if name in query}
        return self.answer_page(regions.of_study(self.study, **wanted), RegionShape)


class RegionDetail(StudyView):
    roles = {"get": MANAGERS}

    @schema.reads(RegionShape, summary="A region and its current truth")
    def get(self, request: Request, slug: str, region: str) -> Response:
        return Response(self.show(RegionShape, regions.for_member(member=self.member, public_id=region)))


class RevisionsView(StudyView):
    roles = {"get": MANAGERS}

    @schema.reads(RevisionShape(many=True), summary="How the region's truth came about")
    def get(self, request: Request, slug: str, region: str) -> Response:
        found = regions.for_member(member=self.member, public_id=region)
        return Response(self.show(RevisionShape, regions.revisions(found), many=True))


class RegionAnswersView(StudyView):
    roles = {"get": ANYONE}

    @schema.reads(RegionAnswer(many=True), summary="The region's answers; the own ones only, unless managing")
    def get(self, request: Request, slug: str, region: str) -> Response:
        found = regions.for_member(member=self.member, public_id=region)
        return Response(self.show(RegionAnswer, regions.annotations(found, member=self.member), many=True))


class DecideView(StudyView):
    roles = {"post": MANAGERS}

    @schema.writes(RevisionShape, body=DecideBody, summary="Decide over the region by hand, with a reason")
    def post(self, request: Request, slug: str, region: str) -> Response:
        found = regions.for_member(member=self.member, public_id=region)
        revision = truth.decide(region=found, member=self.member, **self.read_body(DecideBody))
        return Response(self.show(RevisionShape, revision))
