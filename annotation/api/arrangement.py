"""The orders of my leased regions over HTTP, for looking at many of them at once.

Shapes and methods only. What an order may depend on is decided in selectors.arrangement.
"""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api import schema
from annotation.api.access import WORKERS, StudyView
from annotation.selectors import arrangement


class TokensField(serializers.ListField):
    def __init__(self, **options: Any) -> None:
        super().__init__(child=serializers.CharField(), **options)


class ArrangementShape(serializers.Serializer[Any]):
    slide = TokensField(help_text="Tokens of my leases, slide by slide.")
    similarity = TokensField(allow_null=True, help_text="Like beside like, by pixels alone; null: no features yet.")
    unlike = serializers.IntegerField(help_text="How many at the end of `similarity` have no features yet.")
    suggestion = TokensField(allow_null=True, help_text="By suggested class; null where suggestions are not shown.")
    uncertainty = TokensField(allow_null=True, help_text="Least sure suggestion first; null where none are shown.")


class ArrangementView(StudyView):
    roles = {"get": WORKERS}

    @schema.reads(ArrangementShape, summary="The regions I hold, in the orders in which they can be looked at")
    def get(self, request: Request, slug: str) -> Response:
        return Response(self.show(ArrangementShape, arrangement.of_member(study=self.study, member=self.member)))
