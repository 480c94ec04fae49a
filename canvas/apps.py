from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CanvasConfig(AppConfig):
    name = "canvas"

    def ready(self) -> None:
        from allauth.account.signals import user_signed_up
        from django.contrib.auth.signals import user_logged_in

        from canvas import notify
        from canvas.moderation import (
            chores,  # noqa: F401  for workers
            guard,
            permissions,
            traces,
        )
        from dreamsite.core.signals import project_changed

        project_changed.connect(lambda **_signal: notify.look_everywhere(), weak=False, dispatch_uid="canvas-project")
        post_migrate.connect(guard.protect, sender=self, dispatch_uid="canvas-audit-guard")
        post_migrate.connect(permissions.make_group, sender=self, dispatch_uid="canvas-moderators")
        user_logged_in.connect(traces.signed_in, dispatch_uid="canvas-trace-sign-in")
        user_signed_up.connect(traces.signed_up, dispatch_uid="canvas-trace-sign-up")
