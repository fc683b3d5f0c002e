"""Registration of Django's admin with Concord's own site."""

from django.contrib.admin.apps import AdminConfig


class ConcordAdminConfig(AdminConfig):
    """Makes `Site` the site that every ModelAdmin is registered with."""

    default_site = "annotation.screens.site.Site"
