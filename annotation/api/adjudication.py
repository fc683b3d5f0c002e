"""Adjudication over HTTP: what the holder of an adjudication judges by, pictures of its neighbours, what waits.

Shapes and methods only; what is shown is decided in selectors.adjudication. The decision is a submit to the queue.
"""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api import schema
from annotation.api.access import StudyView
from annotation.api.pictures import THUMBNAIL_EDGE, NoQuery, PictureView
from annotation.api.queue import OpinionShape
from annotation.errors import Missing
from annotation.selectors import adjudication
from annotation.states import Role

ADJUDICATORS = frozenset({Role.ADJUDICATOR})
STATES = ("disagreement", "agreed", "incomplete", "unanswered")


class ChanceShape(serializers.Serializer[Any]):
    code = serializers.CharField()
    probability = serializers.FloatField()


class NeighbourShape(serializers.Serializer[Any]):
    """A settled region near by; `right` and `down` lead to it, in level-0 pixels, centre to centre."""

    label = serializers.CharField()  # type: ignore[assignment]
    right = serializers.IntegerField()
    down = serializers.IntegerField()
    image = serializers.SerializerMethodField()

    def get_image(self, neighbour: Any) -> str:
        place = [self.context["study"].slug, self.context["token"], neighbour.region.public_id]
        return reverse("api:adjudication-neighbour", args=place)


class WaitingShape(serializers.Serializer[Any]):
    ready = serializers.IntegerField(help_text="Adjudications you may take, those you hold not counted.")
    not_yours = serializers.IntegerField(help_text="Those that somebody else must decide: you have answered them.")
    is_capped = serializers.BooleanField(help_text="There are more than these.")


class CaseShape(serializers.Serializer[Any]):
    state = serializers.ChoiceField(STATES)
    said = serializers.ListField(child=serializers.CharField(), help_text="Why it is here, in sentences.")
    opinions = OpinionShape(many=True)
    skips = serializers.ListField(child=serializers.CharField(), help_text="Why people skipped it.")
    posterior = ChanceShape(many=True, help_text="Likeliest class first; empty where nobody has answered.")
    in_question = serializers.ListField(child=serializers.CharField(), help_text="Codes of the classes between.")
    note = serializers.CharField(help_text="What a manager wrote when sending the region back.")
    neighbours = NeighbourShape(many=True)
    reasons = serializers.ListField(child=serializers.CharField(), help_text="Your last reasons.")


class AdjudicationsView(StudyView):
    """Polling this takes nothing."""

    roles = {"get": ADJUDICATORS}

    @schema.reads(WaitingShape, summary="How many adjudications wait")
    def get(self, request: Request, slug: str) -> Response:
        return Response(self.show(WaitingShape, adjudication.waiting(self.member)))


class AdjudicationView(StudyView):
    roles = {"get": ADJUDICATORS}

    @schema.reads(CaseShape, summary="What I judge by, for an adjudication I hold")
    def get(self, request: Request, slug: str, token: str) -> Response:
        held = adjudication.held(member=self.member, token=token)
        context = {"study": self.study, "member": self.member, "token": token}
        return Response(CaseShape(adjudication.read(held), context=context).data)


class NeighbourPicture(PictureView):
    """A neighbour's pixels, while the adjudication beside it is held."""

    roles = {"get": ADJUDICATORS}

    @schema.sends_file("image/jpeg", summary="A settled region beside the one I judge, small")
    def get(self, request: Request, slug: str, token: str, region: str) -> HttpResponse:
        held = adjudication.held(member=self.member, token=token)
        self.read_query(NoQuery)
        for one in adjudication.neighbours(held):
            if one.region.public_id == region:
                return self.region_picture(one.region, edge=THUMBNAIL_EDGE, context=1.0)
        raise Missing("This region is no neighbour of the one you judge.")
