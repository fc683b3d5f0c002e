"""The same pixels in two cases: one patient under two names, or one image imported twice."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from annotation.rules.contract import Fix, Found, Rule, Threshold
from annotation.rules.view import Item, PassView
from annotation.states import Severity

CODE = "leaking-pixels"


def find(view: PassView) -> Iterator[Found]:
    """Yield pairs of identical regions of different cases, and slides of two cases that share many.

    Pairs in two splits block: a model would be tested on what it has seen. In the same split they warn.
    """
    by_pixels: dict[str, list[Item]] = defaultdict(list)
    for item in view.released():
        if item.pixel_digest:
            by_pixels[item.pixel_digest].append(item)
    shared = Counter[tuple[str, str]]()
    splits: dict[str, str] = {}
    for items in by_pixels.values():
        first, *others = sorted(items, key=lambda item: item.region)
        for other in others:
            if other.case != first.case:
                yield _report(first, other)
                one, two = sorted((first, other), key=lambda item: item.slide)
                shared[one.slide, two.slide] += 1
                splits |= {item.slide: item.split for item in (one, two)}
    for (one_slide, two_slide), count in sorted(shared.items()):
        if count >= view.threshold(CODE, "regions"):
            yield Found(
                message=f"Slides {one_slide} and {two_slide} of two cases share {count} identical regions: they look "
                "like one slide under two names.",
                subject=f"slides {one_slide} and {two_slide}",
                evidence={"count": count, "splits": [splits[one_slide], splits[two_slide]]},
                severity=None if splits[one_slide] != splits[two_slide] else Severity.WARNING,
            )


def _report(first: Item, other: Item) -> Found:
    places = f"the splits {first.split} and {other.split}" if first.split != other.split else f"the split {first.split}"
    return Found(
        message=f"Regions {first.region} of case {first.case} and {other.region} of case {other.case} are the same "
        f"pixels, in {places}.",
        region=first.region,
        counterpart=other.region,
        evidence={"cases": [first.case, other.case], "splits": [first.split, other.split]},
        severity=None if first.split != other.split else Severity.WARNING,
    )


RULE = Rule(
    code=CODE,
    version=1,
    severity=Severity.BLOCKER,
    title="Same pixels in two cases",
    fix=Fix.MERGE,
    find=find,
    meaning="Two cases (patients) hold the very same pixels: one patient under two names, or an image imported twice.",
    stakes="In two splits a model is tested on what it was trained on; in one, a patient counts twice.",
    thresholds={
        "regions": Threshold(5, 2, 10_000, "Identical regions from which on two slides are named as one."),
    },
)
