"""The findings of a pass over HTTP: look at them by rule, decide one or many, each time with a reason.

Shapes and methods only; what a filter means is in selectors.findings, what a fix does in services.findings.
"""

from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api import schema
from annotation.api.access import MANAGERS, Always, StudyView
from annotation.api.models import ReasonBody
from annotation.api.pagination import PageQuery, Pages, page_of
from annotation.api.shapes import AnswerField, Shape
from annotation.errors import BadInput, Conflict
from annotation.models import ConsistencyPass, Finding
from annotation.releasing import tables
from annotation.rules import Fix, by_code
from annotation.selectors import consistency
from annotation.selectors import findings as reads
from annotation.services import findings
from annotation.states import FindingState, Severity

FIXES = [fix.value for fix in Fix if fix.value and fix != Fix.WAIVE]
REOPEN = "reopen"
DECISIONS = [*FIXES, Fix.WAIVE.value, REOPEN]
MOST_AT_ONCE = 5000


class FindingFilter(Shape):
    """Which findings of a pass are meant."""

    state = serializers.ChoiceField(FindingState.choices, required=False)
    severity = serializers.ChoiceField(Severity.choices, required=False)
    rule = serializers.SlugField(required=False, max_length=60)
    domain = serializers.CharField(required=False, max_length=200, help_text="Of the finding's region.")
    label = serializers.SlugField(required=False, max_length=60, help_text="Class that the pass saw.")  # type: ignore[assignment]
    blocks = serializers.BooleanField(required=False, help_text="Only what stands before a release.")
    since = serializers.ChoiceField(
        reads.SINCE,
        required=False,
        help_text="Compared with the pass before; fresh: new or changed. Those gone are its own findings.",
    )


class FindingQuery(FindingFilter, PageQuery):
    ids = serializers.RegexField(
        r"^[0-9]{1,18}(,[0-9]{1,18})*$", required=False, max_length=4000, help_text="Only these, by comma."
    )


class FindingShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    rule = serializers.CharField()
    severity = serializers.ChoiceField(Severity.choices)
    region = serializers.CharField(source="region.public_id", default=None, allow_null=True)
    counterpart = serializers.CharField(source="counterpart.public_id", default=None, allow_null=True)
    subject = serializers.CharField()
    message = serializers.CharField()
    fix = serializers.CharField(help_text="The fix that is offered.")
    fixes = serializers.SerializerMethodField(help_text="What may be done, the fix offered first.")
    state = serializers.ChoiceField(FindingState.choices)
    decision = serializers.CharField(source="data.decision.fix", default=None, allow_null=True)
    carried_from = serializers.IntegerField(
        source="data.decision.carried_from", default=None, allow_null=True, help_text="Pass the decision was made in."
    )
    decided_by = serializers.CharField(source="decided_by.pseudonym", default=None, allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()
    waived_until = serializers.DateTimeField(allow_null=True)
    since = serializers.CharField(
        help_text="new, changed or kept, compared with the pass before; empty: there is none."
    )
    domain = serializers.CharField(source="region.slide.domain.name", default=None, allow_null=True)
    labels = serializers.SerializerMethodField(help_text="What the pass saw of region and counterpart, and today's.")

    def get_fixes(self, finding: Any) -> list[str]:
        rule = by_code(finding.rule)
        return [fix.value for fix in rule.fixes(has_region=finding.region_id is not None)] if rule else []

    def get_labels(self, finding: Any) -> list[dict[str, Any]]:
        regions = [region for region in (finding.region, finding.counterpart) if region is not None]
        return [_label(region, finding.seen.get(region.pk)) for region in regions]


def _label(region: Any, item: Any) -> dict[str, Any]:
    now = region.current_revision
    seen = item.revision.label if item else ""
    return {
        "region": region.public_id,
        "seen": seen,
        "confidence": item.posterior.get(seen) if item else None,
        "method": item.revision.method if item else "",
        "now": now.label if now and now.is_settled and not now.is_excluded else "",
        "is_excluded": bool(now and now.is_excluded),
    }


class ResolveBody(ReasonBody):
    fix = serializers.ChoiceField(FIXES, required=False, allow_null=True, default=None)
    answer = AnswerField(required=False, allow_null=True, default=None)


class WaiveBody(ReasonBody):
    until = serializers.DateTimeField(required=False, allow_null=True, default=None)


class FindingsDecision(WaiveBody):
    """A decision about the findings in `ids`, or about all that `where` names: then `count` says how many were seen."""

    decision = serializers.ChoiceField(DECISIONS)
    answer = AnswerField(required=False, allow_null=True, default=None)
    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1), required=False, min_length=1, max_length=MOST_AT_ONCE
    )
    where = FindingFilter(required=False)
    count = serializers.IntegerField(required=False, min_value=1)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("ids" in attrs) == ("where" in attrs):
            raise serializers.ValidationError("Name the findings by 'ids' or by 'where', not both.")
        if "where" in attrs and "count" not in attrs:
            raise serializers.ValidationError("With 'where' say in 'count' how many findings are meant.")
        return attrs


class DecidedShape(serializers.Serializer[Any]):
    """What was decided, so that it can be taken back at once."""

    ids = serializers.ListField(child=serializers.IntegerField())
    state = serializers.ChoiceField(FindingState.choices)


class PassView(StudyView):
    """Base of what lies below a pass."""

    def find_pass(self, number: int) -> ConsistencyPass:
        return consistency.consistency_pass(study=self.study, number=number)

    def show_finding(self, row: ConsistencyPass, finding: Finding) -> Any:
        return self.show(FindingShape, _attach(row, [reads.one(row, pk=finding.pk)])[0])


class FindingsView(PassView):
    roles = {"get": MANAGERS}
    page_key = page_order = "id"

    @schema.reads(page_of(FindingShape), query=FindingQuery, summary="What the pass found")
    def get(self, request: Request, slug: str, number: int) -> Response:
        row = self.find_pass(number)
        query = self.read_query(FindingQuery)
        pages = Pages()
        rows = reads.select(row, **_wanted(query))
        if "ids" in query:
            rows = rows.filter(pk__in=query["ids"].split(","))
        found = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response(self.show(FindingShape, _attach(row, found), many=True))


class FindingsTable(PassView):
    roles = {"get": MANAGERS}
    content_negotiation_class = Always

    @schema.sends_file("text/csv", query=FindingFilter, summary="What the pass found, as a table")
    def get(self, request: Request, slug: str, number: int) -> HttpResponse:
        row = self.find_pass(number)
        found = reads.select(row, **_wanted(self.read_query(FindingFilter))).order_by("id")
        columns = "id rule severity state region counterpart subject message decision reason by at until".split()
        lines = (_cells(finding) for finding in found.iterator(chunk_size=2000))
        name = f"pass-{row.number}-findings.csv"
        return table(tables.render(columns, lines), name=name)


class DecideFindings(PassView):
    roles = {"post": MANAGERS}

    @schema.writes(DecidedShape, body=FindingsDecision, summary="Decide many findings with one reason: all or none")
    def post(self, request: Request, slug: str, number: int) -> Response:
        row = self.find_pass(number)
        body = self.read_body(FindingsDecision)
        chosen = _choose(row, body)
        said = {"findings": chosen, "member": self.member, "reason": body["reason"]}
        if body["decision"] == REOPEN:
            done = findings.reopen_many(**said)
        else:
            done = findings.apply_many(**said, fix=body["decision"], until=body["until"], answer=body["answer"])
        return Response({"ids": [one.pk for one in done], "state": done[0].state})


class ResolveFinding(PassView):
    roles = {"post": MANAGERS}

    @schema.writes(FindingShape, body=ResolveBody, summary="Do what the finding offers, or another fix")
    def post(self, request: Request, slug: str, number: int, finding: int) -> Response:
        row = self.find_pass(number)
        found = reads.one(row, pk=finding)
        done = findings.apply(finding=found, member=self.member, **self.read_body(ResolveBody))
        return Response(self.show_finding(row, done))


class WaiveFinding(PassView):
    roles = {"post": MANAGERS}

    @schema.writes(FindingShape, body=WaiveBody, summary="Bear the defect, with a reason")
    def post(self, request: Request, slug: str, number: int, finding: int) -> Response:
        row = self.find_pass(number)
        found = reads.one(row, pk=finding)
        done = findings.waive(finding=found, member=self.member, **self.read_body(WaiveBody))
        return Response(self.show_finding(row, done))


class ReopenFinding(PassView):
    roles = {"post": MANAGERS}

    @schema.writes(FindingShape, body=ReasonBody, summary="Take a decision about a finding back")
    def post(self, request: Request, slug: str, number: int, finding: int) -> Response:
        row = self.find_pass(number)
        found = reads.one(row, pk=finding)
        done = findings.reopen(finding=found, member=self.member, **self.read_body(ReasonBody))
        return Response(self.show_finding(row, done))


def _attach(row: ConsistencyPass, found: Iterable[Finding]) -> list[Finding]:
    return reads.attach_since(row, reads.attach_seen(row, found))


def table(content: bytes, *, name: str) -> HttpResponse:
    """A CSV file as a download, kept by nobody."""
    response = HttpResponse(content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response


def _wanted(query: dict[str, Any]) -> dict[str, Any]:
    return {str(name): query[str(name)] for name in FindingFilter().fields if str(name) in query}


def _choose(row: ConsistencyPass, body: dict[str, Any]) -> list[Finding]:
    """The findings a decision is about: those named, or those that the filter still finds as many of as were seen."""
    if "ids" in body:
        ids = set(body["ids"])
        chosen = list(reads.of_pass(row).filter(pk__in=ids))
        if len(chosen) != len(ids):
            raise BadInput(f"Pass {row.number} has not all of these findings: load the page again.")
        return chosen
    where = body["where"]
    if where.get("since") == reads.GONE:
        raise BadInput("Findings that are gone belong to the pass before: there is nothing to decide.")
    rows = reads.select(row, **where)
    is_open = rows.filter(state=FindingState.OPEN)
    chosen = list(rows.exclude(state=FindingState.OPEN) if body["decision"] == REOPEN else is_open)
    if len(chosen) != body["count"]:
        raise Conflict(f"There are {len(chosen)} such findings now, not {body['count']}: look again, then decide.")
    if len(chosen) > MOST_AT_ONCE:
        raise BadInput(f"Decide at most {MOST_AT_ONCE} findings at once: narrow the filter.")
    return chosen


def _cells(finding: Finding) -> tuple[Any, ...]:
    decided = finding.decided_by.pseudonym if finding.decided_by else ""
    region = finding.region.public_id if finding.region else ""
    rival = finding.counterpart.public_id if finding.counterpart else ""
    what = (finding.pk, finding.rule, finding.severity, finding.state, region, rival, finding.subject, finding.message)
    fix = finding.data.get("decision", {}).get("fix", "")
    return (*what, fix, finding.reason, decided, _moment(finding.decided_at), _moment(finding.waived_until))


def _moment(value: Any) -> str:
    return value.isoformat() if value else ""
