"""Who is at a canvas: names of everybody met, who draws now, and how many sockets other processes hold."""

from __future__ import annotations

from collections.abc import Iterable

from canvas import limits


class Presence:
    def __init__(self) -> None:
        self.names: dict[int, str] = {}  # of everybody met
        self.present: dict[int, str] = {}  # of those with ink since the base: what newcomers are told
        self._drawing: dict[int, float] = {}
        self._shown: dict[int, float] = {}  # when everybody last saw something of theirs here: ink, a mark
        self._elsewhere: dict[str, tuple[int, float]] = {}  # process -> sockets there, and when it said so

    def introduce(self, authors: set[int]) -> dict[int, str]:
        """Names of authors whom nobody here was told of yet, as far as there is room for them; they are told now."""
        new = (authors - self.present.keys()) & self.names.keys()
        new_names = {who: self.names[who] for who in sorted(new)[: limits.NAMES - len(self.present)]}
        self.present |= new_names
        return new_names

    def only(self, authors: set[int]) -> None:
        """Nobody else has ink since the base any more."""
        self.present = {who: name for who, name in self.present.items() if who in authors}

    def draws(self, who: int, now: float) -> None:
        self._drawing[who] = now

    def shows(self, who: Iterable[int], at: float) -> None:
        """Everybody sees something of these people, and may know that they are here."""
        for one in who:
            self._shown[one] = max(at, self._shown.get(one, at))

    def shown(self, now: float) -> set[int]:
        """Who has shown that they are here, lately. Others look on, which is nobody's business."""
        self._shown = {who: at for who, at in self._shown.items() if now - at < limits.SHOWN_SECONDS}
        return set(self._shown)

    def drawing(self, now: float) -> list[int]:
        """Who has drawn within the last seconds, at most 50 of them."""
        self._drawing = {who: at for who, at in self._drawing.items() if now - at < 3}
        return sorted(self._drawing)[:50]

    def heard(self, process: str, count: int, now: float) -> None:
        self._elsewhere[process] = (count, now)

    def elsewhere(self, now: float) -> int:
        """Sockets in the processes that have been heard lately."""
        recently = now - 3 * limits.PEOPLE_SECONDS
        self._elsewhere = {who: heard for who, heard in self._elsewhere.items() if heard[1] > recently}
        return sum(count for count, _ in self._elsewhere.values())
