"""What a report can be about besides a spot of a canvas or a frame: things of other apps, which add a row here.

Nothing in here depends on those apps. A case names its subject by the row's name and the thing's own key; what that
thing is, how it looks and how it is hidden the row knows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from canvas.brush import Pixels

_KINDS: dict[str, Kind] = {}


@dataclass(frozen=True)
class Subject:
    """One thing that was reported, as moderators see it."""

    title: str
    url: str
    person: Any  # whose it is
    hidden: bool
    picture: str = ""  # its small picture's address
    before: str = ""  # the address of what it was made of, where that is to be shown, too


@dataclass(frozen=True)
class Kind:
    """A kind of thing. Each function takes the thing's key.

    find      the thing as it is now; None where it is gone
    picture   how it looks, uint8 [h, w, 3]; None where it has no picture
    hide      (key, by, why, op, show): hides it from everybody, or with `show` shows it again; False where it is so
              already
    publish   (key, by, why, op, shown): shows it to everybody, as its maker asked, or does not; False where its maker
              does not ask any more, or it is gone. None where nobody asks
    lock      locks its row to the transaction's end: always before its case's. Where there is `publish`
    """

    name: str
    find: Callable[[str], Subject | None]
    picture: Callable[[str], Pixels | None]
    hide: Callable[..., bool]
    publish: Callable[..., bool] | None = None
    lock: Callable[[str], None] = lambda key: None


def add(kind: Kind) -> None:
    """Called once for each kind, when its app is ready."""
    _KINDS[kind.name] = kind


def kind(name: str) -> Kind:
    """Raises KeyError for a kind that no app has added."""
    return _KINDS[name]


def find(name: str, key: str) -> Subject | None:
    """What a case is about; None where it is about no such thing, or it is gone."""
    return _KINDS[name].find(key) if name in _KINDS else None
