"""Signing in by token: for scripts and other programs; people use the session of the admin.

Decides how often a name may be tried; refuses to know what a token opens.
"""

import hashlib
from typing import Any

from django.contrib.auth import authenticate
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.authtoken.models import Token
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from annotation.api.access import read
from annotation.api.schema import Described
from annotation.api.shapes import ErrorShape, Shape
from annotation.errors import ConcordError


class TokenBody(Shape):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=128, trim_whitespace=False)


class TokenShape(serializers.Serializer[Any]):
    token = serializers.CharField(help_text='Send it as the header "Authorization: Token ...".')


class PerAddress(SimpleRateThrottle):
    """Tries of one address. Counted per web process."""

    scope = "token-address"
    rate = "60/min"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}


class PerName(SimpleRateThrottle):
    """Tries of one name from one address, so that nobody can lock out somebody else."""

    scope = "token-name"
    rate = "10/min"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        name = request.data.get("username") if isinstance(request.data, dict) else None
        if not isinstance(name, str):
            return None
        ident = hashlib.sha256(f"{self.get_ident(request)} {name}".encode("utf-8", "replace")).hexdigest()
        return self.cache_format % {"scope": self.scope, "ident": ident}


class WrongPassword(ConcordError):
    code = "not-signed-in"
    status = 401


class TokenView(APIView):
    """Name and password for a token; the same token until it is taken back."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (PerAddress, PerName)
    metadata_class = None
    schema = Described()

    @extend_schema(
        summary="Sign in",
        auth=[],
        request=TokenBody,
        responses={200: TokenShape, **{code: OpenApiResponse(ErrorShape) for code in (400, 401, 415, 429)}},
    )
    def post(self, request: Request) -> Response:
        body = read(TokenBody, request.data)
        user = authenticate(request._request, username=body["username"], password=body["password"])
        if user is None:
            raise WrongPassword("This name and password do not fit together.")
        token, _ = Token.objects.get_or_create(user=user)
        return Response({"token": token.key})
