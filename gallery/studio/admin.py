"""Dreams that people ask to show, and those that are shown, for moderators. Reports on them are cases in the queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from canvas.moderation.cases.services import Conflict, NotYours
from canvas.moderation.models import Case
from canvas.moderation.permissions import MODERATE
from gallery.studio import moderation
from gallery.studio.models import BULKY, Work


class SeenForm(ActionForm):
    """When the list was shown: what its maker changed later, nobody has seen."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False, initial=lambda: timezone.now().isoformat())


class ForModerators(admin.ModelAdmin[Any]):
    """Whoever may moderate the canvas may moderate these; nobody adds or deletes a row by hand."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MODERATE)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(MODERATE)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(MODERATE)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def each(self, request: HttpRequest, rows: Any, act: Callable[[Any, Any], bool]) -> None:
        """Does it to each row, and says to how many."""
        count = sum(act(row, request.user) for row in rows)
        text = ngettext("%(count)s was changed.", "%(count)s were changed.", count) % {"count": count}
        self.message_user(request, text, messages.SUCCESS)


@admin.register(Work)
class WorkAdmin(ForModerators):
    list_display = ["preview", "caption", "owner", "requested_at", "published_at", "hidden_at"]
    list_filter = [("requested_at", admin.EmptyFieldListFilter), ("published_at", admin.EmptyFieldListFilter)]
    actions = ["publish", "hide", "show_again"]
    action_form = SeenForm
    ordering = ["-requested_at"]
    readonly_fields = ["preview", "owner", "title", "network", "requested_at", "published_at", "hidden_at"]
    fields = ["caption", *readonly_fields]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Only what somebody asked to show, or reported: the rest is private, to the staff too."""
        every = super().get_queryset(request)
        reported = Case.objects.filter(subject_kind=moderation.SUBJECT).values("subject_key")
        found = every.filter(requested_at__isnull=False) | every.filter(key__in=reported)
        return found.select_related("owner").defer(*BULKY)

    @admin.display(description=_("Dream"))
    def preview(self, work: Work) -> str:
        if not work.thumbnail:
            return "–"
        return format_html(
            '<a href="{}"><img src="{}" height="96" alt=""></a>', work.get_absolute_url(), work.thumbnail.url
        )

    @admin.action(description=_("Show to everybody"), permissions=["change"])
    def publish(self, request: HttpRequest, works: Any) -> None:
        try:
            seen = parse_datetime(request.POST.get("seen", ""))
        except ValueError:
            seen = None
        if seen is None or timezone.is_naive(seen):
            self.message_user(request, _("Load the list again, look at it, and then choose."), messages.ERROR)
            return

        def publish(work: Work, by: Any) -> bool:
            try:
                return moderation.publish(work, by, seen)
            except (Conflict, NotYours) as error:
                self.message_user(request, f"{work}: {error}", messages.ERROR)
                return False

        self.each(request, works, publish)

    @admin.action(description=_("Hide from everybody"), permissions=["change"])
    def hide(self, request: HttpRequest, works: Any) -> None:
        self.each(request, works, moderation.hide)

    @admin.action(description=_("Show again"), permissions=["change"])
    def show_again(self, request: HttpRequest, works: Any) -> None:
        self.each(request, works, moderation.show_again)
