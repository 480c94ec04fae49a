"""Dreams that people ask to show, and those that are shown, for moderators."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from dreamsite.core.tasks.jobs import State
from gallery.studio.models import Work


@admin.register(Work)
class WorkAdmin(admin.ModelAdmin[Work]):
    list_display = ["preview", "caption", "owner", "requested_at", "published_at", "hidden_at"]
    list_filter = [("requested_at", admin.EmptyFieldListFilter), ("published_at", admin.EmptyFieldListFilter)]
    actions = ["publish", "hide", "unhide"]
    ordering = ["-requested_at"]
    readonly_fields = ["preview", "owner", "title", "network", "requested_at", "published_at", "hidden_at"]
    fields = ["caption", *readonly_fields]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Only what somebody asked to show: the rest is private, to the staff too."""
        return super().get_queryset(request).filter(requested_at__isnull=False).select_related("owner")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description=_("Dream"))
    def preview(self, work: Work) -> str:
        if not work.thumbnail:
            return "–"
        return format_html(
            '<a href="{}"><img src="{}" height="96" alt=""></a>', work.get_absolute_url(), work.thumbnail.url
        )

    @admin.action(description=_("Show to everybody"))
    def publish(self, request: HttpRequest, works: Any) -> None:
        works.filter(state=State.DONE, published_at=None).update(published_at=timezone.now())

    @admin.action(description=_("Hide from everybody"))
    def hide(self, request: HttpRequest, works: Any) -> None:
        works.update(hidden_at=timezone.now())

    @admin.action(description=_("Show again"))
    def unhide(self, request: HttpRequest, works: Any) -> None:
        works.update(hidden_at=None)
