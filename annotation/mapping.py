"""Which answers of older protocols still hold, by exact mappings (same, renamed, merged) alone.

Decides what a class of an older protocol is called today; refuses to guess where it was split or redefined.
"""

from annotation.models import ClassMapping, Protocol, Study
from annotation.states import EXACT_MAPPINGS


def exact_codes(study: Study) -> dict[int, dict[str, str]]:
    """Protocol id -> {its class code: the code today}; classes without an exact mapping are missing."""
    current = study.protocol
    if current is None:
        return {}
    table = {current.pk: {code: code for code in current.codes}}
    if current.number == 1:
        return table
    mappings: dict[int, dict[str, str]] = {}
    rows = ClassMapping.objects.filter(protocol__study=study, kind__in=EXACT_MAPPINGS)
    for protocol_id, source, target in rows.values_list("protocol_id", "source_code", "target_code"):
        mappings.setdefault(protocol_id, {})[source] = target
    older = Protocol.objects.filter(study=study, number__lt=current.number).order_by("-number")
    newer_id = current.pk
    for protocol in older:
        step = mappings.get(newer_id, {})
        later = table[newer_id]
        table[protocol.pk] = {source: later[target] for source, target in step.items() if target in later}
        newer_id = protocol.pk
    return table
