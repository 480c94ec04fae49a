"""The page of one's own status: sanctions with their reasons, the one appeal, what became of one's reports.

Somebody suspended cannot sign in: the middleware leads them here by a signed address.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from canvas import degrees, notify
from canvas.models import Sanction
from canvas.moderation.models import Report
from canvas.moderation.sanctions import middleware
from canvas.moderation.sanctions import services as sanctions
from canvas.moderation.sanctions.forms import AppealForm
from dreamsite.core.errors import NotFound
from dreamsite.core.models import User
from dreamsite.core.numbers import whole


@require_safe
@never_cache
@login_required
def user_status(request: HttpRequest) -> HttpResponse:
    return _page(request, request.user)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def suspended(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind `middleware.suspended_url`; POST with `sanction` and `text` appeals."""
    try:
        user_id = middleware.user_of(token)
    except signing.BadSignature:
        raise NotFound("This address has expired. Sign in again to get a new one.") from None
    person = get_object_or_404(User, pk=user_id)
    if request.method != "POST":
        return _page(request, person, token=token)
    return _appeal(request, person, whole(request.POST.get("sanction", "")) or 0, token=token)


@require_POST
@login_required
def appeal(request: HttpRequest, pk: int) -> HttpResponse:
    return _appeal(request, request.user, pk)


@require_POST
@login_required
def acknowledge(request: HttpRequest, pk: int) -> HttpResponse:
    """The person has read a warning: it ends."""
    mine = Sanction.objects.filter(user=request.user.pk, degree__in=degrees.ACKNOWLEDGED, acknowledged_at=None)
    if mine.filter(pk=pk).update(acknowledged_at=timezone.now()):
        assert request.user.pk is not None
        notify.recheck([request.user.pk])
        messages.success(request, _("Thank you. The canvas is open to you."))
    return redirect("user_status")


def _is_proved(token: str) -> bool:
    try:
        return bool(middleware.user_of(token, proved=True))
    except signing.BadSignature:
        return False


def _appeal(request: HttpRequest, person: Any, pk: int, *, token: str = "") -> HttpResponse:
    found = get_object_or_404(Sanction, pk=pk, user=person)
    form = AppealForm(request.POST)
    if form.is_valid():
        try:
            sanctions.appeal(found, form.cleaned_data["text"])
        except sanctions.SanctionError as error:
            form.add_error("text", str(error))
        else:
            messages.success(request, _("Your appeal is with the moderators. Somebody else than before reads it."))
            return redirect("suspended", token) if token else redirect("user_status")
    return _page(request, person, token=token, failed=(found.pk, form), status=422)


Failed = tuple[int, AppealForm] | None  # a sanction, and the form that was not taken


def _page(
    request: HttpRequest, person: Any, *, token: str = "", failed: Failed = None, status: int = 200
) -> HttpResponse:
    in_force = set(Sanction.objects.in_force(person).values_list("pk", flat=True))
    shown = []
    for sanction in Sanction.objects.filter(user=person).select_related("appeal").order_by("-pk"):
        form = None
        if sanctions.may_appeal(sanction):
            form = failed[1] if failed and failed[0] == sanction.pk else AppealForm(auto_id=f"appeal-{sanction.pk}-%s")
        shown.append(
            {
                "sanction": sanction,
                "in_force": sanction.pk in in_force,
                "form": form,
                "appeal": getattr(sanction, "appeal", None),
                "appeal_until": sanctions.appeal_until(sanction),
            }
        )
    reports = Report.objects.filter(reporter=person).select_related("case__frame__canvas").order_by("-pk")
    filed = [
        (report, report.case.frame is not None and report.case.frame.canvas.known_to(person))
        for report in (() if token else reports[:30])
    ]
    context = {
        "person": person,
        "shown": shown,
        "reports": filed,
        "token": token,
        "section": "account",
        "clean": not in_force,
        "proved": bool(token) and _is_proved(token),
    }
    return render(request, "moderation/user_status.html", context, status=status)
