"""Versions of the classes over HTTP: read, compare, draft the next one, see what it would do, publish it.

Shapes and methods only; what a draft may hold and what publishing does is decided in services.protocols. Managers only.
"""

from dataclasses import asdict
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api import schema
from annotation.api.access import MANAGERS, StudyView
from annotation.api.setup import ClassBody
from annotation.api.shapes import Shape
from annotation.models import Protocol
from annotation.selectors import protocols as reads
from annotation.services import protocols
from annotation.services.protocols.drafts import LONGEST_SUMMARY
from annotation.states import MappingKind


class VersionClassShape(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    colour = serializers.CharField()
    key = serializers.CharField()
    definition = serializers.CharField()
    is_special = serializers.BooleanField()
    quota = serializers.IntegerField(allow_null=True)
    parent = serializers.CharField()  # type: ignore[assignment]


class MappingShape(serializers.Serializer[Any]):
    source = serializers.CharField(help_text="A class of the version before.")  # type: ignore[assignment]
    kind = serializers.ChoiceField(MappingKind.choices)
    targets = serializers.ListField(child=serializers.CharField(), help_text="Where it goes; none where it ends.")


class VersionRow(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    summary = serializers.CharField()
    published_at = serializers.DateTimeField(allow_null=True)
    published_by = serializers.CharField(source="published_by.pseudonym", default=None, allow_null=True)
    classes = serializers.SerializerMethodField(help_text="How many.")

    def get_classes(self, protocol: Protocol) -> int:
        return len(protocol.classes.all())


class VersionsShape(serializers.Serializer[Any]):
    versions = VersionRow(many=True, help_text="Published, newest first.")
    draft = serializers.IntegerField(allow_null=True, help_text="The number of the draft of the next one.")


class ChangeShape(serializers.Serializer[Any]):
    field = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()


class ChangedClassShape(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    changes = ChangeShape(many=True)


class LineShape(serializers.Serializer[Any]):
    sign = serializers.ChoiceField([" ", "+", "-"])
    text = serializers.CharField()


class DifferenceShape(serializers.Serializer[Any]):
    added = VersionClassShape(many=True)
    removed = VersionClassShape(many=True)
    changed = ChangedClassShape(many=True)
    guideline = LineShape(many=True)


class CompareQuery(Shape):
    before = serializers.IntegerField(min_value=1)
    after = serializers.IntegerField(min_value=1)


class DraftShape(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    classes = VersionClassShape(many=True)
    guideline = serializers.CharField()
    summary = serializers.CharField()
    mappings = MappingShape(many=True)
    before = VersionClassShape(many=True, help_text="The classes of the version in force.")
    digest = serializers.CharField(help_text="Changes whenever the draft does.")


class MappingBody(Shape):
    source = serializers.CharField(max_length=60)  # type: ignore[assignment]
    kind = serializers.ChoiceField(MappingKind.choices)
    targets = serializers.ListField(child=serializers.CharField(max_length=60), max_length=200, allow_empty=True)


class DraftBody(Shape):
    classes = ClassBody(many=True)
    guideline = serializers.CharField(max_length=100_000, allow_blank=True, required=False, default="")
    summary = serializers.CharField(max_length=LONGEST_SUMMARY, allow_blank=True, required=False, default="")
    mappings = MappingBody(many=True)
    seen = serializers.CharField(
        max_length=64, required=False, default="", allow_blank=True, help_text="The digest of the draft I changed."
    )


class PublishBody(Shape):
    seen = serializers.CharField(max_length=64, help_text="The digest of the draft whose impact I have looked at.")


class ClassImpactShape(serializers.Serializer[Any]):
    source = serializers.CharField()  # type: ignore[assignment]
    kind = serializers.ChoiceField(MappingKind.choices)
    targets = serializers.ListField(child=serializers.CharField())
    is_exact = serializers.BooleanField(help_text="Whether what was answered holds on.")
    truths = serializers.IntegerField()
    answers = serializers.IntegerField()


class ImpactShape(serializers.Serializer[Any]):
    """What publishing would do. Pairs are what holds and what becomes stale."""

    number = serializers.IntegerField()
    classes = ClassImpactShape(many=True)
    new_classes = serializers.ListField(child=serializers.CharField())
    truths = serializers.ListField(child=serializers.IntegerField())
    answers = serializers.ListField(child=serializers.IntegerField())
    rewritten = serializers.IntegerField(help_text="Truths that get a new revision by rule.")
    queued = serializers.IntegerField(help_text="Regions that are asked again.")
    queued_audit = serializers.IntegerField(help_text="Of them in the audit sample: these come first.")
    withdrawn_picks = serializers.IntegerField(help_text="Queued regions nobody has begun: back to the pool.")
    opinions = serializers.IntegerField(help_text="Answers asked for again, at least.")
    seconds_per_answer = serializers.FloatField(allow_null=True)
    hours = serializers.FloatField(allow_null=True)
    leases = serializers.IntegerField(help_text="Regions that people hold at this moment.")
    gold_stale = serializers.IntegerField()
    examples_stale = serializers.IntegerField()
    model = serializers.IntegerField(allow_null=True, help_text="The active model.")
    model_loses = serializers.ListField(child=serializers.CharField(), help_text="Classes it tells that end.")
    notes = serializers.ListField(child=serializers.CharField())
    digest = serializers.CharField(help_text="Of the draft that was counted.")


class VersionsView(StudyView):
    roles = {"get": MANAGERS}

    @schema.reads(VersionsShape, summary="The versions of the classes")
    def get(self, request: Request, slug: str) -> Response:
        draft = protocols.draft_of(self.study) if self.study.protocol_id else None
        value = {"versions": list(reads.versions(self.study)), "draft": draft.number if draft else None}
        return Response(self.show(VersionsShape, value))


class CompareView(StudyView):
    roles = {"get": MANAGERS}

    @schema.reads(DifferenceShape, query=CompareQuery, summary="What differs between two versions")
    def get(self, request: Request, slug: str) -> Response:
        asked = self.read_query(CompareQuery)
        before, after = (reads.version(self.study, asked[name]) for name in ("before", "after"))
        found = reads.compare(before, after)
        value = {
            "added": found.added,
            "removed": found.removed,
            "changed": [{"code": item.code, "name": item.name, "changes": rows} for item, rows in found.changed],
            "guideline": [{"sign": sign, "text": text} for sign, text in found.guideline],
        }
        return Response(self.show(DifferenceShape, value))


class DraftView(StudyView):
    roles = {"get": MANAGERS, "post": MANAGERS, "put": MANAGERS, "delete": MANAGERS}

    def answer(self) -> Response:
        draft = reads.draft(self.study)
        value = {
            "number": draft.number,
            "classes": protocols.class_plans(draft),
            "guideline": draft.guideline,
            "summary": draft.summary,
            "mappings": protocols.read_mappings(draft),
            "before": protocols.class_plans(self.study.current_protocol),
            "digest": protocols.digest(draft),
        }
        return Response(self.show(DraftShape, value))

    @schema.reads(DraftShape, summary="The draft of the next version")
    def get(self, request: Request, slug: str) -> Response:
        return self.answer()

    @schema.writes(DraftShape, summary="Begin a draft: so far the same as what is in force")
    def post(self, request: Request, slug: str) -> Response:
        protocols.begin_draft(study=self.study)
        return self.answer()

    @schema.writes(DraftShape, body=DraftBody, summary="Save the draft")
    def put(self, request: Request, slug: str) -> Response:
        body = self.read_body(DraftBody)
        plans = [
            protocols.MappingPlan(one["source"], MappingKind(one["kind"]), tuple(one["targets"]))
            for one in body.pop("mappings")
        ]
        classes = [{key: value for key, value in row.items() if value is not None} for row in body.pop("classes")]
        protocols.edit_draft(study=self.study, classes=classes, plans=plans, **body)
        return self.answer()

    @schema.writes(None, summary="Throw the draft away")
    def delete(self, request: Request, slug: str) -> Response:
        protocols.discard_draft(study=self.study)
        return Response(status=204)


class ImpactView(StudyView):
    roles = {"get": MANAGERS}

    @schema.reads(ImpactShape, summary="What publishing the draft would do")
    def get(self, request: Request, slug: str) -> Response:
        digest = protocols.digest(reads.draft(self.study))
        found = protocols.impact(study=self.study)
        return Response(self.show(ImpactShape, {**asdict(found), "digest": digest}))


class PublishView(StudyView):
    roles = {"post": MANAGERS}

    @schema.writes(VersionsShape, body=PublishBody, summary="Publish the draft")
    def post(self, request: Request, slug: str) -> Response:
        protocols.publish_draft(study=self.study, member=self.member, **self.read_body(PublishBody))
        return Response(self.show(VersionsShape, {"versions": list(reads.versions(self.study)), "draft": None}))
