"""People leaving a study. Their answers and their pseudonym stay.

Decides what becomes of what they hold; joining is in `studies`.
"""

from django.db import transaction

from annotation.models import Assignment, Membership
from annotation.services import queue
from annotation.states import AssignmentState


@transaction.atomic
def deactivate(*, member: Membership) -> Membership:
    """End a membership and give back the regions it holds; harmless when it has ended."""
    member = Membership.objects.select_for_update(no_key=True).get(pk=member.pk)
    held = Assignment.objects.filter(annotator=member, state=AssignmentState.LEASED)
    for token in held.order_by("pk").values_list("token", flat=True):
        queue.release(member=member, token=token)
    member.is_active = False
    member.save(update_fields=["is_active"])
    return member
