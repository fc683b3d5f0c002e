"""What a person is told after answering gold, where the study teaches by it.

Decides that nothing is said where the study does not say so: then an answer to gold looks like any other.
"""

from dataclasses import dataclass

from annotation import mapping
from annotation.models import Annotation, Gold, LabelClass, Study
from annotation.states import AssignmentKind

_TAUGHT = (AssignmentKind.GOLD, AssignmentKind.QUALIFY)


@dataclass(frozen=True, slots=True)
class Feedback:
    """Whether the answer was right, and the class that the region has, in the guideline's words."""

    is_right: bool
    label: str
    name: str
    definition: str


def of_answer(annotation: Annotation, *, study: Study) -> Feedback | None:
    """What is known of the region that was answered; None unless it is gold and the study tells."""
    if annotation.assignment_kind not in _TAUGHT or not study.policy.gold_feedback:
        return None
    known = Gold.objects.filter(region=annotation.region_id).first()
    codes = mapping.exact_codes(study)
    truth = codes.get(known.protocol_id, {}).get(known.label) if known else None
    found = LabelClass.objects.filter(protocol=study.protocol_id, code=truth).first() if truth else None
    if found is None:
        return None
    said = codes.get(annotation.protocol_id, {}).get(annotation.label)
    return Feedback(said == found.code, found.code, found.name, found.definition)
