"""What a room needs of the world: a journal, the people, a layer.

canvas.journal, canvas.people and canvas.hub bring them, tests their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from canvas import wire
from canvas.gate import Rules, UserStatus
from canvas.member import Person
from canvas.wire import CloseCode

Result = TypeVar("Result")

# (what others wrote meanwhile, the newest number that a frame or a running dream holds, the rules) -> what to write
Admit = Callable[[list[wire.Batch], int, Rules], list[wire.Operation]]


@dataclass(frozen=True)
class State:
    """What the database says of a canvas at one moment."""

    canvas: dict[str, Any]
    head: int
    frame: dict[str, Any] | None = None
    dream: dict[str, Any] = field(default_factory=dict)
    rules: Rules = field(default_factory=Rules)

    @property
    def base_id(self) -> int:
        return int(self.frame["id"]) if self.frame else 0

    @property
    def earlier(self) -> tuple[int, ...]:
        """The frames that an UNDREAM may bring back here, newest first, and one more."""
        return tuple(one["id"] for one in (self.frame or {}).get("earlier", ()))

    @property
    def base_seq(self) -> int:
        return int(self.frame["seq"]) if self.frame else 0


class Journal(Protocol):
    """The one ordered list. Every method may block: the room calls them in its executor, one at a time."""

    def state(self) -> State: ...
    def since(self, seq: int) -> list[wire.Batch]: ...
    def recent(self, since_ms: int) -> list[wire.Batch]: ...

    def append(self, known: int, admit: Admit, now_ms: int) -> tuple[list[wire.Batch], wire.Batch | None]:
        """Under the canvas' lock: reads what came after `known`, lets `admit` choose with it, writes one batch.

        Returns (what others wrote after `known`, what was written now).
        """
        ...


class People(Protocol):
    """Those at the canvas. Every method may block, as the journal's."""

    def names(self, users: Iterable[int]) -> dict[int, str]:
        """Without those whom no account is left of."""
        ...

    def statuses(self, users: Iterable[int]) -> dict[int, UserStatus]:
        """The status of each of these people."""
        ...

    def ended(self, people: Iterable[Person]) -> dict[Person, CloseCode]:
        """Those whose session or account no longer stands, and the close code that says so."""
        ...


class Layer(Protocol):
    async def publish(self, message: dict[str, Any]) -> None: ...


class Blocking(Protocol):
    """Runs a call that may block, away from the event loop."""

    async def __call__(self, call: Callable[..., Result], *args: Any) -> Result: ...
