"""From a report to a decision. Reports gather into cases, moderators claim and close them; nothing happens by itself.

Whatever moves a case names the version its page showed. Where somebody else was faster, `Conflict` says who and what.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from canvas import notify
from canvas.models import Canvas, Frame
from canvas.moderation.cases import evidence, scores, subjects
from canvas.moderation.models import Act, Case, Evidence, Note, Report
from canvas.moderation.signals import ip_digests
from canvas.moderation.switches import services as switches
from dreamsite.core.clocks import lately
from dreamsite.core.turns import Turns

CLAIM = Act.add_verb("claim-case", gettext_lazy("Took on a case"))
RELEASE = Act.add_verb("release-case", gettext_lazy("Gave a case back"))
DECIDE = Act.add_verb("decide-case", gettext_lazy("Decided a case"))
REOPEN = Act.add_verb("reopen-case", gettext_lazy("Opened a case again"))
NOTE = Act.add_verb("note", gettext_lazy("Wrote a note"))

RADIUS_LEAST, RADIUS_MOST = 16, 512  # px of a reported spot
SAME_SPOT = timedelta(hours=24)  # reports about one spot join an open case that is younger
_reporting = Turns("reports", 1)
# (within, at most): what one person may send. Strangers share the limit of their address.
LIMITS = {
    "account": ((timedelta(minutes=10), 5), (timedelta(days=1), 30)),
    "stranger": ((timedelta(minutes=10), 3), (timedelta(days=1), 10)),
}
STRANGERS = (timedelta(hours=1), 100)  # all of them together: a flood must not bury what people with accounts say


class TooMany(Exception):
    """Enough reports for now; `seconds` until the next is taken."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many reports, try again in {seconds} s")
        self.seconds = max(1, seconds)


class Conflict(Exception):
    """Somebody moved the case since its page was loaded. The text says who and what; `case` is as it is now."""

    def __init__(self, case: Case) -> None:
        self.case = case
        who = case.last_by.get_username() if case.last_by else _("the site")
        super().__init__(
            _("While you looked at this, it changed: %(who)s, %(what)s. Nothing of yours was done; look again.")
            % {"who": who, "what": _(case.last_what) if case.last_what else _("something else")}
        )


class NotYours(Exception):
    """The case is somebody else's now; take it over first."""


@dataclass(frozen=True)
class Where:
    """A spot of a canvas (x, y, r in px), a whole frame, or something of another app (cases.subjects)."""

    canvas: Canvas | None
    frame: Frame | None = None
    x: int | None = None
    y: int | None = None
    r: int | None = None
    subject_kind: str = ""
    subject_key: str = ""


# --- Reports --------------------------------------------------------------------------------------------------------


def check_limits(reporter: Any, address: str) -> None:
    """Raises TooMany where this person, or all strangers together, have sent enough."""
    now = timezone.now()
    person_id = reporter.pk if reporter else None
    mine = Report.objects.by(person_id, address)
    bounds = [(mine, *bound) for bound in LIMITS["account" if reporter else "stranger"]]
    if not reporter:
        bounds.append((Report.objects.filter(reporter=None), *STRANGERS))
    for reports, within, most in bounds:
        # The one that has to grow old before there is room for another.
        times = reports.filter(lately("at", within, now)).order_by("-at").values_list("at", flat=True)
        if (first := times[most - 1 : most].first()) is not None:
            raise TooMany(int((first + within - now).total_seconds()) + 1)


def report(where: Where, category: str, text: str, *, reporter: Any, address: str, contact: str = "") -> Report:
    """Files a report, with a picture made now, in its case: an open one, or a new one.

    Raises TooMany, and core.errors.Busy where many report at once.
    """
    # One at a time, so that each is counted before the next one's picture is made: that costs.
    with _reporting.take():
        return _report(where, category, text, reporter, address, contact)


def _report(where: Where, category: str, text: str, reporter: Any, address: str, contact: str) -> Report:
    check_limits(reporter, address)
    picture, seq = _evidence(where)
    with transaction.atomic():
        ip_digests.lock()  # a hundred reports at once are counted one after another
        check_limits(reporter, address)
        case = _case_of(where)
        filed = Report.objects.create(
            case=case,
            category=category,
            text=text.strip(),
            contact=contact,
            x=where.x,
            y=where.y,
            r=where.r,
            seq=seq,
            reporter=reporter,
            address=address,
            weight=_weight(reporter),
        )
        evidence.keep(filed, picture)
        of_case = case.reports.values_list("reporter_id", "address", "weight")
        Case.objects.filter(pk=case.pk).update(
            score=scores.score(of_case),
            version=F("version") + 1,
            last_by=None,
            last_what=gettext_noop("a report came in"),
        )
    return filed


def _evidence(where: Where) -> tuple[Evidence | None, int]:
    """How it looks now, not saved yet, and the journal's number that is in it."""
    if where.subject_kind:
        return evidence.of_pixels(subjects.kind(where.subject_kind).picture(where.subject_key)), 0
    if where.frame is not None:
        return evidence.of_frame(where.frame)
    assert where.canvas is not None and where.x is not None and where.y is not None and where.r is not None
    return evidence.of_canvas(where.canvas, where.x, where.y, where.r)


def _case_of(where: Where) -> Case:
    """The open case about the same thing, frame or spot, or a new one."""
    open_ones = Case.objects.open().select_for_update(of=("self",)).filter(kind=Case.Kind.REPORT, canvas=where.canvas)
    if where.subject_kind:
        subject = {"subject_kind": where.subject_kind, "subject_key": where.subject_key}
        return open_ones.filter(**subject).order_by("pk").first() or Case.objects.create(**subject)
    if where.frame is not None:
        found = open_ones.filter(frame=where.frame).order_by("pk").first()
        return found or Case.objects.create(canvas=where.canvas, frame=where.frame)
    assert where.x is not None and where.y is not None and where.r is not None
    young = open_ones.filter(frame=None, opened_at__gt=timezone.now() - SAME_SPOT)
    for case in young.filter(x__range=_around(where.x), y__range=_around(where.y)).order_by("pk"):
        assert case.x is not None and case.y is not None and case.r is not None
        if (case.x - where.x) ** 2 + (case.y - where.y) ** 2 <= max(case.r, where.r) ** 2:
            return case
    return Case.objects.create(canvas=where.canvas, x=where.x, y=where.y, r=where.r)


def _around(middle: int) -> tuple[int, int]:
    return middle - RADIUS_MOST, middle + RADIUS_MOST


def accuracy(reporter: Any) -> tuple[int, int]:
    """How many cases somebody reported were found right, and how many wrong."""
    theirs = Case.objects.filter(reports__reporter=reporter).distinct()
    right = theirs.filter(outcome=Case.Outcome.ACTED).count()
    return right, theirs.filter(outcome=Case.Outcome.DISMISSED).count()


def _weight(reporter: Any) -> float:
    return scores.weight(*accuracy(reporter)) if reporter else scores.ANONYMOUS


# --- The queue ------------------------------------------------------------------------------------------------------


def move(case: Case, version: int, by: Any, what: str, **changes: Any) -> None:
    """Changes a case that is still as its page showed it; Conflict otherwise. `what`: a gettext_noop phrase."""
    now = {"version": F("version") + 1, "last_by": by, "last_what": what, **changes}
    if not Case.objects.filter(pk=case.pk, version=version).update(**now):
        raise Conflict(Case.objects.with_all().get(pk=case.pk))
    case.refresh_from_db()


@transaction.atomic
def claim(case: Case, version: int, by: Any) -> None:
    """Takes the case on, also from somebody else. Raises Conflict, and NotYours for an appeal of one's own."""
    if case.kind == Case.Kind.APPEAL and case.appeal.person_id == by.pk:
        raise NotYours(_("This appeal is your own. Somebody else decides it."))
    before = case.claimed_by
    move(case, version, by, gettext_noop("took it on"), claimed_by=by, claimed_at=timezone.now())
    taken: dict[str, Any] = {"from": before.pk} if before and before != by else {}
    Act.objects.record(by, CLAIM, canvas=case.canvas, op=case.op, case=case.pk, **taken)


@transaction.atomic
def release(case: Case, version: int, by: Any) -> None:
    _mine(case, version, by)
    move(case, version, by, gettext_noop("gave it back"), claimed_by=None, claimed_at=None)
    Act.objects.record(by, RELEASE, canvas=case.canvas, op=case.op, case=case.pk)


# The outcomes that a case of each kind can have; appeals are decided in canvas.moderation.sanctions.services.
OUTCOMES: Mapping[str, tuple[Case.Outcome, ...]] = {
    Case.Kind.REPORT: (Case.Outcome.ACTED, Case.Outcome.DISMISSED, Case.Outcome.MOOT),
    Case.Kind.COVER: (Case.Outcome.ACTED, Case.Outcome.DISMISSED),
    Case.Kind.APPEAL: (),
    Case.Kind.LISTING: (Case.Outcome.LISTED, Case.Outcome.UNLISTED),
    Case.Kind.SHOWING: (Case.Outcome.SHOWN, Case.Outcome.NOT_SHOWN),
}


@transaction.atomic
def decide(case: Case, version: int, by: Any, outcome: str, why: str = "") -> str:
    """Closes the case; with which outcome: moot where nobody asks to show it any more, or it is gone.

    Raises Conflict, NotYours, and ValueError for an outcome that its kind does not know.
    """
    if outcome not in OUTCOMES[case.kind]:
        raise ValueError(f"outcome {outcome!r}, expected one of {', '.join(OUTCOMES[case.kind])}")
    if case.kind == Case.Kind.LISTING and case.canvas is not None and case.canvas.maker_id == by.pk:
        raise NotYours(_("This canvas is your own. Somebody else decides about it."))
    if case.kind == Case.Kind.SHOWING and case.subject is not None and case.subject.person == by:
        raise NotYours(_("This dream is your own. Somebody else decides about it."))
    kind = subjects.kind(case.subject_kind) if case.kind == Case.Kind.SHOWING else None
    if kind:
        kind.lock(case.subject_key)
    close(case, version, by, outcome)
    if case.region is not None and outcome == Case.Outcome.DISMISSED and case.region.lifted_at is None:
        case.region.lift(by)
        notify.look(case.region.canvas.slug)
    if case.kind == Case.Kind.LISTING and case.canvas is not None:
        switches.turn(case.canvas, "listed", outcome == Case.Outcome.LISTED, by, why, case.op)
    publish = kind.publish if kind else None
    if publish and not publish(case.subject_key, by, why, case.op, outcome == Case.Outcome.SHOWN):
        outcome = case.outcome = Case.Outcome.MOOT
        Case.objects.filter(pk=case.pk).update(outcome=outcome)
    Act.objects.record(by, DECIDE, canvas=case.canvas, why=why, op=case.op, case=case.pk, outcome=outcome)
    return outcome


def close(case: Case, version: int, by: Any, outcome: str) -> None:
    _mine(case, version, by)
    move(
        case,
        version,
        by,
        gettext_noop("decided it"),
        outcome=outcome,
        closed_at=timezone.now(),
        closed_by=by,
        claimed_by=by,
    )


@transaction.atomic
def reopen(case: Case, version: int, by: Any, why: str = "") -> None:
    """A decided report lies open again: accuracy and summaries follow the new decision.

    Raises Conflict, also where somebody had asked for something and no longer does: there is nothing to decide.
    """
    if case.kind == Case.Kind.APPEAL:
        raise ValueError("an appeal is decided once")
    before = case.outcome
    if case.kind in (Case.Kind.LISTING, Case.Kind.SHOWING) and before == Case.Outcome.MOOT:
        raise Conflict(case)
    move(
        case,
        version,
        by,
        gettext_noop("opened it again"),
        outcome="",
        closed_at=None,
        closed_by=None,
        claimed_by=by,
        claimed_at=timezone.now(),
    )
    Act.objects.record(by, REOPEN, canvas=case.canvas, why=why, op=case.op, case=case.pk, outcome=before)


def _mine(case: Case, version: int, by: Any) -> None:
    if case.version != version:
        raise Conflict(case)
    if case.claimed_by_id not in (None, by.pk):
        assert case.claimed_by is not None
        raise NotYours(
            _("%(who)s is working on this. Take it over first, if that is agreed.")
            % {"who": case.claimed_by.get_username()}
        )


@transaction.atomic
def note(by: Any, text: str, *, case: Case | None = None, person: Any = None) -> Note:
    """A note on a case or a person. The log says that there is one; what it says stays here."""
    written = Note.objects.create(case=case, person=person, author=by, text=text.strip())
    of_case: dict[str, Any] = {"op": case.op, "case": case.pk} if case else {}
    Act.objects.record(by, NOTE, person=person, note=written.pk, **of_case)
    return written
