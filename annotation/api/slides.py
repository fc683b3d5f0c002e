"""Slides over HTTP: list, detail, registration of an uploaded file.

Shapes and methods only; what may be stored of a slide is decided in services.slides. No file name comes out.
"""

import tempfile
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api import schema
from annotation.api.access import MANAGERS, StudyView
from annotation.api.pagination import PageQuery, page_of
from annotation.api.shapes import Shape
from annotation.selectors import regions
from annotation.services import slides
from annotation.states import SlideState


class SlideQuery(PageQuery):
    state = serializers.ChoiceField(SlideState.choices, required=False)


class SlideShape(serializers.Serializer[Any]):
    id = serializers.CharField(source="public_id")
    case = serializers.CharField(source="case.code", help_text="Opaque code of the case.")
    domain = serializers.DictField(source="domain.values", child=serializers.CharField())
    width = serializers.IntegerField(help_text="Level-0 pixels.")
    height = serializers.IntegerField(help_text="Level-0 pixels.")
    levels = serializers.JSONField(help_text="[[width, height, downsample], ...]")
    um_per_px_x = serializers.FloatField(allow_null=True)
    um_per_px_y = serializers.FloatField(allow_null=True)
    objective = serializers.FloatField(allow_null=True)
    vendor = serializers.CharField()
    state = serializers.ChoiceField(SlideState.choices)
    failure = serializers.CharField()
    tissue_share = serializers.FloatField(allow_null=True)
    regions = serializers.IntegerField(source="region_count")


class SlideUpload(Shape):
    file = serializers.FileField(help_text="Any single file that OpenSlide or Pillow opens.")
    case = serializers.CharField(max_length=200, help_text="The case's name; only its digest is stored.")
    domain = serializers.JSONField(required=False, default=dict, help_text="One value per domain column of the study.")

    def validate_domain(self, value: Any) -> dict[str, str]:
        if not isinstance(value, dict) or not all(isinstance(one, str) and "\x00" not in one for one in value.values()):
            raise serializers.ValidationError("The domain is a JSON object of texts.")
        return value


class SlidesView(StudyView):
    roles = {"get": MANAGERS}
    page_key = page_order = "public_id"

    @schema.reads(page_of(SlideShape), query=SlideQuery, summary="The study's slides")
    def get(self, request: Request, slug: str) -> Response:
        query = self.read_query(SlideQuery)
        rows = regions.slides(self.study)
        return self.answer_page(rows.filter(state=query["state"]) if "state" in query else rows, SlideShape)


class SlideUploadView(StudyView):
    roles = {"post": MANAGERS}
    parser_classes = (MultiPartParser,)

    @schema.writes(SlideShape, body={"multipart/form-data": SlideUpload}, status=201, summary="Register a slide file")
    def post(self, request: Request, slug: str) -> Response:
        body = self.read_body(SlideUpload)
        with tempfile.TemporaryDirectory() as folder:
            path = _write(body["file"], Path(folder))
            slide = slides.register(study=self.study, path=path, case=body["case"], domain=body["domain"])
        return Response(self.show(SlideShape, slide), status=201)


class SlideDetail(StudyView):
    roles = {"get": MANAGERS}

    @schema.reads(SlideShape, summary="A slide")
    def get(self, request: Request, slug: str, slide: str) -> Response:
        return Response(self.show(SlideShape, regions.slide(study=self.study, public_id=slide)))


def _write(upload: UploadedFile, folder: Path) -> Path:
    """The upload under a name of ours; of its own only the suffix, which tells readers the format."""
    suffix = "".join(sign for sign in Path(upload.name or "").suffix.lower() if sign.isalnum() or sign == ".")[:9]
    path = folder / f"slide{suffix}"
    with path.open("wb") as target:
        for block in upload.chunks():
            target.write(block)
    return path
