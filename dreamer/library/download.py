"""Downloading one file from whichever of several addresses gives it, whole and with the right checksum.

A broken download is kept beside its goal as `<file>.part` and resumed, also by the next run. Servers may ignore
the request to resume, lie about their length, stall, or give an error page: each is noticed, told, and tried
elsewhere. A file for which no checksum was published counts when it can be read, comes from one address in one run,
and is not kept: nothing could tell later that it is whole.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from .names import LibraryError
from .sources import Part

Read = TypeVar("Read")
OnProgress = Callable[[int, int], None]  # (bytes so far, bytes in all or 0)
CHUNK = 1 << 16
LARGEST = 1 << 32  # bytes; nothing we fetch comes near
_OURS = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EISDIR}  # no server's fault
ATTEMPTS = 4  # at one address without getting further than ever before


@dataclass
class Download:
    """How to download: `stall` seconds without a byte count as broken; `tell` hears about every trouble.

    `progress` and, where there is no progress to tell, `pause` are called often. What they raise ends the download;
    what has arrived of a file with a checksum is kept.
    """

    stall: float = 30.0
    notify: Callable[[str], None] = lambda _: None
    progress: OnProgress = lambda _done, _total: None
    pause: Callable[[], None] = lambda: None
    agent: str = "dreamsite-model-fetch"
    troubles: list[str] = field(default_factory=list)

    def get(self, part: Part, folder: Path, read: Callable[[Path], Read]) -> tuple[Read, str]:
        """Bring `part` into `folder`; what `read` makes of it, and the address that gave it.

        The address is empty where the file lay there from an earlier run. A file without a published checksum that
        `read` refuses by LibraryError is none: the next address is asked. LibraryError lists every address and its
        trouble.
        """
        folder.mkdir(parents=True, exist_ok=True)
        goal, partial = folder / part.file, folder / f"{part.file}.part"
        if part.checked and goal.is_file() and not mismatch(goal, part):
            return read(goal), ""
        goal.unlink(missing_ok=True)
        self.troubles = []
        for url in part.urls:
            self.notify(f"{part.file} from {url}")
            try:
                if not part.checked:
                    partial.unlink(missing_ok=True)
                if not self._from(url, part, partial):
                    continue
                partial.replace(goal)
                try:
                    return read(goal), url
                except LibraryError as error:
                    if part.checked:
                        raise
                    self._trouble(url, str(error))
            finally:
                if not part.checked:
                    partial.unlink(missing_ok=True)
                    goal.unlink(missing_ok=True)
        tried = "".join(f"\n  {trouble}" for trouble in self.troubles)
        kept = " (what has arrived is kept and resumed)" if partial.exists() else ""
        raise LibraryError(
            f"{part.file} could not be downloaded:{tried}\n"
            f"Try again later{kept}, or get the file elsewhere and give it with --from FILE."
        )

    def _from(self, url: str, part: Part, partial: Path) -> bool:
        """Try one address until it is done or hopeless; False, with the trouble noted, when it is."""
        idle, most = 0, _size(partial)
        inherited = most > 0
        while idle < ATTEMPTS:
            self.pause()
            start = _size(partial)
            try:
                self._receive(url, part, partial, start)
            except urllib.error.HTTPError as error:
                if error.code == 416 and start:  # already longer than the file: not the same file
                    partial.unlink()
                    idle, most, inherited = idle + 1, 0 if inherited else most, False
                    continue
                return self._trouble(url, f"{error.code} {error.reason}")
            except (OSError, http.client.HTTPException) as error:
                if getattr(error, "errno", None) in _OURS:
                    raise LibraryError(f"{partial} cannot be written: {error}") from None
                idle = 0 if _size(partial) > most else idle + 1
                most = max(most, _size(partial))
                reason = error.reason if isinstance(error, urllib.error.URLError) else error
                reason_text = "no data" if isinstance(reason, TimeoutError) else str(reason) or type(reason).__name__
                if idle >= ATTEMPTS or (isinstance(error, urllib.error.URLError) and not start):
                    return self._trouble(url, reason_text)
                self.notify(f"broken at {_size(partial)} bytes ({reason_text}), resuming")
                continue
            problem = mismatch(partial, part)
            if not problem:
                return True
            partial.unlink()
            if not start:
                return self._trouble(url, problem)
            # The beginning came from an earlier run or another address: once more from nothing.
            self.notify(f"{problem}; from the beginning")
            idle, most, inherited = idle + 1, 0 if inherited else most, False
        return self._trouble(url, f"no progress beyond {most} bytes")

    def _trouble(self, url: str, problem: str) -> bool:
        self.troubles.append(f"{url}: {problem}")
        self.notify(problem)
        return False

    def _receive(self, url: str, part: Part, partial: Path, start: int) -> None:
        """One request; bytes go to `partial` as they come. Raises OSError when the answer ends early."""
        headers = {"User-Agent": self.agent, "Accept-Encoding": "identity"}
        if part.size and start == part.size:
            return
        if start:
            headers["Range"] = f"bytes={start}-"
        if not url.startswith(("http://", "https://")):
            raise urllib.error.URLError(f"{url} is no web address")
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=self.stall) as answer:
            resumed = answer.status == 206 and _offset(answer.headers.get("Content-Range", "")) == start
            done = start if resumed else 0
            length = answer.headers.get("Content-Length")
            total = done + int(length) if length and length.isdigit() else part.size
            if part.size and total != part.size:
                raise urllib.error.URLError(f"the file there has {total} bytes, expected {part.size}")
            if total and total < part.at_least:
                raise urllib.error.URLError(f"the file there has {total} bytes, expected {part.at_least} or more")
            with partial.open("ab" if resumed else "wb") as file:
                while block := answer.read(CHUNK):
                    file.write(block)
                    done += len(block)
                    if done > LARGEST:
                        partial.unlink()
                        raise urllib.error.URLError(f"more than {LARGEST} bytes")
                    self.progress(done, total)
                file.flush()
                os.fsync(file.fileno())
            if total and done < total:
                raise ConnectionError(f"the connection ended after {done} of {total} bytes")


def _offset(content_range: str) -> int:
    match = re.fullmatch(r"bytes (\d+)-\d+/(?:\d+|\*)", content_range.strip())
    return int(match[1]) if match else -1


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def digest(path: Path, kind: str) -> str:
    """The file's checksum in hexadecimal; `kind` is sha256 or sha1."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


def mismatch(path: Path, part: Part) -> str:
    """What is wrong with a file that should be `part`; empty when nothing is."""
    if part.size and _size(path) != part.size:
        return f"received {_size(path)} bytes, expected {part.size}"
    if _size(path) < part.at_least:
        return f"received {_size(path)} bytes, expected {part.at_least} or more"
    for kind, expected in (("sha256", part.sha256), ("sha1", part.sha1)):
        if expected:
            received = digest(path, kind)
            if received != expected:
                return f"wrong checksum: received {kind} {received}, expected {expected}"
            return ""
    return ""
