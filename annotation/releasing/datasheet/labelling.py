"""How the labels of a release came about: who was asked, how often, how well they agree, which rules were applied.

Decides the words; every number is one that the pass has pinned.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotation import sidebyside
from annotation.releasing.content import Content
from annotation.releasing.datasheet import markdown


def collection(content: Content) -> str:
    """How slides became regions, and regions came to people."""
    policy, sizes = content.facts.get("policy", {}), Counter((one.width, one.height) for one in content.regions)
    (width, height), count = min(sizes.most_common(), key=lambda one: (-one[1], one[0]))
    same = "all" if len(sizes) == 1 else f"most ({count} of {len(content.regions)})"
    return (
        f"Regions are rectangles of level-0 pixels; {same} of them measure {width} x {height}. They were chosen by "
        f"`{policy.get('selection')}` selection in batches of {policy.get('batch_size')}, of which a share of "
        f"{policy.get('random_share')} by chance alone with a known probability; a share of {policy.get('audit_rate')} "
        "of the cases is the audit sample. How slides and cases were chosen is said under Motivation, where the study "
        "says it."
    )


def process(content: Content) -> str:
    """Who was asked, how often, and how the answers became labels."""
    policy = content.facts.get("policy", {})
    people = content.facts.get("annotators", {})
    given = Counter(answer.annotator for answer in content.answers)
    rows = [(name, people.get(name, ""), given[name]) for name in sorted(given)]
    methods = Counter(region.method for region in content.regions)
    fixed = policy.get("fixed_overlap")
    overlap = (
        f"Each region was given to {fixed} people."
        if fixed
        else (
            f"Each region was given to between {policy.get('min_overlap')} and {policy.get('max_overlap')} people, "
            f"until the posterior of a class reached {policy.get('target_confidence')}."
        )
    )
    models = content.facts.get("models", [])
    return "\n\n".join(
        [
            "### How the labels came about",
            f"{overlap} People saw no other answer. {len(models)} model versions ranked regions, and none voted on a "
            "label.",
            "How the labels were decided: " + markdown.listed(methods) + ".",
            markdown.table(["person", "role", "answers in this release"], rows),
            *_training(content.facts.get("trained", []), given),
        ]
    )


def _training(trained: Sequence[str], given: Mapping[str, int]) -> list[str]:
    done = sum(name in given for name in trained)
    return [f"{done} of {len(given)} people had finished the study's training by the pass."] if trained else []


def agreement(measured: Mapping[str, Any], codes: Sequence[str]) -> str:
    """Chance-corrected agreement with intervals, in the unbiased sample and in all regions."""
    if not measured:
        return "### Agreement\n\nNo region has two independent opinions, so agreement was not measured."
    kinds = {"audit": "audit sample (unbiased)", "all": "all regions (biased: hard ones got more opinions)"}
    parts = ["### Agreement", "Value and 95 % interval, bootstrap over cases."]
    rows = []
    for key, said in kinds.items():
        one = measured.get(key)
        if one:
            rows.append(
                (said, *(markdown.estimate(one[name]) for name in ("alpha", "ac1", "raw")), one["items"], one["cases"])
            )
    parts.append(markdown.table(["regions", "Krippendorff's alpha", "Gwet's AC1", "raw", "regions", "cases"], rows))
    best = measured.get("all")
    if best:
        rows = [(code, markdown.estimate(value)) for code, value in zip(codes, best["per_class"], strict=True)]
        parts += ["Agreement per class, all regions:", markdown.table(["class", "agreement"], rows)]
    return "\n\n".join(parts)


def methods(pairs: Sequence[Mapping[str, Any]]) -> str:
    """How far the ways from opinions to a label agree; nothing where the pass compared none."""
    rows = [
        (sidebyside.NAMES.get(one["first"], one["first"]), sidebyside.NAMES.get(one["second"], one["second"]))
        + (one["regions"], one["same"], f"{100 * one['same'] / one['regions']:.1f} %")
        for one in pairs
    ]
    if not rows:
        return ""
    said = "Of each two ways from opinions to a label: on how many of the regions that both judge they agree."
    return f"### Ways to a label, side by side\n\n{said}\n\n" + markdown.table(
        ["one", "the other", "regions", "same label", "share"], rows
    )


def rules(applied: Mapping[str, Mapping[str, Any]]) -> str:
    """How the consistency pass was set, with what the study switched off or lowered told first."""
    by_severity = {said: sorted(code for code, one in applied.items() if one.get("severity") == said) for said in _SET}
    lines = [f"{words}: {', '.join(by_severity[said])}." for said, words in _SET.items() if by_severity[said]]
    rows = [
        (
            code,
            one["version"],
            one.get("severity") or "its own",
            ", ".join(_thresholds(one.get("thresholds", {}))) or "-",
        )
        for code, one in sorted(applied.items())
    ]
    table = markdown.table(["rule", "version", "severity", "thresholds"], rows)
    return "\n\n".join(["### Rules that every region was held against", *lines, table])


_SET = {
    "off": "Switched off by the study",
    "warning": "Made warnings by the study",
    "blocker": "Made blockers by the study",
}


def _thresholds(values: Mapping[str, Any]) -> Iterator[str]:
    for name, value in sorted(values.items()):
        if isinstance(value, Mapping):
            inner = "; ".join(f"{code or 'others'} {one:g}" for code, one in sorted(value.items()))
            yield f"{name} ({inner})"
        else:
            yield f"{name} {value:g}"
