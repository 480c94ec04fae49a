"""The moderators' queue and the page of one case."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, F, Max, Min, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from canvas import strokes
from canvas.models import Frame, Stroke
from canvas.moderation.audit import look_ups
from canvas.moderation.cases import services as cases
from canvas.moderation.cases import subjects
from canvas.moderation.cases.forms import NoteForm
from canvas.moderation.models import Act, Appeal, Case, Report
from canvas.moderation.pending import services as pending
from canvas.moderation.permissions import MODERATE, REVIEW_APPEAL, REVIEW_REPORT, SANCTION, moderator_required
from canvas.moderation.sanctions import services as sanctions
from canvas.moderation.sanctions.forms import AnswerForm
from dreamsite.core.errors import NotFound
from dreamsite.core.models import User
from dreamsite.core.numbers import whole

PAGE = 30
INK_BEFORE = timedelta(hours=2)  # whose ink at a reported spot is listed, before the first report

STATES: dict[str, tuple[Any, Callable[[Any], Q]]] = {
    "open": (gettext_lazy("Open"), lambda user: Q(closed_at=None)),
    "free": (gettext_lazy("Nobody’s"), lambda user: Q(closed_at=None, claimed_by=None)),
    "mine": (gettext_lazy("Mine"), lambda user: Q(closed_at=None, claimed_by=user)),
    "closed": (gettext_lazy("Decided"), lambda user: Q(closed_at__isnull=False)),
}
SORTS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    # A cover hides a part of everybody's canvas, for ten minutes: it comes first.
    "score": (gettext_lazy("By score"), (F("region").asc(nulls_last=True), "-score", "opened_at")),
    "oldest": (gettext_lazy("Oldest first"), ("opened_at",)),
    "newest": (gettext_lazy("Newest first"), ("-opened_at",)),
}


@require_safe
@moderator_required(REVIEW_REPORT)
def queue(request: HttpRequest) -> HttpResponse:
    query = {name: request.GET.get(name, "") for name in ("state", "kind", "category", "sort")}
    state = query["state"] if query["state"] in STATES else "open"
    sort = query["sort"] if query["sort"] in SORTS else ("newest" if state == "closed" else "score")
    found = Case.objects.with_all().filter(STATES[state][1](request.user))
    if query["kind"] in Case.Kind.values:
        found = found.filter(kind=query["kind"])
    if query["category"] in Report.Category.values:
        found = found.filter(reports__category=query["category"]).distinct()
    order = ("-closed_at",) if state == "closed" and sort == "newest" else SORTS[sort][1]
    page = Paginator(found.order_by(*order), PAGE).get_page(request.GET.get("page"))
    _describe(page.object_list)
    counts = Case.objects.aggregate(
        **{name: Count("pk", filter=test(request.user)) for name, (_t, test) in STATES.items()}
    )
    context = {
        "page": page,
        "section": "queue",
        "query": {**query, "state": state, "sort": sort},
        "kinds": Case.Kind.choices,
        "states": [(name, title, counts[name]) for name, (title, _test) in STATES.items()],
        "categories": Report.Category.choices,
        "sorts": [(name, title) for name, (title, _order) in SORTS.items()],
        "filtered": bool(query["kind"] or query["category"]),
        "working": counts["open"],
    }
    return render(request, "moderation/queue.html", context)


def _describe(found: Any) -> None:
    """Puts on each case how many reports it has, what they say it is, and whose evidence is shown; two queries."""
    listed = {case.pk: case for case in found}
    for case in listed.values():
        case.count, case.shown, case.says = 0, None, []
    rows = (
        Report.objects.filter(case__in=listed)
        .order_by("pk")
        .values_list("case_id", "pk", "category", "evidence__width")
    )
    for case_id, pk, category, width in rows.values_list("case_id", "pk", "category", "evidence__width"):
        case = listed[case_id]
        case.count += 1
        if width:
            case.shown = pk  # the newest: what is there now, as near as we know
        label = Report.Category(category).label
        if label not in case.says:
            case.says.append(label)


@require_safe
@moderator_required(REVIEW_REPORT)
def case(request: HttpRequest, pk: int) -> HttpResponse:
    return case_page(request, _find(pk))


def _find(pk: int) -> Case:
    return get_object_or_404(Case.objects.with_all(), pk=pk)


def case_page(request: HttpRequest, case: Case, *, status: int = 200, conflict: str = "", **forms: Any) -> HttpResponse:
    reports = list(case.reports.select_related("reporter", "evidence").defer("evidence__image"))
    drawers = _drawers(case, reports) if request.user.has_perm(MODERATE) else []
    if drawers:
        seen = {"people": [row["author"] for row in drawers], "cases": [case.pk]}
        look_ups.record(request.user, look_ups.WHO_DREW, canvas=case.canvas, **seen)
    may_decide = _may_decide(request, case)
    outcomes = [(value, Case.Outcome(value).label) for value in cases.OUTCOMES[case.kind] if may_decide]
    context = {
        "case": case,
        "reports": reports,
        "outcomes": outcomes,
        "may_reopen": case.may_reopen and may_decide,
        "conflict": conflict,
        "section": "queue",
        "notes": case.notes.select_related("author"),
        "note_form": NoteForm(),
        "acts": Act.objects.filter(op=case.op).select_related("canvas").order_by("-id")[:50],
        "spot": spot_url(case),
        "drawers": drawers,
        "may_sanction": request.user.has_perm(SANCTION),
        **_appeal(request, case),
        **_cover(case),
        **forms,
    }
    return render(request, "moderation/case.html", context, status=status)


def _may_decide(request: HttpRequest, case: Case) -> bool:
    """What everybody is to see whoever may moderate decides, here as in the administration."""
    return case.kind != Case.Kind.SHOWING or request.user.has_perm(MODERATE)


def _appeal(request: HttpRequest, case: Case) -> dict[str, Any]:
    if case.kind != Case.Kind.APPEAL:
        return {}
    appeal = Appeal.objects.select_related("sanction", "person", "issued_by", "decided_by").get(case=case)
    refusal = sanctions.why_not(appeal, request.user)
    if not refusal and not request.user.has_perm(REVIEW_APPEAL):
        refusal = _("You may read appeals, not decide them.")
    return {
        "appeal": appeal,
        "refusal": refusal,
        "answer_form": AnswerForm(),
        "alone": bool(refusal) and not sanctions.others(appeal),
    }


def _cover(case: Case) -> dict[str, Any]:
    if case.region is None:
        return {}
    return {"region": case.region, "voters": User.objects.filter(cover_votes__region=case.region).distinct()}


def spot_url(case: Case) -> str:
    """The canvas with the moderators' panel open at the spot; "" for what is no spot."""
    if case.canvas is None or case.x is None:
        return ""
    return f"{case.canvas.get_absolute_url()}?{urlencode({'moderate': f'{case.x},{case.y},{case.r}'})}"


def _drawers(case: Case, reports: list[Report]) -> list[dict[str, Any]]:
    """Who drew at the spot, or for a frame into it, shortly before it was reported; most strokes first."""
    if case.canvas is None or not reports:
        return []
    strokes.index(case.canvas)
    if case.frame is not None:
        before = Frame.objects.filter(canvas=case.canvas, number__lt=case.frame.number).order_by("-number").first()
        found = Stroke.objects.filter(canvas=case.canvas, last_seq__lte=case.frame.seq)
        found = found.filter(last_seq__gt=before.seq if before else 0)
    else:
        assert case.x is not None and case.y is not None and case.r is not None
        found = Stroke.objects.at(case.canvas, case.x, case.y, case.r)
        found = found.between(reports[0].at - INK_BEFORE, reports[-1].at + timedelta(minutes=5))
    rows = list(
        found.values("author")
        .annotate(count=Count("pk"), since=Min("began_at"), until=Max("ended_at"))
        .order_by("-count")[:12]
    )
    names = User.objects.in_bulk([row["author"] for row in rows])
    return [{**row, "person": names.get(row["author"])} for row in rows]


# --- Acts on a case -------------------------------------------------------------------------------------------------


def _act(request: HttpRequest, pk: int, do: Callable[[Case, int], str]) -> HttpResponse:
    """Runs one act; a conflict shows the page as it is now, with status 409 and the words of what happened."""
    found = _find(pk)
    version = whole(request.POST.get("version", ""))
    if version is None:
        version = -1  # a form without a version is as stale as can be
    try:
        message = do(found, version)
    except cases.Conflict as conflict:
        return case_page(request, conflict.case, status=409, conflict=str(conflict), typed=request.POST)
    except cases.NotYours as error:
        return case_page(request, _find(pk), status=409, conflict=str(error), typed=request.POST)
    messages.success(request, message)
    return redirect("case", pk)


@require_POST
@moderator_required(REVIEW_REPORT)
def claim(request: HttpRequest, pk: int) -> HttpResponse:
    def do(found: Case, version: int) -> str:
        cases.claim(found, version, request.user)
        return _("It is yours now. Others see that.")

    return _act(request, pk, do)


@require_POST
@moderator_required(REVIEW_REPORT)
def release(request: HttpRequest, pk: int) -> HttpResponse:
    def do(found: Case, version: int) -> str:
        cases.release(found, version, request.user)
        return _("Back in the queue, for whoever comes first.")

    return _act(request, pk, do)


@require_POST
@moderator_required(REVIEW_REPORT)
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    found = _find(pk)
    if not _may_decide(request, found):
        raise PermissionDenied
    if request.POST.get("outcome") not in cases.OUTCOMES[found.kind]:
        message = _("Choose how it ends, then close it.")
        return case_page(request, found, status=422, conflict=message, typed=request.POST)

    def do(found: Case, version: int) -> str:
        wanted = request.POST["outcome"]
        ended = cases.decide(found, version, request.user, wanted, request.POST.get("why", ""))
        return _("Decided. It stays here under “Decided”.") if ended == wanted else str(Case.Outcome(ended).label)

    return _act(request, pk, do)


@require_POST
@moderator_required(REVIEW_REPORT)
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    found = _find(pk)
    if not _may_decide(request, found):
        raise PermissionDenied
    if found.kind == Case.Kind.APPEAL:
        return case_page(request, found, status=409, conflict=_("An appeal is decided once."))

    def do(found: Case, version: int) -> str:
        cases.reopen(found, version, request.user, request.POST.get("why", ""))
        return _("Open again, and yours.")

    return _act(request, pk, do)


@require_POST
@moderator_required(MODERATE)
def hide_frame(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes the reported frame from everybody's eyes, or with `show` shows it again."""
    found = _find(pk)
    if found.frame is None:
        raise NotFound("This case is about no frame.")
    hide, why = not request.POST.get("show"), request.POST.get("why", "")
    done, waits = pending.frames(found.frame.canvas, [found.frame.pk], hide, request.user, why, found.op)
    if waits:
        return redirect("pending_act", waits.pk)
    if not done:
        messages.info(request, _("It is hidden already.") if hide else _("It can be seen already."))
    else:
        messages.success(request, _("Hidden from everybody.") if hide else _("Everybody sees it again."))
    return redirect("case", pk)


@require_POST
@moderator_required(MODERATE)
def hide_subject(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes what was reported from everybody's eyes, or with `show` shows it again."""
    found = _find(pk)
    if found.subject is None:
        raise NotFound("This case is about nothing that could be hidden, or it is gone.")
    show = bool(request.POST.get("show"))
    hide = subjects.kind(found.subject_kind).hide
    if hide(found.subject_key, request.user, request.POST.get("why", ""), found.op, show):
        messages.success(request, _("Everybody sees it again.") if show else _("Hidden from everybody."))
    else:
        messages.info(request, _("It can be seen already.") if show else _("It is hidden already."))
    return redirect("case", pk)


@require_POST
@moderator_required(REVIEW_REPORT)
def note(request: HttpRequest, pk: int) -> HttpResponse:
    found, form = _find(pk), NoteForm(request.POST)
    if not form.is_valid():
        return case_page(request, found, status=422, note_form=form)
    cases.note(request.user, form.cleaned_data["text"], case=found)
    return redirect(reverse("case", args=[pk]) + "#notes")
