"""How much a report weighs. A score only sorts the queue; nothing happens because of one. Plain Python."""

from __future__ import annotations

from collections.abc import Iterable

ANONYMOUS = 0.25  # somebody without an account weighs a quarter of a newcomer, however often they were right
ANONYMOUS_MOST = 1.0  # and all of them together as much as one newcomer


def weight(right: int, wrong: int) -> float:
    """The weight of a report by somebody whose earlier ones were found right and wrong so often; 0 to 2, newcomers 1.

    Twice the rule of succession (Laplace, 1774): (right + 1) / (right + wrong + 2).
    """
    if right < 0 or wrong < 0:
        raise ValueError(f"received {right} right and {wrong} wrong reports, expected none or more")
    return 2 * (right + 1) / (right + wrong + 2)


def score(reports: Iterable[tuple[int | None, str, float]]) -> float:
    """A case's score from its reports (account or None, address, weight). Each person counts once, at their most."""
    people: dict[int, float] = {}
    strangers: dict[str, float] = {}
    for person, address, weighs in reports:
        if person is not None:
            people[person] = max(weighs, people.get(person, 0.0))
        else:
            strangers[address] = max(weighs, strangers.get(address, 0.0))
    return sum(people.values()) + min(ANONYMOUS_MOST, sum(strangers.values()))
