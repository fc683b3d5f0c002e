"""Slides of a study that is being set up, over HTTP: sent or taken from the server, described, looked at, removed.

Shapes and methods only; what is kept of a file, and for how long, is decided in services.staging. Managers only.
"""

from typing import Any, BinaryIO, cast

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api import schema
from annotation.api.access import MANAGERS, StudyView
from annotation.api.pagination import PageQuery, page_of
from annotation.api.pictures import NoQuery, PictureView, tile
from annotation.api.shapes import Finite, Shape
from annotation.errors import BadInput
from annotation.models import StagedSlide
from annotation.selectors import folders, setup, tilings
from annotation.services import staging
from annotation.services.imports import allowed_folder
from learning.slides import tiles

THUMBNAIL_EDGE = 1024
MOST_BOXES = 20_000
LONGEST_TABLE = 4_000_000
FOLDER = r"^[A-Za-z0-9_.][A-Za-z0-9_. /-]*$"


class Bytes(BaseParser):
    """The body as it comes: a slide may be larger than the memory."""

    media_type = "application/octet-stream"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return stream


class StagedShape(serializers.Serializer[Any]):
    id = serializers.CharField(source="public_id")
    name = serializers.CharField()
    case = serializers.CharField(allow_blank=True)
    domain = serializers.DictField(child=serializers.CharField(allow_blank=True))
    width = serializers.IntegerField(help_text="Level-0 pixels.")
    height = serializers.IntegerField(help_text="Level-0 pixels.")
    size_bytes = serializers.IntegerField()
    um_per_px = serializers.FloatField(source="um_per_px_x", allow_null=True)
    tissue_share = serializers.FloatField()


class UploadQuery(Shape):
    name = serializers.CharField(max_length=255, help_text="The file's name; erased when the slide enters the study.")


class DescribeBody(Shape):
    case = serializers.CharField(max_length=200, allow_blank=True, required=False)
    domain = serializers.DictField(child=serializers.CharField(max_length=200, allow_blank=True), required=False)


class TableBody(Shape):
    text = serializers.CharField(max_length=LONGEST_TABLE, help_text="A slides.csv: path, case, domain columns.")


class DescribedShape(serializers.Serializer[Any]):
    described = serializers.IntegerField()


class FolderShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    has_definition = serializers.BooleanField()
    has_table = serializers.BooleanField()
    slides = serializers.IntegerField()


class FoldersShape(serializers.Serializer[Any]):
    open = serializers.BooleanField(help_text="Whether the server has an import folder.")
    folders = FolderShape(many=True)


class FolderQuery(Shape):
    folder = serializers.RegexField(FOLDER, max_length=200, help_text="Below the server's import folder.")


class FolderFileShape(serializers.Serializer[Any]):
    path = serializers.CharField()
    case = serializers.CharField(allow_blank=True)
    domain = serializers.DictField(child=serializers.CharField(allow_blank=True))


class ListingShape(serializers.Serializer[Any]):
    has_table = serializers.BooleanField()
    columns = serializers.ListField(child=serializers.CharField())
    files = FolderFileShape(many=True)
    problems = serializers.ListField(child=serializers.CharField())


class FolderSlideBody(FolderQuery):
    path = serializers.CharField(max_length=255)
    case = serializers.CharField(max_length=200, allow_blank=True, required=False, default="")
    domain = serializers.DictField(
        child=serializers.CharField(max_length=200, allow_blank=True), required=False, default=dict
    )


class TilingQuery(Shape):
    edge = serializers.IntegerField(required=False, min_value=1, max_value=20_000, help_text="Pixels.")
    um_per_px = Finite(required=False, allow_null=True, min_value=0.001, max_value=1000)


class TilingShape(serializers.Serializer[Any]):
    """How one slide would be cut. `boxes` holds the corners, of the first regions only where there are very many."""

    edge = serializers.IntegerField(help_text="Of a region, in level-0 pixels of this slide.")
    region_width = serializers.IntegerField()
    region_height = serializers.IntegerField()
    regions = serializers.IntegerField()
    tissue_share = serializers.FloatField()
    um_per_px = serializers.FloatField(allow_null=True)
    boxes = serializers.ListField(child=serializers.ListField(child=serializers.IntegerField()))


class StagedSlidesView(StudyView):
    """The slides that have not entered the study yet; a new one is sent as it is, one file a request."""

    roles = {"get": MANAGERS, "post": MANAGERS}
    page_key = "public_id"
    page_order = "name"

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        if request.method == "POST":
            self.parser_classes = (Bytes,)
        return super().initialize_request(request, *args, **kwargs)

    @schema.reads(page_of(StagedShape), query=PageQuery, summary="Slides that are being set up")
    def get(self, request: Request, slug: str) -> Response:
        self.read_query(PageQuery)
        return self.answer_page(setup.staged(self.study), StagedShape)

    @schema.writes(
        StagedShape,
        query=UploadQuery,
        body={"application/octet-stream": OpenApiTypes.BINARY},
        status=201,
        summary="Send a slide file",
    )
    def post(self, request: Request, slug: str) -> Response:
        name = self.read_query(UploadQuery)["name"]
        size = int(request.META.get("CONTENT_LENGTH") or 0)
        stream = request.data
        if not hasattr(stream, "read"):
            raise BadInput("The file is empty. Copy it again from the scanner.")
        slide = staging.stage_upload(study=self.study, stream=cast(BinaryIO, stream), name=name, size=size)
        return Response(self.show(StagedShape, slide), status=201)


class StagedSlideView(StudyView):
    roles = {"put": MANAGERS, "delete": MANAGERS}

    @schema.writes(StagedShape, body=DescribeBody, summary="Say of which case and domain a slide is")
    def put(self, request: Request, slug: str, slide: str) -> Response:
        row = tilings.find(study=self.study, public_id=slide)
        return Response(self.show(StagedShape, staging.describe(slide=row, **self.read_body(DescribeBody))))

    @schema.writes(None, status=204, summary="Take a slide out again")
    def delete(self, request: Request, slug: str, slide: str) -> Response:
        staging.remove(slide=tilings.find(study=self.study, public_id=slide))
        return Response(status=204)


class StagedTable(StudyView):
    roles = {"post": MANAGERS}

    @schema.writes(DescribedShape, body=TableBody, summary="Describe the slides by the text of a slides.csv")
    def post(self, request: Request, slug: str) -> Response:
        text = self.read_body(TableBody)["text"]
        return Response({"described": staging.describe_table(study=self.study, text=text)})


class StagedThumbnail(PictureView):
    roles = {"get": MANAGERS}

    @schema.sends_file("image/jpeg", summary="A slide that is being set up, small")
    def get(self, request: Request, slug: str, slide: str) -> HttpResponse:
        self.read_query(NoQuery)
        row = tilings.find(study=self.study, public_id=slide)
        return self.picture(row, "staged", make=lambda reader: tiles.thumbnail_jpeg(reader, max_edge=THUMBNAIL_EDGE))


class StagedTile(PictureView):
    """Deep Zoom tiles, as of a slide of the study."""

    roles = {"get": MANAGERS}

    @schema.sends_file("image/jpeg", summary="A tile of a slide that is being set up")
    def get(self, request: Request, slug: str, slide: str, level: int, column: int, row: int) -> HttpResponse:
        self.read_query(NoQuery)
        found = tilings.find(study=self.study, public_id=slide)
        return self.picture(found, level, column, row, make=lambda reader: tile(reader, level, column, row))


class StagedTiling(StudyView):
    roles = {"get": MANAGERS}

    @schema.reads(TilingShape, query=TilingQuery, summary="How a slide would be cut")
    def get(self, request: Request, slug: str, slide: str) -> Response:
        query = self.read_query(TilingQuery)
        row = tilings.find(study=self.study, public_id=slide)
        return Response(self.show(TilingShape, _cut(self, row, query)))


class FoldersView(StudyView):
    roles = {"get": MANAGERS}

    @schema.reads(FoldersShape, summary="Folders on the server that are open for imports")
    def get(self, request: Request, slug: str) -> Response:
        found = folders.listed()
        return Response(self.show(FoldersShape, {"open": found is not None, "folders": found or []}))


class FolderView(StudyView):
    """The slides of a folder on the server; each is added by a request of its own."""

    roles = {"get": MANAGERS, "post": MANAGERS}

    @schema.reads(ListingShape, query=FolderQuery, summary="What lies in a folder on the server")
    def get(self, request: Request, slug: str) -> Response:
        return Response(self.show(ListingShape, folders.look(self.read_query(FolderQuery)["folder"])))

    @schema.writes(StagedShape, body=FolderSlideBody, status=201, summary="Take a slide from the server")
    def post(self, request: Request, slug: str) -> Response:
        body = self.read_body(FolderSlideBody)
        slide = staging.stage_file(
            study=self.study,
            folder=allowed_folder(body["folder"]),
            name=body["path"],
            case=body["case"],
            domain=body["domain"],
        )
        return Response(self.show(StagedShape, slide), status=201)


def _cut(view: StudyView, row: StagedSlide, query: dict[str, Any]) -> dict[str, Any]:
    study = view.study
    region_px = query.get("edge") or study.region_width
    # An edge without a size of pixels is in the slide's own.
    um_per_px = query.get("um_per_px", None if "edge" in query else study.region_um_per_px)
    edge = tilings.edge(study, row, region_px=region_px, um_per_px=um_per_px)
    boxes = tilings.cut(row, edge_px=edge, min_tissue=study.policy.tile_min_tissue)
    width, height = (int(boxes[0, 2]), int(boxes[0, 3])) if len(boxes) else (edge, edge)
    return {
        "edge": edge,
        "region_width": width,
        "region_height": height,
        "regions": len(boxes),
        "tissue_share": row.tissue_share,
        "um_per_px": row.um_per_px_x,
        "boxes": boxes[:MOST_BOXES, :2].tolist(),
    }
