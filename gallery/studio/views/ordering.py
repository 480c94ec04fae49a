"""One picture: the styles that suit it, and dreams on it: ordered, watched, cancelled."""

from __future__ import annotations

import random
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from dreamer.engine import Recipe
from dreamer.engine.film import fit
from dreamer.library import LibraryError, labels
from dreamer.registered import preset, registry
from dreamsite.core import languages, upload_pass
from dreamsite.core.members import member_required
from dreamsite.core.tasks.jobs import State
from gallery.studio import cost, jobs, queue, sizes, video
from gallery.studio.forms import DreamForm, FilmForm, JourneyForm, SoundForm, settings_of
from gallery.studio.models import BULKY_ORIGINAL, Music, Original, Work
from gallery.studio.serialize import work_as_json
from gallery.studio.views import music
from gallery.studio.views.requests import (
    ENOUGH_TODAY,
    MORE_THAN_LEFT,
    SignedIn,
    counted,
    network_named,
    networks,
    refuse,
    refuse_busy,
    units_left,
    wants_json,
)

CLASSES = 12  # names offered at once
GUIDES = 12  # pictures of one's own offered as guides


@never_cache
@require_safe
@member_required
def original(request: SignedIn, key: str) -> HttpResponse:
    """A picture's page. With `again`, a dream on it, the form begins with that dream's recipe."""
    found = get_object_or_404(Original, key=key, owner=request.user)
    network = network_named(str(request.GET.get("network", "")))
    again = found.works.dreams().filter(key=str(request.GET.get("again", "")), network__in=registry().names()).first()
    if again:
        network = again.network
    if network and network not in found.styles and not _sheet_waits(found, network):
        _try_styles(request, found, network)
    guides = Original.objects.filter(owner=request.user).exclude(pk=found.pk).defer(*BULKY_ORIGINAL)
    context = {
        "section": "studio",
        "original": found,
        "network": network,
        "networks": networks(),
        "form": DreamForm(found, initial=_settings(request, found, again), usual=_usual(network)),
        "again": again,
        "journey_form": JourneyForm(),
        "film_form": FilmForm(),
        "journeys": found.journeys.only("key", "title", "created_at").order_by("-created_at"),
        "sketches": _sketches(found, network),
        "spent": bool(network) and network not in found.styles and not _sheet_waits(found, network),
        "enough_today": ENOUGH_TODAY,
        "dreams": found.works.dreams().light().order_by("-created_at"),
        "left": units_left(request.user),
        "example": _example(_labels(network)),
        "guides": guides.order_by("-created_at")[:GUIDES],
    }
    if not found.video:
        return render(request, "gallery/studio/original.html", context)
    silent = {} if again or found.film["sound"] else {"sound": Work.Sound.NONE}
    context |= {"sound_form": SoundForm(instance=again, initial=silent), **music.shown(found)}
    response = render(request, "gallery/studio/original.html", context)
    upload_pass.grant(response, music.MOST_BYTES + upload_pass.FIELDS)
    return response


@require_safe
@member_required
def classes(request: SignedIn) -> JsonResponse:
    """The classes of a network whose names fit `q`: {"labels": [...], "count": how many it has}."""
    known = _labels(network_named(str(request.GET.get("network", ""))))
    return JsonResponse(
        {"labels": labels.matching(known, str(request.GET.get("q", "")), CLASSES, gettext), "count": len(known)}
    )


@never_cache
@require_safe
@member_required
def original_json(request: SignedIn, key: str) -> JsonResponse:
    """What a page that is open asks for while styles arrive: {"complete", "styles", "sketches": [...]}."""
    found = get_object_or_404(Original, key=key, owner=request.user)
    network = network_named(str(request.GET.get("network", "")))
    waiting = _sheet_waits(found, network)
    found.refresh_from_db(fields=["styles"])  # after it: a sheet that has ended has left its styles
    return JsonResponse(
        {
            "complete": found.complete,
            "styles": len(found.styles.get(network, ())),
            "waiting": waiting,
            "sketches": [work_as_json(sketch) for sketch in _sketches(found, network)],
        }
    )


@require_POST
@member_required
def order(request: SignedIn, key: str) -> HttpResponse:
    """Orders a dream on a picture: `kind` preview or dream, and DreamForm's fields; or `kind` more, the next styles, or
    `surprise`, one of all others by chance.

    `label` is a class by name instead of a style; `mask` a painted PNG as a data: address; `guide` the key of another
    picture.

    A preview's answer says what the dream itself would cost: {"units", "left" (of today's), "seconds", "sizes": the
    same of each `side` that may be chosen, with its "width" and "height"}.
    """
    found = get_object_or_404(Original, key=key, owner=request.user)
    kind = str(request.POST.get("kind", "dream"))
    if queue.closed():
        return refuse_busy(request)
    if kind in ("more", "surprise"):
        return _more(request, found, by_chance=kind == "surprise")
    form = DreamForm(found, request.POST)
    if kind not in (Work.Kind.PREVIEW, Work.Kind.DREAM) or not form.is_valid():
        return refuse(request, form.trouble or _("Choose a style first."), 400)
    guide = None
    if form.cleaned_data["guide"]:
        guide = Original.objects.filter(key=form.cleaned_data["guide"], owner=request.user).first()
        if guide is None:
            return refuse(request, _("The guide picture is no longer here. Choose another one."), 400)
    network = form.cleaned_data["network"]
    try:
        registry().get(network)
        recipe = form.recipe()
    except (LibraryError, ValueError, TypeError) as error:
        return refuse(request, str(error), 400)
    side = form.cleaned_data["side"]
    height, width = sizes.of(found, side)
    if kind == Work.Kind.PREVIEW:
        height, width = fit(found.height, found.width, jobs.preview_side(recipe))
        # Only the newest preview matters: whoever moves a slider does not wait for where it was.
        found.works.filter(kind=Work.Kind.PREVIEW).cancel()
    elif not found.complete:
        return refuse(request, _("Your picture is still on its way. Try again in a moment."), 409)
    sounds = SoundForm(request.POST)
    if not sounds.is_valid():
        return refuse(request, _("Choose what is heard: the video’s own sound, music, or nothing."), 400)
    heard = sounds.cleaned_data if found.video else {}
    musical = heard.get("sound") == Work.Sound.MUSIC
    whole = _price(found, recipe, side, musical=musical)
    if kind == Work.Kind.DREAM and found.video:
        kind = Work.Kind.VIDEO
        if form.cleaned_data["mask"] or recipe.noise:
            words = _("A part cannot be spared in a video, and static has no place in it: clear the mask.")
            return refuse(request, words, 400)
        if heard["sound"] == Work.Sound.MUSIC and not Music.of(found):
            words = _("There is no music for this video yet. Add it first, with its credit, or choose another sound.")
            return refuse(request, words, 400)
    units = cost.units(recipe, height, width) if kind == Work.Kind.PREVIEW else whole
    made = Work(
        owner=request.user,
        kind=kind,
        original=found,
        network=network,
        title=form.cleaned_data["title"] or form.cleaned_data["label"][:120],
        mask=form.cleaned_data["mask"],
        guide=guide,
        recipe=recipe.to_json(),
        units=units,
        width=0 if kind == Work.Kind.PREVIEW else width,
        height=0 if kind == Work.Kind.PREVIEW else height,
        **(heard if kind == Work.Kind.VIDEO else {}),
    )
    with counted(request.user):
        left = units_left(request.user)
        if units > left:
            words = _(
                "This dream costs %(units)d units; you have %(left)d left today. "
                "Make it fainter or smaller, or come back tomorrow."
            )
            return refuse(request, words % {"units": units + 1, "left": left}, 429)
        queue.submit(made)
    if wants_json(request):
        speed = cost.speed(network)
        each = [_size(found, recipe, one, speed, musical=musical) for one, _words in sizes.choices(found)]
        price = {"units": round(whole, 1), "left": round(left - units, 1), "seconds": whole / speed, "sizes": each}
        return JsonResponse({**work_as_json(made), "dream": price}, status=201)
    return redirect(made)


def _price(found: Original, recipe: Recipe, side: int, *, musical: bool) -> float:
    """What the dream itself costs at this size, of a picture or of all of a video."""
    if found.video:
        return video.units(found, recipe, side, musical=musical)
    return cost.units(recipe, *sizes.of(found, side))


def _size(found: Original, recipe: Recipe, side: int, speed: float, *, musical: bool) -> dict[str, Any]:
    """A size that may be chosen, and what the dream costs at it."""
    (height, width), units = sizes.of(found, side), _price(found, recipe, side, musical=musical)
    return {"side": side, "width": width, "height": height, "units": round(units, 1), "seconds": units / speed}


def _settings(request: SignedIn, found: Original, again: Work | None) -> dict[str, Any] | None:
    """What the form begins with: the recipe of the dream that is dreamed again, at its size or another one (`side`)."""
    if again is None:
        return None
    asked = [side for side, _words in sizes.choices(found) if str(side) == request.GET.get("side")]
    return settings_of(again) | ({"side": asked[0]} if asked else {})


@require_POST
@member_required
def cancel(request: SignedIn, key: str) -> HttpResponse:
    found = get_object_or_404(Work, key=key, owner=request.user)
    Work.objects.filter(pk=found.pk).cancel(growing=None)
    return redirect(found)


def _more(request: SignedIn, found: Original, *, by_chance: bool) -> HttpResponse:
    """The next twelve styles, or one by chance."""
    network = network_named(str(request.POST.get("network", "")))
    with counted(request.user):
        tried = {(s.recipe["target"]["terms"][0]["layer"], s.title) for s in _sketches(found, network)}
        untried = [s for s in found.styles.get(network, ()) if (s["layer"], s["title"]) not in tried]
        styles = random.sample(untried, min(1, len(untried))) if by_chance else untried[: jobs.SHEET]
        sketches = [jobs.sketch(found, network, style) for style in styles]
        if sum(one.units for one in sketches) > units_left(request.user):
            return refuse(request, str(MORE_THAN_LEFT), 429)
        for one in sketches:
            queue.submit(one)
    return JsonResponse({"keys": [one.key for one in sketches]}) if wants_json(request) else redirect(found)


def _usual(network: str) -> dict[str, Any]:
    """What the recipe's fields are where nobody sets them."""
    return preset("photo", network) if network else {}


def _labels(network: str) -> tuple[str, ...]:
    """The names of what a network tells apart; none where it tells nothing apart, or nobody knows the names."""
    try:
        files = registry().get(network)
    except (LibraryError, OSError):
        return ()
    return files.labels if files.info.logits else ()


def _example(known: tuple[str, ...]) -> str:
    """A class to show what the field is for; empty where there are none."""
    label = "banana" if "banana" in known else next((labels.word(label) for label in known if label), "")
    return languages.word(label)[0]


def _try_styles(request: SignedIn, found: Original, network: str) -> None:
    """Orders the sheet of a network that has not looked at this picture yet."""
    with counted(request.user):
        made = jobs.sheet(found, network)
        if not _sheet_waits(found, network) and made.units <= units_left(request.user):
            queue.submit(made)


def _sketches(found: Original, network: str) -> list[Work]:
    return list(found.works.filter(kind=Work.Kind.SKETCH, network=network).order_by("pk"))


def _sheet_waits(found: Original, network: str) -> bool:
    sheets = found.works.filter(kind=Work.Kind.SHEET, network=network)
    return bool(sheets.open().exists() or sheets.filter(state=State.FAILED).exists())
