"""The base shapes of bodies and queries: exactly the named fields, and finite numbers.

Decides what a well-formed request is; refuses to know what it asks for.
"""

import math
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

LARGEST_ANSWER_NODES = 20_000


class Shape(serializers.Serializer[Any]):
    """A body or a query of exactly the declared fields; an unknown one is named instead of passed over."""

    def to_internal_value(self, data: Any) -> Any:
        if hasattr(data, "keys"):
            unknown = sorted(set(data.keys()) - set(self.fields))
            if unknown:
                names = ", ".join(sorted(self.fields)) or "none"
                raise serializers.ValidationError({key[:60]: f"Unknown field; known are: {names}." for key in unknown})
        return super().to_internal_value(data)


class ErrorBody(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    details = serializers.DictField()


class ErrorShape(serializers.Serializer[Any]):
    """What every error looks like."""

    error = ErrorBody()


class Finite(serializers.FloatField):
    """A number that is not NaN or infinite: neither has a place in JSON."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool):
            self.fail("invalid")
        value = super().to_internal_value(data)
        if not math.isfinite(value):
            self.fail("invalid")
        return value


@extend_schema_field(
    {
        "type": "object",
        "description": 'For "classify": {"kind": "class", "label": code}. Other kinds: "classes" with '
        '"labels", "ordinal" with "grade", "shapes" with GeoJSON geometries (level-0 pixels) and labels.',
        "properties": {
            "kind": {"type": "string", "enum": ["class", "classes", "ordinal", "shapes"]},
            "label": {"type": "string"},
        },
        "required": ["kind"],
    }
)
class AnswerField(serializers.JSONField):
    """An answer as it was sent, of a bounded size and with finite numbers; whether it fits, the service says."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            raise serializers.ValidationError('An answer is an object such as {"kind": "class", "label": "..."}.')
        _check_extent(data)
        return super().to_internal_value(data)


def _check_extent(value: Any) -> None:
    """Refuse what is too large to be an answer, and numbers that have no place in JSON."""
    waiting, seen = [value], 0
    while waiting:
        item = waiting.pop()
        seen += 1
        if seen > LARGEST_ANSWER_NODES:
            raise serializers.ValidationError(f"An answer holds at most {LARGEST_ANSWER_NODES} values.")
        if isinstance(item, dict):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, float) and not math.isfinite(item):
            raise serializers.ValidationError("An answer's numbers are finite.")
