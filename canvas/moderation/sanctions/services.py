"""Sanctions by degrees: issued, changed and lifted, each with its row in the log; and the one appeal against each.

The gate enforces them (canvas/gate.py). Here is who may decide what about whom.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from canvas import degrees, notify
from canvas.models import Sanction
from canvas.moderation.cases import services as cases
from canvas.moderation.models import Act, Appeal, Case, PendingAct
from canvas.moderation.permissions import ALL, REVIEW_APPEAL
from dreamsite.core.languages import speaking_to
from dreamsite.core.models import User

ISSUE = Act.add_verb("sanction", gettext_lazy("Issued a sanction"))
EDIT = Act.add_verb("edit-sanction", gettext_lazy("Changed a sanction"))
LIFT = Act.add_verb("lift-sanction", gettext_lazy("Lifted a sanction"))
APPEAL = Act.add_verb("appeal", gettext_lazy("Appealed"))
DECIDE_APPEAL = Act.add_verb("decide-appeal", gettext_lazy("Decided an appeal"))

APPEAL_DAYS = 20

log = logging.getLogger(__name__)


SUSPENSIONS_ALONE = 5  # sanctions that stop somebody's drawing, by one moderator within an hour
LATELY = timedelta(hours=1)
# Degrees that stop drawing for a time that the moderator sets.
HARD = [degree.name for degree in degrees.DEGREES if not degree.may_draw and not degree.must_acknowledge]


class SanctionError(Exception):
    """Not possible, and why, in words for the page."""


class NeedsAnother(SanctionError):
    """Not by one moderator alone, and why: canvas.moderation.pending asks for another's yes."""


def why_two(by: Any, person: Any, degree: str = "") -> str:
    """Why this moderator may not decide about this person alone; "" where they may."""
    if not by.is_superuser and any(person.has_perm(permission) for permission in ALL):
        return _("It is about somebody who moderates: that takes an owner, or two moderators.")
    if degree in HARD:
        lately = Act.objects.filter(
            by=by, verb__in=[ISSUE, EDIT], what__degree__in=HARD, at__gt=timezone.now() - LATELY
        )
        if lately.exclude(what__has_key="pending").count() >= SUSPENSIONS_ALONE:
            words = _("More than %d suspensions within an hour need another moderator’s yes.")
            return words % SUSPENSIONS_ALONE
    return ""


def _ask_two(by: Any, person: Any, degree: str, pending: Any) -> dict[str, Any]:
    """What the log says of the act that another agreed to. Raises NeedsAnother where there should be one."""
    if pending is not None:
        return {"pending": pending.pk, "agreed": pending.answered_by_id}
    if reason := why_two(by, person, degree):
        raise NeedsAnother(reason)
    return {}


# --- Issuing --------------------------------------------------------------------------------------------------------


def next_degree(person: Any) -> str:
    """What would come next for this person: a warning, then one degree harder than the hardest that stood so far."""
    past = Sanction.objects.filter(user=person).exclude(appeal__outcome=Appeal.Outcome.OVERTURNED)
    had = [degrees.BY_NAME[name].severity for name in past.values_list("degree", flat=True)]
    return degrees.DEGREES[min(max(had, default=-1) + 1, len(degrees.DEGREES) - 1)].name


@transaction.atomic
def issue(
    by: Any,
    person: Any,
    degree: str,
    reason: str,
    until: datetime | None = None,
    *,
    case: Case | None = None,
    pending: PendingAct | None = None,
) -> Sanction:
    """Puts a sanction on somebody, at once. Raises SanctionError for oneself, for an owner, and for nobody, and
    NeedsAnother where two are needed and nobody agreed (`pending`)."""
    if person.pk == by.pk:
        raise SanctionError(_("Nobody sanctions themselves."))
    if person.is_superuser and not by.is_superuser:
        raise SanctionError(_("Only an administrator can sanction an administrator."))
    agreed = _ask_two(by, person, degree, pending)
    sanction = Sanction.objects.create(user=person, degree=degree, reason=_clean(reason), until=until, created_by=by)
    if case:
        case.sanctions.add(sanction)
    of_case: dict[str, Any] = {"op": pending.op} if pending else {}
    of_case |= {"op": case.op, "case": case.pk} if case else {}
    what = {"sanction": sanction.pk, "degree": degree, "until": _iso(until), **agreed}
    Act.objects.record(by, ISSUE, person=person, why=sanction.reason, **what, **of_case)
    _notify(sanction, "issued")
    return sanction


def why_not_touch(by: Any, sanction: Sanction) -> str:
    """Why this moderator may neither change nor lift this sanction; "" where they may."""
    return _("It stands against yourself. Somebody else decides about it.") if by.pk == sanction.user_id else ""


@transaction.atomic
def edit(
    by: Any,
    sanction: Sanction,
    *,
    seen: dict[str, Any],
    degree: str,
    reason: str,
    until: datetime | None,
    pending: PendingAct | None = None,
) -> None:
    """Changes a sanction that is still as the form showed it (`seen`: degree, reason, until). Raises SanctionError, and
    NeedsAnother."""
    if refusal := why_not_touch(by, sanction):
        raise SanctionError(refusal)
    now = {"degree": degree, "reason": _clean(reason), "until": until}
    if now == seen:
        return
    agreed = _ask_two(by, sanction.user, degree if degree != seen["degree"] else "", pending)
    mine = Sanction.objects.filter(pk=sanction.pk, lifted_at=None, **seen)
    # A warning that became something else, or the other way round, has not been acknowledged as such.
    fresh = {"acknowledged_at": None} if degree != seen["degree"] else {}
    if not mine.update(**now, **fresh):
        raise SanctionError(_as_it_is(sanction))
    sanction.refresh_from_db()
    changed = {name: [_iso(seen[name]), _iso(now[name])] for name in now if now[name] != seen[name]}
    what = {"sanction": sanction.pk, "changed": changed, **agreed}
    if "degree" in changed:
        what["degree"] = degree
    op = pending.op if pending else None
    Act.objects.record(by, EDIT, person=sanction.user, why=sanction.reason, op=op, **what)
    _notify(sanction, "changed")


@transaction.atomic
def lift(by: Any, sanction: Sanction, why: str = "", *, pending: PendingAct | None = None) -> None:
    """Ends a sanction before its time; an appeal that waits is closed in the person's favour. Raises SanctionError, and
    NeedsAnother."""
    if refusal := why_not_touch(by, sanction):
        raise SanctionError(refusal)
    agreed = _ask_two(by, sanction.user, "", pending)
    now = timezone.now()
    if not Sanction.objects.filter(pk=sanction.pk, lifted_at=None).update(lifted_at=now, lifted_by=by):
        raise SanctionError(_as_it_is(sanction))
    sanction.refresh_from_db()
    what = {"sanction": sanction.pk, "degree": sanction.degree, **agreed}
    Act.objects.record(by, LIFT, person=sanction.user, why=why, op=pending.op if pending else None, **what)
    appeal = Appeal.objects.select_related("case").filter(sanction=sanction, outcome="").first()
    if appeal is not None:
        Appeal.objects.filter(pk=appeal.pk).update(outcome=Appeal.Outcome.LIFTED, decided_at=now, decided_by=by)
        cases.move(
            appeal.case,
            appeal.case.version,
            by,
            gettext_noop("lifted the sanction"),
            outcome=Case.Outcome.LIFTED,
            closed_at=now,
            closed_by=by,
        )
    _notify(sanction, "lifted")


def _as_it_is(sanction: Sanction) -> str:
    """What somebody else did to it meanwhile, from the log."""
    last = Act.objects.filter(person=sanction.user, what__sanction=sanction.pk).order_by("-pk").first()
    who = last.by_name if last and last.by_name else _("Somebody")
    what = last.title if last else _("changed it")
    message = _("Meanwhile %(who)s was here: %(what)s. Nothing of yours was done; look again.")
    return message % {"who": who, "what": what}


def _clean(reason: str) -> str:
    """With one kind of line break: browsers send two characters, and what was seen must compare."""
    return reason.strip().replace("\r\n", "\n")


def _iso(value: Any) -> Any:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value


def _notify(sanction: Sanction, what: str) -> None:
    """Lets every process know after the commit, and the person by mail, where there is an address that is theirs."""
    person = sanction.user
    notify.recheck([person.pk])
    transaction.on_commit(lambda: _mail(person, what, sanction))


def _mail(person: Any, what: str, sanction: Sanction) -> None:
    from allauth.account.models import EmailAddress

    address = EmailAddress.objects.filter(user=person, verified=True).order_by("-primary").first()
    if address is None:
        return
    context = {"person": person, "sanction": sanction, "what": what, "days": APPEAL_DAYS, "site": _site()}
    with speaking_to(person):
        subject, _newline, body = render_to_string("moderation/mail.txt", context).strip().partition("\n")
    try:
        send_mail(subject, body.strip() + "\n", None, [address.email])
    except OSError:
        log.exception("The mail about sanction %d could not be sent.", sanction.pk)


def _site() -> str:
    from django.conf import settings

    return str(settings.SITE_URL)


# --- Appeals --------------------------------------------------------------------------------------------------------


def appeal_until(sanction: Sanction) -> datetime:
    """The last moment for an appeal: 20 days after the sanction was issued."""
    return sanction.created_at + timedelta(days=APPEAL_DAYS)


def may_appeal(sanction: Sanction) -> bool:
    return (
        sanction.lifted_at is None
        and timezone.now() < appeal_until(sanction)
        and not Appeal.objects.filter(sanction=sanction).exists()
    )


@transaction.atomic
def appeal(sanction: Sanction, text: str) -> Appeal:
    """The person's one appeal, into the same queue as everything else. Raises SanctionError."""
    sanction = Sanction.objects.select_for_update(of=("self",)).select_related("user").get(pk=sanction.pk)
    if not may_appeal(sanction):
        raise SanctionError(_("This sanction cannot be appealed any more."))
    case = Case.objects.create(kind=Case.Kind.APPEAL)
    filed = Appeal.objects.create(
        sanction=sanction, case=case, person=sanction.user, issued_by=sanction.created_by, text=text.strip()
    )
    Act.objects.record(sanction.user, APPEAL, person=sanction.user, op=case.op, sanction=sanction.pk, case=case.pk)
    return filed


def why_not(appeal: Appeal, by: Any) -> str:
    """Why this moderator may not decide this appeal; "" where they may."""
    if by.pk == appeal.person_id:
        return _("It is your own. Somebody else decides it.")
    acts = Act.objects.filter(by=by, person=appeal.person_id, verb__in=[ISSUE, EDIT])
    if by.pk == appeal.issued_by_id or acts.filter(what__sanction=appeal.sanction_id).exists():
        return _("You issued or changed this sanction: somebody else decides the appeal. You may lift the sanction.")
    return ""


def others(appeal: Appeal) -> list[Any]:
    """The people who could decide this appeal."""
    able = User.objects.with_perm(REVIEW_APPEAL, backend="django.contrib.auth.backends.ModelBackend")
    return [person for person in able.order_by("pk") if not why_not(appeal, person)]


@transaction.atomic
def decide(appeal: Appeal, version: int, by: Any, outcome: str, answer: str) -> None:
    """Says whether the sanction stands; overturned, it is lifted at once.

    Raises SanctionError, cases.Conflict, cases.NotYours.
    """
    if reason := why_not(appeal, by):
        raise SanctionError(reason)
    if outcome not in (Appeal.Outcome.STANDS, Appeal.Outcome.OVERTURNED):
        raise ValueError(f"outcome {outcome!r}, expected stands or overturned")
    cases.close(appeal.case, version, by, outcome)
    now = timezone.now()
    appeal.outcome, appeal.answer, appeal.decided_by, appeal.decided_at = outcome, answer.strip(), by, now
    appeal.save(update_fields=["outcome", "answer", "decided_by", "decided_at"])
    sanction = appeal.sanction
    if outcome == Appeal.Outcome.OVERTURNED:
        Sanction.objects.filter(pk=sanction.pk, lifted_at=None).update(lifted_at=now, lifted_by=by)
        sanction.refresh_from_db()
    Act.objects.record(
        by,
        DECIDE_APPEAL,
        person=appeal.person,
        why=answer,
        op=appeal.case.op,
        case=appeal.case_id,
        sanction=sanction.pk,
        outcome=outcome,
    )
    _notify(sanction, "overturned" if outcome == Appeal.Outcome.OVERTURNED else "stands")
