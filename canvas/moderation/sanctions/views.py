"""Issuing, changing and lifting sanctions, and deciding appeals."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from canvas import degrees
from canvas.models import Sanction
from canvas.moderation.cases import services as cases
from canvas.moderation.cases.views import case_page
from canvas.moderation.models import Act, Case, PendingAct
from canvas.moderation.pending import services as pending
from canvas.moderation.permissions import REVIEW_APPEAL, SANCTION, moderator_required
from canvas.moderation.sanctions import services as sanctions
from canvas.moderation.sanctions.forms import AnswerForm, SanctionForm
from dreamsite.core.models import User
from dreamsite.core.numbers import whole

PAGE = 50
STATES = {"now": gettext_lazy("In force"), "past": gettext_lazy("Over"), "all": gettext_lazy("All")}


@require_safe
@moderator_required(SANCTION)
def listing(request: HttpRequest) -> HttpResponse:
    query = {name: request.GET.get(name, "").strip()[:150] for name in ("state", "degree", "q")}
    state = query["state"] if query["state"] in STATES else "now"
    found = Sanction.objects.select_related("user", "created_by", "lifted_by", "appeal")
    in_force = Sanction.objects.in_force().values("pk")
    if state != "all":
        found = found.filter(pk__in=in_force) if state == "now" else found.exclude(pk__in=in_force)
    if query["degree"] in degrees.BY_NAME:
        found = found.filter(degree=query["degree"])
    if query["q"]:
        found = found.filter(Q(user__username__icontains=query["q"]) | Q(reason__icontains=query["q"]))
    page = Paginator(found.order_by("-pk"), PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "query": {**query, "state": state},
        "states": STATES.items(),
        "section": "sanctions",
        "degrees": degrees.DEGREES,
        "in_force": set(in_force.values_list("pk", flat=True)),
    }
    return render(request, "moderation/sanctions.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@moderator_required(SANCTION)
def new(request: HttpRequest) -> HttpResponse:
    """Issues a sanction on `person`: GET takes an id, as links give it, or a name; POST a name. `case` is where it
    comes from. Somebody who has one in force gets another only where the moderator confirms it: mostly the one that is
    there should be changed."""
    sent = request.POST if request.method == "POST" else request.GET
    case = Case.objects.filter(pk=whole(sent.get("case", "")) or 0).first()
    person = _person(sent.get("person", "").strip(), by_id=request.method != "POST")
    there = list(Sanction.objects.in_force(person).select_related("created_by")) if person else []
    status = 200
    if request.method == "POST":
        form, status = SanctionForm(request.POST), 422
        if form.is_valid() and there and not form.cleaned_data["again"]:
            status = 409  # the page says what is there
        elif form.is_valid():
            data = form.cleaned_data
            try:
                created = pending.issue(
                    request.user, data["person"], data["degree"], data["reason"], data["until"], case=case
                )
            except sanctions.SanctionError as error:
                form.add_error("person", str(error))
            else:
                if isinstance(created, PendingAct):
                    return redirect("pending_act", created.pk)
                messages.success(request, _("Done. It is in force."))
                return redirect("case", case.pk) if case else redirect("sanction", created.pk)
    else:
        degree = sanctions.next_degree(person) if person else degrees.WARNING.name
        form = SanctionForm(initial={"person": person.username if person else "", "degree": degree, "length": "day"})
    context = {
        "form": form,
        "person": person,
        "case": case,
        "there": there,
        "section": "sanctions",
        "past": Sanction.objects.filter(user=person).exclude(pk__in=[each.pk for each in there])[:10] if person else [],
        "degrees": degrees.DEGREES,
    }
    return render(request, "moderation/sanction_new.html", context, status=status)


def _person(text: str, *, by_id: bool) -> User | None:
    if by_id and (number := whole(text)) is not None:  # a name of digits alone is found by its id only
        return User.objects.filter(pk=number).first()
    return User.objects.filter(username__iexact=text).first()


def _find(pk: int) -> Sanction:
    return get_object_or_404(Sanction.objects.select_related("user", "created_by", "lifted_by"), pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
@moderator_required(SANCTION)
def sanction(request: HttpRequest, pk: int) -> HttpResponse:
    """One sanction with its history; POST changes it."""
    found = _find(pk)
    if request.method != "POST":
        return _page(request, found, SanctionForm.of(found))
    if refusal := sanctions.why_not_touch(request.user, found):
        return _page(request, found, SanctionForm.of(found), conflict=refusal, status=403)
    form = SanctionForm(request.POST, sanction=found)
    if not form.is_valid():
        return _page(request, found, form, status=422)
    data = {name: form.cleaned_data[name] for name in ("degree", "reason", "until")}
    try:
        waits = pending.edit(request.user, found, seen=form.seen, **data)
    except sanctions.SanctionError as conflict:
        return _page(request, _find(pk), SanctionForm.of(_find(pk)), conflict=str(conflict), status=409)
    if waits:
        return redirect("pending_act", waits.pk)
    messages.success(request, _("Changed. The new words and the new end are in force."))
    return redirect("sanction", pk)


def _page(
    request: HttpRequest, found: Sanction, form: SanctionForm, *, conflict: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "sanction": found,
        "form": form,
        "conflict": conflict,
        "section": "sanctions",
        "degrees": degrees.DEGREES,
        "own": sanctions.why_not_touch(request.user, found),
        "in_force": Sanction.objects.in_force(found.user).filter(pk=found.pk).exists(),
        "appeal": getattr(found, "appeal", None),
        "case": found.cases.first(),
        "over": bool(found.until and found.until <= timezone.now()),
        "acts": Act.objects.filter(person=found.user, what__sanction=found.pk).order_by("-pk"),
    }
    return render(request, "moderation/sanction.html", context, status=status)


@require_POST
@moderator_required(SANCTION)
def lift(request: HttpRequest, pk: int) -> HttpResponse:
    found = _find(pk)
    if refusal := sanctions.why_not_touch(request.user, found):
        return _page(request, found, SanctionForm.of(found), conflict=refusal, status=403)
    try:
        waits = pending.lift(request.user, found, request.POST.get("why", ""))
    except (sanctions.SanctionError, cases.Conflict) as conflict:
        return _page(request, _find(pk), SanctionForm.of(_find(pk)), conflict=str(conflict), status=409)
    if waits:
        return redirect("pending_act", waits.pk)
    messages.success(request, _("Lifted. It stays in the history."))
    return redirect("sanction", pk)


@require_POST
@moderator_required(REVIEW_APPEAL)
def decide_appeal(request: HttpRequest, pk: int) -> HttpResponse:
    """Decides the appeal of a case."""
    found = get_object_or_404(Case.objects.with_all(), pk=pk, kind=Case.Kind.APPEAL)
    form = AnswerForm(request.POST)
    context: dict[str, Any] = {"answer_form": form}
    if not form.is_valid():
        return case_page(request, found, status=422, **context)
    version = whole(request.POST.get("version", ""))
    try:
        sanctions.decide(found.appeal, -1 if version is None else version, request.user, **form.cleaned_data)
    except cases.Conflict as conflict:
        return case_page(request, conflict.case, status=409, conflict=str(conflict), **context)
    except cases.NotYours as error:
        return case_page(request, found, status=409, conflict=str(error), **context)
    except sanctions.SanctionError as error:
        return case_page(request, found, status=403, conflict=str(error), **context)
    messages.success(request, _("Decided. The person reads your answer."))
    return redirect("case", pk)
