"""Music that people bring, for a journey's films or for dreams of a video: the request takes the bytes, a worker reads
them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from dreamer.film.music import Credit
from dreamsite.core.errors import json_error
from dreamsite.core.members import member_required
from dreamsite.core.tasks.jobs import State
from gallery.studio import queue, reading
from gallery.studio.forms import MusicForm
from gallery.studio.models import Journey, Music, Original, Work
from gallery.studio.views.requests import BUSY, SignedIn, counted, store_upload, units_left, wants_json

MOST_BYTES = 64 * 1024**2


@require_POST
@member_required
def of_journey(request: SignedIn, key: str) -> HttpResponse:
    """Takes music for the films that are made from now on (MusicForm's fields), which the worker reads; with `remove`,
    takes it away."""
    return _changed(request, get_object_or_404(Journey, key=key, owner=request.user))


@require_POST
@member_required
def of_video(request: SignedIn, key: str) -> HttpResponse:
    """The same, for dreams of a video that are ordered from now on."""
    found = get_object_or_404(Original.objects.exclude(video=""), key=key, owner=request.user)
    if found.works.open().filter(kind=Work.Kind.VIDEO, sound=Work.Sound.MUSIC).exists():
        words = _("A dream with this music is being made. Wait for it, or cancel it first.")
        return _refused(request, found, words, 409)
    return _changed(request, found)


def shown(found: Journey | Original) -> dict[str, Any]:
    """What the template music.html of the studio shows of it."""
    newest = found.readings.first()  # before the music that comes of it
    failed = newest if newest and newest.state == State.FAILED else None
    return {
        "music": Music.of(found),
        "music_open": newest if newest and newest.is_open else None,
        "music_failed": failed,
        "music_form": MusicForm(initial=failed.recipe if failed else None),  # its credit is not typed once more
    }


def _changed(request: SignedIn, found: Journey | Original) -> HttpResponse:
    if request.POST.get("remove"):
        found.readings.open().cancel()
        if heard := Music.of(found):
            heard.delete()
        return _answered(request, found)
    form = MusicForm(request.POST, request.FILES)
    if not form.is_valid():
        return _refused(request, found, str(next(iter(form.errors.values()))[0]))
    file = form.cleaned_data["music"]
    if file.size > MOST_BYTES:
        words = _("The file is larger than %(most)d MB. Save it smaller, as MP3 for example.")
        return _refused(request, found, words % {"most": MOST_BYTES // 1024**2})
    if queue.closed():
        return _refused(request, found, str(BUSY), 503)
    try:
        credit = Credit(*(form.cleaned_data[name] for name in ("title", "author", "licence", "link")))
    except ValueError as error:
        return _refused(request, found, str(error))
    work = reading.new_music(found, credit, file.size)
    with counted(request.user):
        trouble = _trouble(work)
        if not trouble:
            found.readings.ended().delete()
            work.save()
    if trouble:
        return _refused(request, found, trouble, 429)
    store_upload(work, file)
    return _answered(request, found, 201)


def _trouble(work: Work) -> str:
    """Why this person may not send music now, in words, or nothing."""
    if Work.objects.open().filter(owner=work.owner, kind=Work.Kind.MUSIC).exists():
        return _("Other music is being read at the moment. Try again in a minute.")
    left = units_left(work.owner)
    if work.units > left:
        words = _("This step costs %(units)d units; you have %(left)d left today. Come back tomorrow.")
        return words % {"units": work.units + 1, "left": left}
    return ""


def _answered(request: SignedIn, found: Journey | Original, status: int = 200) -> HttpResponse:
    return JsonResponse({"url": found.get_absolute_url()}, status=status) if wants_json(request) else redirect(found)


def _refused(request: SignedIn, found: Journey | Original, words: str, status: int = 422) -> HttpResponse:
    if wants_json(request):
        return json_error(status, "refused", words)
    messages.error(request, words)
    return redirect(found)
