from __future__ import annotations

from django.apps import AppConfig


class DreamerConfig(AppConfig):
    name = "dreamer"

    def ready(self) -> None:
        from dreamer import checks  # registers the system check
        from dreamer.networks import fetching, importing, trying  # what workers do
