"""What staff can see and change by hand. Other processes write the same rows: see `ChangedFieldsAdmin`."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from canvas.models import Canvas, Dream, Frame
from canvas.moderation.pending import services as pending
from dreamsite.core.errors import InvalidRequest
from gallery.donations import admin as _donations  # each registers its own
from gallery.downloads import admin as _downloads
from gallery.exhibits import admin as _exhibits
from gallery.farewell import admin as _farewell
from gallery.films import admin as _films
from gallery.highlights.models import Highlight
from gallery.pages import admin as _pages
from gallery.space.forecast import forecast
from gallery.studio import admin as _studio
from gallery.uploads import admin as _uploads


class ChangedFieldsAdmin(admin.ModelAdmin[Any]):
    """Writes the fields that somebody edited and no others.

    The journal and the dreamer write these rows all the time: a whole row as it was when the form was loaded would
    undo what they wrote since, and a canvas whose `head` went back could take no more ink.
    """

    def save_model(self, request: HttpRequest, obj: Model, form: ModelForm[Any], change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
        elif form.changed_data:
            obj.save(update_fields=form.changed_data)


@admin.register(Frame)
class FrameAdmin(ChangedFieldsAdmin):
    """Frames are made by the dreamer and never change; people hide them or show them again."""

    list_display = ["number", "preview", "canvas", "kind", "title", "made_at", "took", "visible"]
    list_display_links = ["number", "preview"]
    list_filter = ["canvas", "kind", ("hidden_at", admin.EmptyFieldListFilter), "made_at"]
    list_select_related = ["canvas"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["=number", "title", "=contributors__username"]
    search_help_text = _("A number, a title, or the exact name of somebody who drew.")
    ordering = ["-id"]
    actions = ["hide", "show_again"]

    def get_urls(self) -> list[URLPattern]:
        return [path("space/", self.admin_site.admin_view(self.space), name="canvas_frame_space"), *super().get_urls()]

    def space(self, request: HttpRequest) -> HttpResponse:
        """How much room the site takes and will take, and what the rule of retention gives up."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": _("Room on the disk"),
            "seen": forecast(),
            "days": settings.KEEP_ALL_DAYS,
            "minutes": settings.KEEP_ONE_MINUTES,
        }
        return render(request, "admin/canvas/frame/space.html", context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Frame | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Frame | None = None) -> list[str]:
        # Hiding moves files and may move the canvas: the actions do it, a form field would not.
        return [field.name for field in Frame._meta.get_fields() if field.concrete]

    @admin.display(description=_("Picture"))
    def preview(self, frame: Frame) -> str:
        return format_html('<img src="{}" width="64" height="64" alt="" loading="lazy">', frame.thumbnail.url)

    @admin.display(description=_("Took"), ordering="seconds")
    def took(self, frame: Frame) -> str:
        return f"{frame.seconds:.1f} s" if frame.seconds else "–"

    @admin.display(description=_("Visible"), boolean=True, ordering="hidden_at")
    def visible(self, frame: Frame) -> bool:
        return frame.hidden_at is None

    @admin.action(description=_("Hide from everybody"), permissions=["change"])
    def hide(self, request: HttpRequest, chosen: QuerySet[Frame]) -> None:
        count = self._set_hidden(request, chosen, hidden=True)
        text = ngettext("%(count)s frame is hidden.", "%(count)s frames are hidden.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)

    @admin.action(description=_("Show again"), permissions=["change"])
    def show_again(self, request: HttpRequest, chosen: QuerySet[Frame]) -> None:
        count = self._set_hidden(request, chosen, hidden=False)
        text = ngettext("%(count)s frame can be seen again.", "%(count)s frames can be seen again.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)

    def _set_hidden(self, request: HttpRequest, chosen: QuerySet[Frame], *, hidden: bool) -> int:
        """As on the dashboard: logged, undone in one go, many only with another's yes; how many were changed now."""
        op, count = uuid.uuid4(), 0
        for canvas in Canvas.objects.filter(frames__in=chosen).distinct():
            ids = list(chosen.filter(canvas=canvas).values_list("pk", flat=True))
            done, waits = pending.frames(canvas, ids, hidden, request.user, op=op)
            count += done
            if waits:
                link = format_html('<a href="{}">{}</a>', reverse("pending_act", args=[waits.pk]), _("See what waits."))
                self.message_user(
                    request,
                    format_html("{} {}", _("A worker does it.") if waits.agreed else waits.reason, link),
                    messages.WARNING,
                )
        return count


@admin.register(Highlight)
class HighlightAdmin(ChangedFieldsAdmin):
    """Captions of highlights; highlights are chosen and removed on the frame's own page, which records who did it."""

    list_display = ["frame", "caption", "chosen_by", "chosen_at"]
    list_select_related = ["frame__canvas", "chosen_by"]
    readonly_fields = ["frame", "chosen_by", "chosen_at"]
    search_fields = ["caption", "=frame__number"]
    date_hierarchy = "chosen_at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Highlight | None = None) -> bool:
        return False


@admin.register(Canvas)
class CanvasAdmin(ChangedFieldsAdmin):
    list_display = ["title", "slug", "size", "listed", "daily", "maker", "head", "created_at"]
    list_filter = [
        "listed",
        "daily",
        ("maker", admin.EmptyFieldListFilter),
        ("archived_at", admin.EmptyFieldListFilter),
    ]
    list_select_related = ["maker"]
    search_fields = ["title", "slug", "=maker__username"]
    readonly_fields = ["maker", "head", "frame", "archived_at", "created_at"]
    fields = [
        "title",
        "slug",
        ("width", "height"),
        "background",
        ("front", "growth", "hold"),
        "rhythm",
        ("listed", "daily"),
        "closed_at",
        *readonly_fields,
    ]

    @admin.display(description=_("Size"))
    def size(self, canvas: Canvas) -> str:
        return f"{canvas.width} × {canvas.height}"

    def get_readonly_fields(self, request: HttpRequest, obj: Canvas | None = None) -> list[str]:
        # Strokes and frames are measured in these: on a canvas that lives they cannot change.
        return [*self.readonly_fields, *(["slug", "width", "height", "background"] if obj else [])]

    def has_delete_permission(self, request: HttpRequest, obj: Canvas | None = None) -> bool:
        return False


@admin.register(Dream)
class DreamAdmin(ChangedFieldsAdmin):
    """What the dreamer does on each canvas; people can pause it or request another style."""

    list_display = ["canvas", "state", "style_title", "device", "missed", "paused", "style_wanted"]
    list_filter = ["state", "paused"]
    list_select_related = ["canvas"]

    @admin.display(description=_("Style"))
    def style_title(self, dream: Dream) -> str:
        return str((dream.style or {}).get("title") or "–")

    def get_readonly_fields(self, request: HttpRequest, obj: Dream | None = None) -> list[str]:
        return [field.name for field in Dream._meta.fields if field.name not in ("paused", "style_wanted")]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Dream | None = None) -> bool:
        return False
