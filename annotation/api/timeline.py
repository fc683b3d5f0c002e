"""The ledger over HTTP: what was done and when, what stood at a moment, what two moments differ in, and taking it back.

Shapes and methods only. Wording is decided in selectors.timeline, what stood in selectors.moments, what may go back in
services.reviewing, what is erased in services.erasure. Managers only.
"""

from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import chain
from annotation.api import schema
from annotation.api.access import MANAGERS, Always, StudyView
from annotation.api.changes import FlowShape, LabelChangeShape
from annotation.api.pagination import DEFAULT_PAGE, LARGEST_PAGE
from annotation.api.shapes import Shape
from annotation.errors import BadInput, Missing
from annotation.models import Membership
from annotation.selectors import moments, timeline
from annotation.services import anchoring, erasure, ledger, reviewing
from annotation.snapshot import one_snapshot

_LARGEST = 2**62


class EntriesQuery(Shape):
    before = serializers.IntegerField(
        required=False, min_value=1, max_value=_LARGEST, help_text="Older than this entry."
    )
    kind = serializers.SlugField(required=False, max_length=40)
    answers = serializers.BooleanField(required=False, default=False, help_text="Single answers too.")


class EntryShape(serializers.Serializer[Any]):
    position = serializers.IntegerField()
    kind = serializers.CharField()
    at = serializers.DateTimeField()
    title = serializers.CharField()
    reason = serializers.CharField()
    by = serializers.CharField()
    region = serializers.CharField(help_text="Where the entry is about one region alone; else empty.")
    regions = serializers.IntegerField(help_text="Revisions of regions in it.")
    answers = serializers.IntegerField()
    is_reversible = serializers.BooleanField()


class DayShape(serializers.Serializer[Any]):
    day = serializers.DateField()
    kinds = serializers.DictField(child=serializers.IntegerField())


class EntriesShape(serializers.Serializer[Any]):
    head = serializers.IntegerField(help_text="The newest entry.")
    next = serializers.IntegerField(allow_null=True, help_text="`before` of the next page.")
    days = DayShape(many=True)
    results = EntryShape(many=True)


class MomentQuery(Shape):
    """A moment: an entry of the ledger, or a time, which means the last entry at or before it; else now."""

    position = serializers.IntegerField(required=False, min_value=0, max_value=_LARGEST)
    at = serializers.DateTimeField(required=False)
    person = serializers.CharField(required=False, max_length=20, help_text="A pseudonym: that person's answers.")


class TallyShape(serializers.Serializer[Any]):
    label = serializers.CharField(help_text="Empty where no class stands.")  # type: ignore[assignment]
    state = serializers.CharField(
        help_text="Of regions: settled, open, excluded. Of answers: agrees, differs, undecided."
    )
    regions = serializers.IntegerField()


class StandingShape(serializers.Serializer[Any]):
    position = serializers.IntegerField()
    at = serializers.DateTimeField(allow_null=True)
    counts = TallyShape(many=True)


class DifferenceQuery(Shape):
    since = serializers.IntegerField(min_value=0, max_value=_LARGEST, help_text="The earlier entry.")
    until = serializers.IntegerField(required=False, min_value=0, max_value=_LARGEST, help_text="The later one; now.")
    person = serializers.CharField(required=False, max_length=20)
    kind = serializers.ChoiceField(moments.KINDS, required=False)
    start = serializers.IntegerField(required=False, default=0, min_value=0, max_value=999_999_999)
    size = serializers.IntegerField(required=False, default=DEFAULT_PAGE, min_value=1, max_value=LARGEST_PAGE)


class MomentChange(LabelChangeShape):
    """One region that differs; `split_...` say its state then, or the kind of the answer."""

    kind = serializers.CharField(help_text="One of the kinds that the query takes.")  # type: ignore[assignment]


class MomentsDifference(serializers.Serializer[Any]):
    since = serializers.IntegerField()
    until = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField())
    flows = FlowShape(many=True)
    next = serializers.IntegerField(allow_null=True)
    results = MomentChange(many=True)


class TakeBackBody(Shape):
    reason = serializers.CharField(max_length=2000, help_text="Kept in the history for good.")
    also_changed = serializers.BooleanField(required=False, default=False)
    dry_run = serializers.BooleanField(required=False, default=False, help_text="Only tell what would happen.")


class TakenBackShape(serializers.Serializer[Any]):
    position = serializers.IntegerField(allow_null=True, help_text="The new entry; null for a dry run.")
    restored = serializers.IntegerField()
    reopened = serializers.IntegerField()
    answers = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="How many stay as they are, and why.")
    changed = serializers.ListField(child=serializers.CharField())
    stuck = serializers.ListField(child=serializers.CharField())
    same = serializers.ListField(child=serializers.CharField())


class SessionShape(serializers.Serializer[Any]):
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    answers = serializers.IntegerField()
    judged = serializers.IntegerField(help_text="Of these, how many regions are settled.")
    agreed = serializers.IntegerField(help_text="And with the same class.")


class SetAsideBody(Shape):
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    reason = serializers.CharField(max_length=2000, help_text="Kept in the history for good.")
    dry_run = serializers.BooleanField(required=False, default=False, help_text="Only tell what would happen.")


class SetAsideShape(serializers.Serializer[Any]):
    position = serializers.IntegerField(allow_null=True)
    answers = serializers.IntegerField()
    kept = serializers.IntegerField()
    relabelled = serializers.IntegerField()
    reopened = serializers.IntegerField()
    adjudicated = serializers.IntegerField()
    waiting = serializers.IntegerField()
    decided = serializers.IntegerField()
    released = serializers.IntegerField()


class EraseBody(Shape):
    dry_run = serializers.BooleanField(required=False, default=False, help_text="Only count what would go.")


class ErasedShape(serializers.Serializer[Any]):
    pseudonym = serializers.CharField()
    comments = serializers.IntegerField()
    drafts = serializers.IntegerField()
    skips = serializers.IntegerField()
    account = serializers.BooleanField(help_text="Whether the account is nobody's now.")


class AnchorShape(serializers.Serializer[Any]):
    position = serializers.IntegerField()
    digest = serializers.CharField()
    place = serializers.CharField()
    created_at = serializers.DateTimeField()


class AnchorsShape(serializers.Serializer[Any]):
    is_configured = serializers.BooleanField(help_text="Whether heads are carried outside by themselves each day.")
    head = serializers.IntegerField()
    results = AnchorShape(many=True)


class TakenAnchor(serializers.Serializer[Any]):
    line = serializers.CharField(help_text="To be kept outside: on paper, in a mail, in another's file.")


class LedgerView(StudyView):
    def person(self, pseudonym: str) -> Membership:
        """A member of any time, by pseudonym."""
        found = Membership.objects.filter(study=self.study, pseudonym=pseudonym).select_related("study").first()
        if found is None:
            raise Missing("There is no such person in this study.")
        return found


class TimelineView(LedgerView):
    roles = {"get": MANAGERS}

    @schema.reads(EntriesShape, query=EntriesQuery, summary="What was done, newest first, in words")
    def get(self, request: Request, slug: str) -> Response:
        query = self.read_query(EntriesQuery)
        before = query.get("before")
        found = timeline.entries(self.study, before=before, kind=query.get("kind", ""), with_answers=query["answers"])
        more = found[-1].position if len(found) == timeline.PAGE else None
        days = timeline.days(self.study) if before is None else []
        said = {"head": ledger.head(self.study).position, "next": more, "days": days, "results": found}
        return Response(self.show(EntriesShape, said))


class StandingView(LedgerView):
    roles = {"get": MANAGERS}

    @schema.reads(
        StandingShape, query=MomentQuery, summary="The study, or a person's answers, as they stood at a moment"
    )
    def get(self, request: Request, slug: str) -> Response:
        query = self.read_query(MomentQuery)
        member = self.person(query["person"]) if query.get("person") else None
        with one_snapshot():
            moment = moments.resolve(self.study, position=query.get("position"), at=query.get("at"))
            counts = moments.count_answers(moment, member) if member else moments.count(moment)
        return Response(self.show(StandingShape, {"position": moment.position, "at": moment.at, "counts": counts}))


class DifferenceView(LedgerView):
    roles = {"get": MANAGERS}

    @schema.reads(MomentsDifference, query=DifferenceQuery, summary="What two moments differ in")
    def get(self, request: Request, slug: str) -> Response:
        query = self.read_query(DifferenceQuery)
        member = self.person(query["person"]) if query.get("person") else None
        page = {"kind": query.get("kind", ""), "start": query["start"], "size": query["size"]}
        with one_snapshot():
            before = moments.resolve(self.study, position=query["since"])
            after = moments.resolve(self.study, position=query.get("until"))
            if before.position > after.position:
                raise BadInput("The first moment lies after the second: give the earlier one first.")
            if member:
                found = moments.compare_answers(before, after, member, **page)
            else:
                found = moments.compare(before, after, **page)
        total = found.counts.get(page["kind"], 0) if page["kind"] else sum(found.counts.values())
        end = query["start"] + query["size"]
        said = {
            "since": before.position,
            "until": after.position,
            "counts": found.counts,
            "flows": [{"before": was, "after": now, "count": count} for (was, now), count in found.flows.items()],
            "next": end if end < total else None,
            "results": found.page,
        }
        return Response(self.show(MomentsDifference, said))


class TakeBackView(LedgerView):
    roles = {"post": MANAGERS}

    @schema.writes(TakenBackShape, body=TakeBackBody, summary="Put what an entry did back to what stood before it")
    def post(self, request: Request, slug: str, number: int) -> Response:
        body = self.read_body(TakeBackBody)
        done = reviewing.restore_bulk(study=self.study, position=number, member=self.member, **body)
        return Response(self.show(TakenBackShape, done))


class SessionsView(LedgerView):
    roles = {"get": MANAGERS}

    @schema.reads(SessionShape(many=True), summary="A person's sessions, newest first")
    def get(self, request: Request, slug: str, member: str) -> Response:
        return Response(self.show(SessionShape, timeline.sessions(self.person(member)), many=True))


class SetAsideView(LedgerView):
    roles = {"post": MANAGERS}

    @schema.writes(SetAsideShape, body=SetAsideBody, summary="Set a person's answers of some hours aside")
    def post(self, request: Request, slug: str, member: str) -> Response:
        body, person = self.read_body(SetAsideBody), self.person(member)
        done = reviewing.restore_session(study=self.study, person=person, member=self.member, **body)
        return Response(self.show(SetAsideShape, done))


class EraseView(LedgerView):
    roles = {"post": MANAGERS}

    @schema.writes(ErasedShape, body=EraseBody, summary="Erase a person's name and free text from the study")
    def post(self, request: Request, slug: str, member: str) -> Response:
        body = self.read_body(EraseBody)
        return Response(self.show(ErasedShape, erasure.erase(member=self.person(member), **body)))


class AnchorsView(LedgerView):
    roles = {"get": MANAGERS, "post": MANAGERS}

    @schema.reads(AnchorsShape, summary="Where the ledger's heads were carried")
    def get(self, request: Request, slug: str) -> Response:
        said = {
            "is_configured": anchoring.is_configured(),
            "head": ledger.head(self.study).position,
            "results": timeline.anchors(self.study),
        }
        return Response(self.show(AnchorsShape, said))

    @schema.writes(TakenAnchor, summary="The head as a line to be kept outside")
    def post(self, request: Request, slug: str) -> Response:
        anchor = anchoring.take(study=self.study)
        anchoring.note(study=self.study, anchor=anchor, place=f"handed to {self.member.pseudonym}")
        return Response(self.show(TakenAnchor, {"line": chain.to_anchor_line(anchor)}))


class LedgerFileView(LedgerView):
    """The whole chain, made while it is sent."""

    roles = {"get": MANAGERS}
    content_negotiation_class = Always

    @schema.sends_file("application/x-ndjson", summary="The ledger as a file that chain.py checks")
    def get(self, request: Request, slug: str) -> HttpResponse | StreamingHttpResponse:
        lines = (f"{line}\n" for line in ledger.export(self.study))
        response = StreamingHttpResponse(lines, content_type="application/x-ndjson")
        response["Content-Disposition"] = f'attachment; filename="{slug}-ledger.jsonl"'
        response["Cache-Control"] = "private, no-store"
        return response
