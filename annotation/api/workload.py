"""My queue over HTTP: what I hold, what came back, what I skipped, what I can undo; and what I am entering.

Shapes and methods only. What of the queue a person may know is decided in selectors.workload.
"""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api import schema
from annotation.api.access import WORKERS, StudyView
from annotation.api.queue import LeasedRegion, LeaseShape, TokenField
from annotation.api.shapes import AnswerField, Shape
from annotation.models import Membership, Study
from annotation.selectors import qualification, workload
from annotation.selectors import queue as queue_reads
from annotation.services import queue

LARGEST_VERSION = 1_000_000_000


class DraftShape(serializers.Serializer[Any]):
    region = LeasedRegion(source="assignment.region")
    content = serializers.JSONField()
    saved_at = serializers.DateTimeField()


class RemainingShape(serializers.Serializer[Any]):
    low = serializers.IntegerField(help_text="An equal share of the newest batch, less what I have done of it.")
    high = serializers.IntegerField(help_text="All of the newest batch that I have not done.")
    seconds_each = serializers.FloatField(allow_null=True, help_text="My own pace: the median of my last answers.")


class ReturnedShape(serializers.Serializer[Any]):
    region = LeasedRegion()
    note = serializers.CharField()
    returned_at = serializers.DateTimeField(source="batch.created_at")


class SkippedShape(serializers.Serializer[Any]):
    region = LeasedRegion()
    reason = serializers.CharField(source="skip_reason")
    skipped_at = serializers.DateTimeField(source="closed_at")


class UndoShape(serializers.Serializer[Any]):
    token = serializers.CharField(help_text="For undo/.")
    region = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    until = serializers.DateTimeField()


class EmptyShape(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField(help_text="A sentence: why there is nothing, and what happens next.")


class QualificationShape(serializers.Serializer[Any]):
    state = serializers.ChoiceField(["open", "failed", "passed"])
    done = serializers.IntegerField(help_text="Answered or skipped in this try.")
    of = serializers.IntegerField(help_text="How many regions the test asks.")


class QueueShape(serializers.Serializer[Any]):
    lease = LeaseShape(allow_null=True)
    held = serializers.IntegerField(help_text="How many leases I hold.")
    answers_today = serializers.IntegerField(help_text="Since midnight UTC, without those taken back.")
    remaining = RemainingShape()
    undo = UndoShape(allow_null=True)
    reason_empty = EmptyShape(
        allow_null=True, help_text="Why there is nothing to claim; null while there is something."
    )
    qualification = QualificationShape(
        allow_null=True, help_text="How I stand in the entry test; null where there is none for me."
    )
    returned = ReturnedShape(many=True, help_text="Answered by me and sent back with a note.")
    skipped = SkippedShape(many=True)
    drafts = DraftShape(many=True, help_text="Entered, not accepted, and not answered since.")


class EnteredContent(Shape):
    answer = AnswerField(required=False, allow_null=True, default=None)
    comment = serializers.CharField(required=False, default="", allow_blank=True, max_length=2000)
    flagged = serializers.BooleanField(required=False, default=False)


class DraftBody(Shape):
    token = TokenField()
    content = EnteredContent()
    version = serializers.IntegerField(
        min_value=0, max_value=LARGEST_VERSION, help_text="The lease's `entered_version` as this client knows it."
    )


class SavedShape(serializers.Serializer[Any]):
    version = serializers.IntegerField(help_text="To be sent with the next saving.")


def overview(*, study: Study, member: Membership) -> dict[str, Any]:
    """What My queue shows of one member's work."""
    held = list(queue_reads.held(member))
    return {
        "lease": queue_reads.show(held[0]) if held else None,
        "held": len(held),
        "answers_today": queue_reads.answers_today(member),
        "remaining": workload.remaining(study=study, member=member),
        "undo": workload.undoable(study=study, member=member),
        "reason_empty": None if held else workload.reason_empty(study=study, member=member),
        "qualification": qualification.seen_by(study=study, member=member),
        "returned": workload.returned(member),
        "skipped": workload.skipped(member),
        "drafts": queue_reads.drafts(member),
    }


class QueueView(StudyView):
    """Polling this renews nothing: only `renew`, sent on real input, keeps a lease."""

    roles = {"get": WORKERS}

    @schema.reads(QueueShape, summary="My leases, what is left, what came back, my drafts, my answers of today")
    def get(self, request: Request, slug: str) -> Response:
        return Response(self.show(QueueShape, overview(study=self.study, member=self.member)))


class DraftView(StudyView):
    roles = {"put": WORKERS}

    @schema.writes(SavedShape, body=DraftBody, summary="Save what I am entering; 409 where another tab was first")
    def put(self, request: Request, slug: str) -> Response:
        version = queue.save_entered(member=self.member, **self.read_body(DraftBody))
        return Response(self.show(SavedShape, {"version": version}))
