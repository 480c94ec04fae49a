"""Doing what was planned: one transaction, one row of the log, one operation that can be taken back."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction

from canvas import frames, journal, lease, limits, notify, wire
from canvas.models import Canvas, Dream, Frame
from canvas.moderation.models import Act
from canvas.moderation.rollback import plans
from canvas.moderation.rollback.plans import Plan, Wish
from dreamsite.core.errors import InvalidRequest

ATTEMPTS = 6  # a new frame may come in while an earlier picture is put together


def apply(place: Canvas, wish: Wish, by: Any, why: str = "", op: uuid.UUID | None = None) -> Act:
    """Takes the chosen strokes out and brings an earlier picture back where dreams hold them. Raises InvalidRequest."""
    about = wish.selection.to_json()

    def act(made: Plan, locked: Canvas, frame: Frame | None) -> Act:
        verb = "rollback" if made.numbers else "restore"
        people = sorted({stroke.author for stroke in made.strokes})
        only = people[0] if len(people) == 1 else None
        return Act.objects.record(
            by,
            verb,
            canvas=place,
            person=_person(only),
            why=why,
            op=op,
            selection=about,
            people=people,
            strokes=len(made.strokes),
            **_write(made, locked, frame),
        )

    return _until_it_fits(lambda: plans.plan(place, wish), act)


def reverse(act: Act, by: Any, why: str = "", op: uuid.UUID | None = None) -> Act:
    """Takes back an act on the picture, or the taking back of one. Raises InvalidRequest."""

    def undo(made: Plan, locked: Canvas, frame: Frame | None) -> Act:
        return Act.objects.record(
            by,
            "undo",
            canvas=act.canvas,
            person=_person(act.person_id),
            why=why,
            op=op,
            undoes=act,
            strokes=act.what["strokes"],
            people=act.what["people"],
            **_write(made, locked, frame),
        )

    return _until_it_fits(lambda: plans.reverse(act), undo)


def _until_it_fits(make: Any, act: Any) -> Act:
    """Plans and does it; plans anew where the base has changed meanwhile."""
    for _ in range(ATTEMPTS):
        made: Plan = make()
        if made.empty:
            raise InvalidRequest("There is nothing to change: no such strokes are in the picture now.")
        try:
            done = _do(made, act)
        except lease.BaseGone:
            continue
        notify.look(made.place.slug)
        return done
    raise InvalidRequest(
        "New frames came in faster than the picture could be put together. Pause the dream and try again."
    )


def _do(made: Plan, act: Any) -> Act:
    done: list[Act] = []

    def within(locked: Canvas, frame: Frame | None) -> None:
        if locked.frame_id != made.place.frame_id:
            raise lease.BaseGone(f"{locked} has another frame than the act was planned on.")
        done.append(act(made, locked, frame))

    if made.mends:
        assert made.place.frame is not None
        # Without loss: outside the area not one pixel of the base changes.
        picture = frames.encode(made.mended, Frame.Kind.RESTORED)
        frames.keep(frames.NewFrame(made.place, picture, Frame.Kind.RESTORED, made.place.frame.seq), also=within)
    else:
        with transaction.atomic():
            within(Canvas.objects.lock(made.place.pk), None)
    return done[0]


def _write(made: Plan, locked: Canvas, frame: Frame | None) -> dict[str, Any]:
    """Writes the numbers into the journal, under the canvas' lock; gives what the log needs to take it back."""
    first = last = None
    for at in range(0, len(made.numbers), limits.MAX_NUMBERS):
        # A batch is one message to every browser: 4096 numbers are half of what it may hold.
        batch = journal.append(locked, [wire.Hide(made.numbers[at : at + limits.MAX_NUMBERS], made.show)])
        assert batch is not None
        first, last = first or batch.first, batch.last
    position = Dream.objects.filter(canvas=locked).values_list("position", flat=True).first() or 0
    if made.mends or (made.numbers and min(made.numbers) <= position):
        lease.withdraw(locked)
    newest = Frame.objects.filter(canvas=locked).order_by("-number").values_list("number", flat=True).first() or 0
    return {
        "kind": "picture",
        "ops": [first, last] if first else None,
        "show": made.show,
        "pieces": len(made.numbers),
        "first": min(made.numbers, default=None),
        "before": locked.frame_id,
        "frame": frame.pk if frame else None,
        "source": made.source.pk if made.source else None,
        "next": frame.number if frame else newest + 1,
        "area": {
            "kind": made.area.kind,
            "rect": list(made.area.rect) if made.area.rect else None,
            "feather": made.area.feather,
            "grow": made.area.grow,
        },
    }


def _person(user_id: int | None) -> Any:
    from django.contrib.auth import get_user_model

    return get_user_model().objects.filter(pk=user_id).first() if user_id else None
