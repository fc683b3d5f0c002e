"""People of a study over HTTP: add them, make accounts for them, change their role, let them go.

Shapes and methods only; what a manager may do is decided in services.members. A first password is said once, here.
"""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api import schema
from annotation.api.access import MANAGERS, StudyView
from annotation.api.shapes import Shape
from annotation.errors import Missing
from annotation.models import Membership
from annotation.selectors import qualification
from annotation.services import members
from annotation.states import Role


class PersonShape(serializers.Serializer[Any]):
    id = serializers.CharField(source="pseudonym", help_text="Stands for the person in reports and releases.")
    username = serializers.CharField(source="shown_name")
    role = serializers.ChoiceField(Role.choices)
    is_trained = serializers.BooleanField()
    qualification = serializers.SerializerMethodField(
        help_text="The entry test: passed, failed or open with how much was right; empty where there is none."
    )

    def get_qualification(self, member: Membership) -> str:
        found = self.context["standings"].get(member.pseudonym)
        if found is None:
            return ""
        if member.qualified_at is not None or found.state == "passed":
            return "passed"
        return f"{found.state}: {found.right} of {found.done} right" if found.done else found.state


class JoinedShape(serializers.Serializer[Any]):
    """`person` is null where there is no such account: nobody has joined, and one can be made."""

    person = PersonShape(allow_null=True)
    password = serializers.CharField(allow_blank=True, help_text="Of a new account; it is not kept anywhere.")


class JoinBody(Shape):
    username = serializers.CharField(max_length=150)
    role = serializers.ChoiceField(Role.choices)
    new_account = serializers.BooleanField(required=False, default=False, help_text="Make an account of that name.")


class ChangeBody(Shape):
    role = serializers.ChoiceField(Role.choices, required=False)
    is_trained = serializers.BooleanField(required=False)
    is_qualified = serializers.BooleanField(
        required=False, help_text="Let work without the entry test, or ask it anew."
    )
    another_try = serializers.BooleanField(required=False, default=False, help_text="At the entry test.")


class PeopleView(StudyView):
    """Those who take part now."""

    def show(self, shape: type[serializers.Serializer[Any]], value: Any, *, many: bool = False) -> Any:
        """`value` in the named shape, with how people stand in the entry test."""
        standings = qualification.of_study(self.study)
        context = {"study": self.study, "member": self.member, "standings": standings}
        return shape(value, many=many, context=context).data

    def people(self) -> QuerySet[Membership]:
        """Active members with their accounts."""
        return Membership.objects.filter(study=self.study, is_active=True).select_related("user")

    def find(self, pseudonym: str) -> Membership:
        """The person of that pseudonym; Missing where nobody takes part under it."""
        found = self.people().filter(pseudonym=pseudonym).first()
        if found is None:
            raise Missing("Nobody of that name takes part in the study.")
        return found


class SetupMembers(PeopleView):
    roles = {"get": MANAGERS, "post": MANAGERS}

    @schema.reads(PersonShape(many=True), summary="The people who take part")
    def get(self, request: Request, slug: str) -> Response:
        return Response(self.show(PersonShape, self.people().order_by("id"), many=True))

    @schema.writes(JoinedShape, body=JoinBody, summary="Let a person take part")
    def post(self, request: Request, slug: str) -> Response:
        body = self.read_body(JoinBody)
        name, role, password = body["username"], Role(body["role"]), ""
        member: Membership | None = None
        if body["new_account"]:
            member, password = members.open_account(study=self.study, username=name, role=role)
        elif members.has_account(name):
            member = members.join(study=self.study, username=name, role=role)
        response = Response(self.show(JoinedShape, {"person": member, "password": password}))
        response["Cache-Control"] = "no-store"
        return response


class SetupMember(PeopleView):
    roles = {"put": MANAGERS, "delete": MANAGERS}

    @schema.writes(PersonShape, body=ChangeBody, summary="Change a person's role, or note the training")
    def put(self, request: Request, slug: str, member: str) -> Response:
        body = self.read_body(ChangeBody)
        changed = members.change(
            member=self.find(member),
            role=Role(body["role"]) if "role" in body else None,
            is_trained=body.get("is_trained"),
            is_qualified=body.get("is_qualified"),
            another_try=body["another_try"],
        )
        return Response(self.show(PersonShape, changed))

    @schema.writes(None, status=204, summary="End a person's membership; answers stay")
    def delete(self, request: Request, slug: str, member: str) -> Response:
        members.leave(member=self.find(member))
        return Response(status=204)
