"""Doing what was planned: one transaction, one row of the log, one operation that can be taken back."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction

from canvas import frames, journal, lease, limits, notify, wire
from canvas.models import Canvas, Dream, Frame
from canvas.moderation.models import Act
from canvas.moderation.rollback import plans
from canvas.moderation.rollback.plans import Plan, RollbackRequest
from dreamsite.core.errors import InvalidRequest

ATTEMPTS = 6  # a new frame may come in while an earlier picture is put together


def apply(canvas: Canvas, wanted: RollbackRequest, by: Any, why: str = "", op: uuid.UUID | None = None) -> Act:
    """Takes the chosen strokes out and brings an earlier picture back where dreams hold them. Raises InvalidRequest."""
    about = wanted.selection.to_json()

    def act(planned: Plan, locked: Canvas, frame: Frame | None) -> Act:
        verb = "rollback" if planned.numbers else "restore"
        people = sorted({stroke.author for stroke in planned.strokes})
        only = people[0] if len(people) == 1 else None
        return Act.objects.record(
            by,
            verb,
            canvas=canvas,
            person=_person(only),
            why=why,
            op=op,
            selection=about,
            people=people,
            strokes=len(planned.strokes),
            **_write(planned, locked, frame),
        )

    return _until_it_fits(lambda: plans.plan(canvas, wanted), act)


def reverse(act: Act, by: Any, why: str = "", op: uuid.UUID | None = None) -> Act:
    """Takes back an act on the picture, or the taking back of one. Raises InvalidRequest."""

    def undo(planned: Plan, locked: Canvas, frame: Frame | None) -> Act:
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
            **_write(planned, locked, frame),
        )

    return _until_it_fits(lambda: plans.reverse(act), undo)


def _until_it_fits(make: Any, act: Any) -> Act:
    """Plans and does it; plans again where the base has changed meanwhile."""
    for _ in range(ATTEMPTS):
        planned: Plan = make()
        if planned.empty:
            raise InvalidRequest("There is nothing to change: no such strokes are in the picture now.")
        try:
            done = _do(planned, act)
        except lease.BaseGone:
            continue
        notify.look(planned.canvas.slug)
        return done
    raise InvalidRequest(
        "New frames came in faster than the picture could be put together. Pause the dream and try again."
    )


def _do(planned: Plan, act: Any) -> Act:
    done: list[Act] = []

    def within(locked: Canvas, frame: Frame | None) -> None:
        if locked.frame_id != planned.canvas.frame_id:
            raise lease.BaseGone(f"{locked} has another frame than the act was planned on.")
        done.append(act(planned, locked, frame))

    if planned.restores:
        assert planned.canvas.frame is not None
        # Without loss: outside the area not one pixel of the base changes.
        picture = frames.encode(planned.restored, Frame.Kind.RESTORED)
        frames.keep(
            frames.NewFrame(planned.canvas, picture, Frame.Kind.RESTORED, planned.canvas.frame.seq), also=within
        )
    else:
        with transaction.atomic():
            within(Canvas.objects.lock(planned.canvas.pk), None)
    return done[0]


def _write(planned: Plan, locked: Canvas, frame: Frame | None) -> dict[str, Any]:
    """Writes the numbers into the journal, under the canvas' lock; gives what the log needs to take it back."""
    first = last = None
    for at in range(0, len(planned.numbers), limits.MAX_NUMBERS):
        # A batch is one message to every browser: 4096 numbers are half of what it may hold.
        batch = journal.append(locked, [wire.Hide(planned.numbers[at : at + limits.MAX_NUMBERS], planned.show)])
        assert batch is not None
        first, last = first or batch.first, batch.last
    position = Dream.objects.filter(canvas=locked).values_list("position", flat=True).first() or 0
    if planned.restores or (planned.numbers and min(planned.numbers) <= position):
        lease.withdraw(locked)
    newest = Frame.objects.filter(canvas=locked).order_by("-number").values_list("number", flat=True).first() or 0
    return {
        "kind": "picture",
        "ops": [first, last] if first else None,
        "show": planned.show,
        "pieces": len(planned.numbers),
        "first": min(planned.numbers, default=None),
        "before": locked.frame_id,
        "frame": frame.pk if frame else None,
        "source": planned.source.pk if planned.source else None,
        "next": frame.number if frame else newest + 1,
        "area": {
            "kind": planned.area.kind,
            "rect": list(planned.area.rect) if planned.area.rect else None,
            "feather": planned.area.feather,
            "grow": planned.area.grow,
        },
    }


def _person(user_id: int | None) -> Any:
    from django.contrib.auth import get_user_model

    return get_user_model().objects.filter(pk=user_id).first() if user_id else None
