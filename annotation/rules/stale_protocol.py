"""Labels given under an older protocol whose class was split, redefined or retired since."""

from collections.abc import Iterator

from annotation.rules.contract import Fix, Found, Rule
from annotation.rules.view import PassView
from annotation.states import Severity


def find(view: PassView) -> Iterator[Found]:
    """Yield items whose label has no exact mapping to today's protocol. A release leaves them out."""
    for item in view.items:
        if not item.label:
            yield Found(
                message=(
                    f"Region {item.region} is {item.given_label or 'without a class'} under protocol "
                    f"{item.protocol}, which protocol {view.protocol} has no exact class for."
                ),
                region=item.region,
                evidence={"label": item.given_label, "protocol": item.protocol, "today": view.protocol},
            )


RULE = Rule(
    code="stale-protocol",
    version=1,
    severity=Severity.BLOCKER,
    title="Answer under an old protocol",
    fix=Fix.RECHECK,
    find=find,
    meaning="The label was given under an older protocol, and today's has no exact class for it.",
    stakes="A release leaves such regions out: what they show today, nobody has said.",
    offers=(Fix.MAP,),
)
