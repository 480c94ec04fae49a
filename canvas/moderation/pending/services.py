"""What one moderator alone may not do: it waits for another's yes, and the owners are told by mail.

Frames are hidden and shown again, and sanctions issued, changed and lifted, by the functions here wherever a moderator
asks for it; the functions below them (switches, sanctions) refuse what needs two. An act that was agreed to is carried
out step by step by a worker, each step in a transaction with its row in the log; all rows carry the act's `op`, and by
it the whole is undone, but for what somebody has changed since.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from canvas import degrees
from canvas.models import Canvas, Frame, Sanction
from canvas.moderation import undo
from canvas.moderation.models import Act, Case, PendingAct
from canvas.moderation.permissions import MODERATE, SANCTION
from canvas.moderation.sanctions import services as sanctions
from canvas.moderation.switches import services as switches
from dreamsite.core.errors import InvalidRequest
from dreamsite.core.languages import speaking_to
from dreamsite.core.models import User
from dreamsite.core.tasks import enqueue, jobs, task

ASK = Act.add_verb("ask", gettext_lazy("Asked for another moderator’s yes"))
AGREE = Act.add_verb("agree", gettext_lazy("Agreed to an act of another"))
REFUSE = Act.add_verb("refuse", gettext_lazy("Refused an act of another"))
WITHDRAW = Act.add_verb("withdraw", gettext_lazy("Withdrew an act that waited"))
BEGIN = Act.add_verb("begin", gettext_lazy("Began an act of many steps"))

log = logging.getLogger(__name__)


class NotYours(Exception):
    """This moderator may not answer, and why, in words for the page."""


# --- Asking ---------------------------------------------------------------------------------------------------------


def may_alone(by: Any, permission: str) -> bool:
    """Whether somebody needs nobody's yes: an owner where there is nobody else who could give it."""
    return bool(by.is_superuser) and not others(by, permission).exists()


def others(by: Any, permission: str) -> Any:
    """Who else may say yes to what this person asks for."""
    able = User.objects.with_perm(permission, backend="django.contrib.auth.backends.ModelBackend")
    return able.filter(is_active=True, closes_at=None).exclude(pk=by.pk)


def ask(
    kind: str,
    by: Any,
    what: dict[str, Any],
    *,
    reason: str,
    canvas: Canvas | None = None,
    person: Any = None,
    why: str = "",
    op: UUID | None = None,
    total: int = 1,
) -> PendingAct:
    """Puts an act down. With a `reason` it waits for another's yes; without, or where there is no other, it begins."""
    alone = not reason or may_alone(by, KINDS[kind].permission)
    with transaction.atomic():
        row = PendingAct.objects.create(
            kind=kind,
            what=what,
            canvas=canvas,
            person=person,
            why=why.strip()[:2000],
            op=op or uuid4(),
            reason=reason,
            asked_by=by,
            total=total,
            answer=PendingAct.Answer.NOT_NEEDED if alone else PendingAct.Answer.NONE,
        )
        verb = BEGIN if alone else ASK
        facts: dict[str, Any] = {"pending": row.pk, "act": kind, "steps": total}
        Act.objects.record(by, verb, canvas=canvas, person=person, why=row.why, op=row.op, **facts)
        if alone:
            enqueue(carry_out, row.pk)
        _tell_owners(row, "begun" if alone else "asked")
    return row


def answer(row: PendingAct, by: Any, yes: bool) -> None:
    """Somebody else's yes or no. Raises NotYours, and InvalidRequest where it is decided or too old."""
    if refusal := why_not(row, by):
        raise NotYours(refusal)
    with transaction.atomic():
        _decide(row, by, PendingAct.Answer.YES if yes else PendingAct.Answer.NO, AGREE if yes else REFUSE)
        if yes:
            enqueue(carry_out, row.pk, first=True)
            _tell_owners(row, "begun")


def withdraw(row: PendingAct, by: Any) -> None:
    """Takes back one's own question. Raises NotYours and InvalidRequest."""
    if row.asked_by_id != by.pk:
        raise NotYours(_("Only who asked can withdraw it."))
    with transaction.atomic():
        _decide(row, by, PendingAct.Answer.WITHDRAWN, WITHDRAW)


def why_not(row: PendingAct, by: Any) -> str:
    """Why somebody may not answer this; "" where they may."""
    if not by.has_perm(KINDS[row.kind].permission):
        return _("You lack the permission for acts of this kind.")
    if row.asked_by_id in (by.pk, None):
        return _("You asked for it yourself: somebody else says yes or no.")
    if row.person_id == by.pk:
        return _("It is about yourself. Somebody else says yes or no.")
    return ""


def _decide(row: PendingAct, by: Any, answer: str, verb: str) -> None:
    fields = {"answer": answer, "answered_by": by, "answered_at": timezone.now()}
    if not PendingAct.objects.undecided().filter(pk=row.pk).update(**fields):
        raise InvalidRequest(_("It is decided already, or nobody said yes in time."))
    row.refresh_from_db()
    Act.objects.record(by, verb, canvas=row.canvas, person=row.person, op=row.op, pending=row.pk, act=row.kind)


def _tell_owners(row: PendingAct, what: str) -> None:
    """Mails every owner who has a confirmed address, after the commit."""
    transaction.on_commit(lambda: _mail(row, what))


def _mail(row: PendingAct, what: str) -> None:
    from allauth.account.models import EmailAddress

    owners = User.objects.filter(is_superuser=True, is_active=True, closed_at=None)
    found = EmailAddress.objects.filter(user__in=owners, verified=True).select_related("user")
    for email, owner in sorted({address.email: address.user for address in found}.items()):
        with speaking_to(owner):
            subject, body = _letter(row, what)
        try:
            send_mail(subject, body + "\n", None, [email])
        except OSError:
            log.exception("The mail about act %d could not be sent to an owner.", row.pk)


def _letter(row: PendingAct, what: str) -> tuple[str, str]:
    """Subject and body, in the language that is spoken now."""
    address = settings.SITE_URL + reverse("pending_act", args=[row.pk])
    who = row.asked_by.get_username() if row.asked_by else _("Somebody")
    words = {
        "asked": _("%(who)s asks for another moderator’s yes: %(what)s."),
        "begun": _("An act that %(who)s asked for is carried out: %(what)s."),
        "undone": _("%(who)s takes an act back: %(what)s."),
    }[what] % {"who": who, "what": describe(row)}
    by = _("%(who)s agreed.") % {"who": row.answered_by.get_username()} if row.answered_by else row.reason
    body = "\n\n".join(filter(None, [words, by, row.why and _("Reason: %s") % row.why, address]))
    return _("Moderation: %s") % describe(row), body


# --- Carrying out ---------------------------------------------------------------------------------------------------

ONCE = (sanctions.ISSUE, sanctions.EDIT, sanctions.LIFT)  # acts of one step
Progress = Callable[[int], None]  # how many steps are done


@task()  # not behind films: what should be hidden is seen meanwhile
def carry_out(pk: int) -> None:
    """Does what was agreed to; killed and taken over, it goes on with what is left."""
    row = jobs.claim(PendingAct, pk)
    if row is None:
        return
    with jobs.holding(row):
        if not row.agreed:
            raise jobs.JobFailed(_("Nobody agreed to it."))
        if row.asked_by is None or not row.asked_by.has_perm(KINDS[row.kind].permission):
            raise jobs.JobFailed(_("Who asked for it may not do it any more."))
        written = jobs.Progress(row)

        def progress(steps: int) -> None:
            written(min(1.0, steps / max(1, row.total)), done=steps)

        try:
            # A worker that was killed after its last step left only the row to be written.
            past = Act.objects.filter(op=row.op, verb__in=ONCE, what__pending=row.pk).exists()
            done, message = (1, "") if past else KINDS[row.kind].perform(row, progress)
        except (InvalidRequest, sanctions.SanctionError) as error:
            raise jobs.JobFailed(str(error)) from error
        jobs.finish(row, done=done, message=message)


def _frames(row: PendingAct, progress: Progress) -> tuple[int, str]:
    """{"frames": ids, "hidden"}: turns the switch of each that is not so already."""
    hidden = row.what["hidden"]
    left = Frame.objects.filter(pk__in=row.what["frames"], hidden_at__isnull=hidden).order_by("number")
    ids = list(left.values_list("pk", flat=True))
    before = len(row.what["frames"]) - len(ids)
    assert row.canvas is not None
    for number, pk in enumerate(ids, 1):
        with suppress(InvalidRequest):  # somebody else was there first
            switches.turn(row.canvas, "frame", {"id": pk, "hidden": hidden}, row.asked_by, row.why, row.op, agreed=True)
        progress(before + number)
    done = Act.objects.filter(op=row.op, verb="hide-frame" if hidden else "show-frame").count()
    return done, "" if done == row.total else _("The others were so already.")


def _undo(row: PendingAct, progress: Progress) -> tuple[int, str]:
    """{"op"}: takes back each act of an operation that was not taken back, the last first."""
    acts = Act.objects.with_undone().filter(op=row.what["op"], canvas=row.canvas).order_by("-pk")
    left = [act for act in acts if undo.can_undo(act)]
    changed = undo.changed_since(left)
    before = row.total - len(left)
    for number, act in enumerate(left, 1):
        if act.pk not in changed:
            with suppress(InvalidRequest, IntegrityError):  # somebody else has just taken it back
                undo.REVERSE[act.what["kind"]](act, row.asked_by, row.why, row.op)
        progress(max(0, before) + number)
    done = Act.objects.filter(op=row.op, verb="undo").count()
    kept = len(changed)
    return done, _("%d were changed by somebody since, and stay as they are.") % kept if kept else ""


def _sanction(row: PendingAct, progress: Progress) -> tuple[int, str]:
    """{"degree", "reason", "until", "case"}: issues it; the issuer is who asked."""
    case = Case.objects.filter(pk=row.what["case"]).first() if row.what["case"] else None
    until = _moment(row.what["until"])
    sanctions.issue(row.asked_by, row.person, row.what["degree"], row.what["reason"], until, case=case, pending=row)
    return 1, ""


def _edit(row: PendingAct, progress: Progress) -> tuple[int, str]:
    """{"sanction", "seen", "now"}: changes it, if it is still as it was seen."""
    read = [{**values, "until": _moment(values["until"])} for values in (row.what["seen"], row.what["now"])]
    sanctions.edit(row.asked_by, _one(row), seen=read[0], **read[1], pending=row)
    return 1, ""


def _lift(row: PendingAct, progress: Progress) -> tuple[int, str]:
    sanctions.lift(row.asked_by, _one(row), row.why, pending=row)
    return 1, ""


def _one(row: PendingAct) -> Sanction:
    found = Sanction.objects.select_related("user").filter(pk=row.what["sanction"]).first()
    if found is None:
        raise InvalidRequest(_("This sanction is not there any more."))
    return found


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


@dataclass(frozen=True)
class Kind:
    perform: Callable[[PendingAct, Progress], tuple[int, str]]  # how many steps did something, and what there is to say
    permission: str  # of who answers


KINDS: dict[str, Kind] = {
    PendingAct.Kind.FRAMES: Kind(_frames, MODERATE),
    PendingAct.Kind.UNDO: Kind(_undo, MODERATE),
    PendingAct.Kind.SANCTION: Kind(_sanction, SANCTION),
    PendingAct.Kind.EDIT: Kind(_edit, SANCTION),
    PendingAct.Kind.LIFT: Kind(_lift, SANCTION),
}


def describe(row: PendingAct) -> str:
    """What is meant, in a few words."""
    name = row.person.get_username() if row.person else ""
    if row.kind == PendingAct.Kind.FRAMES:
        if row.what["hidden"]:
            return ngettext("hide %d frame", "hide %d frames", row.total) % row.total
        return ngettext("show %d frame again", "show %d frames again", row.total) % row.total
    if row.kind == PendingAct.Kind.UNDO:
        return ngettext("take back an act of %d step", "take back an act of %d steps", row.total) % row.total
    if row.kind == PendingAct.Kind.SANCTION:
        return _("%(degree)s for %(name)s") % {"degree": _(degrees.BY_NAME[row.what["degree"]].label), "name": name}
    words = _("change a sanction of %s") if row.kind == PendingAct.Kind.EDIT else _("lift a sanction of %s")
    return words % name


# --- Sanctions ------------------------------------------------------------------------------------------------------


def issue(
    by: Any, person: Any, degree: str, reason: str, until: datetime | None = None, *, case: Case | None = None
) -> Sanction | PendingAct:
    """As sanctions.issue; where two are needed, the act that waits."""
    try:
        return sanctions.issue(by, person, degree, reason, until, case=case)
    except sanctions.NeedsAnother as two:
        what = {"degree": degree, "reason": reason, "until": _text(until), "case": case.pk if case else None}
        op = case.op if case else None
        return ask("sanction", by, what, reason=str(two), person=person, why=reason, op=op)


def edit(by: Any, sanction: Sanction, *, seen: dict[str, Any], **now: Any) -> PendingAct | None:
    """As sanctions.edit (degree, reason, until); where two are needed, the act that waits."""
    try:
        sanctions.edit(by, sanction, seen=seen, **now)
    except sanctions.NeedsAnother as two:
        values = {name: {**each, "until": _text(each["until"])} for name, each in (("seen", seen), ("now", now))}
        what = {"sanction": sanction.pk, **values}
        return ask("edit", by, what, reason=str(two), person=sanction.user, why=now["reason"])
    return None


def lift(by: Any, sanction: Sanction, why: str = "") -> PendingAct | None:
    """As sanctions.lift; where two are needed, the act that waits."""
    try:
        sanctions.lift(by, sanction, why)
    except sanctions.NeedsAnother as two:
        return ask("lift", by, {"sanction": sanction.pk}, reason=str(two), person=sanction.user, why=why)
    return None


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


# --- Frames ---------------------------------------------------------------------------------------------------------


def frames(
    canvas: Canvas, wanted: Iterable[int], hidden: bool, by: Any, why: str = "", op: UUID | None = None
) -> tuple[int, PendingAct | None]:
    """Hides frames of a canvas, or shows them again: at once, or where they are many as an act that waits.

    How many were changed at once, and the act. What is so already is left out.
    """
    found = Frame.objects.filter(canvas=canvas, pk__in=list(wanted), hidden_at__isnull=hidden).order_by("number")
    ids = list(found.values_list("pk", flat=True))
    if reason := switches.why_two(by, len(ids), hidden):
        what = {"frames": ids, "hidden": hidden}
        pending = ask("frames", by, what, reason=reason, canvas=canvas, why=why, op=op, total=len(ids))
        return 0, pending
    op, done = op or uuid4(), 0
    for pk in ids:
        with suppress(InvalidRequest):  # it is so already
            switches.turn(canvas, "frame", {"id": pk, "hidden": hidden}, by, why, op)
            done += 1
    return done, None


# --- Undoing --------------------------------------------------------------------------------------------------------


def undo_all(op: UUID, canvas: Canvas | None, by: Any, why: str = "") -> PendingAct:
    """Takes back all of an operation in the background. Raises InvalidRequest where there is nothing to take back.

    To hide many frames again by undoing that they were shown needs another's yes, as hiding them does.
    """
    acts = Act.objects.with_undone().filter(op=op, canvas=canvas)
    left = [act for act in acts if undo.can_undo(act)]
    if not left:
        raise InvalidRequest(_("This was taken back already, or cannot be."))
    same = PendingAct.objects.filter(kind="undo", what__op=str(op))
    if same.undecided().exists() or same.agreed().open().exists():
        raise InvalidRequest(_("It is being taken back already."))
    hides = sum(act.what.get("switch") == "frame" and act.what["before"]["hidden"] for act in left)
    reason = switches.why_two(by, hides, True) if hides else ""
    return ask("undo", by, {"op": str(op)}, reason=reason, canvas=canvas, why=why, total=len(left))


def undo_row(row: PendingAct, by: Any, why: str = "") -> PendingAct | None:
    """Takes back what came of an act that waited: frames in the background, a sanction by lifting it, at once where
    this person may, unless it was changed since. Raises InvalidRequest and sanctions.SanctionError."""
    if row.kind in (PendingAct.Kind.FRAMES, PendingAct.Kind.UNDO):
        return undo_all(row.op, row.canvas, by, why)
    issued = Act.objects.filter(op=row.op, verb=sanctions.ISSUE, what__pending=row.pk).first()
    if issued is None:
        raise InvalidRequest(_("Only what was issued can be taken back here: see the sanction."))
    found = Sanction.objects.select_related("user").get(pk=issued.what["sanction"])
    since = Act.objects.filter(person=found.user, what__sanction=found.pk, pk__gt=issued.pk)
    if found.lifted_at or since.filter(Q(verb=sanctions.EDIT) | Q(verb=sanctions.DECIDE_APPEAL)).exists():
        raise InvalidRequest(_("Somebody changed this sanction since: decide about it on its own page."))
    return lift(by, found, why)
