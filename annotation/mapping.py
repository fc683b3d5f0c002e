"""Which answers of older protocols still hold, by exact mappings (same, renamed, merged, retired into a class) alone.

Decides what a class of an older protocol is called today; refuses to guess where it was split or redefined.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from annotation.models import ClassMapping, Protocol, Study
from annotation.states import EXACT_MAPPINGS, MappingKind

Codes = dict[int, dict[str, str]]
"""Protocol id -> {its class code: the code today}; classes without an exact mapping are missing."""


def exact_codes(study: Study) -> Codes:
    """What the classes of every published protocol are called under the one in force."""
    current = study.protocol
    if current is None:
        return {}
    table = {current.pk: {code: code for code in current.codes}}
    if current.number == 1:
        return table
    steps: dict[int, dict[str, str]] = defaultdict(dict)
    for protocol_id, source, target in _exact(ClassMapping.objects.filter(protocol__study=study)):
        steps[protocol_id][source] = target
    newer_id = current.pk
    older = Protocol.objects.filter(study=study, number__lt=current.number).order_by("-number")
    for protocol_id in older.values_list("pk", flat=True):
        table[protocol_id] = follow(table[newer_id], step=steps[newer_id])
        newer_id = protocol_id
    return table


def exact_step(protocol: Protocol) -> dict[str, str]:
    """Class code of the version before -> its code in `protocol`, published or not, where it continues exactly."""
    return dict(_pairs(_exact(protocol.mappings.all())))


def with_next(study: Study, *, draft: Protocol) -> Codes:
    """`exact_codes` as they will be once `draft` is in force."""
    step = exact_step(draft)
    table = {
        protocol_id: {code: step[today] for code, today in codes.items() if today in step}
        for protocol_id, codes in exact_codes(study).items()
    }
    return {**table, draft.pk: {code: code for code in draft.codes}}


def follow(later: dict[str, str], *, step: dict[str, str]) -> dict[str, str]:
    """One step of a mapping and, where it goes on, the mapping behind it."""
    return {source: later[target] for source, target in step.items() if target in later}


def in_force(study: Study, *, at: datetime) -> Protocol:
    """The protocol that was in force at a moment; the first one before there was any."""
    published = Protocol.objects.filter(study=study).exclude(published_at=None)
    then = published.filter(published_at__lte=at).order_by("-number").first()
    return then or published.order_by("number").first() or study.current_protocol


def _exact(rows: QuerySet[ClassMapping]) -> QuerySet[ClassMapping, tuple[int, str, str]]:
    exact = rows.filter(Q(kind__in=EXACT_MAPPINGS) | Q(kind=MappingKind.RETIRED)).exclude(target_code="")
    return exact.values_list("protocol_id", "source_code", "target_code")


def _pairs(rows: Iterable[tuple[int, str, str]]) -> Iterable[tuple[str, str]]:
    return ((source, target) for _, source, target in rows)
