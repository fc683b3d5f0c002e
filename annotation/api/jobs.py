"""Background work over HTTP: what waits, runs and failed, and asking for it again.

Shapes and methods only; rows and their rules are those of services.jobs and services.loop.
"""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api import schema
from annotation.api.access import MANAGERS, StudyView
from annotation.api.pagination import PageQuery, page_of
from annotation.selectors import background
from annotation.services import jobs, loop
from annotation.states import JobKind, JobState


class JobQuery(PageQuery):
    state = serializers.ChoiceField(JobState.choices, required=False)
    kind = serializers.ChoiceField(JobKind.choices, required=False)


class JobShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(JobKind.choices)
    key = serializers.CharField()
    state = serializers.ChoiceField(JobState.choices)
    attempt = serializers.IntegerField()
    max_attempts = serializers.IntegerField()
    done_units = serializers.IntegerField()
    total_units = serializers.IntegerField()
    seconds_left = serializers.IntegerField(allow_null=True, help_text="An estimate, from the mean speed so far.")
    error = serializers.CharField()
    result = serializers.DictField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class JobsView(StudyView):
    roles = {"get": MANAGERS}
    page_key = "id"
    page_order = "-id"

    @schema.reads(page_of(JobShape), query=JobQuery, summary="Background work, newest first")
    def get(self, request: Request, slug: str) -> Response:
        query = self.read_query(JobQuery)
        wanted = {name: query[name] for name in ("state", "kind") if name in query}
        return self.answer_page(background.jobs(self.study).filter(**wanted), JobShape)


class RetryJob(StudyView):
    roles = {"post": MANAGERS}

    @schema.writes(JobShape, summary="Run an ended job again")
    def post(self, request: Request, slug: str, job: int) -> Response:
        return Response(self.show(JobShape, jobs.retry(job=background.job(study=self.study, pk=job))))


class TrainNow(StudyView):
    roles = {"post": MANAGERS}

    @schema.writes(JobShape, summary="Train a model now, or join the training that waits or runs")
    def post(self, request: Request, slug: str) -> Response:
        return Response(self.show(JobShape, loop.train_now(study=self.study, trigger=background.BY_HAND)))
