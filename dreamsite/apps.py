from __future__ import annotations

from allauth.usersessions import apps as usersessions
from django.apps import AppConfig
from django.contrib.admin import apps as admin


class DreamsiteConfig(AppConfig):
    name = "dreamsite"
    verbose_name = "Dreamsite: accounts and checks"

    def ready(self) -> None:
        from dreamsite import checks  # registers the system checks
        from dreamsite.accounts import closing, sessions, sockets, staff  # their signals


class UserSessionsConfig(usersessions.UserSessionsConfig):
    """allauth's list of sessions, without its own receivers: they would write down the sessions' keys."""

    default = False

    def ready(self) -> None:
        pass  # dreamsite.accounts.sessions does it


class AdminConfig(admin.AdminConfig):
    default = False  # of this module: that is the one above
    default_site = "dreamsite.accounts.staff.AdminSite"
