"""Consistency passes and their findings over HTTP: run, look, resolve, waive, reopen.

Shapes and methods only; what a fix does and who may decide is in services.findings.
"""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api import schema
from annotation.api.access import MANAGERS, StudyView
from annotation.api.models import ReasonBody
from annotation.api.pagination import PageQuery, page_of
from annotation.api.shapes import AnswerField, Shape
from annotation.models import Finding
from annotation.rules import Fix
from annotation.selectors import consistency
from annotation.services import findings, passes
from annotation.states import FindingState, PassState, Severity

FIXES = [fix.value for fix in Fix if fix.value and fix != Fix.WAIVE]


class PassShape(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    state = serializers.ChoiceField(PassState.choices)
    ledger_position = serializers.IntegerField()
    ledger_digest = serializers.CharField()
    rules = serializers.DictField(help_text="Rule code -> version and thresholds.")
    numbers = serializers.DictField()
    open_blockers = serializers.IntegerField()
    open_warnings = serializers.IntegerField()
    started_by = serializers.CharField(source="started_by.pseudonym", default=None, allow_null=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class FindingQuery(PageQuery):
    state = serializers.ChoiceField(FindingState.choices, required=False)
    severity = serializers.ChoiceField(Severity.choices, required=False)
    rule = serializers.SlugField(required=False, max_length=60)


class FindingShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    rule = serializers.CharField()
    severity = serializers.ChoiceField(Severity.choices)
    region = serializers.CharField(source="region.public_id", default=None, allow_null=True)
    counterpart = serializers.CharField(source="counterpart.public_id", default=None, allow_null=True)
    subject = serializers.CharField()
    message = serializers.CharField()
    fix = serializers.CharField(help_text="The fix that is offered.")
    state = serializers.ChoiceField(FindingState.choices)
    decided_by = serializers.CharField(source="decided_by.pseudonym", default=None, allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()
    waived_until = serializers.DateTimeField(allow_null=True)


class ResolveBody(ReasonBody):
    fix = serializers.ChoiceField(FIXES, required=False, allow_null=True, default=None)
    answer = AnswerField(required=False, allow_null=True, default=None)


class WaiveBody(ReasonBody):
    until = serializers.DateTimeField(required=False, allow_null=True, default=None)


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


class PassDetail(StudyView):
    roles = {"get": MANAGERS}

    @schema.reads(PassShape, summary="A consistency pass")
    def get(self, request: Request, slug: str, number: int) -> Response:
        row = consistency.consistency_pass(study=self.study, number=number)
        return Response(self.show(PassShape, row))


class FindingsView(StudyView):
    roles = {"get": MANAGERS}
    page_key = page_order = "id"

    @schema.reads(page_of(FindingShape), query=FindingQuery, summary="What the pass found")
    def get(self, request: Request, slug: str, number: int) -> Response:
        row = consistency.consistency_pass(study=self.study, number=number)
        query = self.read_query(FindingQuery)
        wanted = {name: query[name] for name in ("state", "severity", "rule") if name in query}
        return self.answer_page(consistency.findings(row).filter(**wanted), FindingShape)


class FindingView(StudyView):
    """Base of the decisions about one finding."""

    def find(self, number: int, pk: int) -> Finding:
        row = consistency.consistency_pass(study=self.study, number=number)
        return consistency.finding(row, pk=pk)


class ResolveFinding(FindingView):
    roles = {"post": MANAGERS}

    @schema.writes(FindingShape, body=ResolveBody, summary="Do what the finding offers, or another fix")
    def post(self, request: Request, slug: str, number: int, finding: int) -> Response:
        found = self.find(number, finding)
        done = findings.apply(finding=found, member=self.member, **self.read_body(ResolveBody))
        return Response(self.show(FindingShape, done))


class WaiveFinding(FindingView):
    roles = {"post": MANAGERS}

    @schema.writes(FindingShape, body=WaiveBody, summary="Bear the defect, with a reason")
    def post(self, request: Request, slug: str, number: int, finding: int) -> Response:
        found = self.find(number, finding)
        done = findings.waive(finding=found, member=self.member, **self.read_body(WaiveBody))
        return Response(self.show(FindingShape, done))


class ReopenFinding(FindingView):
    roles = {"post": MANAGERS}

    @schema.writes(FindingShape, body=ReasonBody, summary="Take a decision about a finding back")
    def post(self, request: Request, slug: str, number: int, finding: int) -> Response:
        found = self.find(number, finding)
        done = findings.reopen(finding=found, member=self.member, **self.read_body(ReasonBody))
        return Response(self.show(FindingShape, done))
