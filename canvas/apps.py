from __future__ import annotations

from django.apps import AppConfig


class CanvasConfig(AppConfig):
    name = "canvas"

    def ready(self) -> None:
        from canvas import notify
        from dreamsite.core.signals import project_changed

        project_changed.connect(lambda **_signal: notify.look_everywhere(), weak=False, dispatch_uid="canvas-project")
