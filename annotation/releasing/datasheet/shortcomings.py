"""What is known to be wrong with a release: estimated error, limits, and findings that people let stand.

Decides the words; the estimate itself was made by the acceptance sample.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from annotation.releasing.content import Content
from annotation.releasing.datasheet import markdown


def error_estimate(measured: Mapping[str, Any] | None) -> str:
    """What people who answered a random sample blind again found; says so where nobody was asked."""
    title = "### Estimated error"
    if not measured:
        return f"{title}\n\nNobody answered a random sample of these regions again, so their error was not measured."
    sentence = (
        f"**Estimated share of wrong labels: {markdown.percent(measured['share'])}**, 95 % interval. From "
        f"{measured['drawn']} regions drawn at random from the {measured['population']} of consistency pass "
        f"{measured['pass']} (sample {measured['sample']}), each answered blind by at least {measured['opinions']} "
        f"people, {measured['people']} people in all; adjudicators decided {measured['adjudicated']} of them, where "
        "the answers differed from one another or from the label."
    )
    basis = (
        f"Before what they found was mended it was {markdown.percent(measured['before'])}. The estimate speaks of "
        f"{measured['regions']} regions of this release: those drawn, and those whose label is what it was then. "
        "Fresh answers and verdicts are not taken for the truth: the estimate allows for their errors."
    )
    limits = []
    if measured["outside"]:
        limits.append(
            f"{measured['outside']} regions are outside the estimate: gold, examples, and labels given after the draw."
        )
    if measured["seen_before"]:
        limits.append(
            f"{measured['seen_before']} of the answers are of people who had given an opinion on the region before: "
            "there were too few others."
        )
    rows = [(code, markdown.percent(bounds)) for code, bounds in measured["per_class"].items()]
    by_class = markdown.table(["label", "estimated share of wrong labels"], rows)
    return "\n\n".join(
        [title, sentence, basis, *(["\n".join(f"- {line}" for line in limits)] if limits else []), by_class]
    )


def limits(content: Content) -> str:
    """What the counts say against the data set."""
    lines = []
    left_out = content.facts.get("left_out", {})
    if any(left_out.values()):
        lines.append("Left out: " + markdown.listed(left_out) + ".")
    unsized = sum(slide.um_per_px_x is None for slide in content.slides)
    if unsized:
        lines.append(f"{unsized} of {len(content.slides)} slides have no pixel size: micrometres are unknown there.")
    missing = [code for code, number in _class_counts(content).items() if number == 0]
    if missing:
        lines.append("Classes without any region: " + ", ".join(missing) + ".")
    alone = sum(region.opinions < 2 for region in content.regions)
    if alone:
        lines.append(f"{alone} regions rest on fewer than two independent opinions.")
    lines += [f"Open warnings of rule {rule}: {number}." for rule, number in sorted(content.open_warnings.items())]
    if not lines:
        return ""
    return "### Known limits\n\n" + "\n".join(f"- {line}" for line in lines)


def decisions(content: Content) -> str:
    """Findings that a named person resolved or waived."""
    if not content.decisions:
        return "### Findings decided by hand\n\nNone."
    rows = [
        (one.rule, one.message, one.state, one.by, one.reason, one.at, markdown.dash(one.until))
        for one in content.decisions
    ]
    return "### Findings decided by hand\n\n" + markdown.table(
        ["rule", "finding", "decision", "by", "reason", "at", "until"], rows
    )


def _class_counts(content: Content) -> dict[str, int]:
    counts = Counter(region.label for region in content.regions)
    return {code: counts[code] for code in content.codes}
