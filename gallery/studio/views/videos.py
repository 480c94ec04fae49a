"""Videos that people upload to the studio: the request takes the bytes, and a worker reads them."""

from __future__ import annotations

from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from dreamsite.core.members import member_required
from gallery.studio import queue, reading
from gallery.studio.models import Original, Work
from gallery.studio.views.requests import SignedIn, network_named, refuse, wants_json
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
    unread = Work.objects.open().filter(owner=request.user, kind=Work.Kind.READ).count()
    if unread >= UNREAD:
        return refuse(request, _("Your other videos are still being read. Try again in a minute."), 429)
    if Original.objects.filter(owner=request.user).count() + unread >= ORIGINALS:
        return refuse(request, _("You have many pictures here. Delete one you no longer need, then upload this one."))
    if queue.closed():
        return refuse(
            request, _("The studio is very busy: more than half an hour of dreams is waiting. Come back later."), 503
        )
    network = network_named("")
    if not network:
        return refuse(request, _("This site has no network to dream with at the moment."), 503)
    work = reading.new(request.user, network, file)
    try:
        with transaction.atomic():
            queue.submit(work)
    except BaseException:
        default_storage.delete(str(work.upload.name))
        raise
    return JsonResponse({"url": work.get_absolute_url()}, status=201) if wants_json(request) else redirect(work)
