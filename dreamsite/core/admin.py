"""Accounts in the administration; who gets in is in dreamsite.accounts.staff."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from dreamsite.core.models import User


class AccountForm(UserChangeForm[User]):
    """Django's; the last owner stays one."""

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        stays = all(data.get(name, getattr(self.instance, name)) for name in ("is_superuser", "is_active"))
        if not stays and self.instance.is_last_owner():
            raise ValidationError(_("This is the last owner of the site. Make somebody else an owner first."))
        return data


@admin.register(User)
class AccountAdmin(UserAdmin[User]):
    form = AccountForm
    list_display = ["username", "date_joined", "last_login", "is_active", "is_staff"]
    list_filter = ["is_active", "guest", "is_staff", "groups", "date_joined"]
    search_fields = ["username", "email"]
    ordering = ["-date_joined"]
    date_hierarchy = "date_joined"
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Who may do what is for owners; since when somebody is here is for nobody, for the rules go by it."""
        rights = ["is_staff", "is_superuser", "groups", "user_permissions"]
        return ["last_login", "date_joined", *([] if request.user.is_superuser else rights)]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return self._in_reach(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        if obj is not None and obj.is_superuser:
            return False  # an owner is first made none, where the last one is noticed
        return self._in_reach(request, obj) and super().has_delete_permission(request, obj)

    def _in_reach(self, request: HttpRequest, account: Any) -> bool:
        """Accounts with any power, one's own among them, are changed by owners: a name or a password is a power too."""
        if account is None or request.user.is_superuser:
            return True
        rights = account.is_staff or account.is_superuser or account.groups.exists()
        return not (rights or account.user_permissions.exists())
