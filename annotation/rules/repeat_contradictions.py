"""People who answered a region again, unaware, and said something else than before."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from annotation.rules.contract import Fix, Found, Rule, Threshold
from annotation.rules.view import PassView, Repeat
from annotation.states import Severity

CODE = "repeat-contradictions"


def find(view: PassView) -> Iterator[Found]:
    """Yield regions of the dataset on which somebody contradicts themselves, and people who do so too often."""
    released = {item.region: item for item in view.released()}
    contradicted: dict[str, list[Repeat]] = defaultdict(list)
    asked, changed = Counter[str](), Counter[str]()
    for one in view.repeats:
        asked[one.annotator] += 1
        if one.first != one.again:
            changed[one.annotator] += 1
            if one.region in released:
                contradicted[one.region].append(one)
    for region, rows in sorted(contradicted.items()):
        rows.sort(key=lambda one: one.annotator)
        said = "; ".join(f"{one.annotator} said {one.first}, then {one.again}" for one in rows)
        yield Found(
            message=f"Region {region}, settled as {released[region].label}: {said}.",
            region=region,
            evidence={
                "label": released[region].label,
                "answers": [[one.annotator, one.first, one.again] for one in rows],
            },
        )
    yield from _find_people(view, asked, changed)


def _find_people(view: PassView, asked: Counter[str], changed: Counter[str]) -> Iterator[Found]:
    for name, count in sorted(asked.items()):
        share, allowed = changed[name] / count, view.threshold(CODE, "share")
        if count >= view.threshold(CODE, "repeats") and share > allowed:
            yield Found(
                message=f"Annotator {name} contradicted themselves on {changed[name]} of {count} repeats "
                f"({share:.0%}), above the {allowed:.0%} allowed.",
                subject=f"annotator {name}",
                evidence={"changed": changed[name], "repeats": count},
            )


RULE = Rule(
    code=CODE,
    version=1,
    severity=Severity.WARNING,
    title="Contradicting repeats",
    fix=Fix.RECHECK,
    find=find,
    meaning="A person was shown a region again, unaware, and gave another answer than before.",
    stakes="The cell is borderline, or the person guesses: the label is worth less than its confidence says.",
    thresholds={
        "share": Threshold(0.2, 0.0, 1.0, "Share of repeats on which a person may change their mind."),
        "repeats": Threshold(10, 1, 1000, "Repeats answered before a person is judged by them."),
    },
)
