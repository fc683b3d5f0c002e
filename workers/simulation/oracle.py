"""What a scripted person may know of a region: its truth, while he or she holds a lease of it.

Decides that nothing else is ever looked at; refuses to know what is made of it.
"""

from annotation.errors import Refused
from annotation.models import Assignment, KnownTruth
from annotation.states import AssignmentState


def reveal(*, token: str) -> KnownTruth:
    """What the leased region really is. Refused for a token that is no live lease, or a region of unknown truth."""
    truth = KnownTruth.objects.filter(
        region__assignments__token=token, region__assignments__state=AssignmentState.LEASED
    ).first()
    if truth is None:
        held = Assignment.objects.filter(token=token, state=AssignmentState.LEASED).exists()
        raise Refused("Nobody told what this region is: truth.csv must cover the region." if held else "No live lease.")
    return truth


def read_suggestion(*, token: str) -> str:
    """What is suggested with the lease, as its holder sees it."""
    return Assignment.objects.values_list("suggestion", flat=True).get(token=token)
