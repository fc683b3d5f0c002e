"""All regions of a slide over HTTP, in compact columns: what the slide overview draws and lists.

Shapes and methods only; what the columns hold is decided in selectors.overlay. For managers: it shows everybody's work.
"""

import hashlib
import json
from typing import Any

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from annotation.api import schema
from annotation.api.access import MANAGERS, StudyView
from annotation.api.pictures import NoQuery
from annotation.selectors import overlay, regions


class TruthShape(serializers.Serializer[Any]):
    codes = serializers.ListField(child=serializers.CharField())
    at = serializers.ListField(child=serializers.IntegerField(), help_text="Indices of regions that have a class.")
    code = serializers.ListField(child=serializers.IntegerField(), help_text="For each, its place in `codes`.")


class OverlayAnswers(serializers.Serializer[Any]):
    annotators = serializers.ListField(child=serializers.CharField(), help_text="Pseudonyms.")
    at = serializers.ListField(child=serializers.IntegerField(), help_text="Index of the region, once an opinion.")
    by = serializers.ListField(child=serializers.IntegerField(), help_text="For each, its place in `annotators`.")


class UncertaintyShape(serializers.Serializer[Any]):
    model = serializers.IntegerField(allow_null=True, help_text="The active model's number.")
    why = serializers.CharField(help_text="Why there is nothing to show, where there is not.")
    percent = serializers.CharField(
        help_text="Entropy of each region, in percent of an even guess: two hexadecimal digits each."
    )
    codes = serializers.ListField(child=serializers.CharField())
    predicted = serializers.CharField(
        help_text="The model's best class of each region, a place in `codes`: two digits each."
    )


class OverlayShape(serializers.Serializer[Any]):
    """Columns in the order of the regions' indices, from 0 to `count` - 1."""

    count = serializers.IntegerField()
    ids = serializers.CharField(help_text="Public ids, joined by spaces.")
    x = serializers.CharField(help_text="Level-0 pixels, joined by commas.")
    y = serializers.CharField(help_text="Level-0 pixels, joined by commas.")
    size = serializers.ListField(child=serializers.IntegerField(), allow_null=True, help_text="The size all share.")
    width = serializers.CharField(help_text="Joined by commas; empty where all share a size.")
    height = serializers.CharField(help_text="Joined by commas; empty where all share a size.")
    states = serializers.ListField(child=serializers.CharField())
    state = serializers.CharField(help_text="One digit for each region: its place in `states`.")
    truth = TruthShape()
    answers = OverlayAnswers()
    uncertainty = UncertaintyShape()


class SlideOverlay(StudyView):
    roles = {"get": MANAGERS}

    @schema.reads(OverlayShape, summary="All regions of a slide, in columns")
    def get(self, request: Request, slug: str, slide: str) -> HttpResponse:
        found = regions.slide(study=self.study, public_id=slide)
        self.read_query(NoQuery)
        # Not by a serializer: there is nothing to convert in a megabyte of columns.
        body = json.dumps(overlay.of_slide(found).to_json(), separators=(",", ":")).encode()
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        if etag in request.headers.get("If-None-Match", ""):
            response = HttpResponse(status=304)
        else:
            response = HttpResponse(body, content_type="application/json")
        response["ETag"] = etag
        response["Cache-Control"] = "private, no-cache"
        return response
