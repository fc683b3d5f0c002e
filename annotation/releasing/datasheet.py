"""The datasheet of a release: who labelled what, how, how well they agree, and what is known to be wrong.

After Gebru et al., "Datasheets for Datasets" (CACM 64:12, 2021), as far as rows can answer it. Decides the words;
refuses to compute anything but counts.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from annotation import checklist
from annotation.releasing.content import Content


def render(content: Content) -> str:
    """Markdown; the same text for the same content."""
    parts = [
        _head(content),
        _checklist(content.facts.get("checklist", {})),
        _protocol(content),
        _composition(content),
        _process(content),
        _agreement(content.facts.get("agreement", {}), content.codes),
        error_estimate(content.facts.get("acceptance")),
        _limits(content),
        _decisions(content),
        _files(),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(content: Content) -> str:
    lines = [f"# Datasheet: {_plain(content.study['name'])}"]
    if content.study.get("is_simulation"):
        lines += ["", "**Simulated: the annotators of this study were programs. Not for use as ground truth.**"]
    lines += [
        "",
        f"{len(content.regions)} regions on {len(content.slides)} slides of {len(_cases(content))} cases, "
        f"cut from consistency pass {content.pass_number} ({content.pass_at}) at ledger position {content.position}, "
        f"digest `{content.digest}`.",
    ]
    return "\n".join(lines)


def _checklist(answers: Mapping[str, str]) -> str:
    """What the study's managers said when they planned it; nothing where they were not asked."""
    parts = []
    for section in checklist.SECTIONS:
        said = [(one.asks, answers[one.key]) for one in section.questions if answers.get(one.key)]
        if said:
            lines = (f"**{asks}**\n\n{_quoted(answer)}" for asks, answer in said)
            parts += [f"### {section.title}", *lines]
    if not parts:
        return ""
    sources = "Questions after: " + "; ".join(checklist.SOURCES) + "."
    return "\n\n".join(["## How the data set was planned", *parts, sources])


def _protocol(content: Content) -> str:
    rows = [
        (item.code, item.name, "yes" if item.is_special else "", item.definition, _dash(item.quota))
        for item in content.classes
    ]
    guideline = content.guideline.strip()
    quoted = _quoted(guideline) if guideline else "None was written."
    table = _table(["class", "name", "special outcome", "definition", "quota"], rows)
    return f"## Protocol {content.protocol}\n\n{table}\n\nGuideline:\n\n{quoted}"


def _composition(content: Content) -> str:
    domains = sorted({region.slide.domain for region in content.regions})
    counts = Counter((region.label, region.slide.domain) for region in content.regions)
    totals = Counter(region.label for region in content.regions)
    rows = [[code, *(counts[code, domain] for domain in domains), totals[code]] for code in content.codes]
    by_class = _table(["class", *domains, "all"], rows)
    splits = Counter((region.slide.split, region.label) for region in content.regions)
    names = sorted({split for split, _ in splits})
    rows = [[code, *(splits[name, code] for name in names)] for code in content.codes]
    by_split = _table(["class", *names], rows)
    return (
        f"## Composition\n\nRegions by class and domain:\n\n{by_class}\n\n"
        f"Regions by class and split (whole cases; audit cases are test):\n\n{by_split}"
    )


def _process(content: Content) -> str:
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
            "## How the labels came about",
            f"{overlap} People saw no other answer. Regions were chosen by `{policy.get('selection')}` selection; "
            f"{len(models)} model versions ranked them, and none voted on a label.",
            "How the labels were decided: " + _listed(methods) + ".",
            _table(["person", "role", "answers in this release"], rows),
            *_training(content.facts.get("trained", []), given),
        ]
    )


def _training(trained: Sequence[str], given: Mapping[str, int]) -> list[str]:
    done = sum(name in given for name in trained)
    return [f"{done} of {len(given)} people had finished the study's training by the pass."] if trained else []


def _agreement(measured: dict[str, Any], codes: Sequence[str]) -> str:
    if not measured:
        return "## Agreement\n\nNo region has two independent opinions, so agreement was not measured."
    kinds = {"audit": "audit sample (unbiased)", "all": "all regions (biased: hard ones got more opinions)"}
    parts = ["## Agreement", "Value and 95 % interval, bootstrap over cases."]
    rows = []
    for key, said in kinds.items():
        one = measured.get(key)
        if one:
            rows.append((said, *(_estimate(one[name]) for name in ("alpha", "ac1", "raw")), one["items"], one["cases"]))
    parts.append(_table(["regions", "Krippendorff's alpha", "Gwet's AC1", "raw", "regions", "cases"], rows))
    best = measured.get("all")
    if best:
        rows = [(code, _estimate(value)) for code, value in zip(codes, best["per_class"], strict=True)]
        parts += ["Agreement per class, all regions:", _table(["class", "agreement"], rows)]
    return "\n\n".join(parts)


def error_estimate(measured: Mapping[str, Any] | None) -> str:
    """What people who answered a random sample blind again found; says so where nobody was asked."""
    title = "## Estimated error"
    if not measured:
        return f"{title}\n\nNobody answered a random sample of these regions again, so their error was not measured."
    sentence = (
        f"**Estimated share of wrong labels: {_percent(measured['share'])}**, 95 % interval. From "
        f"{measured['drawn']} regions drawn at random from the {measured['population']} of consistency pass "
        f"{measured['pass']} (sample {measured['sample']}), each answered blind by at least {measured['opinions']} "
        f"people, {measured['people']} people in all; adjudicators decided {measured['adjudicated']} of them, where "
        "the answers differed from one another or from the label."
    )
    basis = (
        f"Before what they found was mended it was {_percent(measured['before'])}. The estimate speaks of "
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
    rows = [(code, _percent(bounds)) for code, bounds in measured["per_class"].items()]
    by_class = _table(["label", "estimated share of wrong labels"], rows)
    return "\n\n".join(
        [title, sentence, basis, *(["\n".join(f"- {line}" for line in limits)] if limits else []), by_class]
    )


def _percent(bounds: Sequence[float]) -> str:
    value, low, high = (100 * number for number in bounds)
    return f"{value:.1f} % ({low:.1f} to {high:.1f})"


def _limits(content: Content) -> str:
    lines = []
    left_out = content.facts.get("left_out", {})
    if any(left_out.values()):
        lines.append("Left out: " + _listed(left_out) + ".")
    unsized = sum(slide.um_per_px_x is None for slide in content.slides)
    if unsized:
        lines.append(f"{unsized} of {len(content.slides)} slides have no pixel size: micrometres are unknown there.")
    missing = [code for code, number in _class_counts(content).items() if number == 0]
    if missing:
        lines.append("Classes without any region: " + ", ".join(missing) + ".")
    alone = sum(region.opinions < 2 for region in content.regions)
    if alone:
        lines.append(f"{alone} regions rest on fewer than two independent opinions.")
    lines.append("Regions were chosen for what a model could learn from them: class shares are not prevalences.")
    lines += [f"Open warnings of rule {rule}: {number}." for rule, number in sorted(content.open_warnings.items())]
    return "## Known limits\n\n" + "\n".join(f"- {line}" for line in lines)


def _decisions(content: Content) -> str:
    if not content.decisions:
        return "## Findings decided by hand\n\nNone."
    rows = [
        (one.rule, one.message, one.state, one.by, one.reason, one.at, _dash(one.until)) for one in content.decisions
    ]
    return "## Findings decided by hand\n\n" + _table(
        ["rule", "finding", "decision", "by", "reason", "at", "until"], rows
    )


def _files() -> str:
    return (
        "## Files\n\n"
        "- `labels.csv`: a region a line; `x y width height` in level-0 pixels; `confidence` and `p_<class>` are the "
        "canonical consensus of all independent opinions (Dawid-Skene from a cold start, or vote shares), also where "
        "a person decided otherwise; empty where there was no opinion. Text cells that a spreadsheet would take for "
        "a formula start with an apostrophe.\n"
        "- `answers.csv`: the answers that count, by pseudonym. `classes.csv`: the protocol.\n"
        "- `ledger.jsonl`: the hash chain up to the pass. `manifest.json`, `CHECKSUMS`: digests of everything.\n"
        "- Check the folder with `verify_release`; its name is the SHA-256 of `manifest.json`."
    )


def _table(columns: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(_plain(cell) for cell in columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(_plain(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return "\n".join(f"> {_plain(line)}" for line in text.splitlines())


def _plain(value: object) -> str:
    """Text that Markdown takes for text: no cell can end its row, and no tag or link can begin."""
    text = " ".join(str(value).split())
    for character in "\\|<>[]`*_":
        text = text.replace(character, f"\\{character}")
    return text


def _estimate(values: Sequence[float | None]) -> str:
    value, low, high = values
    if value is None:
        return "-"
    return f"{value:.3f}" if low is None or high is None else f"{value:.3f} ({low:.3f} to {high:.3f})"


def _listed(counts: Any) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items()) if number)


def _dash(value: object) -> object:
    return "-" if value in (None, "") else value


def _cases(content: Content) -> set[str]:
    return {slide.case for slide in content.slides}


def _class_counts(content: Content) -> dict[str, int]:
    counts = Counter(region.label for region in content.regions)
    return {code: counts[code] for code in content.codes}
