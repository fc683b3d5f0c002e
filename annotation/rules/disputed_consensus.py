"""Labels of a consensus that another way to one does not share: majority, or CROWDLAB where a model has looked."""

from collections.abc import Iterator

from annotation.rules.contract import Fix, Found, Rule
from annotation.rules.view import CONSENSUS_METHODS, PassView
from annotation.states import Severity


def find(view: PassView) -> Iterator[Found]:
    """Yield labels that stand on opinions alone and that at least one other way contradicts: by a tie too, not by a
    child of the label.

    No way is better than the one that the study settles by: they are told side by side, for a person to decide.
    """
    ways = {name: said for name, said in sorted(view.methods().items()) if name != view.policy.consensus}
    for item in view.released():
        others = {name: said[item.region] for name, said in ways.items() if item.region in said}
        against = {name: label for name, (label, _) in others.items() if not _is_within(label, item.label, view)}
        if item.method in CONSENSUS_METHODS and against:
            told = "; ".join(f"{name} says {label or 'none: it is a tie'}" for name, label in against.items())
            yield Found(
                message=f"Region {item.region} is {item.label}, but {told}.",
                region=item.region,
                evidence={"label": item.label, "revision": item.revision, "against": against},
            )


def _is_within(label: str, wider: str, view: PassView) -> bool:
    """Whether a class is the wider one or lies below it: people who differ on the children agree on the parent."""
    while label and label != wider:
        label = view.parents.get(label, "")
    return label == wider


RULE = Rule(
    code="disputed-consensus",
    version=1,
    severity=Severity.WARNING,
    title="Disputed consensus",
    fix=Fix.ADJUDICATE,
    find=find,
    meaning="Another way from the same answers to one label comes to another class, or to none.",
    stakes="Where the ways part, the answers alone do not decide: such labels are wrong more often than others.",
    reads=("consensus",),
)
