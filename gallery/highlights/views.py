"""Highlights: the page of all, and choosing them."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from canvas.models import Canvas
from canvas.moderation.models import Act
from canvas.moderation.permissions import moderator_required
from gallery import query_params
from gallery.frame import views as frame_views
from gallery.highlights.models import MAX_CAPTION, Highlight

PAGE = 24
CHOSEN = Act.add_verb("highlight", gettext_lazy("Chose a highlight"))
DROPPED = Act.add_verb("drop-highlight", gettext_lazy("Took a highlight back"))


@require_safe
def highlights(request: HttpRequest) -> HttpResponse:
    """All of them, the last chosen first; of every canvas, with `?canvas=` of one."""
    found = Highlight.objects.shown()
    canvas = query_params.canvas(request) if "canvas" in request.GET else None
    if canvas:
        found = found.filter(frame__canvas=canvas)
    page = max(query_params.number(request, "page") or 1, 1)
    # One more than is shown tells whether there are others; to count them would ask every frame whether it is hidden.
    shown = list(found[(page - 1) * PAGE : page * PAGE + 1])
    context = {
        "section": "history",
        "canvas": canvas or Canvas.objects.default(),
        "shown": shown[:PAGE],
        "newer": page - 1,
        "older": page + 1 if len(shown) > PAGE else 0,
    }
    return render(request, "gallery/highlights.html", context)


@require_POST
@moderator_required()
def choose(request: HttpRequest, pk: int) -> HttpResponse:
    """Makes a frame a highlight, with or without a caption; `drop` removes it."""
    frame = frame_views.find(request, pk)
    if not frame.canvas.listed:
        raise PermissionDenied(_("A frame of a canvas that is not listed cannot be a highlight."))
    if frame.hidden_at is not None:
        raise PermissionDenied(_("A hidden frame cannot be a highlight."))
    drop, caption = "drop" in request.POST, request.POST.get("caption", "").strip()[:MAX_CAPTION]
    with transaction.atomic():
        if drop:
            done = bool(Highlight.objects.filter(frame=frame).delete()[0])
        else:
            Highlight.objects.update_or_create(
                frame=frame, defaults={"caption": caption, "chosen_by_id": request.user.pk}
            )
            done = True
        if done:
            verb = DROPPED if drop else CHOSEN
            Act.objects.record(
                request.user, verb, canvas=frame.canvas, frame=frame.pk, number=frame.number, caption=caption
            )
    messages.success(request, _("It is not a highlight any more.") if drop else _("It is a highlight now."))
    return redirect(frame)
