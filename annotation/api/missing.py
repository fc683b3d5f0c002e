"""What answers below /api/ where there is nothing: the API's own 404 instead of a page for people."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.api.errors import NOT_FOUND
from annotation.errors import Missing


@extend_schema(exclude=True)
class MissingView(APIView):
    """404 for everybody and every method."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    metadata_class = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise Missing(NOT_FOUND)

    def get(self, request: Request) -> Response:
        raise Missing(NOT_FOUND)
