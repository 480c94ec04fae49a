from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin import apps as admin


class DreamsiteConfig(AppConfig):
    name = "dreamsite"
    verbose_name = "Dreamsite: accounts and checks"

    def ready(self) -> None:
        from dreamsite import checks  # registers the system checks
        from dreamsite.accounts import closing, sessions, sockets, staff  # their signals


class AdminConfig(admin.AdminConfig):
    default = False  # of this module: that is the one above
    default_site = "dreamsite.accounts.staff.AdminSite"
