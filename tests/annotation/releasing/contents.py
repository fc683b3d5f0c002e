"""A small release as plain values, with a ledger that vouches for it."""

from typing import Any

from annotation import canonical, chain
from annotation.policy import Policy
from annotation.releasing.content import Content, ReleasedAnswer, ReleasedClass, ReleasedRegion, ReleasedSlide

CODES = ("neutrophil", "lymphocyte", "monocyte")
PEOPLE = ("A1", "A2")


def content(*, regions: int = 6) -> Content:
    """Two people agree on every region; region n lies on slide n % 3 and is of class n % 3."""
    slides = tuple(_slide(number) for number in range(3))
    labels = {f"r{number}": CODES[number % 3] for number in range(regions)}
    links = _links(labels)
    return Content(
        study={"name": "Blood | smear", "task": "classify", "is_simulation": False},
        pass_number=1,
        pass_at="2026-01-01T00:00:00+00:00",
        position=len(links),
        digest=links[-1].digest,
        protocol=1,
        guideline="Look at the nucleus.\n<script>",
        mappings={},
        rules={"unresolved": {"version": 1, "policy": {}}},
        facts={"policy": Policy().to_json(), "annotators": dict.fromkeys(PEOPLE, "annotator")},
        classes=tuple(ReleasedClass(code, code.title(), "#d95f02", "=SUM(A1)", False, None) for code in CODES),
        slides=slides,
        regions=tuple(_region(number, label, slides) for number, label in enumerate(labels.values())),
        answers=tuple(
            ReleasedAnswer(region, person, 1, "label", label, 1, 2.5, False, "")
            for region, label in labels.items()
            for person in PEOPLE
        ),
        decisions=(),
        open_warnings={},
        links=links,
    )


def _slide(number: int) -> ReleasedSlide:
    split = ("train", "validation", "test")[number]
    return ReleasedSlide(f"s{number}", f"{number}" * 64, 100, 10, 10, None, None, f"c{number}", "lab-1", split)


def _region(number: int, label: str, slides: tuple[ReleasedSlide, ...]) -> ReleasedRegion:
    posterior = tuple(0.98 if code == label else 0.01 for code in CODES)
    slide = slides[number % 3]
    return ReleasedRegion(f"r{number}", slide, number, 0, 5, 5, label, "dawid-skene", 1, 1, 2, 1.0, "", posterior)


def _links(labels: dict[str, str]) -> list[chain.Link]:
    links: list[chain.Link] = []
    for region, label in labels.items():
        answer = {"kind": "class", "label": label}
        for person in PEOPLE:
            said = {"row": "annotation", "region": region, "annotator": person, "number": 1, "kind": "class"}
            said |= {"assignment_kind": "label", "protocol": 1, "answer": answer}
            said |= {"seconds": 2.5, "flagged": False, "suggestion": ""}
            decided = None
            if person == PEOPLE[-1]:
                decided = {"row": "revision", "region": region, "number": 1, "settled": True, "excluded": False}
                decided |= {"answer": answer, "method": "dawid-skene", "protocol": 1}
            _append(links, {"annotation": said, "revision": decided})
    return links


def _append(links: list[chain.Link], payload: dict[str, Any]) -> None:
    position, previous = len(links) + 1, links[-1].digest if links else chain.GENESIS
    text = canonical.dumps(payload)
    digest = chain.hash_link(position=position, kind="annotation", payload=text, previous_digest=previous)
    links.append(chain.Link(position, "annotation", text, previous, digest))
