"""The list of canvases, and what members do with those of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from allauth.decorators import rate_limit
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from canvas import daily, people
from canvas.models import Canvas, Frame
from canvas.moderation.cases import listing
from dreamer.library import LibraryError
from dreamer.networks import choosing, shelves
from dreamsite.canvases import services
from dreamsite.canvases.forms import NewCanvas, Settings, shelf_of
from dreamsite.core.errors import InvalidRequest, NotFound
from dreamsite.core.members import member_required
from dreamsite.core.models import SiteState, User
from gallery.frame.origins import public_names

PAGE = 24


@dataclass(frozen=True)
class Entry:
    """A canvas as the list shows it."""

    canvas: Canvas
    frame: Frame | None
    people: int  # who are there now
    maker: str  # "" where nobody made it, or nobody who may be named


def entries(canvases: Iterable[Canvas]) -> list[Entry]:
    """With the newest picture of each: the base, which is visible, whole, and what everybody sees there."""
    listed = [(canvas, daily.latest(canvas)) for canvas in canvases]
    here = people.counts(shown.slug for _canvas, shown in listed)
    makers = public_names(canvas.maker_id for canvas, _shown in listed if canvas.maker_id is not None)
    return [
        Entry(canvas, shown.frame, here[shown.slug], makers.get(canvas.maker_id or 0, "")) for canvas, shown in listed
    ]


@require_safe
def canvases(request: HttpRequest) -> HttpResponse:
    """Those that are listed, the site's own first, then by their newest picture; before them one's own."""
    found = Canvas.objects.listed().current().filter(day_of=None).select_related("frame", "maker")
    page = Paginator(found.own_first(), PAGE).get_page(request.GET.get("page"))
    user = request.user
    member = isinstance(user, User) and not user.guest
    own = Canvas.objects.made_by(user).select_related("frame", "maker").order_by("-pk") if member else []
    context = {
        "section": "canvases",
        "page": page,
        "shown": entries(page.object_list),
        "own": entries(own),
        "refusal": services.why_not(user) if isinstance(user, User) and member else "",
        "makes": settings.MEMBER_CANVASES and not SiteState.ended(),
        "most": settings.CANVASES_PER_PERSON,
        "archived": Canvas.objects.listed().exclude(archived_at=None).exists(),
    }
    return render(request, "canvases/list.html", context)


@require_safe
def archive(request: HttpRequest) -> HttpResponse:
    """Those that are closed for good, and the days of daily ones, newest first."""
    found = Canvas.objects.listed().exclude(archived_at=None).select_related("frame", "maker")
    page = Paginator(found.order_by("-archived_at", "-pk"), PAGE).get_page(request.GET.get("page"))
    context = {"section": "canvases", "page": page, "shown": entries(page.object_list)}
    return render(request, "canvases/archive.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@member_required
@rate_limit(action="canvas_made")
def new(request: HttpRequest) -> HttpResponse:
    """A member's new canvas. What may be made, and how many, stands above the form."""
    user = request.user
    assert isinstance(user, User)
    if not settings.MEMBER_CANVASES or SiteState.ended():
        raise NotFound(_("Members do not make canvases on this site."))
    form, refusal, status = NewCanvas(request.POST or None), services.why_not(user), 200
    if request.method == "POST":
        status = 422
        if not refusal and form.is_valid():
            try:
                made = services.make(user, guests=form.cleaned_data["guests"], **form.columns())
            except InvalidRequest as error:  # another tab was faster
                refusal = str(error)
            else:
                _use(made, form.cleaned_data["network"], user)
                if form.cleaned_data["listed"] == "ask":
                    listing.ask(made)
                messages.success(request, _("Here it is. “Share”, at the top, gives you the link to send."))
                return redirect(made)
    context = {
        "section": "canvases",
        "form": form,
        "refusal": refusal,
        "most": settings.CANVASES_PER_PERSON,
        "a_day": settings.CANVASES_PER_DAY,
        "kept": settings.CANVASES_ARCHIVED_PER_PERSON,
        "made": Canvas.objects.made_by(user).current().count(),
    }
    return render(request, "canvases/new.html", context, status=status)


def _use(canvas: Canvas, network: str, user: User) -> None:
    if network == choosing.chosen(canvas):
        return
    try:
        choosing.use(canvas, network, user)
    except LibraryError:  # it went while the form was open: the canvas follows the site
        return


def _own(request: HttpRequest, slug: str) -> Canvas:
    """The canvas, for its maker alone."""
    found = Canvas.objects.existing().select_related("frame", "rules", "choice", "maker")
    canvas = get_object_or_404(found, slug=slug)
    if canvas.maker_id is None or canvas.maker_id != request.user.pk:
        raise PermissionDenied(_("Only whoever made a canvas can change it."))
    return canvas


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@member_required
@rate_limit(action="canvas_changed")
def change(request: HttpRequest, slug: str) -> HttpResponse:
    canvas = _own(request, slug)
    user = request.user
    assert isinstance(user, User)
    form, status = Settings(request.POST or None, canvas=canvas, network=choosing.chosen(canvas)), 200
    if request.method == "POST":
        if form.is_valid():
            asks_again = services.change(canvas, guests=form.cleaned_data["guests"], **form.columns())
            _use(canvas, form.cleaned_data["network"], user)
            if asks_again:
                messages.info(request, _("Changed. It is back on the list once a moderator has read the new title."))
            else:
                messages.success(request, _("Changed."))
            return redirect("canvas_settings", slug)
        status = 422
    shelf = shelf_of(canvas, choosing.chosen(canvas))
    choice = getattr(canvas, "choice", None)
    context = {
        "section": "canvases",
        "canvas": canvas,
        "form": form,
        "address": request.build_absolute_uri(canvas.get_absolute_url()),
        "network": shelf and (shelf[0].info.title or shelf[0].name),
        "styles": shelf[1] if shelf else [],
        "surprises": choice is None or choice.surprises,
        "no": listing.refusal(canvas),
    }
    return render(request, "canvases/settings.html", context, status=status)


@require_POST
@member_required
@rate_limit(action="canvas_changed")
def styles(request: HttpRequest, slug: str) -> HttpResponse:
    """Which styles of its network a canvas dreams of, and whether others may come by chance."""
    canvas = _own(request, slug)
    shelf = shelf_of(canvas, choosing.chosen(canvas))
    if shelf is None:
        messages.error(request, _("There is no network here yet."))
    elif not (on := request.POST.getlist("style")) and "surprises" not in request.POST:
        messages.error(request, _("Leave at least one style on, or let others come by chance."))
    else:
        shelves.turn(canvas, shelf[0], on, "surprises" in request.POST, request.user)
        messages.success(request, _("Changed."))
    return redirect("canvas_settings", slug)


def _ask(canvas: Canvas) -> None:
    if canvas.listed or canvas.closed_at is not None:
        raise InvalidRequest(_("This canvas cannot be put on the list."))
    listing.ask(canvas)


# The acts of a maker: what each does, and what is said then.
ACTS: dict[str, tuple[Callable[[Canvas], Any], Any]] = {
    "close": (services.close, gettext_lazy("Nobody draws there any more.")),
    "reopen": (services.reopen, gettext_lazy("People can draw there again.")),
    "archive": (services.archive, gettext_lazy("It is in the archive, with its history.")),
    "delete": (services.delete, gettext_lazy("It is deleted.")),
    "new-link": (services.new_link, gettext_lazy("It has a new link. The old one leads nowhere now.")),
    "ask": (_ask, gettext_lazy("A moderator will look at it.")),
    "stop-asking": (listing.withdraw, gettext_lazy("Nobody will look at it. It stays by link only.")),
    "unlist": (services.unlist, gettext_lazy("It is off the list, and has a link that only you know.")),
}


@require_POST
@member_required
@rate_limit(action="canvas_act")
def act(request: HttpRequest, slug: str, act: str) -> HttpResponse:
    canvas = _own(request, slug)
    if act not in ACTS:
        raise NotFound(_("There is nothing of this name to do with a canvas."))
    do, said = ACTS[act]
    try:
        do(canvas)
    except InvalidRequest as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
    canvas.refresh_from_db()
    return redirect("canvases") if canvas.deleted_at else redirect("canvas_settings", canvas.slug)
