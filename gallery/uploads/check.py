"""The owner's own check of uploads (UPLOAD_CHECK), asked before a file is accepted: a command, or an address.

A command gets the picture on its standard input and accepts it with exit status 0; 1 refuses it, and what it printed on
its first line is the reason. An address gets it as the body of a POST and accepts it with 200 or 204; 403, 409, 415 and
422 refuse it, and the first line of the answer is the reason. Everything else (another status, no answer in time, a
command that is not there) refuses it, too: where nothing can be checked, nothing is accepted.

What is checked is the picture as it will be stored, not the file that came.
"""

from __future__ import annotations

import logging
import shlex
import subprocess
import urllib.error
import urllib.request
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

log = logging.getLogger(__name__)

SECONDS = 30.0
REFUSALS = (403, 409, 415, 422)
REASON_MOST = 200  # characters


class CheckRefused(Exception):
    """The picture was not accepted; the message is for whoever sent it."""


def check(data: bytes, mime: str) -> None:
    """Has the site's check look at a picture. Raises CheckRefused; nothing happens where no check is set."""
    setting = settings.UPLOAD_CHECK
    if not setting:
        return
    try:
        refusal = _by_address(setting, data, mime) if _is_address(setting) else _by_command(setting, data)
    except Exception as error:
        log.error("UPLOAD_CHECK could not look at an upload, so it was refused: %s", error)
        words = _("Pictures cannot be checked at the moment, so none are accepted. Try again in a while.")
        raise CheckRefused(words) from error
    if refusal is not None:
        raise CheckRefused(_reason(refusal))


def _is_address(setting: str) -> bool:
    return setting.startswith(("http://", "https://"))


def _by_command(command: str, data: bytes) -> bytes | None:
    """None: accepted; else what it printed."""
    done = subprocess.run(shlex.split(command), input=data, capture_output=True, timeout=SECONDS, check=False)
    if done.returncode == 0:
        return None
    if done.returncode == 1:
        return done.stdout
    raise RuntimeError(
        f"it ended with {done.returncode}, expected 0 or 1: {done.stderr[-300:].decode(errors='replace')}"
    )


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Where a redirect leads is no answer: a page to sign in would accept everything."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _by_address(url: str, data: bytes, mime: str) -> bytes | None:
    """None: accepted; else the answer's body."""
    request = urllib.request.Request(url, data, {"Content-Type": mime}, method="POST")
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=SECONDS) as answer:
            if answer.status in (200, 204):
                return None
            raise RuntimeError(f"it answered {answer.status}, expected 200 or 204")
    except urllib.error.HTTPError as error:
        if error.code in REFUSALS:
            return error.read(4 * REASON_MOST)
        raise RuntimeError(f"it answered {error.code}, expected 200, 204, or one of {REFUSALS}") from error


def _reason(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    reason = "".join(letter for letter in (lines[0] if lines else "") if letter.isprintable())[:REASON_MOST]
    return reason or _("This picture is not accepted here.")
