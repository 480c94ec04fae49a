"""One picture: the styles that suit it, and dreams on it: ordered, watched, cancelled."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from dreamer.library import LibraryError
from dreamer.registered import registry
from dreamsite.core.members import member_required
from dreamsite.core.tasks.jobs import State
from gallery.studio import cost, queue
from gallery.studio.forms import DreamForm
from gallery.studio.models import Original, Work
from gallery.studio.serialize import work_as_json
from gallery.studio.views.requests import SignedIn, network_named, networks, refuse, units_left, wants_json


@never_cache
@require_safe
@member_required
def original(request: SignedIn, key: str) -> HttpResponse:
    found = get_object_or_404(Original, key=key, owner=request.user)
    network = network_named(str(request.GET.get("network", "")))
    if network and network not in found.styles and not _sheet_waits(found, network):
        queue.submit_sheet(found, network)
    context = {
        "section": "studio",
        "original": found,
        "network": network,
        "networks": networks(),
        "form": DreamForm(),
        "sketches": _sketches(found, network),
        "dreams": found.works.dreams().order_by("-created_at"),
        "left": units_left(request.user),
    }
    return render(request, "gallery/studio/original.html", context)


@never_cache
@require_safe
@member_required
def original_json(request: SignedIn, key: str) -> JsonResponse:
    """What a page that is open asks for while styles arrive: {"complete", "styles", "sketches": [...]}."""
    found = get_object_or_404(Original, key=key, owner=request.user)
    network = network_named(str(request.GET.get("network", "")))
    return JsonResponse(
        {
            "complete": found.complete,
            "styles": len(found.styles.get(network, ())),
            "waiting": _sheet_waits(found, network),
            "sketches": [work_as_json(sketch) for sketch in _sketches(found, network)],
        }
    )


@require_POST
@member_required
def order(request: SignedIn, key: str) -> HttpResponse:
    """Orders a dream on a picture: `kind` preview or dream, and DreamForm's fields; or `kind` more, the next styles.

    A preview's answer says what the dream itself would cost: {"units", "left" (of today's), "seconds"}.
    """
    found = get_object_or_404(Original, key=key, owner=request.user)
    kind = str(request.POST.get("kind", "dream"))
    if queue.closed():
        return refuse(
            request, _("The studio is very busy: more than half an hour of dreams is waiting. Come back later."), 503
        )
    if kind == "more":
        return _more(request, found)
    form = DreamForm(request.POST)
    if kind not in (Work.Kind.PREVIEW, Work.Kind.DREAM) or not form.is_valid():
        return refuse(request, _("Choose a style first."), 400)
    network = form.cleaned_data["network"]
    try:
        registry().get(network)
        recipe = form.recipe(seed=found.pk)
    except (LibraryError, ValueError, TypeError) as error:
        return refuse(request, str(error), 400)
    height, width = found.height, found.width
    if kind == Work.Kind.PREVIEW:
        scale = min(1.0, 512 / max(height, width))
        height, width = round(height * scale), round(width * scale)
        # Only the newest preview matters: whoever moves a slider does not wait for where it was.
        found.works.filter(kind=Work.Kind.PREVIEW).cancel()
    elif not found.complete:
        return refuse(request, _("Your picture is still on its way. Try again in a moment."), 409)
    units, left = cost.units(recipe, height, width), units_left(request.user)
    if units > left:
        words = _(
            "This dream costs %(units)d units; you have %(left)d left today. Make it fainter, or come back tomorrow."
        )
        return refuse(request, words % {"units": units + 1, "left": max(0, left)}, 429)
    made = Work(
        owner=request.user,
        kind=kind,
        original=found,
        network=network,
        title=form.cleaned_data["title"],
        recipe=recipe.to_json(),
        units=units,
    )
    with transaction.atomic():
        queue.submit(made)
    if wants_json(request):
        whole = cost.units(recipe, found.height, found.width)
        price = {"units": round(whole, 1), "left": round(left - units, 1), "seconds": whole / cost.speed(network)}
        return JsonResponse({**work_as_json(made), "dream": price}, status=201)
    return redirect(made)


@require_POST
@member_required
def cancel(request: SignedIn, key: str) -> HttpResponse:
    found = get_object_or_404(Work, key=key, owner=request.user)
    Work.objects.filter(pk=found.pk).cancel(growing=None)
    return redirect(found)


def _more(request: SignedIn, found: Original) -> HttpResponse:
    """The next twelve styles."""
    from gallery.studio.jobs import SHEET, sketch

    network = network_named(str(request.POST.get("network", "")))
    tried = {(s.recipe["target"]["terms"][0]["layer"], s.title) for s in _sketches(found, network)}
    styles = [s for s in found.styles.get(network, ()) if (s["layer"], s["title"]) not in tried][:SHEET]
    with transaction.atomic():
        for style in styles:
            queue.submit(sketch(found, network, style))
    return JsonResponse({"ordered": len(styles)}) if wants_json(request) else redirect(found)


def _sketches(found: Original, network: str) -> list[Work]:
    return list(found.works.filter(kind=Work.Kind.SKETCH, network=network).order_by("pk"))


def _sheet_waits(found: Original, network: str) -> bool:
    sheets = found.works.filter(kind=Work.Kind.SHEET, network=network)
    return bool(sheets.open().exists() or sheets.filter(state=State.FAILED).exists())
