"""The switches of a canvas: each a value that is read and written, so that every turn of one can be taken back."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from canvas import frames, limits, notify
from canvas.models import Canvas, Dream, Frame, Region, Rules
from canvas.moderation.models import Act, PendingAct
from canvas.moderation.rollback.selection import moment, rectangle
from canvas.wire import milliseconds
from dreamsite.core.errors import InvalidRequest

FRAMES_ALONE = 50  # frames that one moderator hides, or shows, in one act, and within an hour
LATELY = timedelta(hours=1)

Value = Any  # JSON: it stands in the log


@dataclass(frozen=True)
class Switch:
    """`read` gives the value in force; `parse` checks what was requested and gives the value to `write`."""

    read: Callable[[Canvas, Value], Value]
    write: Callable[[Canvas, Value, Any], None]
    parse: Callable[[Canvas, Any, Any], Value]
    verb: Callable[[Value], str]
    atomic: bool = True  # written and logged in one transaction

    def together(self) -> Any:
        return transaction.atomic() if self.atomic else nullcontext()


def turn(
    canvas: Canvas,
    name: str,
    requested: Any,
    by: Any,
    why: str = "",
    op: uuid.UUID | None = None,
    *,
    agreed: bool = False,
) -> Act:
    """Turns a switch; every process acts on it within a second. Raises InvalidRequest.

    Many frames within an hour are hidden by `canvas.moderation.pending`, once somebody else has `agreed`.
    """
    if name not in SWITCHES:
        raise InvalidRequest(f"There is no switch {name!r}; there are {', '.join(SWITCHES)}.")
    switch = SWITCHES[name]
    try:
        after = switch.parse(canvas, requested, by)
    except (TypeError, ValueError, KeyError) as error:
        raise InvalidRequest(f"{name}: {error}") from error
    if name == "frame" and not agreed and (reason := why_two(by, 1, after["hidden"])):
        raise InvalidRequest(reason)
    with switch.together():
        before = switch.read(canvas, after)
        switch.write(canvas, after, by)
        if name == "region":  # one that was created just now has its id by now
            before["id"] = after["id"]
        act = _record(canvas, name, before, after, by, switch.verb(after), why, op)
    notify.look(canvas.slug)
    return act


def why_two(by: Any, count: int, hidden: bool) -> str:
    """Why somebody may not hide, or show again, so many more frames without another's yes; "" where they may."""
    verb = SWITCHES["frame"].verb({"hidden": hidden})
    lately = Act.objects.filter(by=by, verb=verb, at__gt=timezone.now() - LATELY)
    agreed = PendingAct.objects.agreed().values("op")
    if not count or count + lately.exclude(op__in=agreed).count() <= FRAMES_ALONE:
        return ""
    words = _("More than %d frames in one act, or within an hour, need another moderator’s yes.")
    return words % FRAMES_ALONE


def _record(
    canvas: Canvas,
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
        by, verb, canvas=canvas, why=why, op=op, undoes=undoes, kind="switch", switch=name, before=before, after=after
    )


def reverse(act: Act, by: Any, why: str = "", op: uuid.UUID | None = None) -> Act:
    """Puts a switch back to what it was before. Raises InvalidRequest."""
    assert act.canvas is not None
    canvas, name = act.canvas, act.what["switch"]
    with SWITCHES[name].together():
        # Where somebody has changed it by hand, the rest of the operation is taken back all the same.
        with suppress(InvalidRequest):
            SWITCHES[name].write(canvas, act.what["before"], by)
        done = _record(canvas, name, act.what["after"], act.what["before"], by, "undo", why, op, undoes=act)
    notify.look(canvas.slug)
    return done


def state(canvas: Canvas) -> dict[str, Any]:
    """Where all switches stand."""
    rules = Rules.objects.of(canvas)
    dream = Dream.objects.filter(canvas=canvas).first()
    regions = Region.objects.in_force().filter(canvas=canvas).order_by("id")
    return {
        "frozen": {"on": rules.frozen, "why": rules.frozen_why},
        "slow": rules.slow,
        "slowest": limits.SLOWEST,
        "newcomers": milliseconds(rules.newcomers_after),
        "members_only": rules.members_only,
        "reactions": rules.reactions,
        "listed": Canvas.objects.filter(pk=canvas.pk, listed=True).exists(),
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


def _save_rules(canvas: Canvas, **what: Any) -> None:
    rules = Rules.objects.of(canvas)
    for name, value in what.items():
        setattr(rules, name, value)
    rules.save(update_fields=list(what))


def _parse_slow(canvas: Canvas, requested: Any, by: Any) -> int:
    slow = int(requested)
    if not 1 <= slow <= limits.SLOWEST:
        raise ValueError(f"slow mode {slow}, expected 1 (off) to {limits.SLOWEST}")
    return slow


def _parse_newcomers(canvas: Canvas, requested: Any, by: Any) -> int | None:
    at = moment(requested)
    return milliseconds(at)


def _read_newcomers(canvas: Canvas, value: Value) -> int | None:
    at = Rules.objects.of(canvas).newcomers_after
    return milliseconds(at)


# --- the list of canvases --------------------------------------------------------------------------------------------


def _save_canvas(canvas: Canvas, **what: Any) -> None:
    Canvas.objects.filter(pk=canvas.pk).update(**what)


def _parse_listed(canvas: Canvas, requested: Any, by: Any) -> bool:
    if requested and Canvas.objects.filter(pk=canvas.pk).exclude(deleted_at=None).exists():
        raise InvalidRequest(_("This canvas is deleted."))
    return bool(requested)


# --- regions ---------------------------------------------------------------------------------------------------------


def _parse_region(canvas: Canvas, requested: Any, by: Any) -> Value:
    """{"rect", "minutes", "why"} locks a new region; {"id", "locked": false} opens one."""
    if "id" in requested:
        region = Region.objects.in_force().filter(canvas=canvas, pk=int(requested["id"])).first()
        if region is None:
            raise InvalidRequest("This region is open already.")
        return {"id": region.pk, "locked": False, "until": milliseconds(region.until)}
    rect = rectangle(requested["rect"])
    minutes = requested.get("minutes")
    if rect is None:
        raise InvalidRequest("Choose a rectangle first.")
    left, top = max(0, rect[0]), max(0, rect[1])
    right, bottom = min(canvas.width, rect[2]), min(canvas.height, rect[3])
    if left >= right or top >= bottom:
        raise InvalidRequest("The rectangle lies outside the canvas.")
    until = milliseconds(timezone.now() + timedelta(minutes=int(minutes))) if minutes else None
    return {
        "id": None,
        "locked": True,
        "until": until,
        "why": str(requested.get("why", ""))[:200],
        "rect": [left, top, right - left, bottom - top],
    }


def _write_region(canvas: Canvas, value: Value, by: Any) -> None:
    if value["id"] is None:
        x, y, width, height = value["rect"]
        created = Region.objects.create(
            canvas=canvas,
            x=x,
            y=y,
            width=width,
            height=height,
            why=value["why"],
            created_by=by,
            until=moment(value["until"]),
        )
        value["id"] = created.pk
        return
    region = Region.objects.get(canvas=canvas, pk=value["id"])
    if value["locked"]:
        region.lifted_at, region.lifted_by = None, None
        region.save(update_fields=["lifted_at", "lifted_by"])
    else:
        region.lift(by)


# --- the dream -------------------------------------------------------------------------------------------------------


def _write_dream(canvas: Canvas, **what: Any) -> None:
    Dream.objects.update_or_create(canvas=canvas, defaults=what)


def _parse_style(canvas: Canvas, requested: Any, by: Any) -> Value:
    """None withdraws the request, "next" asks for any other style, a style of the shelf for that one."""
    if requested is None or requested == "next":
        return requested
    channel = requested.get("channel")
    return {
        "model": str(requested["model"])[:100],
        "layer": str(requested["layer"])[:200],
        "channel": None if channel is None else int(channel),
        "title": str(requested["title"])[:120],
    }


def _write_style(canvas: Canvas, value: Value, by: Any) -> None:
    _write_dream(canvas, style_wanted=value is not None, style_named=value if isinstance(value, dict) else None)


def _read_style(canvas: Canvas, value: Value) -> Value:
    dream = Dream.objects.filter(canvas=canvas).first()
    return (dream.style_named or ("next" if dream.style_wanted else None)) if dream else None


# --- the newest frame ------------------------------------------------------------------------------------------------


def _parse_frame(canvas: Canvas, requested: Any, by: Any) -> Value:
    """{"id"} hides that frame, "newest" the one that the canvas starts from; with "hidden": false it is shown again."""
    now = Canvas.objects.get(pk=canvas.pk)
    pk = now.frame_id if requested == "newest" else int(requested["id"])
    hide = requested == "newest" or requested.get("hidden", True) is not False
    frame = Frame.objects.filter(canvas=canvas, pk=pk or 0, hidden_at__isnull=hide).first()
    if frame is None:
        raise InvalidRequest("There is no such frame to hide." if hide else "There is no such frame to show again.")
    return {"id": frame.pk, "number": frame.number, "hidden": hide, "base": hide and now.frame_id == frame.pk}


def _write_frame(canvas: Canvas, value: Value, by: Any) -> None:
    frame = Frame.objects.get(canvas=canvas, pk=value["id"])
    if value["hidden"]:
        if not frames.hide(frame):
            raise InvalidRequest("This frame is hidden already.")
    else:
        frames.unhide(frame, as_base=value["base"])


SWITCHES: dict[str, Switch] = {
    "frozen": Switch(
        lambda canvas, value: {"on": (rules := Rules.objects.of(canvas)).frozen, "why": rules.frozen_why},
        lambda canvas, value, by: _save_rules(canvas, frozen=value["on"], frozen_why=value["why"]),
        lambda canvas, requested, by: {"on": bool(requested["on"]), "why": str(requested.get("why", ""))[:200]},
        lambda value: "freeze" if value["on"] else "unfreeze",
    ),
    "slow": Switch(
        lambda canvas, value: Rules.objects.of(canvas).slow,
        lambda canvas, value, by: _save_rules(canvas, slow=value),
        _parse_slow,
        lambda value: "slow",
    ),
    "newcomers": Switch(
        _read_newcomers,
        lambda canvas, value, by: _save_rules(canvas, newcomers_after=moment(value)),
        _parse_newcomers,
        lambda value: "newcomers",
    ),
    "members_only": Switch(
        lambda canvas, value: Rules.objects.of(canvas).members_only,
        lambda canvas, value, by: _save_rules(canvas, members_only=value),
        lambda canvas, requested, by: bool(requested),
        lambda value: "members-only" if value else "guests-too",
    ),
    "listed": Switch(
        lambda canvas, value: Canvas.objects.filter(pk=canvas.pk, listed=True).exists(),
        lambda canvas, value, by: _save_canvas(canvas, listed=value, listing_asked_at=None),
        _parse_listed,
        lambda value: "list-canvas" if value else "unlist-canvas",
    ),
    "reactions": Switch(
        lambda canvas, value: Rules.objects.of(canvas).reactions,
        lambda canvas, value, by: _save_rules(canvas, reactions=value),
        lambda canvas, requested, by: bool(requested),
        lambda value: "marks-on" if value else "marks-off",
    ),
    "region": Switch(
        lambda canvas, value: {**value, "locked": not value["locked"]},
        _write_region,
        _parse_region,
        lambda value: "lock-region" if value["locked"] else "unlock-region",
    ),
    "paused": Switch(
        lambda canvas, value: Dream.objects.filter(canvas=canvas, paused=True).exists(),
        lambda canvas, value, by: _write_dream(canvas, paused=value),
        lambda canvas, requested, by: bool(requested),
        lambda value: "pause-dream" if value else "resume-dream",
    ),
    "style": Switch(
        _read_style, _write_style, _parse_style, lambda value: "this-style" if isinstance(value, dict) else "next-style"
    ),
    "frame": Switch(
        lambda canvas, value: {**value, "hidden": not value["hidden"]},
        _write_frame,
        _parse_frame,
        lambda value: "hide-frame" if value["hidden"] else "show-frame",
        atomic=False,  # files move, and a transaction cannot bring them back
    ),
}
