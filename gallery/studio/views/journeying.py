"""Journeys: begun at a picture, steered on each key frame, and made a film."""

from __future__ import annotations

import json

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from dreamer.journey.path import MOST_KEY_FRAMES, Waypoint
from dreamer.library import LibraryError
from dreamer.registered import registry
from dreamsite.core import upload_pass
from dreamsite.core.members import member_required
from dreamsite.core.tasks.jobs import State
from gallery import media
from gallery.studio import cost, journeys, queue
from gallery.studio.forms import DreamForm, FilmForm, JourneyForm
from gallery.studio.models import Journey, Original, Work
from gallery.studio.serialize import work_as_json
from gallery.studio.views import music
from gallery.studio.views.requests import SignedIn, counted, network_title, refuse, refuse_busy, units_left, wants_json

AHEAD = 8  # key frames that it goes by itself when somebody asks


@require_POST
@member_required
def price(request: SignedIn, key: str) -> HttpResponse:
    """What a journey of these settings would cost: {"units", "left" (of today's), "seconds" of work, "key_frames",
    "length" of its film in seconds, "width", "height"}."""
    made, trouble = _asked(request, get_object_or_404(Original, key=key, owner=request.user))
    if made is None:
        return refuse(request, trouble, 400)
    made.until, made.film_next = journeys.plan_of(made).key_frames, True
    units = cost.LEAST + journeys.to_come(made, 0)
    film = journeys.film_of(made, [Waypoint(zoom=made.zoom)] * (made.until + made.loop))
    return JsonResponse(
        {
            "units": round(units, 1),
            "left": round(units_left(request.user), 1),
            "seconds": round(units / cost.speed(made.network), 1),
            "key_frames": made.until,
            "length": round(film.length, 1),
            "width": made.width,
            "height": made.height,
        }
    )


@require_POST
@member_required
def begin(request: SignedIn, key: str) -> HttpResponse:
    """Begins a journey into a picture: DreamForm's fields, JourneyForm's and FilmForm's."""
    found = get_object_or_404(Original, key=key, owner=request.user)
    if queue.closed():
        return refuse_busy(request)
    if not found.complete:
        return refuse(request, _("Your picture is still on its way. Try again in a moment."), 409)
    made, trouble = _asked(request, found)
    if made is None:
        return refuse(request, trouble, 400)
    made.reserved = journeys.to_come(made, 0)
    with counted(request.user):
        units, left = cost.LEAST + made.reserved, units_left(request.user)
        if units > left:
            words = _(
                "This journey costs %(units)d units; you have %(left)d left today. Make it shorter or smaller, or come "
                "back tomorrow."
            )
            return refuse(request, words % {"units": units + 1, "left": left}, 429)
        made.save()
        queue.submit(journeys.new_key_frame(made, 0))
    if wants_json(request):
        return JsonResponse({"url": made.get_absolute_url()}, status=201)
    return redirect(made)


@never_cache
@require_safe
@member_required
def journey(request: SignedIn, key: str) -> HttpResponse:
    """A journey's page, for whoever makes it: its key frames, where to go next, and its films."""
    found = get_object_or_404(Journey, key=key, owner=request.user)
    key_frames, heard = list(found.key_frames), music.shown(found)
    done = [one for one in key_frames if one.state == State.DONE]
    chosen = next((one for one in done if str(one.number) == request.GET.get("from")), done[-1] if done else None)
    films = list(found.films)
    found.films.ended().mark_seen()
    films_open = [one for one in films if one.is_open]
    film_units = journeys.new_film(found).units
    response = render(
        request,
        "gallery/studio/journey.html",
        {
            "section": "studio",
            "journey": found,
            "network": network_title(found.network),
            "key_frames": key_frames,
            "chosen": chosen,
            "reticle": 100 / found.zoom,
            "open": next((one for one in key_frames if one.is_open), None),
            "failed": next((one for one in key_frames if one.state in (State.FAILED, State.CANCELLED)), None),
            "films": [one for one in films if one.state == State.DONE],
            "film_open": films_open[0] if films_open else None,
            "film_failed": films[0] if films and films[0].state == State.FAILED else None,
            "may_film": len(done) > 1 and not films_open,
            "film_units": film_units,
            "film_seconds": film_units / cost.speed(""),
            "left": units_left(request.user),
            "form": FilmForm(instance=found),
            "ahead": AHEAD,
            "path": json.dumps([one.towards for one in done if one.towards]),
            **heard,
        },
    )
    upload_pass.grant(response, music.MOST_BYTES + upload_pass.FIELDS)
    return response


@never_cache
@require_safe
@member_required
def journey_json(request: SignedIn, key: str) -> JsonResponse:
    """What an open page asks for: {"key_frames": [...], "films": [...], "music": [...]}, as works are told."""
    found = get_object_or_404(Journey, key=key, owner=request.user)
    return JsonResponse(
        {
            "key_frames": [
                {**work_as_json(one), "number": one.number, "towards": one.towards} for one in found.key_frames
            ],
            "films": [{**work_as_json(one), "film": media.path(one.mp4) if one.mp4 else None} for one in found.films],
            "music": [work_as_json(one) for one in found.readings],
        }
    )


@require_POST
@member_required
def go(request: SignedIn, key: str) -> HttpResponse:
    """Goes on from key frame `from`: to `x`, `y` (shares of it), or, with `ahead`, that many by itself.

    What came after that key frame is dropped: it was another way.
    """
    get_object_or_404(Journey, key=key, owner=request.user)
    try:
        number, ahead = int(request.POST["from"]), int(request.POST.get("ahead") or 0)
        at = None if ahead else (float(request.POST["x"]), float(request.POST["y"]))
    except (KeyError, ValueError):
        return refuse(request, _("Choose a place on a key frame."), 400)
    if queue.closed():
        return refuse_busy(request)
    with counted(request.user):
        found = get_object_or_404(Journey.objects.select_for_update(), key=key, owner=request.user)
        start = found.key_frames.filter(number=number, state=State.DONE).first()
        if start is None:
            return refuse(request, _("That key frame is not there. Choose another one."), 409)
        if number + max(1, ahead) > MOST_KEY_FRAMES or not 0 <= ahead <= 60:
            words = _("A journey has at most %(most)d key frames.") % {"most": MOST_KEY_FRAMES}
            return refuse(request, words, 400)
        try:
            towards = Waypoint(*at, found.zoom) if at else None
        except ValueError as error:
            return refuse(request, str(error), 400)
        found.until, found.film_next = number + max(1, ahead), False
        following = journeys.new_key_frame(found, number + 1)
        to_come = journeys.to_come(found, number + 1)
        units, left = following.units + to_come, units_left(request.user) + found.reserved
        if units > left:
            words = _("This step costs %(units)d units; you have %(left)d left today. Come back tomorrow.")
            return refuse(request, words % {"units": units + 1, "left": left}, 429)
        after = found.key_frames.filter(number__gt=number)
        after.open().cancel(growing=None)
        after.delete()
        start.towards = [towards.x, towards.y, towards.zoom] if towards else None
        start.save(update_fields=["towards"])
        found.reserved = to_come
        found.save(update_fields=["until", "film_next", "reserved"])
        queue.submit(following)
    return JsonResponse({"url": found.get_absolute_url()}, status=201) if wants_json(request) else redirect(found)


@require_POST
@member_required
def film(request: SignedIn, key: str) -> HttpResponse:
    """Makes the film of the key frames there are, by FilmForm's fields."""
    found = get_object_or_404(Journey, key=key, owner=request.user)
    form = FilmForm(request.POST, instance=found)
    if not form.is_valid():
        return refuse(request, " ".join(str(error) for errors in form.errors.values() for error in errors), 400)
    if found.key_frames.filter(state=State.DONE).count() < 2:
        return refuse(request, _("A film needs two key frames at least. Go somewhere first."), 409)
    made = journeys.new_film(form.save(commit=False))
    with counted(request.user):
        if found.films.open().exists():
            return refuse(request, _("A film of this journey is being made already."), 409)
        left = units_left(request.user)
        if made.units > left:
            words = _("This film costs %(units)d units; you have %(left)d left today. Come back tomorrow.")
            return refuse(request, words % {"units": made.units + 1, "left": left}, 429)
        found.save(update_fields=[*form.cleaned_data])
        queue.submit(made)
    return redirect(found)


@require_POST
@member_required
def stop(request: SignedIn, key: str) -> HttpResponse:
    """Stops what is being made; what there is stays."""
    with transaction.atomic():
        found = get_object_or_404(Journey.objects.select_for_update(), key=key, owner=request.user)
        Work.objects.filter(journey=found).open().cancel(growing=None)
        found.key_frames.exclude(state=State.DONE).delete()
        last = found.key_frames.last()
        found.until, found.film_next, found.reserved = (last.number or 0) if last else 0, False, 0.0
        found.save(update_fields=["until", "film_next", "reserved"])
    return redirect(found)


@require_POST
@member_required
def delete(request: SignedIn, key: str) -> HttpResponse:
    """The journey and its key frames; its films stay."""
    with transaction.atomic():
        found = get_object_or_404(Journey, key=key, owner=request.user)
        found.forget()
    messages.success(request, _("The journey is deleted. Films you made of it are still here."))
    return redirect("studio")


def _asked(request: SignedIn, found: Original) -> tuple[Journey | None, str]:
    """The journey that was asked for, not saved; or what is wrong, in words."""
    kind = request.POST.get("journey-kind")
    data = request.POST.copy()
    if kind in (Journey.Kind.LAYERS, Journey.Kind.CLASSES) and not (data.get("layer") or data.get("label")):
        data["layer"] = "-"  # the style does not matter: layers or names follow each other
    dreamed, asked, shown = DreamForm(found, data), JourneyForm(data), FilmForm(data)
    for form in (dreamed, asked, shown):
        if not form.is_valid():
            return None, getattr(form, "trouble", "") or " ".join(str(e) for es in form.errors.values() for e in es)
    try:
        registry().get(dreamed.cleaned_data["network"])
        return asked.journey(dreamed, shown), ""
    except (LibraryError, ValueError, TypeError) as error:
        return None, str(error)
