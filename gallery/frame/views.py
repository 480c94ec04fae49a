"""A frame's permanent page, and the same for programs."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from canvas.models import Frame
from canvas.moderation.permissions import MODERATE
from dreamsite.core import second_factor
from dreamsite.core.errors import NotFound
from dreamsite.core.languages import in_one_language
from dreamsite.core.turns import Pace
from gallery import frames, licence, media, query_params, recipe
from gallery.converters import utc_iso
from gallery.frame import files, origins
from gallery.highlights.models import MAX_CAPTION, Highlight
from gallery.links import canvas_url, frame_url
from gallery.moments import ink
from gallery.moments import views as moments

SHOWN_PEOPLE = 60
_pace = Pace("whose strokes a form grew from", 40, 1.0)  # hundreds of strokes are read for each
HOUR = timedelta(hours=1)  # that a film of a frame's time is of, unless somebody says otherwise


def find(request: HttpRequest, pk: int) -> Frame:
    """The frame. One of a canvas that is not listed only for who names its canvas: nobody finds it by counting.

    Of a deleted canvas only moderators still see them, who may have a report to decide.
    """
    found = Frame.objects.with_people().filter(pk=pk).first()
    named = found is not None and (found.canvas.listed or request.GET.get("canvas") == found.canvas.slug)
    if found is None or not named or (found.canvas.deleted_at is not None and not second_factor.may(request, MODERATE)):
        raise NotFound(_("There is no frame with this address, at least not yet."))
    return found


def hidden_from(request: HttpRequest, this: Frame) -> bool:
    return this.hidden_at is not None and not second_factor.may(request, MODERATE)


@require_safe
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """For a hidden frame the page says so and links to its neighbours (410)."""
    this = find(request, pk)
    previous, following = frames.neighbours(this)
    canvas = this.canvas
    context: dict[str, Any] = {
        "section": "history",
        "frame": this,
        "previous": previous,
        "following": following,
        "around": moments.around(canvas, this.number),
        "address": request.build_absolute_uri(this.get_absolute_url()),
        "moment": moments.moment_url(canvas, moments.moment_of(this)),
        "day": canvas_url("day", canvas, this.made_at.astimezone(query_params.zone(request)).date()),
        "zone": query_params.zone(request).key,
        "film": canvas_url(
            "own_films", canvas, kind="place", since=utc_iso(this.made_at - HOUR), until=utc_iso(this.made_at)
        ),
    }
    if hidden_from(request, this):
        return render(request, "gallery/hidden.html", context, status=410)
    people = [person.get_username() for person in this.contributors.all()]
    before = ink.before(this)
    moderates = request.user.has_perm(MODERATE)
    context |= {
        "people": [(name, _person(name)) for name in people[:SHOWN_PEOPLE]],
        "more_people": max(len(people) - SHOWN_PEOPLE, 0),
        "sentence": recipe.sentence(this),
        "facts": recipe.facts(this),
        "commands": _commands(request, this),
        "card": request.build_absolute_uri(frame_url("frame_card", this)),
        "filename": files.filename(this),
        "files": files.of(this),
        "licence": licence.current(),
        "highlight": Highlight.objects.filter(frame=this).first(),
        "caption_max": MAX_CAPTION,
        "moderates": moderates,
        "can_dream_again": moderates and recipe.style(this) is not None,
        "before": before.base,
        "below": media.path(before.base.picture) if before.base else "",
        "ink": canvas_url("ink", canvas, frame=before.base.pk if before.base else 0),
        "earlier": json.dumps(ink.earlier(before)),
        "embed": request.build_absolute_uri(frame_url("frame_embed", this)),
        "oembed": f"{request.build_absolute_uri(reverse('oembed'))}?"
        + urlencode({"url": request.build_absolute_uri(this.get_absolute_url())}),
    }
    return render(request, "gallery/frame.html", context)


def _person(name: str) -> str:
    """The address of a person's page."""
    try:
        return reverse("person", args=[name])
    except NoReverseMatch:  # a name of older days that no address can hold
        return ""


def _commands(request: HttpRequest, this: Frame) -> list[str]:
    """What makes the same dream again on any machine that has the network: drawing, recipe, and the command."""
    if not this.recipe.get("target"):
        return []
    drawing, dreamed = files.filename(this, "-drawing", ".png"), files.filename(this, "-again", ".jpg")
    written = files.filename(this, "-recipe", ".json")
    absolute = request.build_absolute_uri
    return [
        f"curl -o {drawing} {absolute(frame_url('frame_drawing', this))}",
        f"curl -o {written} {absolute(frame_url('frame_recipe', this))}",
        f"manage.py dream {drawing} {dreamed} --recipe {written}",
    ]


@require_safe
@in_one_language
def page_json(request: HttpRequest, pk: int) -> HttpResponse:
    this = find(request, pk)
    previous, following = frames.neighbours(this)
    answer = as_json(request, this, people=[person.get_username() for person in this.contributors.all()])
    answer["previous"] = previous and _json_address(request, previous)
    answer["next"] = following and _json_address(request, following)
    return JsonResponse(answer, status=410 if this.hidden_at else 200)


@require_safe
def picture(request: HttpRequest, pk: int) -> HttpResponse:
    """A lasting address for a frame's picture, wherever it is stored."""
    this = find(request, pk)
    return _gone() if hidden_from(request, this) else redirect(this.picture.url)


@require_safe
def drawing(request: HttpRequest, pk: int) -> HttpResponseBase:
    """What was drawn before this frame, as PNG: the frame below it and the ink that it was dreamed of."""
    this = find(request, pk)
    if hidden_from(request, this):
        return _gone()
    response = moments.painted_response(lambda: files.painted(this, request.META.get("REMOTE_ADDR", "")))
    if this.hidden_at is not None:
        response["Cache-Control"] = "private, no-store"  # the staff's eyes only
    return response


@require_safe
def origins_json(request: HttpRequest, pk: int) -> HttpResponse:
    """Whose strokes what is seen at ?x&y, whole px, grew from: the nearest that may be shown, the newest first."""
    this = find(request, pk)
    if hidden_from(request, this):
        return _gone()
    x, y = query_params.number(request, "x"), query_params.number(request, "y")
    if x is None or y is None or x >= this.width or y >= this.height:
        raise NotFound(
            _("Received x=%(x)s and y=%(y)s, expected a place of the frame: x below %(width)s, y below %(height)s.")
            % {"x": x, "y": y, "width": this.width, "height": this.height}
        )
    _pace.take(request.META.get("REMOTE_ADDR", ""))
    found = origins.at(this, x + 0.5, y + 0.5)
    names = dict.fromkeys(one.name for one in found if one.name)
    answer = JsonResponse(
        {
            "people": [{"name": name, "page": _person(name)} for name in names],
            "strokes": [
                {"name": one.name, "colour": one.colour, "width": one.width, "line": one.line} for one in found
            ],
        }
    )
    answer["Cache-Control"] = "private, no-store"  # ink and names may be taken away at any moment
    return answer


@require_safe
@in_one_language
def recipe_json(request: HttpRequest, pk: int) -> HttpResponse:
    """The recipe as `manage.py dream --recipe` takes it."""
    this = find(request, pk)
    if hidden_from(request, this):
        return _gone()
    if not this.recipe.get("target"):
        raise NotFound(_("This frame was not dreamed: it has no recipe."))
    # Where it ran is a fact about the past, not a part of what to do.
    recipe = {name: value for name, value in this.recipe.items() if name not in ("device", "guesses")}
    response = HttpResponse(json.dumps(recipe, indent=2) + "\n", content_type="application/json")
    response["Content-Disposition"] = f'inline; filename="{files.filename(this, "-recipe", ".json")}"'
    return response


def _gone() -> HttpResponse:
    return HttpResponse(_("This frame is hidden."), status=410, content_type="text/plain; charset=utf-8")


def _json_address(request: HttpRequest, this: Frame) -> str:
    return request.build_absolute_uri(frame_url("frame_json", this))


def as_json(request: HttpRequest, this: Frame, people: list[str] | None = None) -> dict[str, Any]:
    """A frame for programs; with `people` everything its page says."""
    absolute = request.build_absolute_uri
    answer: dict[str, Any] = {
        "id": this.pk,
        "canvas": this.canvas.slug,
        "number": this.number,
        "kind": this.kind,
        "made_at": utc_iso(this.made_at),
        "page": absolute(this.get_absolute_url()),
        "hidden": this.hidden_at is not None,
    }
    if this.hidden_at is not None:
        return answer
    answer |= {
        "title": this.title,
        "thinned": this.thinned_at is not None,
        "seq": this.seq,
        "width": this.width,
        "height": this.height,
        "size": this.size,
        "sha256": this.sha256,
        "seconds": this.seconds,
        "recipe": this.recipe,
        "picture": media.lasting(request, this.picture),
        "thumbnail": media.lasting(request, this.thumbnail),
    }
    if people is None:
        return answer
    terms = licence.current()
    return {
        **answer,
        "contributors": people,
        "moment": absolute(moments.moment_url(this.canvas, moments.moment_of(this))),
        "licence": {"name": terms.name, "url": terms.address},
        "files": [
            {
                "name": file.name,
                "url": absolute(file.lasting),
                "type": file.type,
                "width": file.width,
                "height": file.height,
                "size": file.size,
                "sha256": file.sha256,
            }
            for file in files.of(this)
        ],
    }
