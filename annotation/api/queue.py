"""The queue over HTTP: claim, renew, release, skip, submit, undo, and the own answers; `workload` has the overview.

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
from annotation.policy import LARGEST_BATCH
from annotation.selectors import feedback
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

    count = serializers.IntegerField(
        required=False,
        default=1,
        min_value=1,
        max_value=LARGEST_BATCH,
        help_text="Hold this many; the study's `gallery_batch` bounds it.",
    )


class LeaseBody(Shape):
    token = TokenField()


class LeasesBody(Shape):
    """One lease by `token`, or many by `tokens`."""

    token = TokenField(required=False)
    tokens = serializers.ListField(child=TokenField(), required=False, min_length=1, max_length=LARGEST_BATCH)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError({"tokens": "Send either one token or a list of tokens."})
        return attrs


class SkipBody(LeaseBody):
    reason = serializers.CharField(max_length=200)


class SubmitBody(LeaseBody):
    answer = AnswerField()
    protocol = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        help_text="The version whose classes I saw, from claim; without it, the one in force when I took the region.",
    )
    idempotency_key = KeyField()
    seconds = Finite(required=False, allow_null=True, default=None, min_value=0, max_value=LONGEST_TIME_S)
    comment = serializers.CharField(required=False, default="", allow_blank=True, max_length=2000)
    reason = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=2000,
        help_text="Why, for an adjudication: kept in the history for good.",
    )
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
    flagged = serializers.BooleanField(source="is_flagged")


class BeforeShape(serializers.Serializer[Any]):
    label = serializers.CharField(help_text="A class of that version.")  # type: ignore[assignment]
    name = serializers.CharField()
    protocol = serializers.IntegerField()


class LeaseShape(serializers.Serializer[Any]):
    token = serializers.CharField()
    kind = serializers.ChoiceField(_KINDS)
    region = LeasedRegion()
    leased_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    suggestion = serializers.CharField(help_text="The class suggested, where the study shows suggestions.")
    note = serializers.CharField(help_text="What a manager wrote when sending the region back, or nothing.")
    entered = serializers.JSONField(allow_null=True, help_text="What I have entered so far: answer, comment, flagged.")
    entered_version = serializers.IntegerField(help_text="To be sent when saving what is entered.")
    opinions = OpinionShape(many=True, help_text="What there is to judge between; only when adjudicating.")
    before = BeforeShape(
        allow_null=True, help_text="My own answer under an older version, where the study shows it when it asks again."
    )


class ClaimShape(serializers.Serializer[Any]):
    lease = LeaseShape(allow_null=True, help_text="null: nothing is left for you.")
    leases = LeaseShape(many=True, help_text="All that you hold of this kind, up to `count`; the first is `lease`.")
    protocol = serializers.IntegerField(help_text="The version of the classes in force, to be named with each answer.")


class RenewedShape(serializers.Serializer[Any]):
    token = serializers.CharField(allow_null=True, help_text="The first that was prolonged.")
    tokens = serializers.ListField(child=serializers.CharField(), help_text="All that were prolonged.")
    lost = serializers.ListField(child=serializers.CharField(), help_text="Those whose time had run out.")
    expires_at = serializers.DateTimeField()


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


class FeedbackShape(serializers.Serializer[Any]):
    is_right = serializers.BooleanField()
    label = serializers.CharField(help_text="The class that the region has.")  # type: ignore[assignment]
    name = serializers.CharField()
    definition = serializers.CharField()


class SubmittedShape(OwnAnswer):
    feedback = FeedbackShape(
        allow_null=True, help_text="What the region was, where it was a test and the study teaches by it; else null."
    )


class ClaimView(StudyView):
    roles = {"post": WORKERS}

    @schema.writes(ClaimShape, body=ClaimBody, summary="Take the next regions, or those I hold already")
    def post(self, request: Request, slug: str) -> Response:
        held = queue.claim_batch(member=self.member, **self.read_body(ClaimBody))
        leases = queue_reads.show_all(held)
        rules = self.study.protocol
        value = {
            "lease": leases[0] if leases else None,
            "leases": leases,
            "protocol": rules.number if rules else 0,
        }
        return Response(self.show(ClaimShape, value))


class RenewView(StudyView):
    roles = {"post": WORKERS}

    @schema.writes(RenewedShape, body=LeasesBody, summary="Keep leases: send it on real input")
    def post(self, request: Request, slug: str) -> Response:
        body = self.read_body(LeasesBody)
        if "token" in body:
            held = queue.renew(member=self.member, token=body["token"])
            kept, lost, until = [held.token], [], held.expires_at
        else:
            done = queue.renew_batch(member=self.member, tokens=body["tokens"])
            kept, lost, until = [row.token for row in done.leases], [row.token for row in done.lost], done.expires_at
        value = {"token": kept[0] if kept else None, "tokens": kept, "lost": lost, "expires_at": until}
        return Response(self.show(RenewedShape, value))


class ReleaseView(StudyView):
    roles = {"post": WORKERS}

    @schema.writes(None, body=LeasesBody, summary="Give regions back")
    def post(self, request: Request, slug: str) -> Response:
        body = self.read_body(LeasesBody)
        queue.release_batch(member=self.member, tokens=body.get("tokens") or [body["token"]])
        return Response(status=204)


class SkipView(StudyView):
    roles = {"post": WORKERS}

    @schema.writes(None, body=SkipBody, summary="Pass the region over, with a reason")
    def post(self, request: Request, slug: str) -> Response:
        queue.skip(member=self.member, **self.read_body(SkipBody))
        return Response(status=204)


class SubmitView(StudyView):
    roles = {"post": WORKERS}

    @schema.writes(SubmittedShape, body=SubmitBody, summary="Answer; harmless to repeat with the same key")
    def post(self, request: Request, slug: str) -> Response:
        annotation = queue.submit(member=self.member, **self.read_body(SubmitBody))
        annotation.feedback = feedback.of_answer(annotation, study=self.study)  # type: ignore[attr-defined]
        return Response(self.show(SubmittedShape, annotation))


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
