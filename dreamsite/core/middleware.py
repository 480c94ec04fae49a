"""What holds for every request: one address of the site, and headers that tell browsers what it never does.

Django 6 brings its own CSP middleware: then that half goes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from inspect import iscoroutinefunction
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

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
