"""One picture in several networks, side by side."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from dreamer.library import LibraryError, labels
from dreamer.registered import registry
from dreamsite.core.members import member_required
from gallery.studio import cost, jobs, queue
from gallery.studio.models import Original, Work
from gallery.studio.views.requests import MORE_THAN_LEFT, SignedIn, counted, networks, refuse, refuse_busy, units_left

SHOWN = 4  # styles of each network


@never_cache
@require_safe
@member_required
def compare(request: SignedIn, key: str) -> HttpResponse:
    """A row for each network: the styles of it that suit the picture best, or the same class in each (`class`)."""
    found = get_object_or_404(Original, key=key, owner=request.user)
    label = _label(request)
    rows = [_row(found, name, title, label) for name, title in networks()]
    context = {
        "section": "studio",
        "original": found,
        "rows": rows,
        "label": label,
        "open": any(row["open"] for row in rows),
        "untried": any(row["untried"] for row in rows),
    }
    return render(request, "gallery/studio/compare.html", context)


@require_POST
@member_required
def compare_order(request: SignedIn, key: str) -> HttpResponse:
    """Tries what the page shows and nobody has tried yet on this picture."""
    found = get_object_or_404(Original, key=key, owner=request.user)
    label = _label(request)
    if queue.closed():
        return refuse_busy(request)
    with counted(request.user):
        wanted = [name for name, title in networks() if _row(found, name, title, label)["untried"]]
        if len(wanted) * jobs.SHEET * cost.LEAST > units_left(request.user):
            return refuse(request, str(MORE_THAN_LEFT), 429)
        for name in wanted:
            if label:
                queue.submit(jobs.sketch(found, name, {"label": label, "title": label.split(",")[0][:120]}))
            else:
                queue.submit(jobs.sheet(found, name))
    query = f"?{urlencode({'class': label})}" if label else ""
    return redirect(reverse("studio_compare", args=[found.key]) + query)


def _label(request: HttpRequest) -> str:
    given = request.POST if request.method == "POST" else request.GET
    return str(given.get("class", "")).strip()[:200]


def _row(found: Original, name: str, title: str, label: str) -> dict[str, Any]:
    """What there is of one network. `knows`: whether it can dream of the class that is asked for."""
    works = found.works.filter(network=name)
    # Asked before the sketches are read: a sheet that ends meanwhile has made them, and the page looks again.
    waits = not label and works.filter(kind=Work.Kind.SHEET).open().exists()
    wanted = _class_of(name, label) if label else None
    tried = [(sketch, _target(sketch)) for sketch in works.filter(kind=Work.Kind.SKETCH).order_by("pk")]
    if label:
        shown = [sketch for sketch, target in tried if target == wanted][:1]
    else:
        shown = [sketch for sketch, _target in tried][:SHOWN]
    knows = not label or wanted is not None
    return {
        "name": name,
        "title": title,
        "knows": knows,
        "sketches": shown,
        "open": waits or any(sketch.is_open for sketch in shown),
        "untried": knows and not shown and not waits,
    }


def _class_of(name: str, label: str) -> tuple[str, int] | None:
    """The layer and channel of a class in a network; None where it has none of this name."""
    try:
        files = registry().get(name)
        index = labels.index_of(files.labels, label, name)
    except (LibraryError, OSError, ValueError):
        return None
    return (files.info.logits, index) if files.info.logits else None


def _target(sketch: Work) -> tuple[str, int | None]:
    term = sketch.recipe["target"]["terms"][0]
    channels = term.get("channels")
    return term["layer"], channels[0][0] if channels else None
