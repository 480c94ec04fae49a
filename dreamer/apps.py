from __future__ import annotations

from django.apps import AppConfig


class DreamerConfig(AppConfig):
    name = "dreamer"

    def ready(self) -> None:
        from dreamer import checks  # noqa: F401  registers the system check
        from dreamer.networks import fetching, importing, trying  # noqa: F401  what workers do
