"""What a release consists of: regions by class, domain and split, and what was left out.

Decides which counts are printed; refuses to compute anything but counts.
"""

from collections import Counter

from annotation.releasing.content import Content
from annotation.releasing.datasheet import markdown


def counts(content: Content) -> str:
    """Regions by class, domain and split."""
    domains = sorted({region.slide.domain for region in content.regions})
    counts = Counter((region.label, region.slide.domain) for region in content.regions)
    totals = Counter(region.label for region in content.regions)
    rows = [[code, *(counts[code, domain] for domain in domains), totals[code]] for code in content.codes]
    by_class = markdown.table(["class", *domains, "all"], rows)
    splits = Counter((region.slide.split, region.label) for region in content.regions)
    names = sorted({split for split, _ in splits})
    rows = [[code, *(splits[name, code] for name in names)] for code in content.codes]
    by_split = markdown.table(["class", *names], rows)
    return (
        f"Regions by class and domain:\n\n{by_class}\n\n"
        f"Regions by class and split (whole cases; audit cases are test):\n\n{by_split}"
    )
