"""Consistency passes over HTTP: run one, see what it says by rule, and what a release of it would hold.

Shapes and methods only; what counts is in selectors.findings and selectors.composition.
"""

from dataclasses import asdict
from typing import Any

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api import schema
from annotation.api.access import MANAGERS, Always, StudyView
from annotation.api.changes import ChangesQuery, ChangesShape, ChangeTableQuery, page_of_changes
from annotation.api.findings import FindingFilter, PassView, table
from annotation.api.pagination import PageQuery, page_of
from annotation.api.shapes import Shape
from annotation.releasing import diff
from annotation.rules import EFFECTS, by_code
from annotation.selectors import changes, checks, composition, consistency, findings
from annotation.selectors import passes as reads
from annotation.services import passes
from annotation.states import JobState, PassState


class PassShape(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    state = serializers.ChoiceField(PassState.choices)
    ledger_position = serializers.IntegerField()
    ledger_digest = serializers.CharField()
    rules = serializers.DictField(help_text="Rule code -> version and thresholds.")
    numbers = serializers.DictField()
    open_blockers = serializers.IntegerField()
    open_warnings = serializers.IntegerField()
    release = serializers.IntegerField(source="release.number", default=None, allow_null=True)
    started_by = serializers.CharField(source="started_by.pseudonym", default=None, allow_null=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class PassJob(serializers.Serializer[Any]):
    """The background work that runs a pass."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField(JobState.choices)
    attempt = serializers.IntegerField()
    max_attempts = serializers.IntegerField()
    error = serializers.CharField()


class GroupShape(serializers.Serializer[Any]):
    """The findings of one rule."""

    rule = serializers.CharField()
    title = serializers.CharField()
    meaning = serializers.SerializerMethodField()
    stakes = serializers.SerializerMethodField()
    fixes = serializers.SerializerMethodField(help_text="What may be done about every open finding of the rule.")
    counts = serializers.DictField(child=serializers.IntegerField())

    def get_meaning(self, group: Any) -> str:
        rule = by_code(group.rule)
        return rule.meaning if rule else "This version of the program no longer knows the rule."

    def get_stakes(self, group: Any) -> str:
        rule = by_code(group.rule)
        return rule.stakes if rule else ""

    def get_fixes(self, group: Any) -> list[str]:
        rule, counts = by_code(group.rule), group.counts
        return [fix.value for fix in rule.fixes(has_region=counts["with_region"] == counts["total"])] if rule else []


class CheckShape(serializers.Serializer[Any]):
    """Something looked at before a release."""

    code = serializers.CharField()
    state = serializers.ChoiceField([checks.PASSED, checks.FAILED, checks.NOTED])
    sentence = serializers.CharField()
    rule = serializers.CharField(allow_blank=True)
    count = serializers.IntegerField()


class SummaryShape(serializers.Serializer[Any]):
    """A pass by rule. `groups` follow the filter, all the rest is of the whole pass."""

    state = serializers.ChoiceField(PassState.choices)
    items = serializers.IntegerField(help_text="Settled regions that the pass saw.")
    job = PassJob(allow_null=True)
    groups = GroupShape(many=True)
    blockers = CheckShape(many=True)
    since = serializers.DictField(allow_null=True, help_text="New, changed, kept and gone since the pass `previous`.")
    moved = serializers.DictField(help_text="What changed the truth since the pass.")


class PreviewShape(serializers.Serializer[Any]):
    """What a release of the pass would hold."""

    composition = serializers.DictField()
    checks = CheckShape(many=True)
    against = serializers.IntegerField(allow_null=True, help_text="The release it would follow.")
    changes = serializers.DictField(child=serializers.IntegerField())


class NoBody(Shape):
    pass


class PassesView(StudyView):
    roles = {"get": MANAGERS, "post": MANAGERS}

    @schema.reads(page_of(PassShape), query=PageQuery, summary="The study's consistency passes, newest first")
    def get(self, request: Request, slug: str) -> Response:
        self.read_query(PageQuery)
        return self.answer_page(consistency.passes(self.study), PassShape)

    @schema.writes(PassShape, body=NoBody, status=201, summary="Run all rules over the truth as it stands now")
    def post(self, request: Request, slug: str) -> Response:
        self.read_body(NoBody)
        started = passes.start(study=self.study, member=self.member)
        row = consistency.consistency_pass(study=self.study, number=started.number)
        return Response(self.show(PassShape, row), status=201)


class PassDetail(PassView):
    roles = {"get": MANAGERS}

    @schema.reads(PassShape, summary="A consistency pass")
    def get(self, request: Request, slug: str, number: int) -> Response:
        return Response(self.show(PassShape, self.find_pass(number)))


class PassSummary(PassView):
    roles = {"get": MANAGERS}

    @schema.reads(SummaryShape, query=FindingFilter, summary="A pass by rule: what blocks, what changed, what is stale")
    def get(self, request: Request, slug: str, number: int) -> Response:
        row = self.find_pass(number)
        wanted = self.read_query(FindingFilter)
        everything = findings.groups(findings.of_pass(row))
        summary = {
            "state": row.state,
            "items": row.numbers.get("items", 0),
            "job": reads.job(row) if row.state != PassState.DONE else None,
            "groups": findings.groups(findings.select(row, **wanted)) if any(wanted.values()) else everything,
            "blockers": [asdict(one) for one in checks.blockers(everything)],
            "since": findings.compare(row) if row.state == PassState.DONE else None,
            "moved": reads.moves_since(row),
        }
        return Response(self.show(SummaryShape, summary))


class PassPreview(PassView):
    roles = {"get": MANAGERS}

    @schema.reads(PreviewShape, summary="What a release of the pass would hold, and what stands before it")
    def get(self, request: Request, slug: str, number: int) -> Response:
        row = self.find_pass(number)
        counted = composition.of_pass(row)
        last, found = changes.of_pass(row)
        preview = {
            "composition": counted,
            "checks": [asdict(one) for one in checks.of_pass(row, counted=counted)],
            "against": last.number if last else None,
            "changes": found.counts,
        }
        return Response(self.show(PreviewShape, preview))


class PassChanges(PassView):
    roles = {"get": MANAGERS}

    @schema.reads(ChangesShape, query=ChangesQuery, summary="What a release of the pass would change")
    def get(self, request: Request, slug: str, number: int) -> Response:
        query = self.read_query(ChangesQuery)
        last, found = changes.of_pass(self.find_pass(number))
        return Response(self.show(ChangesShape, page_of_changes(found, against=last, query=query)))


class PassChangesTable(PassView):
    roles = {"get": MANAGERS}
    content_negotiation_class = Always

    @schema.sends_file("text/csv", query=ChangeTableQuery, summary="What a release of the pass would change, a table")
    def get(self, request: Request, slug: str, number: int) -> HttpResponse:
        kind = self.read_query(ChangeTableQuery).get("kind", "")
        _, found = changes.of_pass(self.find_pass(number))
        return table(diff.to_csv(found.of_kind(kind)), name=f"pass-{number}-changes.csv")


def effects() -> dict[str, dict[str, str]]:
    """What each fix is called, and what it does, for a screen."""
    return {fix.value: {"label": label, "effect": effect} for fix, (label, effect) in EFFECTS.items()}
