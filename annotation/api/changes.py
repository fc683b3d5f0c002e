"""A list of changes between two sets of labels, as the API shows it.

Shapes only; what a change is, is decided in releasing.diff.
"""

from typing import Any

from rest_framework import serializers

from annotation.api.pagination import DEFAULT_PAGE, LARGEST_PAGE
from annotation.api.shapes import Shape
from annotation.models import Release
from annotation.releasing import diff


class ChangeTableQuery(Shape):
    kind = serializers.ChoiceField(diff.KINDS, required=False)


class ChangesQuery(ChangeTableQuery):
    """A page of a list that never changes, by place."""

    start = serializers.IntegerField(required=False, default=0, min_value=0, max_value=999_999_999)
    size = serializers.IntegerField(required=False, default=DEFAULT_PAGE, min_value=1, max_value=LARGEST_PAGE)


class LabelChangeShape(serializers.Serializer[Any]):
    """One region that differs; empty texts where it was not, or is no more."""

    kind = serializers.ChoiceField(diff.KINDS)
    region = serializers.CharField()
    label_before = serializers.CharField(source="before.label", allow_blank=True)
    label_after = serializers.CharField(source="after.label", allow_blank=True)
    split_before = serializers.CharField(source="before.split", allow_blank=True)
    split_after = serializers.CharField(source="after.split", allow_blank=True)


class FlowShape(serializers.Serializer[Any]):
    """How many regions went from one class to another."""

    before = serializers.CharField()
    after = serializers.CharField()
    count = serializers.IntegerField()


class ChangesShape(serializers.Serializer[Any]):
    against = serializers.IntegerField(allow_null=True, help_text="Number of the earlier release; null: none.")
    counts = serializers.DictField(child=serializers.IntegerField())
    flows = FlowShape(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="`start` of the next page.")
    results = LabelChangeShape(many=True)


def page_of_changes(found: diff.Diff, *, against: Release | None, query: dict[str, Any]) -> dict[str, Any]:
    """One page of the changes of a kind, with the counts of all of them."""
    listed = found.of_kind(query.get("kind", ""))
    end = query["start"] + query["size"]
    flows = [{"before": old, "after": new, "count": count} for (old, new), count in found.flows.items()]
    return {
        "against": against.number if against else None,
        "counts": found.counts,
        "flows": flows,
        "next": end if end < len(listed) else None,
        "results": listed[query["start"] : end],
    }
