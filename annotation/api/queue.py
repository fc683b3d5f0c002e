"""The queue over HTTP: claim, renew, release, skip, submit, undo, and the own answers.

Shapes and methods only. What a lease shows, and hides, is decided in selectors.queue.
"""

from typing import Any

from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api import schema
from annotation.api.access import WORKERS, StudyView
from annotation.api.pagination import PageQuery, page_of
from annotation.api.shapes import AnswerField, Finite, Shape
from annotation.selectors import queue as queue_reads
from annotation.services import queue
from annotation.states import AnswerKind, AssignmentKind

LONGEST_TIME_S = 24 * 3600
_KINDS = (AssignmentKind.LABEL, AssignmentKind.ADJUDICATE)


class TokenField(serializers.CharField):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=40, help_text="The lease's token, from claim.", **options)


class KeyField(serializers.CharField):
    def __init__(self, **options: Any) -> None:
        text = "Made by the client, one per answer; sent again, it gives the first answer back."
        super().__init__(max_length=64, help_text=text, **options)


class ClaimBody(Shape):
    kind = serializers.ChoiceField(_KINDS, required=False, default=AssignmentKind.LABEL)


class LeaseBody(Shape):
    token = TokenField()


class SkipBody(LeaseBody):
    reason = serializers.CharField(max_length=200)


class SubmitBody(LeaseBody):
    answer = AnswerField()
    idempotency_key = KeyField()
    seconds = Finite(required=False, allow_null=True, default=None, min_value=0, max_value=LONGEST_TIME_S)
    comment = serializers.CharField(required=False, default="", allow_blank=True, max_length=2000)
    flagged = serializers.BooleanField(required=False, default=False)


class UndoBody(LeaseBody):
    """`token` is that of the lease the answer was given under; the key is a new one, of the correction."""

    idempotency_key = KeyField()


class LeasedRegion(serializers.Serializer[Any]):
    """A region as the holder of its lease sees it: pixels and size, neither slide nor place nor case."""

    id = serializers.CharField(source="public_id")
    width = serializers.IntegerField(help_text="Level-0 pixels.")
    height = serializers.IntegerField(help_text="Level-0 pixels.")
    um_per_px = serializers.FloatField(source="slide.um_per_px_x", allow_null=True)
    image = serializers.SerializerMethodField()
    thumbnail = serializers.SerializerMethodField()

    def get_image(self, region: Any) -> str:
        return self._url("region-image", region)

    def get_thumbnail(self, region: Any) -> str:
        return self._url("region-thumbnail", region)

    def _url(self, name: str, region: Any) -> str:
        return reverse(f"api:{name}", args=[self.context["study"].slug, region.public_id])


class OpinionShape(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="A letter; it stands for nobody beyond this lease.")
    answer = AnswerField()
    comment = serializers.CharField()


class LeaseShape(serializers.Serializer[Any]):
    token = serializers.CharField()
    kind = serializers.ChoiceField(_KINDS)
    region = LeasedRegion()
    leased_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    suggestion = serializers.CharField(help_text="The class suggested, where the study shows suggestions.")
    opinions = OpinionShape(many=True, help_text="What there is to judge between; only when adjudicating.")


class ClaimShape(serializers.Serializer[Any]):
    lease = LeaseShape(allow_null=True, help_text="null: nothing is left for you.")


class OwnAnswer(serializers.Serializer[Any]):
    region = serializers.CharField(source="region.public_id")
    idempotency_key = serializers.CharField()
    kind = serializers.ChoiceField(AnswerKind.choices)
    answer = AnswerField(allow_null=True)
    flagged = serializers.BooleanField(source="is_flagged")
    comment = serializers.SerializerMethodField()
    answered_at = serializers.DateTimeField(source="created_at")

    def get_comment(self, annotation: Any) -> str:
        return queue_reads.comment_of(annotation)


class DraftShape(serializers.Serializer[Any]):
    region = serializers.CharField(source="assignment.region.public_id")
    content = serializers.JSONField()
    saved_at = serializers.DateTimeField()


class QueueShape(serializers.Serializer[Any]):
    lease = LeaseShape(allow_null=True)
    answers_today = serializers.IntegerField()
    drafts = DraftShape(many=True)


class QueueView(StudyView):
    """Polling this renews nothing: only `renew`, sent on real input, keeps a lease."""

    roles = {"get": WORKERS}

    @schema.reads(QueueShape, summary="My lease, my drafts, my answers of today")
    def get(self, request: Request, slug: str) -> Response:
        held = queue_reads.live_lease(self.member)
        value = {
            "lease": queue_reads.show(held) if held else None,
            "answers_today": queue_reads.answers_today(self.member),
            "drafts": queue_reads.drafts(self.member),
        }
        return Response(self.show(QueueShape, value))


class ClaimView(StudyView):
    roles = {"post": WORKERS}

    @schema.writes(ClaimShape, body=ClaimBody, summary="Take the next region, or the one I hold already")
    def post(self, request: Request, slug: str) -> Response:
        body = self.read_body(ClaimBody)
        held = queue.claim(member=self.member, kind=body["kind"])
        return Response(self.show(ClaimShape, {"lease": queue_reads.show(held) if held else None}))


class RenewView(StudyView):
    roles = {"post": WORKERS}

    @schema.writes(LeaseShape, body=LeaseBody, summary="Keep the lease: send it on real input")
    def post(self, request: Request, slug: str) -> Response:
        held = queue.renew(member=self.member, token=self.read_body(LeaseBody)["token"])
        return Response(self.show(LeaseShape, queue_reads.show(held)))


class ReleaseView(StudyView):
    roles = {"post": WORKERS}

    @schema.writes(None, body=LeaseBody, summary="Give the region back")
    def post(self, request: Request, slug: str) -> Response:
        queue.release(member=self.member, token=self.read_body(LeaseBody)["token"])
        return Response(status=204)


class SkipView(StudyView):
    roles = {"post": WORKERS}

    @schema.writes(None, body=SkipBody, summary="Pass the region over, with a reason")
    def post(self, request: Request, slug: str) -> Response:
        queue.skip(member=self.member, **self.read_body(SkipBody))
        return Response(status=204)


class SubmitView(StudyView):
    roles = {"post": WORKERS}

    @schema.writes(OwnAnswer, body=SubmitBody, summary="Answer; harmless to repeat with the same key")
    def post(self, request: Request, slug: str) -> Response:
        annotation = queue.submit(member=self.member, **self.read_body(SubmitBody))
        return Response(self.show(OwnAnswer, annotation))


class UndoView(StudyView):
    roles = {"post": WORKERS}

    @schema.writes(LeaseShape, body=UndoBody, summary="Take my answer back and hold its region again")
    def post(self, request: Request, slug: str) -> Response:
        held = queue.undo(member=self.member, **self.read_body(UndoBody))
        return Response(self.show(LeaseShape, queue_reads.show(held)))


class OwnAnswersView(StudyView):
    # Named by the client's own key: a row's number would tell how much others work.
    roles = {"get": WORKERS}
    page_key = "idempotency_key"
    page_order = "-id"

    @schema.reads(page_of(OwnAnswer), query=PageQuery, summary="My answers, newest first")
    def get(self, request: Request, slug: str) -> Response:
        self.read_query(PageQuery)
        return self.answer_page(queue_reads.own_answers(self.member), OwnAnswer)
