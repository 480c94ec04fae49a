"""What the studio's pages have in common: who asks, which network is meant, and how a request is refused."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext_lazy as _

from canvas.moderation.permissions import MODERATE
from dreamer.library import LibraryError
from dreamer.registered import default_model, registry
from dreamsite.core import second_factor
from dreamsite.core.errors import json_error
from dreamsite.core.models import User
from dreamsite.core.tasks import enqueue
from gallery.jobs import files
from gallery.jobs.requests import counted as counted
from gallery.studio import cost, queue, reading
from gallery.studio.models import Work

# Why nothing is taken up, wherever somebody asks for a dream.
BUSY = _("The studio is very busy: more than half an hour of dreams is waiting. Come back later.")
MORE_THAN_LEFT = _("That is more than you have left today. Come back tomorrow.")
ENOUGH_TODAY = _("You have dreamed enough today. Come back tomorrow.")


class SignedIn(HttpRequest):
    """A request behind member_required."""

    user: User


def wants_json(request: HttpRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def refuse(request: HttpRequest, message: str, status: int = 422) -> HttpResponse:
    if wants_json(request):
        return json_error(status, "refused", message)
    messages.error(request, message)
    return redirect("studio")


def refuse_busy(request: HttpRequest) -> HttpResponse:
    return refuse(request, str(BUSY), 503)


def network_named(name: str) -> str:
    """The network to dream with: the named one where it is here, else the site's."""
    return name if name in registry().names() else default_model()


def networks() -> list[tuple[str, str]]:
    """(name, title) of each network that can be opened."""
    found = []
    for name in registry().names():
        try:
            found.append((name, registry().get(name).info.title or name))
        except (LibraryError, OSError):
            continue
    return found


def network_title(name: str) -> str:
    """How people see a network; its name where it is gone."""
    return dict(networks()).get(name, name)


def store_upload(work: Work, file: File[Any]) -> None:
    """Stores the bytes of a saved work, and queues a turn; where that breaks off nothing is left of either."""
    name = reading.new_name()
    try:
        name = default_storage.save(name, file)
        with transaction.atomic():
            if Work.objects.arriving().filter(pk=work.pk).update(upload=name):
                enqueue(queue.turn)
                return
        files.delete_now([name])  # it was cancelled meanwhile
    except BaseException:
        try:
            work.delete()
        finally:
            files.delete_now([name])
        raise


def units_left(user: User) -> float:
    """What this person may still spend today."""
    return max(0.0, cost.allowance(user.pk) - cost.spent(user.pk))


def visible_work(request: HttpRequest, key: str) -> Work:
    """A work that whoever asks may see: a hidden one only its maker, who is told so, and moderators. Raises Http404."""
    found = get_object_or_404(
        Work.objects.select_related("owner", "original").defer("mask", "growing", "pieces", "original__styles"), key=key
    )
    if found.kind in Work.READS and request.user != found.owner:
        raise Http404
    if found.hidden_at and request.user != found.owner and not second_factor.may(request, MODERATE):
        raise Http404
    return found
