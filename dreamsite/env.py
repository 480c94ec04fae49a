"""Settings from the environment: strict parsing, so that a bad value refuses to start and says why."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from dreamsite.core.files import whole_file

T = TypeVar("T")
_WORDS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


class Env:
    """Reads named variables from `environ`; ImproperlyConfigured says what was received and what was expected."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ

    def text(self, name: str, default: str = "") -> str:
        return self._environ.get(name, default).strip()

    def flag(self, name: str, default: bool) -> bool:
        raw = self.text(name)
        if not raw:
            return default
        if raw.lower() not in _WORDS:
            raise _bad(name, raw, "one of " + ", ".join(_WORDS))
        return _WORDS[raw.lower()]

    @property
    def on_a_build_machine(self) -> bool:
        """Whether this runs where programs are built and tested: such machines set CI, to various words."""
        return self.text("CI").lower() not in ("", "0", "false", "no", "off")

    def integer(self, name: str, default: int, *, low: int, high: int) -> int:
        raw = self.text(name)
        if not raw:
            return default
        try:
            value = int(raw)
        except ValueError:
            raise _bad(name, raw, f"a whole number from {low} to {high}") from None
        if not low <= value <= high:
            raise _bad(name, raw, f"a whole number from {low} to {high}")
        return value

    def number(self, name: str, default: float, *, low: float, high: float) -> float:
        raw = self.text(name)
        if not raw:
            return default
        try:
            value = float(raw)
        except ValueError:
            raise _bad(name, raw, f"a number from {low} to {high}") from None
        if not low <= value <= high:
            raise _bad(name, raw, f"a number from {low} to {high}")
        return value

    def choice(self, name: str, default: str, among: tuple[str, ...]) -> str:
        raw = self.text(name, default)
        if raw not in among:
            raise _bad(name, raw, "one of " + ", ".join(among))
        return raw

    def parsed(self, name: str, parse: Callable[[str], T], default: T) -> T:
        """What `parse` makes of the text; its ValueError says what is wrong with it."""
        raw = self.text(name)
        try:
            return parse(raw) if raw else default
        except ValueError as error:
            raise ImproperlyConfigured(f"{name}: received {raw!r}: {error}.") from None

    def secret(self, name: str, default: str = "") -> str:
        """`NAME`, or the contents of the file that `NAME_FILE` names; a named file that cannot be read is an error."""
        file = self.text(f"{name}_FILE")
        if not file:
            return self.text(name, default)
        if self.text(name):
            raise ImproperlyConfigured(f"{name} and {name}_FILE are both set: keep one of them.")
        try:
            return Path(file).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE: {file!r} cannot be read ({error.strerror}).") from error

    def contact(self, name: str) -> str:
        """Empty, or where somebody can be reached: a mail address becomes mailto:, web addresses must be https."""
        raw = self.text(name)
        if "@" in raw and not raw.startswith(("mailto:", "https://")):
            raw = f"mailto:{raw}"
        if raw and (not raw.startswith(("mailto:", "https://", "tel:")) or any(letter.isspace() for letter in raw)):
            raise _bad(name, raw, "a mail address or an https address")
        return raw

    def site_url(self, name: str, default: str) -> str:
        """An origin like https://draw.example.org: scheme and host, a port where it is not the usual one, no path."""
        raw = self.text(name, default).rstrip("/")
        parts = urlsplit(raw)
        try:
            port_ok = parts.port is None or 0 < parts.port < 65536
        except ValueError:
            port_ok = False
        bare = not (parts.path or parts.query or parts.fragment or parts.username)
        if parts.scheme not in ("http", "https") or not parts.hostname or not bare or not port_ok:
            raise _bad(name, raw, "a web address without a path, like https://draw.example.org")
        return raw


def kept_secret(path: Path) -> str:
    """The secret in `path`; made on the first call, readable by its owner only, and the same on every later one."""
    with contextlib.suppress(FileNotFoundError):
        return _whole(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Two processes may start at once, and either may be killed at any moment: the first file stays.
    with whole_file(path, mode=0o600, replace=False) as draft:
        draft.write_text(secrets.token_urlsafe(50))
    return _whole(path)


def _whole(path: Path) -> str:
    if secret := path.read_text().strip():
        return secret
    raise ImproperlyConfigured(f"{path} is empty, expected a secret: remove it, and the site makes a new one.")


def _bad(name: str, raw: str, expected: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name}: received {raw!r}, expected {expected}.")
