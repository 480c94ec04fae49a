from __future__ import annotations

from django.apps import AppConfig


class DreamerConfig(AppConfig):
    name = "dreamer"

    def ready(self) -> None:
        from django.conf import settings

        from dreamer import checks  # registers the system check
        from dreamer.engine import openvino
        from dreamer.networks import fetching, importing, trying  # what workers do

        openvino.keep_compiled(settings.VAR_DIR / "openvino")
