"""The page where people order films for themselves, with those they have; and clips of any film."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from canvas.models import Frame
from dreamsite.core.errors import InvalidRequest, NotFound
from dreamsite.core.models import User
from dreamsite.core.tasks.jobs import State
from gallery import query_params
from gallery.films import crop, own
from gallery.films.forms import MOMENT, OwnFilmForm
from gallery.films.models import BULKY, CHANGED, Film
from gallery.films.views import card, find
from gallery.links import canvas_query, canvas_url

SHOWN = 24


@never_cache
@login_required
def own_films(request: HttpRequest) -> HttpResponse:
    """One's own films of all canvases, and the form for another one: `?canvas=`, `?kind=`, `?shape=`, `?x=&y=&width=&
    height=`, `?since=`, `?until=` fill it in."""
    user = _person(request)
    canvas, zone = query_params.canvas(request), query_params.zone(request)
    status = 200
    with timezone.override(zone):
        form = OwnFilmForm(request.POST or None, canvas=canvas, initial=_asked_for(request))
        if request.method == "POST":
            if form.is_valid():
                data = form.cleaned_data
                span = data["since"], data["until"]
                try:
                    made = own.order(user, canvas, data["kind"], *span, data["area"], data["shape"])
                except InvalidRequest as error:
                    form.add_error(None, str(error))
                else:
                    messages.success(request, _("The film is waiting for the worker. This page shows its progress."))
                    return redirect(made)
            status = 422
        films = Film.objects.filter(owner=user, canvas__deleted_at=None)
        films = films.exclude(~Q(message=CHANGED), state=State.CANCELLED)
        context: dict[str, Any] = {
            "section": "films",
            "canvas": canvas,
            "query": canvas_query(canvas),
            "form": form,
            "newest": Frame.objects.visible().filter(canvas=canvas).defer("recipe").order_by("-number").first(),
            "cards": [
                card(film) for film in films.defer(*BULKY).select_related("canvas", "owner").order_by("-pk")[:SHOWN]
            ],
            "days": own.KEPT.days,
            "a_day": own.A_DAY[user.guest],
            "at_once": own.AT_ONCE[user.guest],
            "left": own.left_today(user),
            "zone": zone.key,
            "least": crop.SMALLEST,
            "sent_to": canvas_url("own_films", canvas),
        }
        return render(request, "gallery/films/own.html", context, status=status)


@require_POST
@login_required
def order_clip(request: HttpRequest, pk: int) -> HttpResponse:
    """The clip of a film in the `shape` that the form names; one that exists is shown."""
    film = find(request, pk)
    shape = request.POST.get("shape", "")
    if shape not in Film.Shape.values or film.shape:
        raise NotFound(_("There is no film with this address."))
    try:
        return redirect(own.order_clip(_person(request), film, shape))
    except InvalidRequest as error:
        messages.error(request, str(error))
        return redirect(film)


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the views ask for a sign-in
    return request.user


def _asked_for(request: HttpRequest) -> dict[str, Any]:
    """The form as the address fills it in; nonsense in it is left to the form to name."""
    asked = {name: request.GET[name] for name in ("x", "y", "width", "height") if name in request.GET}
    moments = {name: query_params.moment(request, name) for name in ("since", "until")}
    if moments["until"]:  # the form asks for minutes: the one that is begun belongs to it
        moments["until"] += timedelta(minutes=1, microseconds=-1)
    place = request.GET.get("kind") == Film.Kind.PLACE or asked
    return {
        "kind": Film.Kind.PLACE if place else Film.Kind.MINE,
        "shape": request.GET.get("shape", ""),
        **asked,
        **{name: f"{timezone.localtime(moment):{MOMENT}}" for name, moment in moments.items() if moment},
    }
