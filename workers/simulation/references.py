"""What a replay is held against: the majority, and Dawid-Skene, of everybody's votes.

Decides what agreement with a reference is; refuses to be looked at by anything that decides over a region.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from annotation.models import Region, Study
from annotation.services import consensus
from annotation.states import RegionState
from learning.consensus import dawid_skene, majority
from learning.shares import estimate_share
from workers.simulation.votes import Book


def decided(study: Study) -> dict[str, str]:
    """Region -> label: the settled truth, and where nobody is left to settle it the leading class of a cold fit."""
    settled = Region.objects.filter(study=study, state=RegionState.SETTLED, current_revision__is_settled=True)
    found = dict(settled.values_list("public_id", "current_revision__label"))
    fit = consensus.canonical_fit(study)
    for region, label in zip(fit.regions, fit.fitted.posterior.argmax(axis=1), strict=True):
        found.setdefault(region, fit.codes[int(label)])
    return found


def measure(labels: Mapping[str, str], *, book: Book) -> dict[str, Any]:
    """How `labels` agree with the majority of all votes and with the Dawid-Skene consensus of all votes.

    A region whose readers are tied has no majority: it is left out of `of` and counted in `ties`.
    """
    answers = book.answers()
    leading = majority.choose_labels(majority.tally(answers))
    fitted = dawid_skene.fit(answers).posterior.argmax(axis=1)
    by_majority = {region: book.codes[label] for region, label in zip(book.regions, leading, strict=True) if label >= 0}
    by_fit = {region: book.codes[label] for region, label in zip(book.regions, fitted, strict=True)}
    return {
        "agreement_majority": _compare(labels, by_majority) | {"ties": len(book.regions) - len(by_majority)},
        "agreement_dawid_skene": _compare(labels, by_fit),
    }


def _compare(labels: Mapping[str, str], reference: Mapping[str, str]) -> dict[str, Any]:
    """Share of regions with the reference's label, with its interval; and of those of each class, how many."""
    same = Counter(label for region, label in reference.items() if labels.get(region) == label)
    all_of = Counter(reference.values())
    found = estimate_share(yes=same.total(), count=len(reference))
    assert found is not None  # a book holds at least one vote
    return {
        "same": same.total(),
        "of": len(reference),
        "share": round(found.value, 6),
        "low": round(found.low, 6),
        "high": round(found.high, 6),
        "by_class": {code: [same[code], count] for code, count in sorted(all_of.items())},
    }
