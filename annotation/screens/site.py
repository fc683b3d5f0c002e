"""The admin site of Concord: everybody with an account may sign in, and finds the own work on the first page.

Decides who passes the door. Which studies and rows there are to see behind it is decided by each page.
"""

from django.contrib import admin
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest


class Site(admin.AdminSite):
    """Django's admin, open to accounts that are not staff: annotators see their screens and no rows."""

    site_header = site_title = "Concord"
    index_title = "Your studies"
    site_url = None
    enable_nav_sidebar = False
    login_form = AuthenticationForm

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active)
