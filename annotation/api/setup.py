"""Setting up a study over HTTP: each part is saved by itself, the dry run is read, the study is launched.

Shapes and methods only; what holds and what may still change is decided in services.setup. Managers only.
"""

from typing import Any

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import checklist
from annotation.api import schema
from annotation.api.access import MANAGERS, Always, StudyView
from annotation.api.shapes import Finite, Shape
from annotation.api.studies import ClassShape, StudyShape
from annotation.models import Study
from annotation.selectors import planning
from annotation.selectors import setup as reads
from annotation.services import setup, studies
from annotation.studyfolder import write_definition
from annotation.studyfolder.fields import LARGEST_EDGE


class StepShape(serializers.Serializer[Any]):
    id = serializers.ChoiceField(list(reads.STEPS))
    title = serializers.CharField()
    missing = serializers.ListField(child=serializers.CharField(), help_text="What stands before the launch.")
    notes = serializers.ListField(child=serializers.CharField())
    fixed = serializers.CharField(help_text="Why it can't change any more; empty where it can.")


class SetupClassShape(ClassShape):
    quota = serializers.IntegerField(allow_null=True)
    parent = serializers.CharField(help_text="Code of the class that holds where its kinds stay undecided, or empty.")  # type: ignore[assignment]


class SetupShape(serializers.Serializer[Any]):
    """All that has been entered, and what each step lacks."""

    name = serializers.CharField()
    slug = serializers.CharField()
    state = serializers.CharField()
    domains = serializers.ListField(child=serializers.CharField())
    classes = SetupClassShape(many=True)
    guideline = serializers.CharField()
    classes_digest = serializers.CharField(help_text="Changes with the classes and the guideline.")
    region_edge = serializers.IntegerField()
    region_um_per_px = serializers.FloatField(allow_null=True)
    policy = serializers.DictField(help_text="What differs from the defaults.")
    checklist = serializers.DictField(child=serializers.CharField())
    publication = serializers.DictField(child=serializers.CharField())
    staged = serializers.IntegerField(help_text="Slides that have not entered the study yet.")
    steps = StepShape(many=True)


class NameBody(Shape):
    name = serializers.CharField(max_length=200)


class DomainsBody(Shape):
    domains = serializers.ListField(child=serializers.CharField(max_length=40), max_length=20, allow_empty=True)
    renamed = serializers.DictField(
        child=serializers.CharField(max_length=40), required=False, default=dict, help_text="Old column -> new one."
    )


class ClassBody(Shape):
    code = serializers.CharField(max_length=60)
    name = serializers.CharField(max_length=120)
    colour = serializers.CharField(max_length=7)
    key = serializers.CharField(max_length=1, allow_blank=True, required=False, default="", trim_whitespace=False)
    definition = serializers.CharField(max_length=10_000, allow_blank=True, required=False, default="")
    special = serializers.BooleanField(required=False, default=False)
    quota = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=0, max_value=2**31 - 1)
    parent = serializers.CharField(max_length=60, allow_blank=True, required=False, default="")  # type: ignore[assignment]


class ClassesBody(Shape):
    classes = ClassBody(many=True)
    guideline = serializers.CharField(max_length=100_000, allow_blank=True, required=False, default="")
    seen = serializers.CharField(
        max_length=64, required=False, default="", allow_blank=True, help_text="The `classes_digest` that was changed."
    )


class RegionBody(Shape):
    edge = serializers.IntegerField(min_value=1, max_value=LARGEST_EDGE)
    um_per_px = Finite(allow_null=True, default=None)


class PolicyBody(Shape):
    values = serializers.DictField(help_text="Key -> value; null takes a key back to its default.")


class ChecklistBody(Shape):
    answers = serializers.DictField(child=serializers.CharField(max_length=checklist.LONGEST_ANSWER, allow_blank=True))

    def validate_answers(self, value: dict[str, str]) -> dict[str, str]:
        if set(value) - set(checklist.KEYS):
            raise serializers.ValidationError("There is no such question in the checklist.")
        return value


class PublicationBody(Shape):
    licence = serializers.CharField(
        required=False, allow_blank=True, help_text="An SPDX id, or 'other: ' and its words."
    )
    creators = serializers.CharField(required=False, allow_blank=True, help_text="Parted by semicolons.")
    citation = serializers.CharField(required=False, allow_blank=True)
    address = serializers.CharField(required=False, allow_blank=True)
    keywords = serializers.CharField(required=False, allow_blank=True, help_text="Parted by semicolons.")


class CoverageShape(serializers.Serializer[Any]):
    values = serializers.ListField(child=serializers.CharField())
    slides = serializers.IntegerField()
    cases = serializers.IntegerField()
    regions = serializers.IntegerField()


class QuotaShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    quota = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True, help_text="Of all regions, to reach the quota.")
    special = serializers.BooleanField()


class PlanShape(serializers.Serializer[Any]):
    """The dry run. Pairs are the least and the most."""

    slides = serializers.IntegerField()
    cases = serializers.IntegerField()
    audit_cases = serializers.IntegerField()
    regions = serializers.IntegerField()
    regions_counted = serializers.BooleanField(help_text="False: partly reckoned from the tissue of the slides.")
    people = serializers.IntegerField()
    answers = serializers.ListField(child=serializers.IntegerField())
    seconds = serializers.FloatField(allow_null=True)
    hours = serializers.ListField(child=serializers.FloatField(), allow_null=True)
    hours_each = serializers.ListField(child=serializers.FloatField(), allow_null=True)
    columns = serializers.ListField(child=serializers.CharField())
    coverage = CoverageShape(many=True)
    classes = QuotaShape(many=True)
    consequences = serializers.ListField(child=serializers.CharField())


class EnteredShape(serializers.Serializer[Any]):
    slides = serializers.IntegerField()


def state(study: Study) -> dict[str, Any]:
    """Everything that the screen shows of a study's set-up."""
    study = Study.objects.select_related("protocol").get(pk=study.pk)
    rules = reads.protocol(study)
    return {
        "name": study.name,
        "slug": study.slug,
        "state": study.state,
        "domains": study.domains,
        "classes": reads.class_rows(study),
        "guideline": rules.guideline if rules else "",
        "classes_digest": reads.classes_digest(study),
        "region_edge": study.region_width,
        "region_um_per_px": study.region_um_per_px,
        "policy": study.policy_values,
        "checklist": study.checklist,
        "publication": study.publication,
        "staged": reads.staged(study).count(),
        "steps": reads.steps(study),
    }


class StepView(StudyView):
    """A part of the set-up. Each answers with the whole state, so that the screen knows what is still missing."""

    def answer(self) -> Response:
        return Response(self.show(SetupShape, state(self.study)))


class SetupView(StepView):
    roles = {"get": MANAGERS}

    @schema.reads(SetupShape, summary="How far the study's set-up is")
    def get(self, request: Request, slug: str) -> Response:
        return self.answer()


class SetupName(StepView):
    roles = {"put": MANAGERS}

    @schema.writes(SetupShape, body=NameBody, summary="Name the study")
    def put(self, request: Request, slug: str) -> Response:
        setup.save_name(study=self.study, **self.read_body(NameBody))
        return self.answer()


class SetupDomains(StepView):
    roles = {"put": MANAGERS}

    @schema.writes(SetupShape, body=DomainsBody, summary="Name the domain columns")
    def put(self, request: Request, slug: str) -> Response:
        setup.save_domains(study=self.study, **self.read_body(DomainsBody))
        return self.answer()


class SetupClasses(StepView):
    roles = {"put": MANAGERS}

    @schema.writes(SetupShape, body=ClassesBody, summary="Write the draft of the protocol")
    def put(self, request: Request, slug: str) -> Response:
        body = self.read_body(ClassesBody)
        classes = [{key: value for key, value in row.items() if value is not None} for row in body["classes"]]
        setup.save_classes(study=self.study, **{**body, "classes": classes})
        return self.answer()


class SetupRegion(StepView):
    roles = {"put": MANAGERS}

    @schema.writes(SetupShape, body=RegionBody, summary="Choose the size of a region")
    def put(self, request: Request, slug: str) -> Response:
        setup.save_region(study=self.study, **self.read_body(RegionBody))
        return self.answer()


class SetupPolicy(StepView):
    roles = {"put": MANAGERS}

    @schema.writes(SetupShape, body=PolicyBody, summary="Change the study's policy")
    def put(self, request: Request, slug: str) -> Response:
        studies.update_policy(study=self.study, values=self.read_body(PolicyBody)["values"])
        return self.answer()


class SetupChecklist(StepView):
    roles = {"put": MANAGERS}

    @schema.writes(SetupShape, body=ChecklistBody, summary="Answer questions of the checklist")
    def put(self, request: Request, slug: str) -> Response:
        setup.save_checklist(study=self.study, answers=self.read_body(ChecklistBody)["answers"])
        return self.answer()


class SetupPublication(StepView):
    roles = {"put": MANAGERS}

    @schema.writes(SetupShape, body=PublicationBody, summary="Say how releases are published")
    def put(self, request: Request, slug: str) -> Response:
        setup.save_publication(study=self.study, said=self.read_body(PublicationBody))
        return self.answer()


class SetupPlan(StudyView):
    roles = {"get": MANAGERS}

    @schema.reads(PlanShape, summary="The dry run: regions, answers, hours, coverage")
    def get(self, request: Request, slug: str) -> Response:
        return Response(self.show(PlanShape, planning.plan(self.study)))


class SetupLaunch(StudyView):
    roles = {"post": MANAGERS}

    @schema.writes(StudyShape, summary="Publish the protocol, let the slides in, open the study")
    def post(self, request: Request, slug: str) -> Response:
        setup.launch(study=self.study)
        return Response(self.show(StudyShape, type(self.member).objects.get(pk=self.member.pk)))


class SetupEnter(StudyView):
    roles = {"post": MANAGERS}

    @schema.writes(EnteredShape, summary="Add the waiting slides to a study that is running")
    def post(self, request: Request, slug: str) -> Response:
        return Response({"slides": setup.enter(study=self.study)})


class SetupDefinition(StudyView):
    """The study as a study.toml: everything that defines it, no people, no data."""

    roles = {"get": MANAGERS}
    content_negotiation_class = Always

    @schema.sends_file("application/toml", summary="Export the study's definition")
    def get(self, request: Request, slug: str) -> HttpResponse:
        text = write_definition(reads.definition(self.study))
        response = HttpResponse(text, content_type="application/toml; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{self.study.slug}.study.toml"'
        response["Cache-Control"] = "private, no-store"
        return response
