"""Signing in by token: for scripts and other programs; people use the session of the admin.

How often a name may be tried is decided in services.door; what a token opens, by each view.
"""

from typing import Any

from django.contrib.auth import authenticate
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.authtoken.models import Token
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.api.access import read
from annotation.api.schema import Described
from annotation.api.shapes import ErrorShape, Shape
from annotation.errors import ConcordError
from annotation.services import door


class TokenBody(Shape):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=128, trim_whitespace=False)


class TokenShape(serializers.Serializer[Any]):
    token = serializers.CharField(help_text='Send it as the header "Authorization: Token ...".')


class WrongPassword(ConcordError):
    code = "not-signed-in"
    status = 401


class TokenView(APIView):
    """Name and password for a token; the same token until it is taken back."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
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
        name = body["username"]
        door.check(request._request, name=name)
        user = authenticate(request._request, username=name, password=body["password"])
        if user is None:
            door.record_failure(request._request, name=name)
            raise WrongPassword("This name and password do not fit together.")
        door.forget(request._request, name=name)
        token, _ = Token.objects.get_or_create(user=user)
        return Response({"token": token.key})
