"""The studio's first page, one dream, and what people show to everybody."""

from __future__ import annotations

import json
import shlex
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from canvas.limits import TRUSTED_HOURS
from canvas.models import CleanHours, Frame
from dreamsite.core import upload_pass
from dreamsite.core.members import member_required
from dreamsite.core.tasks.jobs import State
from gallery import media
from gallery.studio import moderation, prints, queue, reading
from gallery.studio.forms import ShowForm
from gallery.studio.models import BULKY_ORIGINAL, Journey, Music, Original, Work
from gallery.studio.serialize import work_as_json
from gallery.studio.views import printing
from gallery.studio.views.requests import SignedIn, network_title, units_left, visible_work
from gallery.uploads import pictures

SHOWN = 24


@never_cache
@require_safe
def studio(request: HttpRequest) -> HttpResponse:
    """One large place to drop a picture, one's own dreams, and what others made."""
    member = request.user if request.user.is_authenticated and not request.user.guest else None
    context: dict[str, Any] = {
        "section": "studio",
        "member": member,
        "published": Work.objects.published()[:12],
        "frame": Frame.objects.public().dreams().only("pk").order_by("-pk").first(),
        "most_bytes": pictures.MAX_BYTES,
        "most_megabytes": pictures.MAX_BYTES // 1024**2,
        "closed": queue.closed(),
        "video": {
            "megabytes": reading.MAX_BYTES // 1024**2,
            "seconds": round(reading.LIMITS.seconds),
            "bytes": reading.MAX_BYTES,
        },
    }
    if member:
        own = Work.objects.filter(owner=member).dreams().light().order_by("-created_at")
        originals = Original.objects.filter(owner=member).defer(*BULKY_ORIGINAL).order_by("-created_at")
        journeys = Journey.objects.filter(owner=member).only("key", "title", "created_at")
        context |= {
            "own": Paginator(own, SHOWN).get_page(request.GET.get("page")),
            "unread": Work.objects.filter(owner=member, kind=Work.Kind.READ).light().open().order_by("-pk"),
            "journeys": journeys.order_by("-created_at")[:8],
            "originals": originals[:8],
            "left": units_left(member),
        }
        Work.objects.unseen(member).mark_seen()
    response = render(request, "gallery/studio/studio.html", context)
    if member:
        upload_pass.grant(response, max(pictures.MAX_BYTES, reading.MAX_BYTES) + upload_pass.FIELDS)
    return response


@require_safe
def dreams(request: HttpRequest) -> HttpResponse:
    """What people showed to everybody."""
    page = Paginator(Work.objects.published(), SHOWN).get_page(request.GET.get("page"))
    return render(request, "gallery/studio/dreams.html", {"section": "studio", "page": page})


@never_cache
@require_safe
def work(request: HttpRequest, key: str) -> HttpResponse:
    """A dream's page, for whoever has its address: being made, finished, failed or hidden."""
    found = visible_work(request, key)
    mine = found.owner_id == request.user.pk
    if found.kind == Work.Kind.READ and found.state == State.DONE and mine:
        return redirect(found.original or "studio")  # it became a picture
    if found.kind == Work.Kind.MUSIC:
        return redirect(found.journey or found.original or "studio")
    if found.kind == Work.Kind.PRINT and found.of:
        return redirect(f"{found.of.get_absolute_url()}#print")
    context = {
        "section": "studio",
        "work": found,
        "mine": mine,
        "network": network_title(found.recipe.get("model") or found.network),
        "original": found.original if mine or found.show_before else None,
        "is_video": found.kind == Work.Kind.VIDEO,
        "is_read": found.kind == Work.Kind.READ,
        "is_film": found.kind == Work.Kind.FILM,
        "form": ShowForm(instance=found),
        "refusal": moderation.refusal(found) if mine else None,
        "hung": found.hung.select_related("exhibit").first() if mine and found.proposed_at else None,
        "recipe": json.dumps(found.recipe, indent=2),
        "command": "" if found.kind in (Work.Kind.FILM, Work.Kind.READ) else _command(found),
        "print": prints.sizes(found.width, found.height) if found.kind == Work.Kind.DREAM else [],
        "card": media.lasting(request, found.picture) if found.picture else "",
        "public_url": f"{settings.SITE_URL}{found.get_absolute_url()}",
    }
    if mine and found.state == State.DONE and not found.hidden_at:
        context |= printing.shown(found, request.user)
    if mine and not found.is_open:
        Work.objects.filter(pk=found.pk).mark_seen()
    gone = found.hidden_at is not None
    return render(request, "gallery/studio/work.html", context, status=410 if gone else 200)


@never_cache
@require_safe
def work_json(request: HttpRequest, key: str) -> JsonResponse:
    return JsonResponse(work_as_json(visible_work(request, key)))


@never_cache
@require_safe
def growing(request: HttpRequest, key: str) -> HttpResponse:
    """The picture as far as it is, small."""
    found = visible_work(request, key)
    if not found.growing:
        return HttpResponse(status=204)
    return HttpResponse(bytes(found.growing), content_type="image/jpeg")


@never_cache
@require_safe
@member_required
def mask(request: SignedIn, key: str) -> HttpResponse:
    """What its maker painted: white where the dream may work. For the command line."""
    found = get_object_or_404(Work.objects.dreams(), key=key, owner=request.user, mask__isnull=False)
    response = HttpResponse(bytes(found.mask or b""), content_type="image/png")
    response["Content-Disposition"] = f'attachment; filename="{found.key}-mask.png"'
    return response


@require_POST
@member_required
def show(request: SignedIn, key: str) -> HttpResponse:
    """Shows a dream to everybody, or takes that back (`take_back`). A newcomer's waits for a moderator, and again when
    its title changes or the picture from before is shown, too.

    One that is shown may be proposed for an exhibit (`propose`: 1), until a curator decides (`propose`: 0 withdraws).
    """
    with transaction.atomic():  # a moderator's decision comes before it or after it
        mine = Work.objects.dreams().select_for_update()
        return _show(request, get_object_or_404(mine, key=key, owner=request.user, state=State.DONE))


def _show(request: SignedIn, found: Work) -> HttpResponse:
    if request.POST.get("take_back"):
        found.requested_at = found.published_at = found.proposed_at = None
        found.save(update_fields=["requested_at", "published_at", "proposed_at"])
        moderation.withdraw(found)
        messages.success(request, _("Only people who have the link can see it now."))
        return redirect(found)
    if not moderation.may_publish(request.user):
        messages.error(
            request, _("You cannot show dreams while a sanction is in force. The page Your standing says why.")
        )
        return redirect(found)
    if request.POST.get("propose"):
        return _propose(request, found)
    seen = found.caption, found.show_before  # by a moderator, where it was shown
    form = ShowForm(request.POST, instance=found)
    if not form.is_valid():
        messages.error(request, _("That could not be shown: check the title and the licence."))
        return redirect(found)
    found = form.save(commit=False)
    found.requested_at = timezone.now()
    hours = CleanHours.objects.filter(user=request.user).values_list("hours", flat=True).first() or 0
    if hours >= TRUSTED_HOURS or request.user.is_staff:
        found.published_at = found.requested_at
    elif (found.caption, found.show_before) != seen:
        found.published_at = None
    found.save(update_fields=["caption", "licence", "show_before", "requested_at", "published_at"])
    if found.published_at:
        messages.success(request, _("Everybody can see it now."))
    else:
        messages.success(request, _("A moderator will look at it first; then everybody can see it."))
        moderation.ask(found, changed=bool(form.changed_data))
    return redirect(found)


def _propose(request: SignedIn, found: Work) -> HttpResponse:
    if request.POST["propose"] == "0":
        found.proposed_at = None
    elif found.kind != Work.Kind.DREAM or not (found.requested_at or found.published_at) or found.hidden_at:
        messages.error(request, _("Only a picture that you show to everybody can be proposed for an exhibit."))
        return redirect(found)
    else:
        found.proposed_at, found.declined_at = timezone.now(), None
        messages.success(request, _("The curators will see your proposal. Its answer stands on this page."))
    found.save(update_fields=["proposed_at", "declined_at"])
    return redirect(found)


@require_POST
@member_required
def delete(request: SignedIn, key: str) -> HttpResponse:
    get_object_or_404(Work, key=key, owner=request.user).delete()
    messages.success(request, _("The dream is deleted."))
    return redirect("studio")


def _command(found: Work) -> str:
    """The same dream on a command line, from the recipe that is in the file."""
    if found.kind == Work.Kind.VIDEO:
        side = f" --frame-side {max(found.width, found.height)}"
        command = f"manage.py dream --video video.mp4 dreamed.mp4 --recipe {found.key}.jpg{side}{_heard(found)}"
    else:
        side = f" --side {max(found.width, found.height)}" if found.kind == Work.Kind.DREAM else ""
        command = f"manage.py dream photo.jpg dreamed.jpg --recipe {found.key}.jpg{side}"
    if found.mask is not None:
        command += f" --mask {found.key}-mask.png"
    return command + (" --guide guide.jpg" if found.guide_id else "")


def _heard(found: Work) -> str:
    """A video's sound, as options of the command."""
    if found.sound == Work.Sound.OWN:
        return ""
    if found.sound == Work.Sound.NONE:
        return " --no-sound"
    heard = Music.of(found.original)
    parts = [heard.title, heard.author, heard.licence, heard.link] if heard else []
    if not parts or any(";" in part for part in parts):
        parts = ["Title", "Author", "Licence", "https://…"]
    credit = "; ".join(parts)
    return f" --music music.mp3 --credit {shlex.quote(credit)}{' --follow' if found.follow else ''}"
