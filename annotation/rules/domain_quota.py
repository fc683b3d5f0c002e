"""A domain (laboratory, scanner, stain) with too few regions, in all or of one class."""

from collections import Counter
from collections.abc import Iterator

from annotation.rules.contract import Fix, Found, Rule, Threshold, shorten
from annotation.rules.view import PassView
from annotation.states import Severity

CODE = "domain-quota"


def find(view: PassView) -> Iterator[Found]:
    """Yield domains under the share wanted of each, and classes with too few regions in a domain."""
    released = view.released()
    of_domain = Counter(item.domain for item in released)
    of_both = Counter((item.domain, item.label) for item in released)
    wanted = view.threshold(CODE, "share")
    for domain in sorted({*view.domains, *of_domain}):
        count = of_domain[domain]
        if count < wanted * len(released):
            yield Found(
                message=f"Domain {domain} has {count} of {len(released)} regions, under the {wanted:.1%} wanted.",
                subject=shorten(f"domain {domain}"),
                evidence={"count": count, "of": len(released), "share": wanted},
            )
        for code in view.codes:
            found = of_both[domain, code]
            quota = 0 if code in view.special else round(view.threshold(CODE, "regions", of=code))
            if found < quota:
                yield Found(
                    message=f"Class {code} has {found} of the {quota} regions wanted in domain {domain}.",
                    subject=shorten(f"class {code} in domain {domain}"),
                    evidence={"count": found, "quota": quota},
                )


RULE = Rule(
    code=CODE,
    version=1,
    severity=Severity.BLOCKER,
    title="Domain under quota",
    fix=Fix.WAIVE,
    find=find,
    meaning="A domain (such as a laboratory) has fewer regions than the study wants, in all or of one class.",
    stakes="What is hardly seen from a laboratory is neither learned nor tested there.",
    thresholds={
        "regions": Threshold(0, 0, 1_000_000, "Regions wanted of a class in every domain.", by_class=True),
        "share": Threshold(0.0, 0.0, 0.5, "Share of the dataset wanted from every domain."),
    },
)
