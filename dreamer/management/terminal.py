"""What long work has of the terminal: a line that shows how far it is, and Ctrl-C."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

STOPPED = 130  # the exit status of a program that Ctrl-C ended


class Stream(Protocol):
    def write(self, text: str) -> object: ...
    def flush(self) -> None: ...
    def isatty(self) -> bool: ...


class Bar:
    """A progress bar on a terminal, redrawn in place; elsewhere (a log, a pipe) a line every few seconds.

    Use as a context manager, so that the line is ended whatever happens.
    """

    WIDTH = 24

    def __init__(self, stream: Stream, *, every: float | None = None) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._every = (0.1 if self._live else 10.0) if every is None else every
        self._shown = 0.0
        self._length = 0

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *error: object) -> None:
        if self._live and self._length:
            self._stream.write("\n")
            self._stream.flush()

    def show(self, fraction: float, words: str, seconds_left: float | None = None) -> None:
        """Show the fraction done (0 to 1), some words, and the time left; most calls are passed over as too soon."""
        now = time.monotonic()
        if now - self._shown < self._every and fraction < 1:
            return
        self._shown = now
        left = "" if seconds_left is None else f" · {duration(seconds_left)} left"
        line = f"{fraction:4.0%} {words}{left}"
        if not self._live:
            self._stream.write(line + "\n")
        else:
            full = round(fraction * self.WIDTH)
            line = f"[{'#' * full}{'.' * (self.WIDTH - full)}] {line}"
            self._stream.write("\r" + line.ljust(self._length))
            self._length = len(line)
        self._stream.flush()


def duration(seconds: float) -> str:
    """0:07, 12:30, 1:02:03."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


@contextmanager
def stop_on_interrupt() -> Iterator[Callable[[], bool]]:
    """A question that answers True once Ctrl-C was pressed; a second Ctrl-C ends at once, as ever."""
    event = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        event.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield event.is_set
    finally:
        signal.signal(signal.SIGINT, before)
