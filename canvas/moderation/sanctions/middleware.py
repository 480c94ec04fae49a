"""Suspended people may watch like everybody, and may not be signed in.

Whoever is suspended is signed out at their next page or act, a sign-in that has just succeeded included, however it was
made. They are led to a page of their own instead, which says why and until when, and takes their appeal.
"""

from __future__ import annotations

import time
from typing import Any, TypeVar

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.messages import get_messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _

from canvas.models import Sanction
from dreamsite.core.errors import json_error, wants_json

_SALT = "canvas.moderation.suspended"
OPEN_SECONDS = 2 * 3600
_SAFE = ("GET", "HEAD", "OPTIONS")
View = TypeVar("View")


def same_for_everybody(view: View) -> View:
    """Marks a view whose answer does not depend on who reads it: to ask would keep caches from sharing it."""
    vars(view)["same_for_everybody"] = True
    return view


def suspended_url(user: Any, *, proved: bool = False) -> str | None:
    """Where somebody who is suspended reads why, and appeals; None for everybody else.

    For two hours the address shows the status of the account to whoever has it. `proved`: they have signed in just now,
    and for a while may also take their data with them, or close the account.
    """
    if not Sanction.objects.suspends(user):
        return None
    return reverse("suspended", args=[signing.dumps([user.pk, proved], salt=_SALT)])


def user_of(token: str, *, proved: bool = False) -> int:
    """Whose address it is. Raises django.core.signing.BadSignature for one that is old, nobody's, or not `proved`."""
    lasts = settings.ACCOUNT_REAUTHENTICATION_TIMEOUT if proved else OPEN_SECONDS
    user_id, was_proved = signing.loads(token, salt=_SALT, max_age=lasts)
    if proved and not was_proved:
        raise signing.BadSignature("made for a session that was open already")
    return int(user_id)


def _has_proved(request: HttpRequest) -> bool:
    """Whether this session's sign-in is no older than what the account's own pages ask for."""
    since = time.time() - settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
    return any(record["at"] > since for record in get_authentication_records(request, request.user))


def _must_check(request: HttpRequest, view: Any) -> bool:
    if request.method not in _SAFE:
        return True
    if getattr(view, "same_for_everybody", False):
        return False
    if "text/html" in request.headers.get("Accept", "text/html"):
        return True
    match = request.resolver_match
    return getattr(view, "for_staff", False) or (match is not None and "admin" in match.app_names)


class SuspendedMiddleware(MiddlewareMixin):
    """Asks before pages, before everything that changes something, and before all that only staff reads.

    Pictures and data that others read cost no query.
    """

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if not _must_check(request, view):
            return None
        if not request.user.is_authenticated:
            return None
        if (address := suspended_url(request.user, proved=_has_proved(request))) is None:
            return None
        list(get_messages(request))  # "Hello" from the sign-in, which nobody shall read here
        logout(request)
        if wants_json(request):
            return json_error(403, "suspended", _("This account is suspended. Sign in to read why, and to appeal."))
        return redirect(address)
