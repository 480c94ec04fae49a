"""A dream to be printed or kept: as large as its picture is here, and as a PNG."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
from django.contrib import messages
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from PIL import Image

from dreamer.engine.pictures import write_picture
from dreamsite.core.members import member_required
from dreamsite.core.tasks.jobs import State
from dreamsite.core.turns import Pace
from gallery.studio import cost, prints, queue, sizes
from gallery.studio.failures import passes
from gallery.studio.models import Work
from gallery.studio.periodic_tasks import TRIES_STAY
from gallery.studio.views.requests import BUSY, SignedIn, counted, units_left

WAITS = 2.0  # seconds for another PNG of this process: each who waits holds a thread
_pace = Pace("PNGs of dreams", 10, 20.0)

_writing = threading.Lock()  # one at a time: memory stays bounded


@require_POST
@member_required
def order(request: SignedIn, key: str) -> HttpResponse:
    """Orders a dream's print, the same dream on the largest version of its picture: `type` jpg or png.

    One at a time of each person: fifty people's prints are in turns, as everything is.
    """
    found = get_object_or_404(Work.objects.filter(kind=Work.Kind.DREAM, hidden_at=None), key=key, owner=request.user)
    trouble = ""
    if found.state != State.DONE or prints.largest(found) is None:
        trouble = _("There is no larger version of this picture here any more. Upload it once more.")
    elif queue.closed():
        trouble = str(BUSY)
    else:
        made = prints.new(found, as_png=request.POST.get("type") == "png")
        with counted(request.user):
            left = units_left(request.user)
            if Work.objects.open().filter(owner=request.user, kind=Work.Kind.PRINT).exists():
                trouble = _("Another large version of yours is being made. Wait for it, or cancel it.")
            elif made.units > left:
                words = _("This costs %(units)d units; you have %(left)d left today. Come back tomorrow.")
                trouble = words % {"units": made.units + 1, "left": left}
            else:
                found.prints.ended().delete()  # what was made before it: one is kept
                queue.submit(made)
    if trouble:
        messages.error(request, trouble)
    return redirect(f"{found.get_absolute_url()}#print")


@never_cache
@require_safe
@member_required
def png(request: SignedIn, key: str) -> HttpResponseBase:
    """A dream's picture as a PNG with its recipe, made for this answer alone."""
    found = get_object_or_404(Work, kind=Work.Kind.DREAM, state=State.DONE, key=key, owner=request.user)
    _pace.take_as(request.user.pk)
    if not _writing.acquire(timeout=WAITS):
        messages.error(request, _("The server is writing another picture. Try again in a moment."))
        return redirect(found)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "dream.png"
            try:
                with found.picture.open("rb") as stored, Image.open(stored) as image:
                    pixels = np.asarray(image.convert("RGB"))
            except OSError as error:
                if passes(error):
                    raise
                messages.error(request, _("The file of this picture is lost or damaged. Dream it again."))
                return redirect(found)
            write_picture(path, pixels, found.recipe)
            # The file is gone from its folder by then; whoever reads it has it until the end.
            return FileResponse(path.open("rb"), content_type="image/png", as_attachment=True, filename=f"{key}.png")
    finally:
        _writing.release()


def shown(found: Work, user: Any) -> dict[str, Any]:
    """What a dream's page says of its print to whoever made it."""
    newest = found.prints.order_by("-pk").first() if found.kind == Work.Kind.DREAM else None
    made = prints.new(found) if prints.largest(found) else None
    if newest is None and made is None:
        return {}
    size, original, left = made or newest, found.original, units_left(user)
    too_much = ""
    if made and made.units > left:
        words = _("This costs %(units)d units; you have %(left)d left today. Come back tomorrow.")
        too_much = words % {"units": made.units + 1, "left": left}
    finer = original if original and sizes.own(original) > max(found.width, found.height) else None
    return {
        "finer": finer,
        "finer_url": f"{finer.get_absolute_url()}?again={found.key}&side={sizes.own(finer)}" if finer else "",
        "large": size,
        "large_sizes": prints.sizes(size.width, size.height) if size else [],
        "large_made": newest if newest and newest.state == State.DONE else None,
        "large_kind": "PNG" if newest and newest.as_png else "JPEG",
        "large_open": newest if newest and newest.is_open else None,
        "large_failed": newest if newest and newest.state == State.FAILED else None,
        "large_may": made is not None,
        "large_seconds": made.units / cost.speed(found.network) if made else 0.0,
        "large_until": newest.created_at + TRIES_STAY if newest else None,
        "large_too_much": too_much,
        "left": left,
    }
