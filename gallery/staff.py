"""What the gallery's administration has in common: every change goes into the log of acts; and who curates."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from canvas.moderation import audit

CURATORS = "Curators"
CURATED = ("exhibit", "picture", "upload")

ADD = audit.verb("gallery-add", _("Made something in the gallery"))
CHANGE = audit.verb("gallery-change", _("Changed something in the gallery"))
DELETE = audit.verb("gallery-delete", _("Deleted something in the gallery"))


class Recorded(admin.ModelAdmin):  # type: ignore[type-arg]
    """Records who made, changed and deleted what; the admin opens the transaction around both."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        audit.record(request.user, ADD, **_what(obj))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        audit.record(request.user, CHANGE, **_what(obj), changed=message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for obj in queryset:
            audit.record(request.user, DELETE, **_what(obj))
        return super().log_deletions(request, queryset)


def _what(obj: Model) -> dict[str, Any]:
    return {"kind": obj._meta.model_name, "id": obj.pk, "name": str(obj)}


def make_group(sender: AppConfig, using: str = "default", **_signal: Any) -> None:
    """Makes, once, the group that may hang exhibits and look frames up for them. A receiver of post_migrate."""
    group, new = Group.objects.using(using).get_or_create(name=CURATORS)
    if new:
        create_permissions(sender, verbosity=0, using=using)
        every = Permission.objects.using(using)
        group.permissions.add(*every.filter(content_type__app_label="gallery", content_type__model__in=CURATED))
        group.permissions.add(*every.filter(content_type__app_label="canvas", codename="view_frame"))
