"""Regions that lie outside their slide or cover nothing: what they show, nobody can look up."""

from collections.abc import Iterator

from annotation.rules.contract import Fix, Found, Rule
from annotation.rules.view import Box, Frame, PassView
from annotation.states import Severity


def find(view: PassView) -> Iterator[Found]:
    """Yield items whose rectangle is empty, or reaches beyond the slide it lies on."""
    for item in view.released():
        box, frame = item.box, view.slides.get(item.slide)
        if box is not None and (wrong := _judge(box, frame)):
            yield Found(
                message=f"Region {item.region} {wrong}.",
                region=item.region,
                evidence={"box": [box.x, box.y, box.width, box.height], "slide": [frame.width, frame.height]}
                if frame
                else {"box": [box.x, box.y, box.width, box.height]},
            )


def _judge(box: Box, frame: Frame | None) -> str:
    if box.width <= 0 or box.height <= 0:
        return f"covers nothing: it is {box.width} by {box.height} pixels"
    if frame is None:
        return ""
    right, bottom = box.x + box.width, box.y + box.height
    if box.x < 0 or box.y < 0 or right > frame.width or bottom > frame.height:
        return f"reaches to {right}, {bottom} on a slide of {frame.width} by {frame.height} pixels"
    return ""


RULE = Rule(
    code="invalid-geometry",
    version=1,
    severity=Severity.BLOCKER,
    title="Region outside its slide",
    fix=Fix.EXCLUDE,
    find=find,
    meaning="A region reaches beyond the slide it lies on, or covers nothing.",
    stakes="Whoever cuts it out of the slide gets other pixels than those that were labelled, or none.",
)
