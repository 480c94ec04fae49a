"""Leave to send a large body, in a signed cookie: a server refuses a stranger's 300 MB before the application has them.

A page with a form for large files gives it to whoever may use the form. Servers look at no database: the signature says
who was let, how much, and until when. It opens nothing else; the view that takes the file asks for the permission.
"""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie

from django.conf import settings
from django.core import signing
from django.http import HttpResponseBase

COOKIE = "uploads"
SECONDS = 12 * 3600
FIELDS = 64 * 1024  # what a form has beside its files
SALT = "dreamsite.upload_pass"


def grant(response: HttpResponseBase, most: int) -> None:
    """Lets the browser that gets this response send bodies of up to `most` bytes for half a day."""
    value = signing.TimestampSigner(salt=SALT).sign(str(most))
    response.set_cookie(
        COOKIE, value, max_age=SECONDS, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
    )


def granted(cookies: str) -> int:
    """How many bytes a request with this Cookie header may have; 0 without a pass that is valid."""
    if COOKIE not in cookies:
        return 0
    try:
        morsel = SimpleCookie(cookies).get(COOKIE)
        return int(signing.TimestampSigner(salt=SALT).unsign(morsel.value, max_age=SECONDS)) if morsel else 0
    except (CookieError, signing.BadSignature, ValueError):
        return 0
