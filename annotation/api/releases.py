"""Releases over HTTP: list, cut from a clean pass, download, verify, compare.

Shapes and methods only; whether a pass may be frozen is decided in services.releases and by the database.
"""

import mimetypes
from typing import Any

from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api import schema
from annotation.api.access import MANAGERS, Always, StudyView
from annotation.api.changes import ChangesQuery, ChangesShape, ChangeTableQuery, page_of_changes
from annotation.api.findings import table
from annotation.api.pagination import PageQuery, page_of
from annotation.api.shapes import Shape
from annotation.errors import Missing
from annotation.models import Release
from annotation.releasing import archive, diff
from annotation.selectors import changes, consistency
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
    size_bytes = serializers.IntegerField()


class ReleaseDetailShape(ReleaseShape):
    files = serializers.SerializerMethodField()

    @extend_schema_field(ReleaseFile(many=True))
    def get_files(self, release: Any) -> Any:
        held = consistency.files(release)
        return [{"name": name, "size_bytes": path.stat().st_size} for name, path in held.items()]


class FreezeBody(Shape):
    consistency_pass = serializers.IntegerField(min_value=1, max_value=999_999_999, help_text="Number of the pass.")


class NoBody(Shape):
    pass


class VerifiedShape(serializers.Serializer[Any]):
    ok = serializers.BooleanField()
    digest = serializers.CharField(allow_blank=True)
    regions = serializers.IntegerField()
    problems = serializers.ListField(child=serializers.CharField())


class SinceTableQuery(ChangeTableQuery):
    since = serializers.IntegerField(
        required=False, min_value=1, max_value=999_999_999, help_text="Number of a release; default: the one before."
    )


class SinceQuery(SinceTableQuery, ChangesQuery):
    pass


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


class ReleaseView(StudyView):
    """Base of what lies below a release."""

    def find(self, number: int) -> Release:
        return consistency.release(study=self.study, number=number)

    def find_earlier(self, release: Release, since: int | None) -> Release | None:
        """The release to compare with: the one named, or the one before."""
        return changes.before(release) if since is None else self.find(since)


class ReleaseDetail(ReleaseView):
    roles = {"get": MANAGERS}

    @schema.reads(ReleaseDetailShape, summary="A release and its files")
    def get(self, request: Request, slug: str, number: int) -> Response:
        return Response(self.show(ReleaseDetailShape, self.find(number)))


class VerifyRelease(ReleaseView):
    roles = {"post": MANAGERS}

    @schema.writes(VerifiedShape, body=NoBody, summary="Check the release's folder against its manifest and ledger")
    def post(self, request: Request, slug: str, number: int) -> Response:
        self.read_body(NoBody)
        return Response(self.show(VerifiedShape, releases.check(release=self.find(number))))


class ReleaseChanges(ReleaseView):
    roles = {"get": MANAGERS}

    @schema.reads(ChangesShape, query=SinceQuery, summary="What the release changed against an earlier one")
    def get(self, request: Request, slug: str, number: int) -> Response:
        release, query = self.find(number), self.read_query(SinceQuery)
        earlier = self.find_earlier(release, query.get("since"))
        found = changes.of_release(release, since=earlier)
        return Response(self.show(ChangesShape, page_of_changes(found, against=earlier, query=query)))


class ReleaseChangesTable(ReleaseView):
    roles = {"get": MANAGERS}
    content_negotiation_class = Always

    @schema.sends_file("text/csv", query=SinceTableQuery, summary="What the release changed, as a table")
    def get(self, request: Request, slug: str, number: int) -> HttpResponse:
        release, query = self.find(number), self.read_query(SinceTableQuery)
        found = changes.of_release(release, since=self.find_earlier(release, query.get("since")))
        return table(diff.to_csv(found.of_kind(query.get("kind", ""))), name=f"release-{number}-changes.csv")


class ReleaseArchive(ReleaseView):
    """All files as one, made while it is sent."""

    roles = {"get": MANAGERS}
    content_negotiation_class = Always

    @schema.sends_file("application/x-tar", summary="The whole release as a tar file")
    def get(self, request: Request, slug: str, number: int) -> StreamingHttpResponse:
        release = self.find(number)
        held = consistency.files(release)
        if not held:
            raise Missing("The folder of this release is gone: cut it again from its pass to restore it.")
        parts = archive.stream(held, name=release.manifest_digest)
        response = StreamingHttpResponse(parts, content_type="application/x-tar")
        response["Content-Length"] = str(archive.size_of(held))
        response["Content-Disposition"] = f'attachment; filename="{slug}-release-{number}.tar"'
        response["Cache-Control"] = "private, no-store"
        return response


class ReleaseFileView(ReleaseView):
    """Always a download, never a page of this site: the files hold what people have written."""

    roles = {"get": MANAGERS}
    content_negotiation_class = Always

    @schema.sends_file("application/octet-stream", summary="A file of a release")
    def get(self, request: Request, slug: str, number: int, name: str) -> FileResponse:
        path = consistency.file(self.find(number), name=name)
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        response = FileResponse(path.open("rb"), as_attachment=True, filename=path.name, content_type=kind)
        response["Content-Security-Policy"] = "sandbox; default-src 'none'"
        response["Cache-Control"] = "private, no-store"
        return response
