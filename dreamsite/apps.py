from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin import apps as admin


class DreamsiteConfig(AppConfig):
    name = "dreamsite"
    verbose_name = "Dreamsite: accounts and checks"

    def ready(self) -> None:
        from dreamsite import checks  # registers the system checks
        from dreamsite.accounts import closing, sessions, sockets, staff  # their signals
        from dreamsite.canvases import periodic_tasks  # for workers


class UserSessionsConfig(AppConfig):
    """allauth's list of sessions without its receivers, which would write down their keys (see accounts.sessions)."""

    default = False  # of this module
    name = "allauth.usersessions"
    default_auto_field = "django.db.models.BigAutoField"


class AdminConfig(admin.AdminConfig):
    default = False
    default_site = "dreamsite.accounts.staff.AdminSite"
