from __future__ import annotations

from django.apps import AppConfig


class DreamsiteConfig(AppConfig):
    name = "dreamsite"
    verbose_name = "Dreamsite"

    def ready(self) -> None:
        from dreamsite import checks  # noqa: F401  registers the system checks
