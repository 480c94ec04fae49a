"""A page for everybody: what the network does, shown on the visitor's own picture, and why there are dogs (or not)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from canvas.models import Frame
from dreamer.library import LibraryError, labels
from dreamer.registered import registry
from dreamsite.core import languages
from dreamsite.core.members import member_required
from dreamsite.core.tasks.jobs import State
from gallery.studio import cost, queue
from gallery.studio.models import Original, Work
from gallery.studio.views.requests import (
    ENOUGH_TODAY,
    SignedIn,
    counted,
    network_named,
    refuse,
    refuse_busy,
    units_left,
)

MANY_DOGS = 0.05  # of all that a network learned: from here on they are why it sees them everywhere
STEPS = 3  # layers that dream in a lesson


@never_cache
@require_safe
def explain(request: HttpRequest) -> HttpResponse:
    """With one's own newest picture (or `picture`, its key), else the newest dream of the canvas."""
    network = network_named("")
    on = _example(request)
    works = Work.objects.filter(network=network, **on) if on else Work.objects.none()
    lesson = works.filter(kind=Work.Kind.LESSON).exclude(state=State.CANCELLED).order_by("-pk").first()
    steps: list[Work] = []
    if lesson:
        steps = list(works.filter(kind=Work.Kind.STEP, pk__gt=lesson.pk).order_by("pk")[:STEPS])
    last = steps[-1] if len(steps) == STEPS or (lesson and not lesson.is_open and steps) else None
    context = {
        "section": "studio",
        "network": network,
        "original": on.get("original"),
        "frame": on.get("frame"),
        "lesson": lesson,
        "before": _percent(lesson.seen) if lesson else [],
        "steps": steps,
        "after": _percent(last.seen) if last else [],
        "open": bool(lesson and (lesson.is_open or any(step.is_open for step in steps))),
        "may_ask": bool(on) and request.user.is_authenticated and (lesson is None or lesson.state == State.FAILED),
        **_learned(network),
    }
    return render(request, "gallery/studio/explain.html", context)


@require_POST
@member_required
def explain_order(request: SignedIn) -> HttpResponse:
    """Has the network look at the example, and three of its layers dream on it."""
    on, network = _example(request), network_named("")
    if not on or not network:
        return refuse(request, _("There is no picture to explain it with. Upload one first."))
    lessons = Work.objects.filter(network=network, kind=Work.Kind.LESSON, **on)
    with counted(request.user):
        if queue.closed():
            return refuse_busy(request)
        if units_left(request.user) < STEPS * cost.LEAST:
            return refuse(request, str(ENOUGH_TODAY), 429)
        if not lessons.filter(state__in=[State.WAITING, State.RUNNING, State.DONE]).exists():
            queue.submit(Work(owner=request.user, kind=Work.Kind.LESSON, network=network, units=cost.LEAST, **on))
    query = f"?picture={on['original'].key}" if "original" in on else ""
    return redirect(reverse("studio_explain") + query)


def _example(request: HttpRequest) -> dict[str, Any]:
    """{"original"} of whoever asks, else {"frame"} of the canvas; empty where there is neither."""
    if request.user.is_authenticated:
        own = Original.objects.filter(owner=request.user).order_by("-created_at")
        wanted = request.POST.get("picture") or request.GET.get("picture")
        found = (own.filter(key=str(wanted)) if wanted else own).first()
        if found:
            return {"original": found}
    # The newest one that is explained already comes before one that nobody has asked about.
    explained = Work.objects.filter(kind=Work.Kind.LESSON, state=State.DONE, frame__isnull=False)
    explained = explained.filter(frame__in=Frame.objects.public(), network=network_named("")).order_by("-pk")
    if lesson := explained.select_related("frame").first():
        return {"frame": lesson.frame}
    frame = Frame.objects.public().dreams().order_by("-pk").first()
    return {"frame": frame} if frame else {}


def _learned(network: str) -> dict[str, Any]:
    """What the network was taught, as numbers: names, dogs among them, and whether those are many."""
    try:
        files = registry().get(network)
    except (LibraryError, OSError):
        return {"title": network, "names": 0, "dogs": 0, "many_dogs": False}
    names, dogs = len(files.labels), labels.dogs(files.labels)
    return {
        "title": files.info.title or network,
        "names": names,
        "dogs": dogs,
        "many_dogs": names > 0 and dogs / names >= MANY_DOGS,
    }


def _percent(seen: list[Any]) -> list[tuple[str, str, int]]:
    """Each label's word, "en" where it is said in English to somebody who speaks another language, and percent."""
    return [(*languages.word(label), max(1, round(100 * chance))) for label, chance in seen]
