from __future__ import annotations

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "dreamsite.core"
    verbose_name = "Dreamsite"
