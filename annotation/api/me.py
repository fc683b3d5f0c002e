"""The person's own settings, the same in every study."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.api import schema
from annotation.api.access import read
from annotation.api.schema import Described
from annotation.api.shapes import Shape
from annotation.selectors import preferences as preference_reads
from annotation.services import preferences


class PreferencesBody(Shape):
    keys = serializers.DictField(required=False)
    explained = serializers.ListField(child=serializers.CharField(), required=False)


class PreferencesShape(serializers.Serializer[Any]):
    keys = serializers.DictField(help_text='{"single": bool, "own": {action: [key, ...]}}')
    explained = serializers.ListField(child=serializers.CharField(), help_text="Explanations that were closed.")


class OwnView(APIView):
    """A view for everybody who is signed in, of nothing but the own settings."""

    metadata_class = None
    schema = Described()


class PreferencesView(OwnView):
    @schema.reads(PreferencesShape, summary="My keys, and the explanations I have closed")
    def get(self, request: Request) -> Response:
        return Response(preference_reads.of(request.user))

    @schema.writes(PreferencesShape, body=PreferencesBody, summary="Change my keys or closed explanations")
    def put(self, request: Request) -> Response:
        body = read(PreferencesBody, request.data)
        preferences.save(user=request.user, keys=body.get("keys"), explained=body.get("explained"))
        return Response(preference_reads.of(request.user))
