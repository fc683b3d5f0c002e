"""Importing a study folder that lies on the server: a new study, or what is new of one the caller manages.

Shapes and one method; which folders are open and what holds is decided in services.imports.
"""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.api import schema as api_schema
from annotation.api.access import read
from annotation.api.shapes import Shape
from annotation.selectors import studies
from annotation.services import imports
from annotation.services import studies as study_service
from annotation.states import Role


class ImportBody(Shape):
    folder = serializers.RegexField(
        r"^[A-Za-z0-9_.][A-Za-z0-9_. /-]*$", max_length=200, help_text="Below the server's import folder."
    )
    slug = serializers.SlugField(max_length=60, help_text="Of the new study, or of one you manage.")
    dry_run = serializers.BooleanField(required=False, default=False, help_text="Check all, write nothing.")


class ImportedShape(serializers.Serializer[Any]):
    slug = serializers.CharField(source="study.slug", default=None, allow_null=True)
    is_new_study = serializers.BooleanField()
    slides_new = serializers.IntegerField()
    slides_known = serializers.IntegerField()
    regions_new = serializers.IntegerField()
    notes = serializers.ListField(child=serializers.CharField())


class ImportView(APIView):
    """Who may add studies becomes the manager of a new one."""

    metadata_class = None
    schema = api_schema.Described()

    @api_schema.writes(ImportedShape, body=ImportBody, summary="Import a study folder that lies on the server")
    def post(self, request: Request) -> Response:
        body = read(ImportBody, request.data)
        studies.check_may_import(user=request.user, slug=body["slug"])
        folder = imports.allowed_folder(body["folder"])
        found = imports.import_folder(folder, slug=body["slug"], dry_run=body["dry_run"])
        if found.is_new_study and found.study is not None and isinstance(request.user, AbstractBaseUser):
            study_service.add_member(study=found.study, user=request.user, role=Role.MANAGER)
        return Response(ImportedShape(found).data)
