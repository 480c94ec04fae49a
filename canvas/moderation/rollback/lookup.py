"""What moderators look up: who drew here, who was here lately, and where a person's ink lies."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Count, Max, Min, Q, Sum

from canvas import strokes
from canvas.models import Canvas, Frame, Sanction, Stroke
from canvas.moderation.rollback.plans import fresh
from canvas.wire import milliseconds
from dreamsite.core.rect import Rect

PEOPLE = 200
LINES = 1_500  # strokes drawn over the canvas at once
POINTS = 40  # of each: enough to recognise it


def who_drew(canvas: Canvas, x: float, y: float, radius: float, limit: int = 20) -> list[dict[str, Any]]:
    """Strokes at a point, newest first: whose, when, with what, and what became of them; with their lines."""
    return described(canvas, strokes.at(canvas, x, y, radius, limit))


def described(canvas: Canvas, found: list[Stroke]) -> list[dict[str, Any]]:
    base_seq = _base_seq(canvas)
    known = names(stroke.author for stroke in found)
    lines = geometry(canvas, found)
    return [
        {
            "author": stroke.author,
            "stroke": stroke.stroke_id,
            "name": known.get(stroke.author, ""),
            "at": milliseconds(stroke.ended_at),
            "colour": stroke.colour,
            "width": stroke.width,
            "state": stroke.state(base_seq),
            "line": lines.get((stroke.author, stroke.stroke_id), []),
        }
        for stroke in found
    ]


def people(canvas: Canvas, since: datetime, rect: Rect | None = None) -> list[dict[str, Any]]:
    """Who has drawn since then, those with the most ink still there first; also those who have left."""
    strokes.index(canvas)
    base_seq = _base_seq(canvas)
    found = Stroke.objects.filter(canvas=canvas).between(since)
    if rect:
        found = found.within(canvas, rect)
    shown = Q(undone_seq=None, hidden=0)
    rows = list(
        found.values("author")
        .annotate(
            strokes=Count("id", filter=shown),
            points=Sum("points", filter=shown),
            first=Min("began_at"),
            last=Max("ended_at"),
            dreamed=Count("id", filter=shown & Q(last_seq__lte=base_seq)),
            all=Count("id"),
        )
        .order_by("-points", "author")[:PEOPLE]
    )
    users = get_user_model().objects.in_bulk([row["author"] for row in rows])
    sanctioned: dict[int, str] = {}
    for sanction in Sanction.objects.in_force().filter(user__in=users):
        sanctioned[sanction.user_id] = sanction.degree
    return [
        {
            "id": row["author"],
            "name": users[row["author"]].get_username() if row["author"] in users else "",
            "joined": milliseconds(users[row["author"]].date_joined) if row["author"] in users else None,
            "strokes": row["strokes"],
            "all": row["all"],
            "dreamed": row["dreamed"],
            "first": milliseconds(row["first"]),
            "last": milliseconds(row["last"]),
            "sanction": sanctioned.get(row["author"], ""),
        }
        for row in rows
    ]


def ink_of(canvas: Canvas, people: Iterable[int], since: datetime | None = None) -> dict[str, Any]:
    """The newest strokes of these people, as lines to lay over the canvas, and how many there are."""
    strokes.index(canvas)
    found = Stroke.objects.filter(canvas=canvas).by(*people).between(since).shown()
    some = list(found.newest()[:LINES])
    return {"count": found.count(), "lines": lines(canvas, some)}


def lines(canvas: Canvas, found: list[Stroke]) -> list[dict[str, Any]]:
    base_seq = _base_seq(canvas)
    ink = geometry(canvas, found[:LINES])
    return [
        {
            "author": stroke.author,
            "width": stroke.width,
            "state": stroke.state(base_seq),
            "line": ink[stroke.author, stroke.stroke_id],
        }
        for stroke in found[:LINES]
    ]


def geometry(canvas: Canvas, found: Iterable[Stroke]) -> dict[strokes.Key, list[int]]:
    """x, y, x, y … of each stroke in whole px, at most POINTS of them."""
    drawn = {}
    for key, pieces in strokes.pieces(canvas, found).items():
        points = [(x // 8, y // 8) for _, op in pieces for x, y, _ in op.points]
        step = max(1, -(-len(points) // POINTS))
        drawn[key] = [number for point in [*points[::step], *points[-1:]] for number in point]
    return drawn


def pictures(canvas: Canvas, before: int | None = None) -> list[dict[str, Any]]:
    """Frames to restore from, newest first."""
    found = Frame.objects.visible().filter(canvas=canvas).order_by("-number")
    if before is not None:
        found = found.filter(number__lt=before)
    return [
        {
            "id": frame.pk,
            "number": frame.number,
            "at": milliseconds(frame.made_at),
            "kind": frame.kind,
            "title": frame.title,
            "thumbnail": frame.thumbnail.url,
        }
        for frame in found[:24]
    ]


def names(people: Iterable[int]) -> dict[int, str]:
    return {user.pk: user.get_username() for user in get_user_model().objects.filter(pk__in=set(people))}


def _base_seq(canvas: Canvas) -> int:
    now = fresh(canvas)
    return now.frame.seq if now.frame else 0
