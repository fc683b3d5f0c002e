"""Releases over HTTP: list, cut from a clean pass, download.

Shapes and methods only; whether a pass may be frozen is decided in services.releases and by the database.
"""

import mimetypes
from typing import Any

from django.http import FileResponse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api import schema
from annotation.api.access import MANAGERS, Always, StudyView
from annotation.api.pagination import PageQuery, page_of
from annotation.api.shapes import Shape
from annotation.selectors import consistency
from annotation.services import releases


class ReleaseShape(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    consistency_pass = serializers.IntegerField(source="consistency_pass.number")
    manifest_digest = serializers.CharField()
    items = serializers.IntegerField(source="items_count")
    created_by = serializers.CharField(source="created_by.pseudonym", default=None, allow_null=True)
    created_at = serializers.DateTimeField()


class ReleaseFile(serializers.Serializer[Any]):
    name = serializers.CharField()
    size_bytes = serializers.IntegerField(source="stat.st_size")


class ReleaseDetailShape(ReleaseShape):
    files = serializers.SerializerMethodField()

    @extend_schema_field(ReleaseFile(many=True))
    def get_files(self, release: Any) -> Any:
        return ReleaseFile(consistency.files(release), many=True).data


class FreezeBody(Shape):
    consistency_pass = serializers.IntegerField(min_value=1, max_value=999_999_999, help_text="Number of the pass.")


class ReleasesView(StudyView):
    roles = {"get": MANAGERS, "post": MANAGERS}

    @schema.reads(page_of(ReleaseShape), query=PageQuery, summary="The study's releases, newest first")
    def get(self, request: Request, slug: str) -> Response:
        self.read_query(PageQuery)
        return self.answer_page(consistency.releases(self.study), ReleaseShape)

    @schema.writes(ReleaseDetailShape, body=FreezeBody, status=201, summary="Cut a release from a clean pass")
    def post(self, request: Request, slug: str) -> Response:
        number = self.read_body(FreezeBody)["consistency_pass"]
        row = consistency.consistency_pass(study=self.study, number=number)
        release = releases.freeze(study=self.study, consistency_pass=row, member=self.member)
        return Response(self.show(ReleaseDetailShape, release), status=201)


class ReleaseDetail(StudyView):
    roles = {"get": MANAGERS}

    @schema.reads(ReleaseDetailShape, summary="A release and its files")
    def get(self, request: Request, slug: str, number: int) -> Response:
        return Response(self.show(ReleaseDetailShape, consistency.release(study=self.study, number=number)))


class ReleaseFileView(StudyView):
    """Always a download, never a page of this site: the files hold what people have written."""

    roles = {"get": MANAGERS}
    content_negotiation_class = Always

    @schema.sends_file("application/octet-stream", summary="A file of a release")
    def get(self, request: Request, slug: str, number: int, name: str) -> FileResponse:
        release = consistency.release(study=self.study, number=number)
        path = consistency.file(release, name=name)
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        response = FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type=kind)
        response["Content-Security-Policy"] = "sandbox; default-src 'none'"
        response["Cache-Control"] = "private, no-store"
        return response
