from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ModerationConfig(AppConfig):
    name = "canvas.moderation"
    verbose_name = "Moderation"

    def ready(self) -> None:
        from allauth.account.signals import user_signed_up
        from django.contrib.auth.signals import user_logged_in

        import canvas.moderation.periodic_tasks  # for workers
        from canvas.moderation import permissions
        from canvas.moderation.audit import triggers
        from canvas.moderation.signals import ip_digests

        post_migrate.connect(triggers.protect, sender=self, dispatch_uid="moderation-audit-triggers")
        post_migrate.connect(permissions.make_group, sender=self, dispatch_uid="moderation-group")
        user_logged_in.connect(ip_digests.signed_in, dispatch_uid="moderation-ip-digest-sign-in")
        user_signed_up.connect(ip_digests.signed_up, dispatch_uid="moderation-ip-digest-sign-up")
