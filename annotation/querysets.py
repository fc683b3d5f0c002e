"""The vocabulary of reads: small chainable methods with the field's names.

Decides what the words mean; who may see a single row is decided where it is served.
"""

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from annotation.states import RegionState, Role

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser


class StudyQuerySet(QuerySet[Any]):
    def visible_to(self, user: "AbstractBaseUser | AnonymousUser", *roles: Role) -> "StudyQuerySet":
        """Studies in which `user` is an active member, in one of `roles` where given."""
        members = {"memberships__user_id": user.pk, "memberships__is_active": True}
        if roles:
            members["memberships__role__in"] = roles
        return self.filter(**members)


class RegionQuerySet(QuerySet[Any]):
    def learnable(self) -> "RegionQuerySet":
        """Regions outside the audit sample: those that may be ranked and trained on."""
        return self.filter(audit_half="")

    def audit(self) -> "RegionQuerySet":
        return self.exclude(audit_half="")

    def in_pool(self) -> "RegionQuerySet":
        return self.filter(state=RegionState.POOL)
