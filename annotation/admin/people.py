"""Accounts in the admin: Django's own pages, with a way to take sign-in tokens back.

Decides that no token is shown: whoever reads one can answer in its owner's name.
"""

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from rest_framework.authtoken.models import Token, TokenProxy

User = get_user_model()

admin.site.unregister(TokenProxy)
admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(Group)
class Groups(GroupAdmin):
    # Plain lists: the paired ones name their filter in a way that screen readers must not be given.
    filter_horizontal = ()


@admin.register(User)
class PeopleAdmin(UserAdmin):
    filter_horizontal = ()
    # What the system writes; its two inputs a time have no labels of their own.
    readonly_fields = ("last_login", "date_joined")
    actions = ("take_tokens_back",)

    @admin.action(description="Take sign-in tokens back", permissions=["change"])
    def take_tokens_back(self, request: HttpRequest, queryset: QuerySet) -> None:
        count, _ = Token.objects.filter(user__in=queryset).delete()
        self.message_user(request, f"{count} tokens no longer open anything.")
