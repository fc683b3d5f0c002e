"""A class that makes up more or less of the dataset than the study wants, in all or in one domain."""

from collections import Counter
from collections.abc import Iterator, Mapping

from annotation.rules.contract import Fix, Found, Rule, Threshold, shorten
from annotation.rules.view import PassView
from annotation.states import Severity

CODE = "class-share"


def find(view: PassView) -> Iterator[Found]:
    """Yield classes whose share lies outside their limits, and domains that differ too much from all others.

    Special outcomes are no classes: they are counted neither among the classes nor in the whole.
    """
    classes = [code for code in view.codes if code not in view.special]
    items = [item for item in view.released() if item.label not in view.special]
    counts = Counter(item.label for item in items)
    for code in classes if items else ():
        yield from _check_limits(view, code, share=counts[code] / len(items), count=counts[code])
    by_domain: dict[str, Counter[str]] = {}
    for item in items:
        by_domain.setdefault(item.domain, Counter())[item.label] += 1
    for domain, inside in sorted(by_domain.items()):
        yield from _check_domain(view, domain, inside, outside=counts - inside)


def _check_limits(view: PassView, code: str, *, share: float, count: int) -> Iterator[Found]:
    least, most = (view.threshold(CODE, name, of=code) for name in ("least", "most"))
    if not least <= share <= most:
        yield Found(
            message=f"Class {code} is {share:.1%} of the dataset ({count} regions), outside {least:.1%} to {most:.1%}.",
            subject=f"class {code}",
            evidence={"share": round(share, 2), "least": least, "most": most},
        )


def _check_domain(
    view: PassView, domain: str, inside: Mapping[str, int], outside: Mapping[str, int]
) -> Iterator[Found]:
    """The largest difference between a class's share in the domain and its share elsewhere."""
    here, there = sum(inside.values()), sum(outside.values())
    if min(here, there) < max(view.threshold(CODE, "regions"), 1):
        return
    allowed = view.threshold(CODE, "difference")
    shares = {code: (inside.get(code, 0) / here, outside.get(code, 0) / there) for code in view.codes}
    code = max(shares, key=lambda name: (abs(shares[name][0] - shares[name][1]), name))
    one, other = shares[code]
    if abs(one - other) > allowed:
        yield Found(
            message=f"Class {code} is {one:.1%} of domain {domain} and {other:.1%} of all others: more than "
            f"{allowed:.1%} apart.",
            subject=shorten(f"domain {domain}"),
            evidence={"class": code, "shares": [round(one, 2), round(other, 2)], "difference": allowed},
            severity=Severity.WARNING,
        )


RULE = Rule(
    code=CODE,
    version=1,
    severity=Severity.BLOCKER,
    title="Class share outside limits",
    fix=Fix.WAIVE,
    find=find,
    meaning="A class makes up more or less of the dataset than the study wants, or of one domain than of others.",
    stakes="A model learns the shares along with the looks, and where a domain goes with a class it learns the domain.",
    thresholds={
        "least": Threshold(0.0, 0.0, 1.0, "A class makes up at least this share of the dataset.", by_class=True),
        "most": Threshold(1.0, 0.0, 1.0, "A class makes up at most this share of the dataset.", by_class=True),
        "difference": Threshold(1.0, 0.0, 1.0, "A class's share in a domain is at most this far from elsewhere."),
        "regions": Threshold(30, 1, 1_000_000, "Domains with fewer regions are not compared."),
    },
)
