"""Taking what is to be made in hand, saying how far it is, and letting go: for films and downloads alike.

A row is in the hands of the worker its `holder` names, for as long as that worker lives. Whatever is written to it
asks for holder and edition: a film that was cancelled, withdrawn or taken over meanwhile takes no more words.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, TypeVar

from django.utils import timezone

from dreamsite.core.tasks import WORKER, Interrupted, heartbeats, pause_point
from gallery.films.models import Made, State

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Made)
TELL_SECONDS = 1.0
CLAIMABLE = (State.WAITING, State.MAKING, State.FAILED)


class Dropped(Exception):
    """It was cancelled, withdrawn or taken over: what was made so far is not wanted."""


class Progress:
    """Tells how far it is, about once a second. Raises Dropped or Interrupted where there is no point in going on."""

    def __init__(self, row: Made) -> None:
        self._row = row
        self._told = 0.0
        self._began: tuple[float, float] | None = None  # when, and at which fraction

    def __call__(self, fraction: float) -> None:
        now = time.monotonic()
        if self._began is None:
            self._began = now, fraction
        if now - self._told < TELL_SECONDS:
            return
        pause_point()
        self._told = now
        began, done = self._began
        expected = None
        if fraction - done > 0.005:
            expected = timezone.now() + timedelta(seconds=(now - began) / (fraction - done) * (1 - fraction))
        tell(self._row, fraction=round(fraction, 4), expected_at=expected)

    def pause(self) -> None:
        """Where there is nothing to say, but long work."""
        pause_point()


def tell(row: Made, **what: Any) -> None:
    """Writes to a row that is in hand, or raises Dropped."""
    if not mine(row).update(**what):
        raise Dropped(f"{row} is not wanted any more, or is made by somebody else")


def mine(row: Made) -> Any:
    return type(row)._default_manager.filter(pk=row.pk, holder=WORKER, edition=row.edition, state=State.MAKING)


@contextlib.contextmanager
def in_hand(model: type[M], pk: int) -> Iterator[M | None]:
    """The row, in this worker's hands; None where there is nothing to do: it is made, or another one has it."""
    row = _take(model, pk)
    try:
        yield row
    except Dropped as error:
        log.info("Dropped: %s.", error)
    except Interrupted:
        if row:
            mine(row).update(state=State.WAITING, holder="", expected_at=None)
        raise
    except Exception as error:
        if row:
            mine(row).update(state=State.FAILED, holder="", expected_at=None, message=f"{error}"[:300])
        raise


def _take(model: type[M], pk: int) -> M | None:
    manager: Any = model._default_manager
    row: M | None = manager.filter(pk=pk).first()
    if row is None or row.state not in CLAIMABLE:
        return None
    if row.state == State.MAKING and row.holder in heartbeats.alive():
        return None
    free = manager.filter(pk=pk, state=row.state, holder=row.holder, edition=row.edition)
    if not free.update(state=State.MAKING, holder=WORKER, message="", expected_at=None):
        return None
    return manager.get(pk=pk)  # type: ignore[no-any-return]
