"""A member's canvas that its maker wants on the list of canvases: a case in the queue, decided by a moderator."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop

from canvas.models import Canvas
from canvas.moderation.models import Act, Case


@transaction.atomic
def ask(canvas: Canvas) -> Case:
    """The open case about it; a new one where there is none."""
    Canvas.objects.lock(canvas.pk)
    Canvas.objects.filter(pk=canvas.pk).update(listing_asked_at=timezone.now())
    open_ones = Case.objects.open().filter(kind=Case.Kind.LISTING, canvas=canvas)
    return open_ones.first() or Case.objects.create(kind=Case.Kind.LISTING, canvas=canvas)


def retitled(canvas: Canvas) -> None:
    """The open case is another one now: a yes to the title that was read before is refused as out of date."""
    Case.objects.open().filter(kind=Case.Kind.LISTING, canvas=canvas).update(
        version=F("version") + 1, last_by=None, last_what=""
    )


@transaction.atomic
def withdraw(canvas: Canvas) -> None:
    """Nobody needs to decide any more."""
    Canvas.objects.filter(pk=canvas.pk).update(listing_asked_at=None)
    for case in Case.objects.open().filter(kind=Case.Kind.LISTING, canvas=canvas):
        Case.objects.filter(pk=case.pk, closed_at=None).update(
            outcome=Case.Outcome.MOOT,
            closed_at=timezone.now(),
            version=case.version + 1,
            last_by=None,
            last_what=gettext_noop("its maker no longer asks"),
        )


def refusal(canvas: Canvas) -> str | None:
    """A moderator's words of why it is not on the list, "" where there are none; None where nobody said no."""
    last = Case.objects.filter(kind=Case.Kind.LISTING, canvas=canvas).order_by("-pk").first()
    if last is None or canvas.listed or last.outcome != Case.Outcome.UNLISTED:
        return None
    decided = Act.objects.filter(op=last.op, verb="decide-case").order_by("-pk").first()
    return decided.why if decided else ""
