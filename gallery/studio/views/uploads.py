"""What people upload to the studio: a file, a frame of the canvas, static; kept or deleted."""

from __future__ import annotations

import io
import secrets
from datetime import datetime
from typing import Any, BinaryIO, cast

import numpy as np
from django.contrib import messages
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from PIL import Image

from canvas import frames
from canvas.brush import Pixels
from canvas.models import Frame
from dreamsite.core.members import member_required
from dreamsite.core.models import User
from gallery import media, query_params
from gallery.jobs import files
from gallery.moments import ink, paint
from gallery.studio import jobs, queue
from gallery.studio.models import Original, Work
from gallery.studio.views.requests import ENOUGH_TODAY, SignedIn, counted, network_named, refuse, units_left, wants_json
from gallery.uploads import pictures

ORIGINALS = 40  # of one person at a time
LARGE = 8  # of them kept as large as they came: the newest
NOISE_SIDE = 512


@require_POST
@member_required
def upload(request: SignedIn) -> HttpResponse:
    """Takes a picture: `picture` a file. With `small=1` it is a small version, and the whole one follows.

    With `guide=1` it is there to guide dreams on others: no styles are tried on it yet.
    """
    try:
        cleaned = _clean(request)
    except pictures.InvalidUpload as error:
        return refuse(request, str(error))
    original = Original(
        owner=request.user,
        **_columns(cleaned),
        complete=not request.POST.get("small"),
    )
    return begin(request, original, is_guide=bool(request.POST.get("guide")))


@require_POST
@member_required
def upload_full(request: SignedIn, key: str) -> HttpResponse:
    """The picture itself, once, after its small version: nothing but tries of a fixed size is dreamed on that."""
    found = get_object_or_404(Original, key=key, owner=request.user)
    words = _("This picture is here already. Upload the other one as a new picture.")
    if found.complete:
        return refuse(request, words, 409)
    try:
        cleaned = _clean(request)
    except pictures.InvalidUpload as error:
        return refuse(request, str(error))
    columns = {**_columns(cleaned), "complete": True}
    with counted(request.user):
        original = Original.objects.select_for_update().filter(pk=found.pk, complete=False).first()
        if original:
            files.delete_after_commit([str(original.picture.name), str(original.large.name)])
            for column, value in columns.items():
                setattr(original, column, value)
            original.save(update_fields=[*columns])
    if original is None:  # another one came meanwhile, or it is deleted
        files.delete_now([str(columns["picture"]), str(columns["large"])])
        return refuse(request, words, 409)
    _forget_large(request.user)
    return JsonResponse({"url": original.get_absolute_url()})


@require_POST
@member_required
def from_frame(request: SignedIn, pk: int) -> HttpResponse:
    """Begins with a frame of the canvas, or, with `?at=`, with the canvas at a moment after it: nothing is uploaded."""
    frame = get_object_or_404(Frame.objects.public(), pk=pk)
    moment = query_params.moment(request)
    try:
        pixels = frames.load(frame.pk) if moment is None else _painted(request, frame, moment)
    except paint.PainterBusy:
        return refuse(request, _("The server is painting something else. Try again in a moment."), 503)
    except paint.TooManyOperations:
        return refuse(request, _("Too much was drawn here at once for the server to paint."))
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95, subsampling=0)
    name = default_storage.save(f"studio/{secrets.token_hex(12)}.jpg", ContentFile(buffer.getvalue()))
    return begin(request, Original(owner=request.user, picture=name, width=frame.width, height=frame.height))


def _painted(request: SignedIn, frame: Frame, moment: datetime) -> Pixels:
    """The frame and what was drawn on it until then. Raises PainterBusy and TooManyOperations."""
    span = ink.span_of(frame.canvas, frame)
    found = ink.read(span)
    if not found.complete:
        raise paint.TooManyOperations
    data = paint.png(span, found.until(moment), request.META.get("REMOTE_ADDR", ""))
    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        return np.asarray(image.convert("RGB"))


@require_POST
@member_required
def from_noise(request: SignedIn) -> HttpResponse:
    """Begins with static."""
    static = np.random.default_rng().normal(128, 40, (NOISE_SIDE, NOISE_SIDE, 3)).clip(0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(static).save(buffer, "PNG")
    name = default_storage.save("studio/static.png", ContentFile(buffer.getvalue()))
    return begin(
        request, Original(owner=request.user, picture=name, width=NOISE_SIDE, height=NOISE_SIDE, is_static=True)
    )


@require_POST
@member_required
def keep(request: SignedIn, key: str) -> HttpResponse:
    found = get_object_or_404(Original, key=key, owner=request.user)
    found.keep = bool(request.POST.get("keep"))
    found.save(update_fields=["keep"])
    return redirect(found)


@require_POST
@member_required
def delete_original(request: SignedIn, key: str) -> HttpResponse:
    """The picture and what was tried on it; finished dreams stay."""
    found = get_object_or_404(Original, key=key, owner=request.user)
    with transaction.atomic():
        found.works.exclude(kind__in=(*Work.KEPT, Work.Kind.PRINT)).delete()
        found.delete()
    messages.success(request, _("The picture is deleted. Dreams you made of it are still here."))
    return redirect("studio")


def _clean(request: HttpRequest) -> pictures.CleanedPicture:
    file = request.FILES.get("picture")
    if not isinstance(file, UploadedFile):
        raise pictures.InvalidUpload(_("No picture came with this. Choose a JPEG, PNG or WebP file."))
    return pictures.clean(cast(BinaryIO, file), first=True, large=True)


def _columns(cleaned: pictures.CleanedPicture) -> dict[str, Any]:
    """Those of an original, whose files are stored."""
    columns: dict[str, Any] = {"width": cleaned.width, "height": cleaned.height}
    columns |= {"picture": pictures.store(cleaned), "large": "", "large_width": 0, "large_height": 0}
    large = cleaned.large
    if large:
        try:
            columns |= {"large": pictures.store(large), "large_width": large.width, "large_height": large.height}
        except Exception:
            files.delete_now([columns["picture"]])
            raise
    return columns


def begin(request: SignedIn, original: Original, *, is_guide: bool = False) -> HttpResponse:
    """Saves it and orders its sheet of styles; of a guide none are tried."""
    network = network_named("")
    if not network:
        _forget_files(original)
        return refuse(request, _("This site has no network to dream with at the moment."), status=503)
    made = jobs.sheet(original, network)
    try:
        with counted(request.user):
            trouble = _trouble(request.user, 0.0 if is_guide else made.units)
            if not trouble:
                original.save()
                if not is_guide:
                    queue.submit(made)
    except Exception:
        _forget_files(original)
        raise
    if trouble:
        _forget_files(original)
        return refuse(request, *trouble)
    _forget_large(request.user)
    if is_guide:
        return JsonResponse({"key": original.key, "picture": media.path(original.picture)}, status=201)
    url = original.get_absolute_url()
    return JsonResponse({"url": url}, status=201) if wants_json(request) else redirect(url)


def _trouble(user: User, units: float) -> tuple[str, int] | None:
    """Why this person may not bring another picture now, in words, and the answer's status."""
    if Original.objects.filter(owner=user).count() >= ORIGINALS:
        return _("You have many pictures here. Delete one you no longer need, then upload this one."), 422
    if units > units_left(user):
        return str(ENOUGH_TODAY), 429
    return None


def _forget_large(user: User) -> None:
    """Of a person's older pictures only what pages show stays."""
    for original in Original.objects.filter(owner=user).exclude(large="").order_by("-pk")[LARGE:]:
        name = str(original.large.name)
        Original.objects.filter(pk=original.pk).update(large="", large_width=0, large_height=0)
        files.delete_now([name])


def _forget_files(original: Original) -> None:
    files.delete_now(str(file.name) for file in (original.picture, original.large, original.video) if file)
