"""What addresses may hold: opaque names and whole numbers. Registered once, on import."""

from django.urls import register_converter
from django.urls.converters import StringConverter


class OpaqueId(StringConverter):
    """A public name of a slide or region."""

    regex = "[0-9a-z]{1,20}"


class Number(StringConverter):
    """A whole number that fits PostgreSQL's integer."""

    regex = "[0-9]{1,9}"

    def to_python(self, value: str) -> int:  # type: ignore[override]
        return int(value)


register_converter(OpaqueId, "opaque")
register_converter(Number, "number")
