"""What an answer may say, whatever its kind, and its one canonical form.

Decides whether an answer is well formed under a protocol's classes; refuses to know who gave it.
A geometry is GeoJSON (RFC 7946 shapes) in level-0 pixels of the slide.
"""

from collections.abc import Collection
from typing import Any

from annotation.errors import BadInput
from annotation.states import AnswerKind

_GEOMETRIES = {"Point": 0, "LineString": 1, "Polygon": 2, "MultiPolygon": 3}
"""Shape types and how deeply their positions are nested."""


def parse(answer: Any, *, codes: Collection[str]) -> dict[str, Any]:
    """The canonical form of `answer`; BadInput with a sentence where it does not hold.

    Kinds: {"kind": "class", "label": code}, {"kind": "classes", "labels": [code, ...]},
    {"kind": "ordinal", "grade": int}, {"kind": "shapes", "shapes": [{"geometry": {...}, "label": code}]}.
    """
    if not isinstance(answer, dict):
        raise BadInput('An answer is an object such as {"kind": "class", "label": "..."}.')
    kind = answer.get("kind")
    if kind == AnswerKind.CLASS:
        return {"kind": kind, "label": _code(answer.get("label"), codes)}
    if kind == AnswerKind.CLASSES:
        labels = answer.get("labels")
        if not isinstance(labels, list):
            raise BadInput("An answer with several classes has a list 'labels'.")
        return {"kind": kind, "labels": sorted({_code(label, codes) for label in labels})}
    if kind == AnswerKind.ORDINAL:
        grade = answer.get("grade")
        if not isinstance(grade, int) or isinstance(grade, bool):
            raise BadInput("An ordinal answer has a whole number 'grade'.")
        return {"kind": kind, "grade": grade}
    if kind == AnswerKind.SHAPES:
        shapes = answer.get("shapes")
        if not isinstance(shapes, list):
            raise BadInput("An answer with shapes has a list 'shapes'.")
        return {"kind": kind, "shapes": [_shape(shape, codes) for shape in shapes]}
    raise BadInput(f"Unknown kind of answer {kind!r}; known are class, classes, ordinal and shapes.")


def label_of(answer: dict[str, Any] | None) -> str:
    """The class code of a whole-region answer, or an empty string for every other kind."""
    return str(answer["label"]) if answer and answer.get("kind") == AnswerKind.CLASS else ""


def _code(code: Any, codes: Collection[str]) -> str:
    if not isinstance(code, str) or code not in codes:
        known = ", ".join(sorted(codes))
        raise BadInput(f"Unknown class {code!r}; this protocol has: {known}.", unknown=str(code))
    return code


def _shape(shape: Any, codes: Collection[str]) -> dict[str, Any]:
    geometry = shape.get("geometry") if isinstance(shape, dict) else None
    if not isinstance(geometry, dict) or geometry.get("type") not in _GEOMETRIES:
        raise BadInput(f"A shape has a GeoJSON geometry of type {', '.join(_GEOMETRIES)}.")
    coordinates = geometry.get("coordinates")
    _check_positions(coordinates, depth=_GEOMETRIES[geometry["type"]])
    return {
        "geometry": {"type": geometry["type"], "coordinates": coordinates},
        "label": _code(shape.get("label"), codes),
    }


def _check_positions(value: Any, *, depth: int) -> None:
    if depth == 0:
        ok = (
            isinstance(value, list)
            and len(value) == 2
            and all(isinstance(number, int | float) and not isinstance(number, bool) for number in value)
        )
        if not ok:
            raise BadInput("A position is a pair [x, y] of level-0 pixels.")
        return
    if not isinstance(value, list) or not value:
        raise BadInput("A geometry's coordinates are nested lists of [x, y] pairs, none of them empty.")
    for item in value:
        _check_positions(item, depth=depth - 1)
