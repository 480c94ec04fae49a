"""Errors as people and programs can read them: a page of our own, or the same as JSON where JSON was asked for."""

from __future__ import annotations

import sys
from math import ceil

from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from dreamsite.core import appearance
from dreamsite.core.storage import DISK, StorageError

RETRY_SECONDS = 30


class NotFound(Http404):
    """A 404 whose message is meant for the visitor."""


class Busy(Exception):
    """Too many want this at once (503), or one of them too often (429): the answer says when to come back."""

    def __init__(self, what: str, *, status: int = 503, seconds: float = 0.0) -> None:
        super().__init__(f"busy with {what}")
        self.status, self.seconds = status, max(1, ceil(seconds)) if seconds else RETRY_SECONDS


class InvalidRequest(ValueError):
    """What was requested cannot be done; the message says why to whoever requested it."""


def wants_json(request: HttpRequest) -> bool:
    return request.path.endswith(".json") or request.get_preferred_type(["text/html", "application/json"]) == (
        "application/json"
    )


def json_error(status: int, error: str, detail: str) -> JsonResponse:
    """The shape of every error in JSON: a word for programs, a sentence for people."""
    return JsonResponse({"error": error, "detail": detail}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    # Nothing of the request can be trusted here, not even its host: a page that asks it nothing.
    return HttpResponse(render_to_string("400.html", {"look": appearance.known()}), status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if wants_json(request):
        return json_error(403, "forbidden", _("This account may not go here."))
    return render(request, "403.html", status=403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    if wants_json(request):
        return json_error(403, "csrf", _("The form's token is missing or stale: load the page again."))
    return render(request, "403.html", {"csrf": True}, status=403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    detail = str(exception) if isinstance(exception, NotFound) else ""
    if wants_json(request):
        return json_error(404, "not-found", detail or _("Nothing has this address."))
    return render(request, "404.html", {"detail": detail}, status=404)


def busy(request: HttpRequest, trouble: Busy) -> HttpResponse:
    """So many at once, or so often, that this one is asked to come back."""
    response: HttpResponse
    if wants_json(request):
        response = json_error(trouble.status, "busy", _("Too many want this at once. Come back in a moment."))
    else:
        response = HttpResponse(
            render_to_string(f"{trouble.status}.html", {"look": appearance.known()}), status=trouble.status
        )
    response["Retry-After"] = str(trouble.seconds)
    return response


def conflict(request: HttpRequest) -> HttpResponseBase:
    """Somebody else, or one's own first click, has done it a moment ago."""
    detail = _("This was done a moment ago, by you or by somebody else. Look again before you go on.")
    if wants_json(request):
        return json_error(409, "conflict", detail)
    return render(request, "409.html", status=409)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """500, or 503 when the database, the storage or a disk is what failed: that passes, and programs should come
    back."""
    error_met = sys.exc_info()[1]
    stored = isinstance(error_met, StorageError)
    disk = isinstance(error_met, OSError) and error_met.errno in DISK  # any: a full folder for what is temporary, too
    away = stored or disk or isinstance(error_met, (OperationalError, InterfaceError))
    status, error = (503, "unavailable") if away else (500, "internal")
    response: HttpResponse
    if wants_json(request):
        detail = _("Something broke, and it was us.")
        if away:
            detail = _("The database cannot be reached.")
        if disk:
            detail = _("A disk of this site is full or fails.")
        if stored:
            detail = _("The stored pictures cannot be reached.")
        response = json_error(status, error, detail)
    else:
        # Without request and user: finding out who asks needs the database.
        response = HttpResponse(render_to_string(f"{status}.html", {"look": appearance.known()}), status=status)
    if away:
        response["Retry-After"] = str(RETRY_SECONDS)
    return response
