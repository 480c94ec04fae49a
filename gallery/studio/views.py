"""The studio's pages.

What is private is found by its key alone, which nobody can guess, and only its owner acts on it.
"""

from __future__ import annotations

import io
import json
from typing import Any, BinaryIO, cast

import numpy as np
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from PIL import Image

from canvas import frames
from canvas.limits import TRUSTED_HOURS
from canvas.models import CleanHours, Frame
from dreamer.library import LibraryError
from dreamer.registered import default_model, registry
from dreamsite.core.errors import json_error
from dreamsite.core.models import User
from dreamsite.core.tasks.jobs import State
from gallery.studio import cost, queue
from gallery.studio.forms import DreamForm, ShowForm
from gallery.studio.models import Original, Work
from gallery.uploads import pictures


class SignedIn(HttpRequest):
    """A request behind login_required."""

    user: User


SHOWN = 24
ORIGINALS = 40  # of one person at a time
NOISE_SIDE = 512


@never_cache
@require_safe
def studio(request: HttpRequest) -> HttpResponse:
    """One large place to drop a picture, one's own dreams, and what others made."""
    context: dict[str, Any] = {
        "section": "studio",
        "published": Work.objects.published()[:12],
        "frame": Frame.objects.visible().dreams().order_by("-pk").first(),
        "most_megabytes": pictures.MAX_BYTES // 1024**2,
        "closed": queue.closed(),
    }
    if request.user.is_authenticated:
        own = Work.objects.filter(owner=request.user).dreams().select_related("original").order_by("-created_at")
        context |= {
            "own": Paginator(own, SHOWN).get_page(request.GET.get("page")),
            "originals": Original.objects.filter(owner=request.user).order_by("-created_at")[:8],
            "left": max(0.0, cost.allowance(request.user.pk) - cost.spent(request.user.pk)),
        }
    return render(request, "gallery/studio/studio.html", context)


@require_safe
def dreams(request: HttpRequest) -> HttpResponse:
    """What people showed to everybody."""
    page = Paginator(Work.objects.published(), SHOWN).get_page(request.GET.get("page"))
    return render(request, "gallery/studio/dreams.html", {"section": "studio", "page": page})


# --- bringing --------------------------------------------------------------------------------------------------------


@require_POST
@login_required
def bring(request: SignedIn) -> HttpResponse:
    """Takes a picture: `picture` a file. With `small=1` it is a small version, and the whole one follows (`whole`)."""
    try:
        cleaned = _cleaned(request)
    except pictures.InvalidUpload as error:
        return _refused(request, str(error))
    if Original.objects.filter(owner=request.user).count() >= ORIGINALS:
        return _refused(request, _("You have many pictures here. Delete one you no longer need, then bring this one."))
    original = Original(
        owner=request.user,
        picture=_stored(cleaned),
        width=cleaned.width,
        height=cleaned.height,
        complete=not request.POST.get("small"),
    )
    return _begun(request, original)


@require_POST
@login_required
def whole(request: SignedIn, key: str) -> HttpResponse:
    """The picture itself, after its small version."""
    original = get_object_or_404(Original, key=key, owner=request.user)
    try:
        cleaned = _cleaned(request)
    except pictures.InvalidUpload as error:
        return _refused(request, str(error))
    before = original.picture.name
    original.picture, original.width, original.height = _stored(cleaned), cleaned.width, cleaned.height
    original.complete = True
    original.save(update_fields=["picture", "width", "height", "complete"])
    default_storage.delete(str(before))
    return JsonResponse({"url": original.get_absolute_url()})


@require_POST
@login_required
def from_frame(request: SignedIn, pk: int) -> HttpResponse:
    """Begins with a frame of the canvas: nothing is uploaded."""
    frame = get_object_or_404(Frame.objects.visible(), pk=pk)
    buffer = io.BytesIO()
    Image.fromarray(frames.load(frame.pk)).save(buffer, "JPEG", quality=95, subsampling=0)
    name = default_storage.save(f"studio/{frame.sha256[:24]}.jpg", ContentFile(buffer.getvalue()))
    return _begun(request, Original(owner=request.user, picture=name, width=frame.width, height=frame.height))


@require_POST
@login_required
def from_noise(request: SignedIn) -> HttpResponse:
    """Begins with static."""
    static = np.random.default_rng().normal(128, 40, (NOISE_SIDE, NOISE_SIDE, 3)).clip(0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(static).save(buffer, "PNG")
    name = default_storage.save("studio/static.png", ContentFile(buffer.getvalue()))
    return _begun(request, Original(owner=request.user, picture=name, width=NOISE_SIDE, height=NOISE_SIDE))


def _cleaned(request: HttpRequest) -> pictures.CleanedPicture:
    file = request.FILES.get("picture")
    if not isinstance(file, UploadedFile):
        raise pictures.InvalidUpload(_("No picture came with this. Choose a JPEG, PNG or WebP file."))
    return pictures.clean(cast(BinaryIO, file))


def _stored(cleaned: pictures.CleanedPicture) -> str:
    return str(pictures.store(cleaned))


def _begun(request: SignedIn, original: Original) -> HttpResponse:
    """Saves it and orders its sheet of styles."""
    network = _network("")
    if not network:
        default_storage.delete(str(original.picture.name))
        return _refused(request, _("This site has no network to dream with at the moment."), status=503)
    with transaction.atomic():
        original.save()
        _order_sheet(original, network)
    url = original.get_absolute_url()
    return JsonResponse({"url": url}, status=201) if _wants_json(request) else redirect(url)


def _order_sheet(original: Original, network: str) -> None:
    units = 12 * cost.LEAST
    queue.order(Work(owner=original.owner, kind=Work.Kind.SHEET, original=original, network=network, units=units))


def _network(wanted: str) -> str:
    """The network to dream with: the wanted one where it is here, else the site's."""
    return wanted if wanted in registry().names() else default_model()


def _wants_json(request: HttpRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def _refused(request: HttpRequest, words: str, status: int = 422) -> HttpResponse:
    if _wants_json(request):
        return json_error(status, "refused", words)
    messages.error(request, words)
    return redirect("studio")


# --- one picture: its styles, and dreams on it ------------------------------------------------------------------------


@never_cache
@require_safe
@login_required
def original(request: SignedIn, key: str) -> HttpResponse:
    found = get_object_or_404(Original, key=key, owner=request.user)
    network = _network(str(request.GET.get("network", "")))
    if network and network not in found.styles and not _sheet_waits(found, network):
        _order_sheet(found, network)
    context = {
        "section": "studio",
        "original": found,
        "network": network,
        "networks": _networks(),
        "form": DreamForm(),
        "sketches": _sketches(found, network),
        "dreams": found.works.dreams().order_by("-created_at"),
        "left": max(0.0, cost.allowance(request.user.pk) - cost.spent(request.user.pk)),
    }
    return render(request, "gallery/studio/original.html", context)


@never_cache
@require_safe
@login_required
def original_json(request: SignedIn, key: str) -> JsonResponse:
    """What a page that is open asks for while styles arrive: {"complete", "styles", "sketches": [...]}."""
    found = get_object_or_404(Original, key=key, owner=request.user)
    network = _network(str(request.GET.get("network", "")))
    return JsonResponse(
        {
            "complete": found.complete,
            "styles": len(found.styles.get(network, ())),
            "waiting": _sheet_waits(found, network),
            "sketches": [_as_json(sketch) for sketch in _sketches(found, network)],
        }
    )


@require_POST
@login_required
def order(request: SignedIn, key: str) -> HttpResponse:
    """Orders a dream on a picture: `kind` preview or dream, and DreamForm's fields; or `kind` more, the next styles."""
    found = get_object_or_404(Original, key=key, owner=request.user)
    kind = str(request.POST.get("kind", "dream"))
    if queue.closed():
        return _refused(
            request, _("The studio is very busy: more than half an hour of dreams is waiting. Come back later."), 503
        )
    if kind == "more":
        return _more(request, found)
    form = DreamForm(request.POST)
    if kind not in (Work.Kind.PREVIEW, Work.Kind.DREAM) or not form.is_valid():
        return _refused(request, _("Choose a style first."), 400)
    network = form.cleaned_data["network"]
    try:
        registry().get(network)
        recipe = form.recipe(seed=found.pk)
    except (LibraryError, ValueError, TypeError) as error:
        return _refused(request, str(error), 400)
    height, width = found.height, found.width
    if kind == Work.Kind.PREVIEW:
        scale = min(1.0, 512 / max(height, width))
        height, width = round(height * scale), round(width * scale)
        # Only the newest preview matters: whoever moves a slider does not wait for where it was.
        found.works.filter(kind=Work.Kind.PREVIEW).cancel()
    elif not found.complete:
        return _refused(request, _("Your picture is still on its way. Try again in a moment."), 409)
    units = cost.units(recipe, height, width)
    left = cost.allowance(request.user.pk) - cost.spent(request.user.pk)
    if units > left:
        words = _(
            "This dream costs %(units)d units; you have %(left)d left today. Make it fainter, or come back tomorrow."
        )
        return _refused(request, words % {"units": units + 1, "left": max(0, left)}, 429)
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
        queue.order(made)
    if _wants_json(request):
        return JsonResponse(_as_json(made), status=201)
    return redirect(made)


def _more(request: SignedIn, found: Original) -> HttpResponse:
    """The next twelve styles."""
    from gallery.studio.jobs import SHEET, sketch

    network = _network(str(request.POST.get("network", "")))
    tried = {(s.recipe["target"]["terms"][0]["layer"], s.title) for s in _sketches(found, network)}
    styles = [s for s in found.styles.get(network, ()) if (s["layer"], s["title"]) not in tried][:SHEET]
    with transaction.atomic():
        for style in styles:
            queue.order(sketch(found, network, style))
    return JsonResponse({"ordered": len(styles)}) if _wants_json(request) else redirect(found)


@require_POST
@login_required
def keep(request: SignedIn, key: str) -> HttpResponse:
    found = get_object_or_404(Original, key=key, owner=request.user)
    found.keep = bool(request.POST.get("keep"))
    found.save(update_fields=["keep"])
    return redirect(found)


@require_POST
@login_required
def delete_original(request: SignedIn, key: str) -> HttpResponse:
    """The picture and what was tried on it; finished dreams stay."""
    found = get_object_or_404(Original, key=key, owner=request.user)
    with transaction.atomic():
        found.works.exclude(kind=Work.Kind.DREAM).delete()
        found.delete()
    messages.success(request, _("The picture is deleted. Dreams you made of it are still here."))
    return redirect("studio")


def _sketches(found: Original, network: str) -> list[Work]:
    return list(found.works.filter(kind=Work.Kind.SKETCH, network=network).order_by("pk"))


def _sheet_waits(found: Original, network: str) -> bool:
    sheets = found.works.filter(kind=Work.Kind.SHEET, network=network)
    return bool(sheets.open().exists() or sheets.filter(state=State.FAILED).exists())


def _networks() -> list[tuple[str, str]]:
    found = []
    for name in registry().names():
        try:
            found.append((name, registry().get(name).info.title or name))
        except (LibraryError, OSError):
            continue
    return found


# --- one dream -------------------------------------------------------------------------------------------------------


@never_cache
@require_safe
def work(request: HttpRequest, key: str) -> HttpResponse:
    """A dream's page, for whoever has its address: being made, finished, failed or hidden."""
    found = _seen(request, key)
    mine = found.owner_id == request.user.pk
    context = {
        "section": "studio",
        "work": found,
        "mine": mine,
        "original": found.original if mine or found.show_before else None,
        "form": ShowForm(instance=found),
        "recipe": json.dumps(found.recipe, indent=2),
        "command": _command(found),
        "print": _print_sizes(found),
        "public_url": f"{settings.SITE_URL}{found.get_absolute_url()}",
    }
    return render(request, "gallery/studio/work.html", context)


@never_cache
@require_safe
def work_json(request: HttpRequest, key: str) -> JsonResponse:
    return JsonResponse(_as_json(_seen(request, key)))


@never_cache
@require_safe
def growing(request: HttpRequest, key: str) -> HttpResponse:
    """The picture as far as it is, small."""
    found = _seen(request, key)
    if not found.growing:
        return HttpResponse(status=204)
    return HttpResponse(bytes(found.growing), content_type="image/jpeg")


@require_POST
@login_required
def cancel(request: SignedIn, key: str) -> HttpResponse:
    found = get_object_or_404(Work, key=key, owner=request.user)
    Work.objects.filter(pk=found.pk).cancel(growing=None)
    return redirect(found)


@require_POST
@login_required
def show(request: SignedIn, key: str) -> HttpResponse:
    """Shows a dream to everybody, or takes that back. A newcomer's waits for a moderator."""
    found = get_object_or_404(Work.objects.dreams(), key=key, owner=request.user, state=State.DONE)
    if request.POST.get("take_back"):
        found.asked_at = found.published_at = None
        found.save(update_fields=["asked_at", "published_at"])
        messages.success(request, _("Only people who have the link can see it now."))
        return redirect(found)
    form = ShowForm(request.POST, instance=found)
    if not form.is_valid():
        messages.error(request, _("That could not be shown: check the title and the licence."))
        return redirect(found)
    found = form.save(commit=False)
    found.asked_at = timezone.now()
    hours = CleanHours.objects.filter(user=request.user).values_list("hours", flat=True).first() or 0
    if hours >= TRUSTED_HOURS or request.user.is_staff:
        found.published_at = found.asked_at
        messages.success(request, _("Everybody can see it now."))
    else:
        messages.success(request, _("A moderator will look at it first; then everybody can see it."))
    found.save(update_fields=["caption", "licence", "show_before", "asked_at", "published_at"])
    return redirect(found)


@require_POST
@login_required
def delete(request: SignedIn, key: str) -> HttpResponse:
    get_object_or_404(Work, key=key, owner=request.user).delete()
    messages.success(request, _("The dream is deleted."))
    return redirect("studio")


def _seen(request: HttpRequest, key: str) -> Work:
    found = get_object_or_404(Work.objects.select_related("owner", "original"), key=key)
    if found.hidden_at and not request.user.has_perm("canvas.moderate"):
        return get_object_or_404(Work, pk=0)
    return found


def _as_json(made: Work) -> dict[str, Any]:
    place, seconds = queue.ahead(made) if made.is_open and made.pk else (0, 0.0)
    term = (made.recipe.get("target") or {}).get("terms", [{}])[0]
    channels = term.get("channels")
    return {
        "key": made.key,
        "url": made.get_absolute_url(),
        "state": made.state,
        "fraction": round(made.fraction, 3),
        "ahead": place if made.state == State.WAITING else 0,
        "seconds": round(seconds, 1),
        "message": made.message,
        "title": made.title,
        "layer": term.get("layer", ""),
        "channel": channels[0][0] if channels else None,
        "picture": made.picture.url if made.picture else None,
        "thumbnail": made.thumbnail.url if made.thumbnail else None,
        "growing": reverse("studio_growing", args=[made.key]) if made.state == State.RUNNING else None,
    }


def _command(found: Work) -> str:
    """The same dream on a command line, from the recipe that is in the file."""
    return f"manage.py dream photo.jpg dreamed.jpg --recipe {found.key}.jpg"


def _print_sizes(found: Work) -> list[tuple[int, str]]:
    """(dots an inch, centimetres) at which it can be printed."""
    return [
        (dpi, f"{2.54 * found.width / dpi:.1f} × {2.54 * found.height / dpi:.1f} cm")
        for dpi in (150, 300)
        if found.width
    ]
