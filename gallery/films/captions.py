"""Titles of films, and the text of their cards."""

from __future__ import annotations

from datetime import UTC
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Count
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from canvas.models import Frame
from dreamer.film import cards
from dreamsite.core import appearance
from gallery import licence
from gallery.films.models import Film
from gallery.films.plan import Plan

NAMES = 400  # people asked for; the card shows as many as fit


def site(film: Film) -> str:
    """Whose picture it is: the canvas', where everybody may know of it."""
    return film.canvas.title if film.canvas.listed else appearance.current().name


def title(film: Film) -> str:
    """What it is called: its own title, or what it shows, or its time."""
    if film.title:
        return film.title
    if film.kind == Film.Kind.MINE:
        return _("What %(name)s drew") % {"name": film.owner.get_username() if film.owner else ""}
    if film.kind == Film.Kind.PLACE:
        return _("A place on the canvas")
    if film.kind == Film.Kind.WHOLE:
        return _("The whole film")
    start, end = film.starts_at.astimezone(UTC), film.ends_at.astimezone(UTC)
    if film.kind == Film.Kind.PART and start.date() != end.date():
        return _("A part of the film")
    return date_format(start, "WEEKDAY_FORMAT")


def span(film: Film) -> str:
    """Which time it shows, in UTC."""
    start, end = film.starts_at.astimezone(UTC), film.ends_at.astimezone(UTC)
    if film.kind == Film.Kind.DAY:
        return _("The whole day (UTC)")
    if start.date() == end.date() or film.kind == Film.Kind.HOURS:
        return _("%(start)s to %(end)s UTC") % {"start": f"{start:%H:%M}", "end": f"{end:%H:%M}"}
    return _("%(start)s to %(end)s") % {
        "start": date_format(start, "DATE_FORMAT"),
        "end": date_format(end, "DATE_FORMAT"),
    }


def card_captions(film: Film, plan: Plan) -> cards.Captions:
    stills = plan.stills
    frames = Frame.objects.visible().filter(
        canvas=film.canvas, number__gte=stills[0].number, number__lte=stills[-1].number
    )
    drew = (
        frames.filter(contributors__closed_at=None)
        .exclude(contributors=None)
        .values_list("contributors__username")
        .annotate(count=Count("pk"))
        .order_by("-count", "contributors__username")
    )
    people = [name for name, _count in drew[:NAMES]]
    if film.kind == Film.Kind.MINE and film.owner:
        people = [film.owner.get_username()]
    networks = sorted({str(name) for name in frames.values_list("recipe__model", flat=True).distinct() if name})
    counted = ngettext("%(count)s frame", "%(count)s frames", len(stills)) % {"count": f"{len(stills):,}"}
    terms = licence.current()
    lines = []
    if networks:
        lines.append(_("Dreamed by %(networks)s") % {"networks": ", ".join(networks[:4])})
    if film.track:
        lines.append(_("Music: %(credit)s") % {"credit": film.track.credit})
        if film.track.link:
            lines.append(film.track.link)
    if film.shape:  # one card, at the end
        return cards.Captions(
            site=site(film),
            title=_("Drawn together, dreamed by a network"),
            subtitle=terms.name,
            address=urlsplit(settings.SITE_URL).netloc,
            licence=terms.name,
        )
    return cards.Captions(
        site=site(film),
        title=title(film),
        subtitle=f"{span(film)} · {counted}",
        address=urlsplit(settings.SITE_URL).netloc,
        licence=_("%(licence)s · everybody who drew") % {"licence": terms.name},
        drawn_by=_("Drawn by"),
        people=tuple(people),
        and_more=_("and {count} others"),
        nobody=_("The network, dreaming on by itself"),
        credits=tuple(lines),
    )
