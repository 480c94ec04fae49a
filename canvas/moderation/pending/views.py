"""The dashboard's pages of acts that wait for another moderator's yes, or are carried out."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from canvas.models import Frame
from canvas.moderation import undo
from canvas.moderation.models import Act, PendingAct
from canvas.moderation.pending import services as pending
from canvas.moderation.permissions import MODERATE, SANCTION, moderator_required
from canvas.moderation.sanctions import services as sanctions
from dreamsite.core.errors import InvalidRequest

PAGE = 30
SHOWN = 400  # frames whose pictures are shown before somebody says yes; browsers fetch what they scroll to
REFRESH_SECONDS = 3


@require_safe
@moderator_required(MODERATE, SANCTION)
def listing(request: HttpRequest) -> HttpResponse:
    """What waits for a yes first, then what is under way, then the past."""
    rows = PendingAct.objects.select_related("canvas", "person", "asked_by", "answered_by")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    waiting = [_described(row) for row in rows.undecided()]
    past = [_described(row) for row in page if not row.undecided]
    context = {"waiting": waiting, "past": past, "page": page, "section": "pending"}
    return render(request, "moderation/pending.html", context)


def _described(row: PendingAct) -> PendingAct:
    row.words = pending.describe(row)  # type: ignore[attr-defined]
    return row


def _find(pk: int) -> PendingAct:
    rows = PendingAct.objects.select_related("canvas", "person", "asked_by", "answered_by")
    return get_object_or_404(rows, pk=pk)


@require_safe
@moderator_required(MODERATE, SANCTION)
def act(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, _find(pk))


def _page(request: HttpRequest, row: PendingAct, *, conflict: str = "", status: int = 200) -> HttpResponse:
    frames = Frame.objects.filter(pk__in=row.what.get("frames", [])[:SHOWN]).order_by("number")
    acts = Act.objects.with_undone().filter(op=row.op).order_by("-pk")
    context = {
        "row": _described(row),
        "section": "pending",
        "conflict": conflict,
        "refusal": pending.why_not(row, request.user),
        "own": row.asked_by_id == request.user.pk,
        "frames": frames,
        "until": parse_datetime(row.what.get("until") or ""),
        "acts": acts[:30],
        "may_undo": row.state == "done" and _may_undo(row, list(acts)),
    }
    response = render(request, "moderation/pending_act.html", context, status=status)
    if row.under_way and request.method == "GET":
        response["Refresh"] = str(REFRESH_SECONDS)
    return response


def _may_undo(row: PendingAct, acts: list[Act]) -> bool:
    if row.kind in (PendingAct.Kind.FRAMES, PendingAct.Kind.UNDO):
        return any(undo.can_undo(act) for act in acts)
    return row.kind == PendingAct.Kind.SANCTION


@require_POST
@moderator_required(MODERATE, SANCTION)
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """POST `answer`: yes, no, or withdraw for one's own."""
    row, decision = _find(pk), request.POST.get("answer", "")
    if decision not in ("yes", "no", "withdraw"):
        return _page(request, row, conflict=_("Say yes or no."), status=422)
    try:
        if decision == "withdraw":
            pending.withdraw(row, request.user)
        else:
            pending.answer(row, request.user, decision == "yes")
    except pending.NotYours as refusal:
        return _page(request, row, conflict=str(refusal), status=403)
    except InvalidRequest as conflict:
        return _page(request, _find(pk), conflict=str(conflict), status=409)
    return redirect("pending_act", pk)


@require_POST
@moderator_required(MODERATE, SANCTION)
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Undoes all that came of it, but for what was changed since."""
    row = _find(pk)
    if not request.user.has_perm(pending.KINDS[row.kind].permission):
        return _page(request, row, conflict=_("You lack the permission for acts of this kind."), status=403)
    try:
        waits = pending.undo_row(row, request.user, request.POST.get("why", ""))
    except (InvalidRequest, sanctions.SanctionError) as conflict:
        return _page(request, row, conflict=str(conflict), status=409)
    if waits:
        return redirect("pending_act", waits.pk)
    messages.success(request, _("Taken back."))
    return redirect("pending_act", pk)
