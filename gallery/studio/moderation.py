"""What moderators do with dreams of the studio, each recorded in the log of acts, and what people report to them."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import numpy as np
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from PIL import Image

from canvas.brush import Pixels
from canvas.frames import storing
from canvas.models import Sanction
from canvas.moderation.cases import services as cases
from canvas.moderation.cases import subjects
from canvas.moderation.models import Act, Case, Report
from dreamsite.core.tasks.jobs import State
from gallery.jobs import files
from gallery.studio.failures import passes
from gallery.studio.models import Original, Work, new_key

PUBLISH = Act.add_verb("publish-dream", _("Showed a dream of the studio to everybody"))
HIDE = Act.add_verb("hide-dream", _("Hid a dream of the studio"))
SHOW_AGAIN = Act.add_verb("show-dream", _("Showed a dream of the studio again"))
TAKEDOWN = Act.add_verb("takedown-request", _("Was asked to take a dream of the studio down"))
SUBJECT = "dream"  # what cases call it


def may_publish(user: Any) -> bool:
    """Not while a sanction keeps this person from drawing."""
    return all(sanction.effects.may_draw for sanction in Sanction.objects.in_force(user))


@transaction.atomic
def ask(work: Work, *, changed: bool = False) -> Case:
    """The open case in the queue about a dream that a newcomer wants to show to everybody; else a new one.

    `changed`: nobody decides any more on what a case showed before.
    """
    _lock(work.key)
    if changed:
        _asked(work).update(version=F("version") + 1, last_by=None, last_what=gettext_noop("its maker changed it"))
    return _asked(work).first() or Case.objects.create(
        kind=Case.Kind.SHOWING, subject_kind=SUBJECT, subject_key=work.key
    )


def withdraw(work: Work) -> None:
    """Its maker no longer asks, or it is gone: nobody needs to decide any more."""
    now, what = timezone.now(), gettext_noop("its maker no longer asks")
    ended = {"outcome": Case.Outcome.MOOT, "closed_at": now, "last_by": None, "last_what": what}
    _asked(work).update(version=F("version") + 1, **ended)


@receiver(post_delete, sender=Work)
def _deleted(instance: Work, **_kwargs: Any) -> None:
    """By its maker, or with the account: no case stays open about what is gone."""
    if instance.kind in Work.KEPT:
        withdraw(instance)


def refusal(work: Work) -> str | None:
    """A moderator's words of why it is not shown, "" where there are none; None where nobody said no."""
    last = Case.objects.filter(kind=Case.Kind.SHOWING, subject_kind=SUBJECT, subject_key=work.key).order_by("-pk")[:1]
    if work.requested_at or work.published_at or not last or last[0].outcome != Case.Outcome.NOT_SHOWN:
        return None
    decided = Act.objects.filter(op=last[0].op, verb=cases.DECIDE).order_by("-pk").first()
    return decided.why if decided else ""


def _asked(work: Work) -> Any:
    return Case.objects.open().filter(kind=Case.Kind.SHOWING, subject_kind=SUBJECT, subject_key=work.key)


@transaction.atomic
def publish(work: Work, by: Any, seen: datetime | None = None) -> bool:
    """Shows a dream that its maker asked to show, and closes its case; False where there was nothing to show.

    `seen`: when whoever decides looked at it. Raises NotYours for a dream of one's own, and where somebody else works
    on its case; Conflict where its maker has changed it since.
    """
    _lock(work.key)
    now = Work.objects.filter(pk=work.pk, published_at=None, requested_at__isnull=False).first()
    if now is None:
        return False
    case = ask(now)
    if seen is not None and now.requested_at is not None and now.requested_at > seen:
        raise cases.Conflict(case)
    return cases.decide(case, case.version, by, Case.Outcome.SHOWN) == Case.Outcome.SHOWN


@transaction.atomic
def _publish(key: str, by: Any, why: str, op: UUID, shown: bool) -> bool:
    """What was decided in the queue; False where the dream is gone, or its maker does not ask any more."""
    work = Work.objects.select_related("owner").filter(key=key, state=State.DONE).first()
    if work is None:
        return False
    if not shown:
        return bool(Work.objects.filter(pk=work.pk).update(requested_at=None, published_at=None, proposed_at=None))
    if not Work.objects.filter(pk=work.pk, requested_at__isnull=False).update(published_at=timezone.now()):
        return False  # what its maker took back stays so
    Act.objects.record(by, PUBLISH, person=work.owner, why=why, dream=work.key, op=op)
    return True


def hide(work: Work, by: Any, why: str = "", op: UUID | None = None) -> bool:
    """Hides a dream from everybody but its maker's own words about it; its files leave their addresses, and those of
    the picture from before, where that was shown, too. Raises StorageUnavailable, and nothing is hidden."""
    with transaction.atomic():
        if not Work.objects.filter(pk=work.pk, hidden_at=None).update(hidden_at=timezone.now()):
            return False
        Act.objects.record(by, HIDE, person=work.owner, why=why, dream=work.key, op=op)
        work.prints.open().cancel()
        work.prints.all().delete()  # large versions of it are made anew if it is shown again
        _move_files(work)
    return True


@transaction.atomic
def show_again(work: Work, by: Any, why: str = "", op: UUID | None = None) -> bool:
    """Shows what was hidden. Its files keep the names that they have had since: its page and feeds lead there, and what
    somebody kept of the old addresses stays without a file."""
    if not Work.objects.filter(pk=work.pk, hidden_at__isnull=False).update(hidden_at=None):
        return False
    Act.objects.record(by, SHOW_AGAIN, person=work.owner, why=why, dream=work.key, op=op)
    return True


def _move_files(work: Work) -> None:
    """To names that nobody knows: whoever kept an address sees nothing there any more.

    In the caller's transaction: where the storage fails nothing is hidden, and a second press does it again.
    """
    now = Work.objects.select_for_update().get(pk=work.pk)
    moves: list[tuple[Any, tuple[str, ...]]] = [(now, Work.FILES)]
    # The picture from before, too: it may have been shown with the dream once, or not, and its address passed on.
    before = Original.objects.select_for_update().filter(pk=now.original_id).first() if now.original_id else None
    if before is not None:
        moves.append((before, ("picture", "large", "video")))
    saved: list[str] = []
    try:
        for row, columns in moves:
            old = {column: str(getattr(row, column)) for column in columns if getattr(row, column)}
            new = {column: _copied(name, saved) for column, name in old.items()}
            type(row)._default_manager.filter(pk=row.pk).update(**new)
            files.delete_after_commit(set(old.values()) - set(new.values()))
    except Exception:
        # Not in this transaction, which is taken back: what was stored by then goes, where the storage lets it.
        storing.delete(*saved)
        raise


def _copied(name: str, saved: list[str]) -> str:
    """The name of a copy, which joins those saved; a lost file keeps its own, as pages and feeds count on one."""
    try:
        with default_storage.open(name, "rb") as file:
            copy = default_storage.save(f"studio/{new_key()}{''.join(PurePosixPath(name).suffixes)}", file)
    except FileNotFoundError:
        return name
    saved.append(copy)
    return copy


def report(work: Work, category: str, text: str, *, reporter: Any, address: str, contact: str = "") -> Report:
    """Files a report on a dream: a case in the queue. `reporter` None has no account. Raises TooMany and Busy."""
    where = cases.Where(None, subject_kind=SUBJECT, subject_key=work.key)
    filed = cases.report(where, category, text, reporter=reporter, address=address, contact=contact)
    if category in Report.TAKEDOWNS:
        Act.objects.record(None, TAKEDOWN, person=work.owner, op=filed.case.op, dream=work.key, ground=category)
    return filed


# --- A dream as something that cases are about ------------------------------------------------------------------------


def _lock(key: str) -> None:
    """Held to the transaction's end. Whoever moves a dream and its case takes the dream first."""
    Work.objects.select_for_update().filter(key=key).first()


def _subject(key: str) -> subjects.Subject | None:
    work = Work.objects.select_related("owner", "original").filter(key=key).first()
    if work is None:
        return None
    title = _("Dream “%(title)s”") % {"title": work}
    picture = work.thumbnail.url if work.thumbnail else ""
    before = work.original.picture.url if work.original and work.show_before else ""
    hidden = work.hidden_at is not None
    return subjects.Subject(str(title), work.get_absolute_url(), work.owner, hidden, picture, before)


def _picture(key: str) -> Pixels | None:
    """As it is now; None where its file is lost or damaged. Raises StorageUnavailable: it is tried again, for nobody
    decides well without a picture."""
    work = Work.objects.filter(key=key).first()
    if work is None or not work.picture:
        return None
    try:
        with work.picture.open("rb") as file, Image.open(file) as image:
            return np.asarray(image.convert("RGB"))
    except OSError as error:
        if passes(error):
            raise
        return None


def _hide(key: str, by: Any, why: str, op: UUID, show: bool) -> bool:
    work = Work.objects.select_related("owner").filter(key=key).first()
    if work is None:
        return False
    return show_again(work, by, why, op) if show else hide(work, by, why, op)


def add_subject() -> None:
    """Dreams of the studio can be what a case is about."""
    subjects.add(subjects.Kind(SUBJECT, _subject, _picture, _hide, _publish, _lock))
