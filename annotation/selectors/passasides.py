"""What a pass reads beside the truth itself: repeats, gold, and the slides that regions lie on.

Decides what is compared with what, under today's classes; refuses to judge anybody. Answers come from the ledger alone.
"""

from collections.abc import Iterator, Mapping

from annotation.models import Domain, Gold, Slide, Study
from annotation.releasing import standing
from annotation.rules import Frame, GoldAnswer, Repeat
from annotation.states import AnswerKind, AssignmentKind

Tables = Mapping[int, Mapping[str, str]]
"""Protocol number -> {its class code: the code today}."""


def read_repeats(stood: standing.Standing, tables: Tables) -> tuple[Repeat, ...]:
    """Repeats beside the standing answer of the same person, where both have a class of today.

    An answer whose class was split since is no contradiction: the rules changed, not the person's mind.
    """
    return tuple(_compare(stood, tables))


def _compare(stood: standing.Standing, tables: Tables) -> Iterator[Repeat]:
    for (region, name, kind), content in sorted(stood.asides.items()):
        before = stood.answers.get((region, name))
        if kind != AssignmentKind.REPEAT or before is None or AnswerKind.WITHDRAWN in (before["kind"], content["kind"]):
            continue
        first, again = (_today(one, tables) for one in (before, content))
        if first and again:
            yield Repeat(region, name, first, again)


def read_golds(study: Study, tables: Tables) -> dict[str, str]:
    """Gold region -> its class today; without those retired or whose class was split since."""
    rows = Gold.objects.filter(region__study=study, retired_at=None).order_by("region__public_id")
    found = rows.values_list("region__public_id", "protocol__number", "label")
    today = {region: tables.get(number, {}).get(label, "") for region, number, label in found}
    return {region: label for region, label in today.items() if label}


def read_gold_answers(stood: standing.Standing, tables: Tables, golds: Mapping[str, str]) -> tuple[GoldAnswer, ...]:
    """What was said of gold, unaware; without what was taken back."""
    return tuple(
        GoldAnswer(region, name, _today(content, tables), golds[region])
        for (region, name, kind), content in sorted(stood.asides.items())
        if kind == AssignmentKind.GOLD and region in golds and content["kind"] != AnswerKind.WITHDRAWN
    )


def read_frames(study: Study) -> dict[str, Frame]:
    """Slide -> its size and scale."""
    rows = Slide.objects.filter(study=study).order_by("public_id")
    found = rows.values_list("public_id", "width", "height", "um_per_px_x", "um_per_px_y")
    return {name: Frame(width, height, um_x or 0.0, um_y or 0.0) for name, width, height, um_x, um_y in found}


def read_domains(study: Study) -> tuple[str, ...]:
    """The domains of the study's slides."""
    rows = Domain.objects.filter(study=study, slides__isnull=False).distinct()
    return tuple(rows.order_by("name").values_list("name", flat=True))


def _today(content: Mapping[str, object], tables: Tables) -> str:
    label = standing.label_of(dict(content))
    number = content["protocol"]
    assert isinstance(number, int)
    return tables.get(number, {}).get(label, "")
