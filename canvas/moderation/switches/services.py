"""The switches of a canvas: each a value that is read and put, so that every turn of one can be taken back."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from canvas import frames, limits, notify
from canvas.models import Canvas, Dream, Frame, Region, Rules
from canvas.moderation.models import Act
from canvas.moderation.rollback.selection import moment, rectangle
from canvas.wire import milliseconds
from dreamsite.core.errors import InvalidRequest

Value = Any  # JSON: it stands in the log


@dataclass(frozen=True)
class Switch:
    """`read` gives the value in force; `take` checks what was asked for and gives the value to `put`."""

    read: Callable[[Canvas, Value], Value]
    put: Callable[[Canvas, Value, Any], None]
    take: Callable[[Canvas, Any, Any], Value]
    verb: Callable[[Value], str]
    atomic: bool = True  # put and logged in one transaction

    def together(self) -> Any:
        return transaction.atomic() if self.atomic else nullcontext()


def turn(place: Canvas, name: str, asked: Any, by: Any, why: str = "", op: uuid.UUID | None = None) -> Act:
    """Turns a switch; every process acts on it within a second. Raises InvalidRequest."""
    if name not in SWITCHES:
        raise InvalidRequest(f"There is no switch {name!r}; there are {', '.join(SWITCHES)}.")
    switch = SWITCHES[name]
    try:
        after = switch.take(place, asked, by)
    except (TypeError, ValueError, KeyError) as error:
        raise InvalidRequest(f"{name}: {error}") from error
    with switch.together():
        before = switch.read(place, after)
        switch.put(place, after, by)
        if name == "region":  # one that was made just now has its id since then
            before["id"] = after["id"]
        act = _record(place, name, before, after, by, switch.verb(after), why, op)
    notify.look(place.slug)
    return act


def _record(
    place: Canvas,
    name: str,
    before: Value,
    after: Value,
    by: Any,
    verb: str,
    why: str,
    op: uuid.UUID | None,
    undoes: Act | None = None,
) -> Act:
    return Act.objects.record(
        by, verb, canvas=place, why=why, op=op, undoes=undoes, kind="switch", switch=name, before=before, after=after
    )


def reverse(act: Act, by: Any, why: str = "", op: uuid.UUID | None = None) -> Act:
    """Puts a switch back to what it was before. Raises InvalidRequest."""
    assert act.canvas is not None
    place, name = act.canvas, act.what["switch"]
    with SWITCHES[name].together():
        with suppress(
            InvalidRequest
        ):  # somebody has put it there by hand: the rest of the operation is taken back all the same
            SWITCHES[name].put(place, act.what["before"], by)
        done = _record(place, name, act.what["after"], act.what["before"], by, "undo", why, op, undoes=act)
    notify.look(place.slug)
    return done


def state(place: Canvas) -> dict[str, Any]:
    """Where all switches stand."""
    rules = Rules.objects.of(place)
    dream = Dream.objects.filter(canvas=place).first()
    regions = Region.objects.in_force().filter(canvas=place).order_by("id")
    return {
        "frozen": {"on": rules.frozen, "why": rules.frozen_why},
        "slow": rules.slow,
        "slowest": limits.SLOWEST,
        "newcomers": milliseconds(rules.newcomers_after),
        "paused": bool(dream and dream.paused),
        "style": {
            "now": (dream.style or {}).get("title", "") if dream else "",
            "wanted": bool(dream and dream.style_wanted),
            "named": (dream.style_named or {}).get("title", "") if dream else "",
        },
        "regions": [
            {
                "id": region.pk,
                "kind": region.kind,
                "rect": [region.x, region.y, region.width, region.height],
                "why": region.why,
                "until": milliseconds(region.until),
            }
            for region in regions
        ],
    }


# --- rules -----------------------------------------------------------------------------------------------------------


def _save_rules(place: Canvas, **what: Any) -> None:
    rules = Rules.objects.of(place)
    for name, value in what.items():
        setattr(rules, name, value)
    rules.save(update_fields=list(what))


def _slow(place: Canvas, asked: Any, by: Any) -> int:
    slow = int(asked)
    if not 1 <= slow <= limits.SLOWEST:
        raise ValueError(f"slow mode {slow}, expected 1 (off) to {limits.SLOWEST}")
    return slow


def _newcomers(place: Canvas, asked: Any, by: Any) -> int | None:
    at = moment(asked)
    return milliseconds(at)


def _read_newcomers(place: Canvas, value: Value) -> int | None:
    at = Rules.objects.of(place).newcomers_after
    return milliseconds(at)


# --- regions ---------------------------------------------------------------------------------------------------------


def _take_region(place: Canvas, asked: Any, by: Any) -> Value:
    """{"rect", "minutes", "why"} locks a new region; {"id", "locked": false} opens one."""
    if "id" in asked:
        region = Region.objects.in_force().filter(canvas=place, pk=int(asked["id"])).first()
        if region is None:
            raise InvalidRequest("This region is open already.")
        return {"id": region.pk, "locked": False, "until": milliseconds(region.until)}
    rect = rectangle(asked["rect"])
    minutes = asked.get("minutes")
    if rect is None:
        raise InvalidRequest("Choose a rectangle first.")
    left, top = max(0, rect[0]), max(0, rect[1])
    right, bottom = min(place.width, rect[2]), min(place.height, rect[3])
    if left >= right or top >= bottom:
        raise InvalidRequest("The rectangle lies outside the canvas.")
    until = milliseconds(timezone.now() + timedelta(minutes=int(minutes))) if minutes else None
    return {
        "id": None,
        "locked": True,
        "until": until,
        "why": str(asked.get("why", ""))[:200],
        "rect": [left, top, right - left, bottom - top],
    }


def _put_region(place: Canvas, value: Value, by: Any) -> None:
    if value["id"] is None:
        x, y, width, height = value["rect"]
        made = Region.objects.create(
            canvas=place,
            x=x,
            y=y,
            width=width,
            height=height,
            why=value["why"],
            created_by=by,
            until=moment(value["until"]),
        )
        value["id"] = made.pk
        return
    region = Region.objects.get(canvas=place, pk=value["id"])
    if value["locked"]:
        region.lifted_at, region.lifted_by = None, None
        region.save(update_fields=["lifted_at", "lifted_by"])
    else:
        region.lift(by)


# --- the dream -------------------------------------------------------------------------------------------------------


def _put_dream(place: Canvas, **what: Any) -> None:
    Dream.objects.update_or_create(canvas=place, defaults=what)


def _take_style(place: Canvas, asked: Any, by: Any) -> Value:
    """None takes the wish away, "next" wishes for any other style, a style of the shelf for that one."""
    if asked is None or asked == "next":
        return asked
    channel = asked.get("channel")
    return {
        "model": str(asked["model"])[:100],
        "layer": str(asked["layer"])[:200],
        "channel": None if channel is None else int(channel),
        "title": str(asked["title"])[:120],
    }


def _put_style(place: Canvas, value: Value, by: Any) -> None:
    _put_dream(place, style_wanted=value is not None, style_named=value if isinstance(value, dict) else None)


def _read_style(place: Canvas, value: Value) -> Value:
    dream = Dream.objects.filter(canvas=place).first()
    return (dream.style_named or ("next" if dream.style_wanted else None)) if dream else None


# --- the newest frame ------------------------------------------------------------------------------------------------


def _take_frame(place: Canvas, asked: Any, by: Any) -> Value:
    """{"id"} hides that frame, "newest" the one that the canvas starts from; with "hidden": false it is shown again."""
    now = Canvas.objects.get(pk=place.pk)
    pk = now.frame_id if asked == "newest" else int(asked["id"])
    hide = asked == "newest" or asked.get("hidden", True) is not False
    frame = Frame.objects.filter(canvas=place, pk=pk or 0, hidden_at__isnull=hide).first()
    if frame is None:
        raise InvalidRequest("There is no such frame to hide." if hide else "There is no such frame to show again.")
    return {"id": frame.pk, "number": frame.number, "hidden": hide, "base": hide and now.frame_id == frame.pk}


def _put_frame(place: Canvas, value: Value, by: Any) -> None:
    frame = Frame.objects.get(canvas=place, pk=value["id"])
    if value["hidden"]:
        if not frames.hide(frame):
            raise InvalidRequest("This frame is hidden already.")
    else:
        frames.unhide(frame, as_base=value["base"])


SWITCHES: dict[str, Switch] = {
    "frozen": Switch(
        lambda place, value: {"on": (rules := Rules.objects.of(place)).frozen, "why": rules.frozen_why},
        lambda place, value, by: _save_rules(place, frozen=value["on"], frozen_why=value["why"]),
        lambda place, asked, by: {"on": bool(asked["on"]), "why": str(asked.get("why", ""))[:200]},
        lambda value: "freeze" if value["on"] else "unfreeze",
    ),
    "slow": Switch(
        lambda place, value: Rules.objects.of(place).slow,
        lambda place, value, by: _save_rules(place, slow=value),
        _slow,
        lambda value: "slow",
    ),
    "newcomers": Switch(
        _read_newcomers,
        lambda place, value, by: _save_rules(place, newcomers_after=moment(value)),
        _newcomers,
        lambda value: "newcomers",
    ),
    "region": Switch(
        lambda place, value: {**value, "locked": not value["locked"]},
        _put_region,
        _take_region,
        lambda value: "lock-region" if value["locked"] else "unlock-region",
    ),
    "paused": Switch(
        lambda place, value: Dream.objects.filter(canvas=place, paused=True).exists(),
        lambda place, value, by: _put_dream(place, paused=value),
        lambda place, asked, by: bool(asked),
        lambda value: "pause-dream" if value else "resume-dream",
    ),
    "style": Switch(
        _read_style, _put_style, _take_style, lambda value: "this-style" if isinstance(value, dict) else "next-style"
    ),
    "frame": Switch(
        lambda place, value: {**value, "hidden": not value["hidden"]},
        _put_frame,
        _take_frame,
        lambda value: "hide-frame" if value["hidden"] else "show-frame",
        atomic=False,  # files move, and a transaction cannot bring them back
    ),
}
