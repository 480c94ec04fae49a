"""Reporting: one form, as a page of its own and, fetched by the canvas, inside its dialog."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from canvas.moderation.audit import look_ups
from canvas.moderation.cases import evidence
from canvas.moderation.cases import services as cases
from canvas.moderation.cases.forms import ReportForm
from canvas.moderation.models import Case, Evidence
from canvas.moderation.permissions import REVIEW_REPORT, moderator_required
from canvas.moderation.signals import ip_digests
from dreamsite.core.errors import NotFound


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """The form (GET, with `canvas`, `x`, `y`, `r` or `frame`), and what became of it (POST): 201, 422 or 429.

    With the header `X-Part: 1` only the form or the answer itself, for the dialog on the canvas.
    """
    template = "moderation/parts/report.html" if request.headers.get("X-Part") else "moderation/report.html"
    if request.method != "POST":
        where = ReportForm.where_of(request.GET)
        if where is None:
            raise NotFound("A report is about a frame, or about a spot on a canvas.")
        form = ReportForm(initial={name: request.GET.get(name) for name in ("canvas", "frame", "x", "y", "r")})
        return render(request, template, {"form": form, "where": where})
    form = ReportForm(request.POST)
    if not form.is_valid():
        context = {"form": form, "where": getattr(form, "where", None)}
        return render(request, template, context, status=422)
    reporter = request.user if request.user.is_authenticated else None
    return _file(request, template, form, reporter)


def _file(request: HttpRequest, template: str, form: ReportForm, reporter: Any) -> HttpResponse:
    assert form.where is not None
    context: dict[str, Any] = {"form": form, "where": form.where}
    try:
        data = form.cleaned_data
        cases.report(form.where, data["category"], data["text"], reporter=reporter, address=ip_digests.digest(request))
    except cases.TooMany as error:
        response = render(request, template, {**context, "minutes": -(-error.seconds // 60)}, status=429)
        response["Retry-After"] = str(error.seconds)
        return response
    return render(request, template, {**context, "filed": True}, status=201)


@require_safe
@moderator_required(REVIEW_REPORT)
def picture(request: HttpRequest, pk: int) -> HttpResponse:
    """A report's evidence. It never changes, and no cache but the moderator's own keeps it."""
    found = get_object_or_404(Evidence, pk=pk)
    look_ups.record(request.user, look_ups.EVIDENCE, reports=[pk])
    return _jpeg(found, "private, max-age=3600")


@require_safe
@moderator_required(REVIEW_REPORT)
def now(request: HttpRequest, pk: int) -> HttpResponse:
    """A case's spot as the canvas is at this moment, also what lies below a cover."""
    found = get_object_or_404(Case.objects.select_related("canvas"), pk=pk)
    if found.canvas is None or found.x is None or found.y is None or found.r is None:
        raise NotFound("This case is about no spot of a canvas.")
    look_ups.record(request.user, look_ups.EVIDENCE, canvas=found.canvas, cases=[pk])
    image, _seq = evidence.of_canvas(found.canvas, found.x, found.y, found.r)
    return _jpeg(image, "no-store")


def _jpeg(shown: Evidence, caching: str) -> HttpResponse:
    response = HttpResponse(bytes(shown.image), content_type="image/jpeg")
    response["Cache-Control"] = caching
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Content-Disposition"] = "inline"
    response["X-Content-Type-Options"] = "nosniff"
    return response
