"""Whatever is made, changed or deleted in the administration goes into the log of acts, rights and passwords too."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import AbstractUser, Group
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from canvas.moderation.models import Act

ADD = Act.add_verb("admin-add", _("Made something in the administration"))
CHANGE = Act.add_verb("admin-change", _("Changed something in the administration"))
DELETE = Act.add_verb("admin-delete", _("Deleted something in the administration"))


class RecordedAdmin(admin.ModelAdmin[Any]):
    """What every model's page in the administration is made of (AdminSite.register).

    The admin opens the transaction around both the change and its row in the log.
    """

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        _record(request, ADD, obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        if message:  # a form that was saved as it was is no act
            _record(request, CHANGE, obj, changed=message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for obj in queryset:
            _record(request, DELETE, obj)
        return super().log_deletions(request, queryset)


def _record(request: HttpRequest, verb: str, obj: Model, **more: Any) -> None:
    person = obj if isinstance(obj, AbstractUser) else getattr(obj, "user", None)
    # What is somebody's has no words of its own here: their name goes from the log when they leave.
    words = {} if isinstance(person, AbstractUser) else {"name": str(obj)}
    facts: dict[str, Any] = getattr(obj, "log_facts", dict)()
    what = {"model": obj._meta.label_lower, "id": obj.pk, **words, **_rights(obj), **facts, **more}
    Act.objects.record(request.user, verb, person=person if not words else None, **what)


def _rights(obj: Model) -> dict[str, Any]:
    """What somebody, or a group, may do now: the fields' names alone would not tell."""
    if isinstance(obj, AbstractUser):
        return {
            "active": obj.is_active,
            "staff": obj.is_staff,
            "superuser": obj.is_superuser,
            "groups": sorted(obj.groups.values_list("name", flat=True)),
            "permissions": _codenames(obj.user_permissions),
        }
    return {"permissions": _codenames(obj.permissions)} if isinstance(obj, Group) else {}


def _codenames(permissions: Any) -> list[str]:
    return sorted(permissions.values_list("codename", flat=True))
