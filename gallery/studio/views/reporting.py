"""Reporting a dream, and asking for its takedown: for everybody, with or without an account."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from canvas.moderation.cases.services import TooMany
from canvas.moderation.signals import ip_digests
from gallery.studio import moderation
from gallery.studio.forms import ReportForm
from gallery.studio.views.requests import visible_work


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, key: str) -> HttpResponse:
    """The form (GET), and what became of it (POST): 201, 422 or 429."""
    work = visible_work(request, key)
    form = ReportForm(request.POST or None)
    context = {"section": "studio", "work": work, "form": form}
    template = "gallery/studio/report.html"
    if request.method != "POST":
        return render(request, template, context)
    if not form.is_valid():
        return render(request, template, context, status=422)
    reporter = request.user if request.user.is_authenticated else None
    try:
        moderation.report(work, reporter=reporter, address=ip_digests.digest(request), **form.cleaned_data)
    except TooMany as error:
        response = render(request, template, {**context, "minutes": -(-error.seconds // 60)}, status=429)
        response["Retry-After"] = str(error.seconds)
        return response
    return render(request, template, {**context, "filed": True}, status=201)
