from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CanvasConfig(AppConfig):
    name = "canvas"

    def ready(self) -> None:
        from canvas.moderation import guard, permissions

        post_migrate.connect(guard.protect, sender=self, dispatch_uid="canvas-audit-guard")
        post_migrate.connect(permissions.make_group, sender=self, dispatch_uid="canvas-moderators")
