"""Videos that people upload to the studio: the request takes the bytes, and a worker reads them."""

from __future__ import annotations

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from dreamsite.core.members import member_required
from gallery.studio import queue, reading
from gallery.studio.models import Original, Work
from gallery.studio.views.requests import (
    SignedIn,
    counted,
    network_named,
    refuse,
    refuse_busy,
    store_upload,
    units_left,
    wants_json,
)
from gallery.studio.views.uploads import ORIGINALS

UNREAD = 2  # videos of one person at a time that wait to be read


@require_POST
@member_required
def upload(request: SignedIn) -> HttpResponse:
    """Takes a video: `video` a file. The answer is the address of the work that reads it, and its JSON's: it becomes a
    picture of one's own, its first one, on which styles are tried."""
    file = request.FILES.get("video")
    if not isinstance(file, UploadedFile):
        return refuse(request, _("No video came with this. Choose an MP4, MOV or WebM file."))
    if (file.size or 0) > reading.MAX_BYTES:
        words = _("The file is %(size)d MB. Expected at most %(most)d MB: cut a piece out of it, or save it smaller.")
        return refuse(request, words % {"size": (file.size or 0) // 1024**2, "most": reading.MAX_BYTES // 1024**2})
    if queue.closed():
        return refuse_busy(request)
    network = network_named("")
    if not network:
        return refuse(request, _("This site has no network to dream with at the moment."), 503)
    work = reading.new(request.user, network, file.size or 0)
    with counted(request.user):
        trouble, status = _trouble(work)
        if not trouble:
            work.save()
    if trouble:
        return refuse(request, trouble, status)
    store_upload(work, file)
    return JsonResponse({"url": work.get_absolute_url()}, status=201) if wants_json(request) else redirect(work)


def _trouble(work: Work) -> tuple[str, int]:
    """Why this person may not send another video now, in words, and the answer's status; or nothing."""
    unread = Work.objects.open().filter(owner=work.owner, kind=Work.Kind.READ).count()
    if unread >= UNREAD:
        return _("Your other videos are still being read. Try again in a minute."), 429
    if Original.objects.filter(owner=work.owner).count() + unread >= ORIGINALS:
        return _("You have many pictures here. Delete one you no longer need, then upload this one."), 422
    left = units_left(work.owner)
    if work.units > left:
        words = _("This film costs %(units)d units; you have %(left)d left today. Come back tomorrow.")
        return words % {"units": work.units + 1, "left": left}, 429
    return "", 0
