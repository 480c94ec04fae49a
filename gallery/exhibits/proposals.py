"""Dreams of the studio that their makers propose for exhibits: hung by curators, or declined; each is in the log."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from canvas.moderation.cases.services import NotYours
from canvas.moderation.models import Act
from gallery.exhibits.models import Exhibit, Picture
from gallery.studio.models import Work

HANG = Act.add_verb("hang-dream", _("Hung a dream of the studio in an exhibit"))
DECLINE = Act.add_verb("decline-dream", _("Declined a dream of the studio that was proposed for an exhibit"))


@transaction.atomic
def hang(work: Work, exhibit: Exhibit, by: Any) -> bool:
    """Hangs a proposed dream as the exhibit's last item; False where it is not proposed any more.

    Raises NotYours for a dream of one's own.
    """
    _not_ones_own(work, by)
    _lock(work)
    Exhibit.objects.select_for_update().get(pk=exhibit.pk)
    if not Work.objects.proposed().filter(pk=work.pk).exists():
        return False
    last = exhibit.pictures.aggregate(last=Max("position"))["last"] or 0
    credit = ", ".join(filter(None, (work.owner.username, work.licence)))
    Picture.objects.create(
        exhibit=exhibit, after_work_id=work.pk, position=last + 1, caption=str(work)[:300], credit=credit[:200]
    )
    Act.objects.record(by, HANG, person=work.owner, dream=work.key, exhibit=exhibit.slug)
    return True


def _not_ones_own(work: Work, by: Any) -> None:
    if work.owner_id == by.pk:
        raise NotYours(_("This dream is your own. Somebody else decides about it."))


def _lock(work: Work) -> None:
    """Before anything is read: of several curators the first decides."""
    Work.objects.select_for_update().filter(pk=work.pk).first()


@transaction.atomic
def decline(work: Work, by: Any) -> bool:
    """Its maker is told on its page; it can be proposed again. Raises NotYours for a dream of one's own: its maker can
    withdraw it there."""
    _not_ones_own(work, by)
    _lock(work)
    if not Work.objects.filter(pk__in=Work.objects.proposed().filter(pk=work.pk)).update(declined_at=timezone.now()):
        return False
    Act.objects.record(by, DECLINE, person=work.owner, dream=work.key)
    return True
