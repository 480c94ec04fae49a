"""The public monthly summary."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from canvas.moderation.summary import services as summary
from dreamsite.core.errors import NotFound


@require_safe
def month(request: HttpRequest, year: int = 0, number: int = 0) -> HttpResponse:
    """One month's moderation in numbers, for everybody; the current month by default."""
    today = datetime.now(UTC).date()
    try:
        first = date(year, number, 1) if year else today.replace(day=1)
    except ValueError:
        first = date.max
    if not summary.EARLIEST <= first <= today:
        raise NotFound("There is no summary of that month.")
    current = first == today.replace(day=1)
    context: dict[str, Any] = {"month": summary.of(first), "section": "summary", "current": current}
    return render(request, "moderation/summary.html", context)
