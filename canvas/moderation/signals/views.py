"""The dashboard's page of signals."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from canvas.moderation import periodic_tasks
from canvas.moderation.models import Act, Signal
from canvas.moderation.permissions import MODERATE, moderator_required
from canvas.moderation.signals.detection import SEEN

PAGE = 50


@require_safe
@moderator_required(MODERATE)
def signals(request: HttpRequest) -> HttpResponse:
    """What the site noticed, not looked at yet first."""
    periodic_tasks.detect_without_worker()
    query = {name: request.GET.get(name, "") for name in ("state", "kind")}
    found = Signal.objects.select_related("person", "seen_by")
    found = found.exclude(seen_at=None) if query["state"] == "seen" else found.filter(seen_at=None)
    if query["kind"] in Signal.Kind.values:
        found = found.filter(kind=query["kind"])
    page = Paginator(found.order_by("-day", "-value"), PAGE).get_page(request.GET.get("page"))
    unseen = Q(seen_at=None)
    counts = Signal.objects.aggregate(new=Count("pk", filter=unseen), seen=Count("pk", filter=~unseen))
    context = {"page": page, "query": query, "counts": counts, "kinds": Signal.Kind.choices, "section": "signals"}
    return render(request, "moderation/signals.html", context)


@require_POST
@moderator_required(MODERATE)
def see(request: HttpRequest, pk: int) -> HttpResponse:
    """Puts a signal away; a stronger one of the same day comes back."""
    found = get_object_or_404(Signal.objects.select_related("person"), pk=pk)
    if Signal.objects.filter(pk=pk, seen_at=None).update(seen_at=timezone.now(), seen_by=request.user):
        Act.objects.record(request.user, SEEN, person=found.person, signal=found.pk, kind=found.kind, value=found.value)
    return redirect("signals")
