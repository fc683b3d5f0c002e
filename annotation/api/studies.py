"""Studies over HTTP: the own list, one study with its protocol, its progress, its state.

Shapes and methods only; rules live in selectors.studies and services.studies.
"""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.decorators import method_decorator
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.api import schema as api_schema
from annotation.api.access import ANYONE, MANAGERS, StudyView, read
from annotation.api.shapes import Shape
from annotation.models import Membership
from annotation.selectors import studies
from annotation.services import setup
from annotation.services import studies as study_service
from annotation.states import Role, StudyState, Task


class StudyRow(serializers.Serializer[Any]):
    """A study of mine, and my role in it."""

    slug = serializers.CharField(source="study.slug")
    name = serializers.CharField(source="study.name")
    task = serializers.ChoiceField(Task.choices, source="study.task")
    state = serializers.ChoiceField(StudyState.choices, source="study.state")
    role = serializers.ChoiceField(Role.choices)


class ClassShape(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    colour = serializers.CharField()
    key = serializers.CharField(help_text="The keyboard's key for it.")
    definition = serializers.CharField()
    is_special = serializers.BooleanField(help_text='An outcome such as "not evaluable", not a class to learn.')


class ProtocolShape(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    summary = serializers.CharField(help_text="What this version changed, and why.")
    guideline = serializers.CharField()
    classes = ClassShape(many=True)


class StudyShape(StudyRow):
    """A study with the protocol in force."""

    protocol = ProtocolShape(source="study.protocol", allow_null=True)


class PolicyShape(serializers.Serializer[Any]):
    policy = serializers.DictField(help_text="Every value, defaults included.")


class CountsField(serializers.DictField):
    child = serializers.IntegerField()


class ProgressShape(serializers.Serializer[Any]):
    """How far the study is. For managers: everything here says something about the answers of others."""

    state = serializers.ChoiceField(StudyState.choices)
    slides = CountsField()
    regions = CountsField()
    settled_by_class = CountsField()
    picks = CountsField()
    leases = serializers.IntegerField()
    answers = serializers.IntegerField()
    answers_per_minute = serializers.FloatField()
    jobs = CountsField()
    models = CountsField()
    active_model = serializers.IntegerField(allow_null=True)
    batches = serializers.IntegerField()
    passes = serializers.IntegerField()
    open_findings = CountsField()
    releases = serializers.IntegerField()


class MemberShape(serializers.Serializer[Any]):
    username = serializers.CharField(source="shown_name")
    pseudonym = serializers.CharField(help_text="Stands for the person in ledger, reports and releases.")
    role = serializers.ChoiceField(Role.choices)
    is_active = serializers.BooleanField()


class NewStudyBody(Shape):
    slug = serializers.SlugField(max_length=60, help_text="The short name; addresses and exports carry it.")
    name = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    definition = serializers.CharField(
        max_length=4_000_000,
        required=False,
        allow_blank=True,
        default="",
        trim_whitespace=False,
        help_text="The text of a study.toml.",
    )


class StudiesView(APIView):
    """The studies I am a member of. Who may add studies begins one here, as a draft, and manages it."""

    metadata_class = None
    schema = api_schema.Described()

    @api_schema.reads(StudyRow(many=True), summary="My studies")
    def get(self, request: Request) -> Response:
        return Response(StudyRow(studies.memberships(request.user), many=True).data)

    @api_schema.writes(StudyRow, body=NewStudyBody, status=201, summary="Begin a study, as a draft")
    def post(self, request: Request) -> Response:
        body = read(NewStudyBody, request.data)
        studies.check_may_begin(user=request.user)
        assert isinstance(request.user, AbstractBaseUser)  # nobody else has permissions
        return Response(StudyRow(setup.begin(user=request.user, **body)).data, status=201)


class StudyDetail(StudyView):
    roles = {"get": ANYONE}

    @api_schema.reads(StudyShape, summary="A study and its protocol")
    def get(self, request: Request, slug: str) -> Response:
        return Response(self.show(StudyShape, self.member))


class PolicyView(StudyView):
    roles = {"get": MANAGERS}

    @api_schema.reads(PolicyShape, summary="The study's policy")
    def get(self, request: Request, slug: str) -> Response:
        return Response({"policy": self.study.policy.to_json()})


class ProgressView(StudyView):
    roles = {"get": MANAGERS}

    @api_schema.reads(ProgressShape, summary="How far the study is")
    def get(self, request: Request, slug: str) -> Response:
        return Response(self.show(ProgressShape, studies.progress(self.study)))


class MembersView(StudyView):
    roles = {"get": MANAGERS}

    @api_schema.reads(MemberShape(many=True), summary="The study's members")
    def get(self, request: Request, slug: str) -> Response:
        members = Membership.objects.filter(study=self.study).select_related("user").order_by("id")
        return Response(self.show(MemberShape, members, many=True))


class StudyMove(StudyView):
    """Open, drain or close the study: the service says whether that may be."""

    roles = {"post": MANAGERS}
    move = staticmethod(study_service.open_study)

    def post(self, request: Request, slug: str) -> Response:
        type(self).move(study=self.study)
        self.study.refresh_from_db()
        return Response(self.show(StudyShape, self.member))


@method_decorator(api_schema.writes(StudyShape, summary="Open the study to its annotators"), name="post")
class OpenStudy(StudyMove):
    move = staticmethod(study_service.open_study)


@method_decorator(api_schema.writes(StudyShape, summary="Finish what was begun, queue nothing new"), name="post")
class DrainStudy(StudyMove):
    move = staticmethod(study_service.drain)


@method_decorator(api_schema.writes(StudyShape, summary="Hand out no more work"), name="post")
class CloseStudy(StudyMove):
    move = staticmethod(study_service.close)
