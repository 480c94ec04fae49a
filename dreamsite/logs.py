"""No secret in what is logged, and a name for each request in all that is.

Keys are known by their shape, and masked in each record before any handler sees it.

A key in a log is a key in every backup and every ticket. They get there by addresses (a link that resets a password is
logged when it answers 404), by databases' errors (PostgreSQL quotes the row), by SQL, and by whatever is logged next
year; so nothing here goes by where a text comes from.
"""

from __future__ import annotations

import logging
import logging.config
import re
import secrets
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter

MASK = "[secret]"
# Sessions, CSRF secrets and tokens: at least 32 letters and digits, drawn from more than hexadecimal ones, as the sums
# of files are. Keys that reset a password: person, time, and 32 hexadecimal digits. Signed tokens: value, time, 43
# letters of base64, as in links of the claim, of confirmations and of the suspended.
_SHAPES = re.compile(
    r"(?<![A-Za-z0-9])(?!(?:[0-9a-f]+|[0-9A-F]+)(?![A-Za-z0-9]))[A-Za-z0-9]{32,}"
    r"|\b[0-9a-z]{1,13}-[0-9a-z]{5,9}-[0-9a-f]{32}\b"
    r"|[\w=.-]+(?::|%3A)[0-9A-Za-z]{6}(?::|%3A)[\w-]{43}(?![\w-])",
    re.IGNORECASE,
)


# Of the request or socket that is served; a proxy's own (X-Request-ID) where one is in front.
request_id: ContextVar[str] = ContextVar("request_id", default="")
_GIVEN = re.compile(rb"[A-Za-z0-9_.:-]{1,64}\Z")
access = logging.getLogger("dreamsite.access")


def named(application: Callable[..., Any], *, behind_proxy: bool) -> Callable[..., Any]:
    """An ASGI application whose requests have ids: in each record, in the answer's header, and in a line of access."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        given = dict(scope.get("headers", [])).get(b"x-request-id", b"") if behind_proxy else b""
        name = given.decode() if _GIVEN.match(given) else secrets.token_hex(8)
        request_id.set(name)
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        begun, status = time.monotonic(), 0

        async def answer(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", []), (b"x-request-id", name.encode())]}
            await send(message)

        try:
            await application(scope, receive, answer)
        finally:
            # Without the query: what people look for is theirs. And without their address.
            facts = {"method": scope["method"], "path": redact(scope["path"]), "status": status}
            seconds = round(time.monotonic() - begun, 4)
            access.info("%(method)s %(path)s %(status)s", facts, extra={**facts, "seconds": seconds})

    return serve


def redact(text: str) -> str:
    return _SHAPES.sub(MASK, text)


def configure(config: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG: `config` as for dictConfig, and all records without secrets."""
    logging.config.dictConfig(config)
    made = logging.getLogRecordFactory()
    if not isinstance(made, _Factory):
        logging.setLogRecordFactory(_Factory(made))


class _Factory:
    def __init__(self, make: Callable[..., logging.LogRecord]) -> None:
        self._make = make
        self._formatter = logging.Formatter()

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = self._make(*args, **kwargs)
        record.request_id = request_id.get()
        try:
            message = record.getMessage()
        except Exception:
            return record  # its handlers say what is wrong with it
        if (clean := redact(message)) != message:
            record.msg, record.args = clean, ()
        if record.exc_info and record.exc_info[0]:
            record.exc_text = redact(self._formatter.formatException(record.exc_info))
        return record


class Reporter(ExceptionReporter):
    """Django's report of an error, for developers' pages and owners' mail: with the variables of each call in it."""

    def get_traceback_html(self) -> SafeString:
        return SafeString(redact(super().get_traceback_html()))

    def get_traceback_text(self) -> SafeString:
        return SafeString(redact(super().get_traceback_text()))
