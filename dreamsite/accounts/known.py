"""Browsers in which somebody signed in before: nobody's wrong guesses elsewhere keep them out.

A signed cookie says for whom, and carries a number of its own, by which its wrong guesses are counted. It signs nobody
in.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.core import signing
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponseBase

from dreamsite.core.models import User

COOKIE = "known"
SECONDS = 400 * 86400  # the longest that browsers keep a cookie
SALT = "dreamsite.known"
PEOPLE = 5  # who share a browser
_HERE = "dreamsite.signed_in_here"  # in a request, while it is answered


def _read(request: HttpRequest) -> dict[str, str]:
    """User id -> the browser's number for them."""
    try:
        found = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=SECONDS)
    except signing.BadSignature:
        return {}
    return found if isinstance(found, dict) else {}


def login_of(request: HttpRequest, credentials: dict[str, Any]) -> str | None:
    """The number under which this browser counts for the account that these credentials name; None for a stranger."""
    if not (known := _read(request)):
        return None
    name, email = str(credentials.get("username") or ""), str(credentials.get("email") or "")
    for user in User.objects.filter(pk__in=known):
        if (name and user.username.lower() == name.lower()) or (email and user.email.lower() == email.lower()):
            return known[str(user.pk)]
    return None


@receiver(user_logged_in)
def _signed_in(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    request.META[_HERE] = user.pk


def note_browsers(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: gives the cookie to a browser in which somebody has just signed in."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if (user := request.META.get(_HERE)) is not None:
            known = _read(request)
            number = known.pop(str(user), None) or secrets.token_urlsafe(9)
            known = dict([*known.items(), (str(user), number)][-PEOPLE:])
            response.set_cookie(
                COOKIE,
                signing.dumps(known, salt=SALT),
                max_age=SECONDS,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response

    return answer
