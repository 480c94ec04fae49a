"""What all administration pages of moderation share: rows to look at, and links to the dashboard."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from canvas.moderation.permissions import MODERATE


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Rows to look at. Who has `permission` (permissions.py) sees them; nobody edits them."""

    permission = MODERATE
    list_per_page = 50
    show_full_result_count = False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.has_perm(self.permission)) or super().has_view_permission(request, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_work_permission(self, request: HttpRequest) -> bool:
        """For actions: those who may do it on the dashboard may do it here."""
        return bool(request.user.has_perm(self.permission))


def dashboard_link(name: str, pk: Any, words: Any) -> str:
    return format_html('<a href="{}">{}</a>', reverse(name, args=[pk]), words)


def short(text: str, most: int = 60) -> str:
    """Text for a column; all of it in the row's own page."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
