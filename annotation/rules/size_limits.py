"""Regions whose size in µm lies outside what the study expects: a wrong tiling, or a wrong scale."""

from collections.abc import Iterator

from annotation.rules.contract import Fix, Found, Rule, Threshold
from annotation.rules.view import Frame, Item, PassView
from annotation.states import Severity

CODE = "size-limits"
_NOWHERE = Frame(0, 0)


def find(view: PassView) -> Iterator[Found]:
    """Yield items with a side outside the limits of their class; slides of unknown scale are one warning."""
    unknown = 0
    for item in view.released():
        least, most = (view.threshold(CODE, name, of=item.label) for name in ("least", "most"))
        if item.box is None or not (least or most):
            continue
        frame = view.slides.get(item.slide, _NOWHERE)
        sides = (item.box.width * frame.um_x, item.box.height * frame.um_y)
        if not (frame.um_x and frame.um_y):
            unknown += 1
        elif min(sides) < least or (most and max(sides) > most):
            yield _report(item, sides, least, most)
    if unknown:
        yield Found(
            message=f"{unknown} regions lie on slides of unknown scale: their size in µm can't be checked.",
            subject="unknown scale",
            evidence={"count": unknown},
            severity=Severity.WARNING,
        )


def _report(item: Item, sides: tuple[float, float], least: float, most: float) -> Found:
    size = f"{sides[0]:.1f} by {sides[1]:.1f} µm"
    wanted = f"from {least:g} to {most:g}" if most else f"at least {least:g}"
    return Found(
        message=f"Region {item.region}, {item.label}, measures {size}; {wanted} is wanted.",
        region=item.region,
        evidence={"label": item.label, "sides": [round(side, 2) for side in sides], "limits": [least, most]},
    )


RULE = Rule(
    code=CODE,
    version=1,
    severity=Severity.BLOCKER,
    title="Size outside limits",
    fix=Fix.EXCLUDE,
    find=find,
    meaning="A side of the region measures less or more than the study expects of its class, in µm.",
    stakes="A cell too large or too small for its class is cut wrongly, is something else, or the scale is wrong.",
    thresholds={
        "least": Threshold(0.0, 0.0, 100_000.0, "The shorter side measures at least this many µm.", by_class=True),
        "most": Threshold(
            0.0, 0.0, 100_000.0, "The longer side measures at most this many µm; 0: no limit.", by_class=True
        ),
    },
)
