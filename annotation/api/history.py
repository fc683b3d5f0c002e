"""A region's history over HTTP: the timeline with what stood at a moment, a restore, a region sent back.

Shapes and methods only; the wording is decided in selectors.history, what may be done in services.reviewing.
"""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api import schema
from annotation.api.access import MANAGERS, StudyView
from annotation.api.regions import RegionShape, RevisionShape
from annotation.api.shapes import Shape
from annotation.selectors import history, regions
from annotation.services import reviewing
from annotation.states import AssignmentKind

EVENTS = ("pick", "answer", "withdrawal", "skip", "finding", "revision")


class HistoryQuery(Shape):
    as_of = serializers.DateTimeField(required=False, help_text="What stood at this moment; now, where left out.")
    position = serializers.IntegerField(
        required=False, min_value=0, max_value=2**62, help_text="The same, by an entry of the ledger."
    )


class ChangeShape(serializers.Serializer[Any]):
    what = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()


class EventShape(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(EVENTS)
    title = serializers.CharField()
    label = serializers.CharField(help_text="Code of the class, where the event gives one.")  # type: ignore[assignment]
    text = serializers.CharField(help_text="What a person wrote.")
    details = serializers.ListField(child=serializers.CharField())
    changes = ChangeShape(many=True)
    revision = serializers.IntegerField(allow_null=True)


class StandingAnswer(serializers.Serializer[Any]):
    annotator = serializers.CharField(source="annotator.pseudonym")
    label = serializers.CharField()  # type: ignore[assignment]
    protocol = serializers.IntegerField(source="protocol.number")
    is_adjudication = serializers.SerializerMethodField()

    def get_is_adjudication(self, annotation: Any) -> bool:
        return bool(annotation.assignment_kind == AssignmentKind.ADJUDICATE)


class PastRevision(RevisionShape):
    """A revision with its label and where it came from, in words."""

    label = serializers.CharField()  # type: ignore[assignment]
    source = serializers.SerializerMethodField()  # type: ignore[assignment]

    def get_source(self, revision: Any) -> str:
        return history.source_of(revision)


class HistoryShape(serializers.Serializer[Any]):
    region = RegionShape()
    as_of = serializers.DateTimeField(allow_null=True)
    position = serializers.IntegerField(allow_null=True, help_text="The ledger's entry that `as_of` means.")
    events = EventShape(many=True, help_text="Everything up to now, oldest first.")
    revisions = PastRevision(many=True)
    standing = PastRevision(allow_null=True, help_text="The revision in force at `as_of`.")
    answers = StandingAnswer(many=True, help_text="The answers that counted at `as_of`.")
    is_cut = serializers.BooleanField(help_text="There is more than is shown.")


class RestoreBody(Shape):
    number = serializers.IntegerField(min_value=1, max_value=2**31 - 1, help_text="The revision to restore.")
    reason = serializers.CharField(max_length=2000)


class SendBackBody(Shape):
    reason = serializers.CharField(max_length=2000, help_text="Kept in the history for good.")
    note = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=reviewing.LONGEST_NOTE,
        help_text="Shown to those who are asked again.",
    )


class HistoryView(StudyView):
    roles = {"get": MANAGERS}

    @schema.reads(HistoryShape, query=HistoryQuery, summary="How the region's truth came about, and what stood when")
    def get(self, request: Request, slug: str, region: str) -> Response:
        found = regions.for_member(member=self.member, public_id=region)
        return Response(self.show(HistoryShape, history.read(found, **self.read_query(HistoryQuery))))


class RestoreView(StudyView):
    roles = {"post": MANAGERS}

    @schema.writes(RevisionShape, body=RestoreBody, summary="Restore an earlier revision as a new one, with a reason")
    def post(self, request: Request, slug: str, region: str) -> Response:
        found = regions.for_member(member=self.member, public_id=region)
        revision = reviewing.restore(region=found, member=self.member, **self.read_body(RestoreBody))
        return Response(self.show(RevisionShape, revision))


class SendBackView(StudyView):
    roles = {"post": MANAGERS}

    @schema.writes(RegionShape, body=SendBackBody, summary="Ask people again, with a reason and a note to them")
    def post(self, request: Request, slug: str, region: str) -> Response:
        found = regions.for_member(member=self.member, public_id=region)
        back = reviewing.send_back(region=found, member=self.member, **self.read_body(SendBackBody))
        return Response(self.show(RegionShape, back))
