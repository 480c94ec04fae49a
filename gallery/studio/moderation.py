"""What moderators do with dreams of the studio, each recorded in the log of acts, and what people report to them."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from canvas.models import Sanction
from canvas.moderation.cases.services import LIMITS, TooMany
from canvas.moderation.models import Act
from canvas.moderation.signals import ip_digests
from dreamsite.core.tasks.jobs import State
from gallery.studio.models import Work, WorkReport, new_key

PUBLISH = Act.add_verb("publish-dream", _("Showed a dream of the studio to everybody"))
HIDE = Act.add_verb("hide-dream", _("Hid a dream of the studio"))
SHOW_AGAIN = Act.add_verb("show-dream", _("Showed a dream of the studio again"))
DISMISS = Act.add_verb("dismiss-dream-report", _("Found nothing wrong with a dream of the studio"))
TAKEDOWN = Act.add_verb("takedown-request", _("Was asked to take a dream of the studio down"))
FILES = ("picture", "thumbnail", "gif", "mp4")


def may_publish(user: Any) -> bool:
    """Not while a sanction keeps this person from drawing."""
    return all(sanction.effects.may_draw for sanction in Sanction.objects.in_force(user))


@transaction.atomic
def publish(work: Work, by: Any) -> bool:
    """Shows a dream to everybody that its maker asked to show; False where there was nothing to do."""
    ready = Work.objects.filter(pk=work.pk, state=State.DONE, published_at=None, requested_at__isnull=False)
    if not ready.update(published_at=timezone.now()):
        return False
    Act.objects.record(by, PUBLISH, person=work.owner, dream=work.key)
    return True


def hide(work: Work, by: Any, why: str = "") -> bool:
    """Hides a dream from everybody but its maker's own words about it; its files leave their addresses."""
    with transaction.atomic():
        if not Work.objects.filter(pk=work.pk, hidden_at=None).update(hidden_at=timezone.now()):
            return False
        Act.objects.record(by, HIDE, person=work.owner, why=why, dream=work.key)
        WorkReport.objects.filter(work=work, answered_at=None).update(
            answered_at=timezone.now(), answered_by=by, outcome=WorkReport.Outcome.HIDDEN
        )
    _move_files(work)
    return True


@transaction.atomic
def show_again(work: Work, by: Any) -> bool:
    if not Work.objects.filter(pk=work.pk, hidden_at__isnull=False).update(hidden_at=None):
        return False
    Act.objects.record(by, SHOW_AGAIN, person=work.owner, dream=work.key)
    return True


def _move_files(work: Work) -> None:
    """To names that nobody knows: whoever kept an address sees nothing there any more."""
    now = Work.objects.get(pk=work.pk)
    old = {column: str(getattr(now, column)) for column in FILES if getattr(now, column)}
    new = {}
    for column, name in old.items():
        with default_storage.open(name, "rb") as file:
            moved = f"studio/{new_key()}{''.join(PurePosixPath(name).suffixes)}"
            new[column] = default_storage.save(moved, ContentFile(file.read()))
    Work.objects.filter(pk=work.pk).update(**new)
    for name in old.values():
        default_storage.delete(name)


def report(work: Work, *, reporter: Any, address: str, **fields: str) -> WorkReport:
    """Files a report on a dream, of somebody with or without an account. Raises canvas' TooMany."""
    mine = WorkReport.objects.filter(reporter=reporter) if reporter else WorkReport.objects.filter(address=address)
    with transaction.atomic():
        ip_digests.lock()  # a hundred reports at once are counted one after another
        now = timezone.now()
        for within, most in LIMITS["account" if reporter else "stranger"]:
            times = mine.filter(at__gt=now - within).order_by("-at").values_list("at", flat=True)
            if (first := times[most - 1 : most].first()) is not None:
                raise TooMany(int((first + within - now).total_seconds()) + 1)
        filed = WorkReport.objects.create(work=work, reporter=reporter, address=address, **fields)
        if filed.is_takedown:
            Act.objects.record(None, TAKEDOWN, person=work.owner, dream=work.key, ground=filed.category)
    return filed


@transaction.atomic
def dismiss(filed: WorkReport, by: Any) -> bool:
    """Nothing is wrong with the dream."""
    waiting = WorkReport.objects.filter(pk=filed.pk, answered_at=None)
    if not waiting.update(answered_at=timezone.now(), answered_by=by, outcome=WorkReport.Outcome.STANDS):
        return False
    Act.objects.record(by, DISMISS, person=filed.work.owner, dream=filed.work.key)
    return True
