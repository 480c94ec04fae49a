"""The log of acts in the administration: read-only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from canvas.moderation.models import Act
from canvas.moderation.permissions import SEE_AUDIT
from canvas.moderation.read_only_admin import ReadOnlyAdmin, short


class VerbFilter(admin.SimpleListFilter):
    title = _("act")
    parameter_name = "verb"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return sorted(Act.VERBS.items(), key=lambda verb: str(verb[1]))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(verb=self.value()) if self.value() else queryset


@admin.register(Act)
class ActAdmin(ReadOnlyAdmin):
    """Nobody adds, changes or deletes here, not even administrators; the database refuses it, too."""

    permission = SEE_AUDIT
    list_display = ["at", "by_name", "title", "person_name", "canvas", "short_why", "operation", "undone"]
    list_filter = [VerbFilter, "canvas", "at"]
    list_select_related = ["canvas", "undone_by"]
    search_fields = ["by_name", "person_name", "why", "=op"]
    date_hierarchy = "at"
    ordering = ["-pk"]
    actions = None

    @admin.display(description=_("Did"), ordering="verb")
    def title(self, act: Act) -> str:
        return act.title

    @admin.display(description=_("Why"))
    def short_why(self, act: Act) -> str:
        return short(act.why)

    @admin.display(description=_("Operation"), ordering="op")
    def operation(self, act: Act) -> str:
        return format_html('<a href="{}?op={}">{}</a>', reverse("audit"), act.op, str(act.op)[:8])

    @admin.display(description=_("Taken back"), boolean=True)
    def undone(self, act: Act) -> bool:
        return getattr(act, "undone_by", None) is not None
