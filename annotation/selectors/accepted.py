"""What closed samples say of the set that a later pass looks at: verdicts for a rule, the estimate for a release.

Decides which labels of the set a sample still speaks of. Refuses to count what was decided or changed after the
sample as measured: it is told as outside.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from annotation.models import AcceptanceSample, LedgerEntry, Study
from annotation.rules import Item, Verdict
from annotation.selectors import acceptance
from annotation.states import SampleState

Tables = Mapping[int, Mapping[str, str]]


def closed_by(study: Study, *, position: int) -> list[AcceptanceSample]:
    """The samples that the ledger knew as closed at `position`, oldest first."""
    entries = LedgerEntry.objects.filter(study=study, kind=acceptance.LEDGER_KIND, position__lte=position)
    told = [json.loads(payload)["sample"] for payload in entries.order_by("position").values_list("payload", flat=True)]
    numbers = [one["number"] for one in told if one["state"] == SampleState.CLOSED]
    rows = AcceptanceSample.objects.filter(study=study, number__in=numbers).select_related("consistency_pass")
    return list(rows.order_by("number"))


def verdicts(samples: Iterable[AcceptanceSample], *, tables: Tables) -> dict[str, Verdict]:
    """Region -> the newest verdict on it, in today's classes; none where it has no exact one."""
    found = {}
    for sample in samples:
        table = tables.get(sample.consistency_pass.numbers["protocol"], {})
        for region, (label, verdict) in sample.numbers["verdicts"].items():
            if table.get(verdict):
                doubt = sample.numbers["wrong"].get(region, 0.0)
                found[region] = Verdict(sample.number, table[verdict], table.get(label, ""), doubt)
    return found


def facts(
    samples: Sequence[AcceptanceSample], *, released: Sequence[Item], tables: Tables, codes: Sequence[str]
) -> dict[str, Any]:
    """What the newest sample says of the `released` items of a pass, for its numbers; nothing without a sample.

    It speaks of the regions that were sampled, and of those that had their label of today when it was drawn.
    """
    if not samples:
        return {}
    sample = samples[-1]
    table = tables.get(sample.consistency_pass.numbers["protocol"], {})
    then = {one.name: table.get(one.label, "") for one in acceptance.population(sample.consistency_pass)}
    now = {item.region: item.label for item in released}
    numbers = sample.numbers
    told = {
        name: acceptance.Seen(then.get(name, ""), now.get(name, ""), [_translate(one, table) for one in said])
        for name, said in sorted(numbers["said"].items())
    }
    seen = [one for one in told.values() if one.label]
    covered = [label for name, label in now.items() if name not in told and then.get(name) == label]
    measured = acceptance.measure(seen, rest=Counter(covered), codes=codes, seed=sample.seed)
    return {
        **acceptance.shares(measured, codes),
        "sample": sample.number,
        "pass": sample.consistency_pass.number,
        "drawn": len(told),
        "population": sample.population,
        "opinions": sample.opinions,
        "outside": len(now) - measured.regions,
        "people": len({name for said in numbers["said"].values() for name, _, _ in said}),
        "adjudicated": sum(any(is_verdict for _, _, is_verdict in said) for said in numbers["said"].values()),
        "wrong": len(numbers["wrong"]),
        "seen_before": numbers["seen_before"],
        "before": numbers["share"],
    }


def _translate(said: Sequence[Any], table: Mapping[str, str]) -> acceptance.Said:
    annotator, label, is_verdict = said
    return acceptance.Said(annotator, table.get(label, ""), is_verdict)
