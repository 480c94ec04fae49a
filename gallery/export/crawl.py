"""Goes through the site from its first page to its last link, and writes what it finds into a folder.

The queue is a small database in the folder, so memory stays bounded, and a run that was interrupted goes on where it
was. Every file appears whole or not at all.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.files.storage import default_storage
from django.test import Client

from dreamsite.core.files import whole_file, within
from gallery.export import rewrite
from gallery.export.addresses import Addresses, ExportOptions, Target
from gallery.farewell.views import EXPORTING

STARTS = (
    "/",
    "/canvas/",
    "/about/",
    "/faq/",
    "/donate/",
    "/exhibits/",
    "/films/",
    "/history/",
    "/highlights/",
    "/dreams/",
)
# Modules that need no server; the others are left out, and the pages are what they are without a script.
SCRIPTS = {
    "site.js",
    "gallery/compare.js",
    "gallery/copy.js",
    "gallery/farewell.js",
    "gallery/exhibit.js",
}
BATCH = 200
STATE_FILE = ".export.sqlite3"


class ExportError(Exception):
    """The site failed to answer for a page."""


class Export:
    """`run` writes into `folder`; `report` gets a line of progress now and then."""

    def __init__(self, folder: Path, options: ExportOptions, report: Callable[[str], None]) -> None:
        self._folder, self._report = folder, report
        self._addresses = Addresses(options)
        host = urlsplit(settings.SITE_URL).netloc
        environ: dict[str, Any] = {EXPORTING: "1", "REMOTE_ADDR": ""}
        self._client = Client(raise_request_exception=False, headers={"host": host}, **environ)
        self._plain = {hashed: name for name, hashed in getattr(staticfiles_storage, "hashed_files", {}).items()}
        self._reported_at = time.monotonic()
        self.missing: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)
        self._state = sqlite3.connect(folder / STATE_FILE)
        self._state.execute(
            "CREATE TABLE IF NOT EXISTS queue (file TEXT PRIMARY KEY, kind TEXT, address TEXT, done INT DEFAULT 0)"
        )

    def run(self) -> int:
        """Writes everything; how many files there are. Raises ExportError."""
        with closing(self._state):
            count = self._write_all()
        (self._folder / STATE_FILE).unlink()
        return count

    def _write_all(self) -> int:
        for start in STARTS:
            self._enqueue(self._addresses.target(start))
        while batch := self._state.execute(
            "SELECT kind, address, file FROM queue WHERE done = 0 LIMIT ?", [BATCH]
        ).fetchall():
            for row in batch:
                target = Target(*row)
                self._write(target)
                self._state.execute("UPDATE queue SET done = 1 WHERE file = ?", [target.file])
                self._progress()
            self._state.commit()
        return self._count("")

    def _count(self, where: str) -> int:
        return int(self._state.execute(f"SELECT count(*) FROM queue {where}").fetchone()[0])

    def _progress(self) -> None:
        if time.monotonic() - self._reported_at > 2:
            self._reported_at = time.monotonic()
            self._report(
                f"{self._count('WHERE done = 1')} files written, {self._count('WHERE done = 0')} more known of"
            )

    def _enqueue(self, target: Target | None) -> None:
        if target is not None:
            self._state.execute(
                "INSERT OR IGNORE INTO queue (file, kind, address) VALUES (?, ?, ?)",
                [target.file, target.kind, target.address],
            )

    # --- writing ---------------------------------------------------------------------------------------------------

    def _write(self, target: Target) -> None:
        if target.kind == "media":
            self._copy(target)
        elif target.kind == "static":
            self._static(target)
        else:
            self._page(target)

    def _page(self, target: Target) -> None:
        secure = settings.SITE_URL.startswith("https:")
        answer = self._client.get(target.address, secure=secure)
        if answer.status_code >= 500:
            raise ExportError(f"{target.address}: the site answered {answer.status_code}; its log says why.")
        kind = answer.headers.get("Content-Type", "").split(";")[0]
        if answer.status_code in (301, 302, 303, 307, 308):
            to = self._link(target, answer.headers["Location"]) or ""
            self._put(target.file, [_REDIRECT.format(to=to).encode()])
            return
        if answer.status_code != 410 and answer.status_code >= 400:
            self.missing.append(target.address)
        content = b"".join(answer) if answer.streaming else answer.content
        self._put(target.file, [self._rewritten(target, kind, content)])

    def _rewritten(self, target: Target, kind: str, content: bytes) -> bytes:
        def link(address: str) -> str | None:
            return self._link(target, address)

        if kind == "text/html":
            return rewrite.html(content.decode(), link, self._keeps_script).encode()
        if kind == "application/json":
            origin = settings.SITE_URL
            return rewrite.data(content.decode(), origin, link).encode()
        if kind == "text/css":
            return rewrite.css(content.decode(), link).encode()
        if kind == "text/javascript":
            return rewrite.module(content.decode(), link).encode()
        return content

    def _static(self, target: Target) -> None:
        path = within(Path(settings.STATIC_ROOT), target.address)
        found = path if path.is_file() else finders.find(target.address)
        if not found:
            self.missing.append(f"{settings.STATIC_URL}{target.address}")
            return
        kind = {".css": "text/css", ".js": "text/javascript"}.get(path.suffix, "")
        self._put(target.file, [self._rewritten(target, kind, Path(str(found)).read_bytes())])

    def _copy(self, target: Target) -> None:
        try:
            with default_storage.open(target.address, "rb") as source:
                self._put(target.file, iter(lambda: source.read(1 << 20), b""))
        except FileNotFoundError:
            self.missing.append(target.file)

    def _put(self, name: str, chunks: Iterable[bytes]) -> None:
        path = within(self._folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not synced: whoever loses power starts the export again.
        with whole_file(path, durable=False) as draft, draft.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)

    # --- links -----------------------------------------------------------------------------------------------------

    def _link(self, here: Target, address: str) -> str | None:
        """Where `address`, as written in the file of `here`, leads within the folder; other sites stay as they are."""
        scheme = urlsplit(address).scheme
        if not address or address.startswith("#") or scheme not in ("", "http", "https"):
            return address
        base = settings.STATIC_URL + here.address if here.kind == "static" else here.address
        whole = urljoin(base, address)
        target = self._addresses.target(whole, in_exhibit=here.file.startswith("exhibits/"))
        if target is None:
            return None if self._addresses.is_ours(whole) else address
        self._enqueue(target)
        fragment = urlsplit(address).fragment
        way = os.path.relpath(target.file, PurePosixPath(here.file).parent).replace(os.sep, "/")
        return way + (f"#{fragment}" if fragment else "")

    def _keeps_script(self, address: str) -> bool:
        name = urlsplit(address).path.removeprefix(settings.STATIC_URL)
        return self._plain.get(name, name) in SCRIPTS


# With an icon of its own, however empty: browsers would ask the server's root for one.
_REDIRECT = (
    '<!DOCTYPE html><meta charset="utf-8"><title>→</title><link rel="icon" href="data:,">'
    '<meta http-equiv="refresh" content="0; url={to}"><p><a href="{to}">→</a>\n'
)
