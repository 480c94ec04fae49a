"""What holds for every request: one address of the site, and headers that tell browsers what it never does.

Django 6 brings its own CSP middleware: then that half goes.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from inspect import iscoroutinefunction
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DataError, IntegrityError
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from dreamsite.core.errors import Busy, busy, conflict, json_error, page_not_found, permission_denied

log = logging.getLogger(__name__)

# Nothing on these pages, nor anything that might ever be slipped into them, has use for these.
PERMISSIONS_POLICY = ", ".join(
    [
        f"{feature}=()"
        for feature in (
            "accelerometer",
            "autoplay",
            "browsing-topics",
            "camera",
            "display-capture",
            "encrypted-media",
            "geolocation",
            "gyroscope",
            "hid",
            "identity-credentials-get",
            "idle-detection",
            "local-fonts",
            "magnetometer",
            "microphone",
            "midi",
            "otp-credentials",
            "payment",
            "serial",
            "usb",
            "window-management",
            "xr-spatial-tracking",
        )
    ]
    + [f"{feature}=(self)" for feature in ("clipboard-write", "fullscreen", "screen-wake-lock")]
)


def policy(directives: Mapping[str, Iterable[str] | str | bool | None]) -> str:
    """`SECURE_CSP` as a header: names to sources; True stands alone, None and False are left out."""
    parts = []
    for name, sources in directives.items():
        if sources is None or sources is False:
            continue
        words = [] if sources is True else [sources] if isinstance(sources, str) else list(sources)
        parts.append(" ".join([name, *words]))
    return "; ".join(parts)


@sync_and_async_middleware
def security_headers(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Adds Content-Security-Policy (from settings.SECURE_CSP) and Permissions-Policy where a view has set none."""
    csp = policy(settings.SECURE_CSP)

    def add(response: HttpResponseBase) -> HttpResponseBase:
        # Django's own pages for a developer's errors carry their style and scripts inline.
        if not (settings.DEBUG and response.status_code in (404, 500)):
            response.headers.setdefault("Content-Security-Policy", csp)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response

    if iscoroutinefunction(get_response):
        ask: Callable[[HttpRequest], Awaitable[HttpResponseBase]] = get_response

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            return add(await ask(request))

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        return add(get_response(request))

    return answer


@sync_and_async_middleware
def one_address(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Makes SITE_URL the only address that pages, feeds, mail and redirects can name, whatever a client says.

    A `Host` that is not ours is refused first, as ever; after that it is forgotten, with its port. Everything that
    writes addresses asks the request: `build_absolute_uri`, `get_host`, allauth's letters, Django's redirects. Scheme
    and prefix, the other two parts of an address, are settled in `dreamsite.asgi`.
    """

    def settle(request: HttpRequest) -> None:
        if request.path not in settings.ANY_HOST:
            request.get_host()  # raises DisallowedHost
        request.META["HTTP_HOST"] = urlsplit(settings.SITE_URL).netloc
        request.META.pop("HTTP_X_FORWARDED_HOST", None)

    if iscoroutinefunction(get_response):
        ask: Callable[[HttpRequest], Awaitable[HttpResponseBase]] = get_response

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            settle(request)
            return await ask(request)

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        settle(request)
        response: HttpResponseBase = get_response(request)
        return response

    return answer


class answer_conflicts:
    """Two at once for what can be there once only: the second is answered in words, whatever the form.

    And where there are too many at once (Busy), whoever has no place is asked to come back; what lies out of every
    range is a 404.

    The database decides who was first (a unique constraint). The view is asked again: now it finds what the other has
    just written, as it would have a moment later, and says what it always says then. If it still runs into the
    constraint, a page says so (409). A view that wrote half of its work before leaves that to a transaction.
    """

    sync_capable, async_capable = True, False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        len(request.GET)  # more of it than anybody reads is a 400 here, and not an error in the page of another error
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        if isinstance(exception, Busy):
            return busy(request, exception)
        if isinstance(exception, RecursionError):
            log.warning("JSON that is nested without end at %s", request.path[:200])
            return json_error(400, "nested", "The request's JSON is nested too deeply.")
        if isinstance(exception, (OverflowError, DataError)):
            # A number or date that was asked for, and that no column or calendar holds: nothing has it.
            log.warning("Out of every range at %s: %s", request.path[:200], exception, exc_info=exception)
            return page_not_found(request, exception)
        if not isinstance(exception, IntegrityError) or request.method != "POST" or not request.resolver_match:
            return None
        log.info("Somebody else was first at %s: %s", request.resolver_match.view_name, exception)
        view, args, kwargs = request.resolver_match
        try:
            answer: HttpResponseBase = view(request, *args, **kwargs)
        except IntegrityError:
            return conflict(request)
        except Http404 as missing:
            return page_not_found(request, missing)
        except PermissionDenied as denied:
            return permission_denied(request, denied)
        if hasattr(answer, "render") and callable(answer.render):
            answer = answer.render()
        return answer
