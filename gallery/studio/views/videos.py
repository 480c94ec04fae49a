"""Videos that people upload to the studio."""

from __future__ import annotations

import io
import shutil
import tempfile
import threading
from pathlib import Path

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from PIL import Image

from dreamer.video.clean import Made, VideoRefused, clean
from dreamer.video.films import pictures
from dreamsite.core.members import member_required
from gallery.studio import video
from gallery.studio.models import Original, new_key
from gallery.studio.views.requests import SignedIn, refuse
from gallery.studio.views.uploads import ORIGINALS, begin
from gallery.uploads import check

BUSY_SECONDS = 20.0  # how long an upload waits for the one before it
CHECKED_EVERY = 5.0  # seconds of film between two pictures that the site's check sees

_reading = threading.Lock()  # one at a time in a process: memory and processor stay bounded


@require_POST
@member_required
def upload(request: SignedIn) -> HttpResponse:
    """Takes a video: `video` a file. It is made anew; its first picture is the original that styles are tried on."""
    file = request.FILES.get("video")
    if not isinstance(file, UploadedFile):
        return refuse(request, _("No video came with this. Choose an MP4, MOV or WebM file."))
    if (file.size or 0) > video.MAX_BYTES:
        words = _("The file is %(size)d MB. Expected at most %(most)d MB: cut a piece out of it, or save it smaller.")
        return refuse(request, words % {"size": (file.size or 0) // 1024**2, "most": video.MAX_BYTES // 1024**2})
    if Original.objects.filter(owner=request.user).count() >= ORIGINALS:
        return refuse(request, _("You have many pictures here. Delete one you no longer need, then upload this one."))
    if not _reading.acquire(timeout=BUSY_SECONDS):
        return refuse(request, _("Another video is being read at the moment. Try again in a minute."), 503)
    try:
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "upload", Path(folder) / "clean.mp4"
            with source.open("wb") as copy:
                shutil.copyfileobj(file, copy)
            made = clean(source, target, video.LIMITS)
            return begin(request, _original(request, target, made))
    except VideoRefused as error:
        return refuse(request, str(error))
    except check.CheckRefused as error:
        return refuse(request, str(error))
    finally:
        _reading.release()


def _original(request: SignedIn, path: Path, made: Made) -> Original:
    """Not saved yet; its files are stored. Raises CheckRefused, and stores nothing then."""
    size, every = (made.height, made.width), max(1, round(CHECKED_EVERY * made.fps))
    first = b""
    for number, picture in enumerate(pictures(path, size)):
        if number % every == 0:
            buffer = io.BytesIO()
            Image.fromarray(picture).save(buffer, "JPEG", quality=92, subsampling=0)
            check.check(buffer.getvalue(), "image/jpeg")
            first = first or buffer.getvalue()
    key = new_key()
    with path.open("rb") as file:
        stored = default_storage.save(f"uploads/{key}.mp4", File(file))
    return Original(
        key=key,
        owner=request.user,
        picture=default_storage.save(f"uploads/{key}.jpg", ContentFile(first)),
        video=stored,
        film=made.to_json(),
        width=made.width,
        height=made.height,
    )
