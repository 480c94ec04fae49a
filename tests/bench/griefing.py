"""`make attack`: how much of the picture fresh accounts can destroy, and whether an honest newcomer meets a limit.

The room's own gate (canvas.admission) under a clock that is moved, so ten minutes take seconds. The canvas of 1536 px
is a dream; twenty accounts without a clean hour, behind three addresses, paint black over it, and in a second round
with all the guests whom three addresses may make in ten minutes. Nobody moderates, nobody dreams, nobody draws against
them.
"""

from __future__ import annotations

import argparse
import inspect
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from canvas import limits, wire
from canvas.admission import Admission
from canvas.gate import UserStatus
from canvas.wire import ProtocolError, RejectReason

SIDE = 1536
START_MS = 1_800_000_000_000
WIDTH = limits.MAX_WIDTH  # 1/8 px
SMALL = 240  # 30 px
STEP = 0.1  # seconds
ACCOUNTS, ADDRESSES = 20, 3
GUESTS = 12  # of one address, in ten minutes: ACCOUNT_RATE_LIMITS["guest"]
Way = Callable[["Scene", int, random.Random], Iterator[list[wire.Stroke]]]


@dataclass
class Scene:
    """One canvas, its gate and what was painted over."""

    admission: Admission = field(default_factory=Admission)
    now: float = 1000.0
    journal: int = 0
    gone: Any = field(default_factory=lambda: np.zeros((SIDE, SIDE), bool))
    refused: int = 0
    guests: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        self.admission.picture, self.admission.pixels = True, float(SIDE * SIDE)
        self._people: set[int] = set()
        self._more = "address" in inspect.signature(self.admission.refuses).parameters

    def put(self, op: wire.Stroke, address: str) -> bool:
        """Whether the gate lets a piece in; it is in the picture then."""
        now_ms = START_MS + int(self.now * 1000)
        if op.author not in self._people:
            self._people.add(op.author)
            self.admission.know({op.author: UserStatus(joined=now_ms, guest=op.author in self.guests)})
        more = {"address": address} if self._more else {}
        try:
            reason = self.admission.refuses(op, self.now, now_ms, known=False, **more)
        except ProtocolError:
            reason = RejectReason.BUDGET  # the socket is closed, and comes back
        if reason is not None:
            self.refused += 1
            return False
        batch = wire.Batch(self.journal + 1, now_ms, 1, wire.encode(op))
        self.journal += 1
        self.admission.learn(batch, self.now, ours=True)
        for x, y, w in op.points:
            self._disc(x // 8, y // 8, w // 16)
        return True

    def left(self, who: int, now_ms: int, address: str) -> float:
        more = {"address": address} if self._more else {}
        return float(self.admission.ink(who, self.now, now_ms, **more)["left"])

    def _disc(self, x: int, y: int, r: int) -> None:
        x0, y0, x1, y1 = max(0, x - r), max(0, y - r), min(SIDE, x + r + 1), min(SIDE, y + r + 1)
        if x0 < x1 and y0 < y1:
            v, u = np.ogrid[y0 - y : y1 - y, x0 - x : x1 - x]
            self.gone[y0:y1, x0:x1] |= u * u + v * v <= r * r

    @property
    def share(self) -> float:
        return float(self.gone.mean())


class Strokes:
    """Ids of strokes, as browsers make them."""

    def __init__(self) -> None:
        self._next = START_MS << 12

    def new(self) -> int:
        self._next += 1
        return self._next


STROKES = Strokes()


def grid(width: int) -> list[tuple[int, int]]:
    """Middles of dots that leave nothing between them, in 1/8 px."""
    pitch = int(width * 0.7)
    return [(x, y) for y in range(pitch // 2, SIDE * 8 + pitch // 2, pitch) for x in range(0, SIDE * 8 + pitch, pitch)]


def dots(who: int, at: tuple[int, int]) -> list[wire.Stroke]:
    return [wire.Stroke(STROKES.new(), 0, (0, 0, 0), 255, 0, ((*at, WIDTH),), True, who)]


def lines(who: int, at: tuple[int, int]) -> list[wire.Stroke]:
    x, y = at
    points = tuple((x + step * WIDTH // 2, y, WIDTH) for step in range(5))
    return [wire.Stroke(STROKES.new(), 0, (0, 0, 0), 255, 0, points, True, who)]


def jumps(who: int, at: tuple[int, int]) -> list[wire.Stroke]:
    """One endless stroke whose pieces say that they go on, and lie anywhere: each stamps once, where it begins."""
    x, y = at
    piece = _jumped[who] = _jumped.get(who, -1) + 1
    head = ((x, y, WIDTH),) if piece == 0 else ((x, y, WIDTH), (x + 1, y, WIDTH))
    return [wire.Stroke((START_MS << 12) + who, piece, (0, 0, 0), 255, 1 if piece else 0, head, False, who)]


def small_dots(who: int, at: tuple[int, int]) -> list[wire.Stroke]:
    """For when a wide one is more than one has."""
    return [wire.Stroke(STROKES.new(), 0, (0, 0, 0), 255, 0, ((*at, SMALL),), True, who)]


_jumped: dict[int, int] = {}
WAYS = {"dots": dots, "small dots": small_dots, "lines": lines, "pieces that jump": jumps}


def destroy(
    way: Callable[[int, tuple[int, int]], list[wire.Stroke]],
    *,
    accounts: int = ACCOUNTS,
    guests: int = 0,
    addresses: int = ADDRESSES,
    seconds: float,
) -> Iterator[tuple[float, float]]:
    """(seconds, share of the picture that is gone), every second: each person takes whatever they can, all the time.

    `guests`: so many more people, without accounts.
    """
    everybody = range(1, accounts + guests + 1)
    scene, chance = Scene(guests=frozenset(everybody[accounts:])), random.Random(1)
    _jumped.clear()
    targets = grid(SMALL if way is small_dots else WIDTH)
    chance.shuffle(targets)
    waiting = {who: targets[who - 1 :: len(everybody)] for who in everybody}
    steps = int(seconds / STEP)
    for step in range(steps):
        scene.now += STEP
        for who, left in waiting.items():
            for _ in range(40):  # as fast as a program sends
                while left and scene.gone[min(SIDE - 1, left[-1][1] // 8), min(SIDE - 1, left[-1][0] // 8)]:
                    left.pop()
                if not left:
                    break
                if not all(scene.put(op, f"198.51.100.{who % addresses}") for op in way(who, left[-1])):
                    break
                left.pop()
        if (step + 1) % int(1 / STEP) == 0:
            yield (step + 1) * STEP, scene.share


HANDS = {
    "the brush it finds": (84, 400.0, 0.5),
    "a brush of 20 px": (160, 400.0, 0.5),
    "a furious one of 40 px": (320, 600.0, 0.5),
}


def newcomer(
    width: int,
    speed: float,
    busy: float,
    *,
    minutes: float = 60.0,
    company: int = 0,
    apart: bool = False,
    guest: bool = False,
) -> tuple[int, float]:
    """(pieces refused, least share of ink left) of somebody who draws their first hour, over the dream, beside others.

    `width` in 1/8 px, `speed` in px/s, `busy`: the share of the time in which the brush is down; `company`: so many
    others do the same at the same time, behind the same address, or each behind their own (`apart`). `guest`: all of
    them without accounts.
    """
    people = range(1, company + 2)
    scene, chance = Scene(guests=frozenset(people if guest else ())), random.Random(2)
    hands = {who: _hand(who, width, speed, busy, chance) for who in people}
    least = 1.0
    for _ in range(int(minutes * 60 * 10)):
        scene.now += 0.1
        for who in people:
            for op in next(hands[who]):
                scene.put(op, f"203.0.113.{who if apart else 1}")
        now_ms = START_MS + int(scene.now * 1000)
        least = min(least, *(scene.left(who, now_ms, f"203.0.113.{who if apart else 1}") for who in people))
    return scene.refused, least


def _hand(who: int, width: int, speed: float, busy: float, chance: random.Random) -> Iterator[list[wire.Stroke]]:
    """What one hand sends in each tenth of a second: strokes of two seconds around one place, and pauses."""
    home = chance.randrange(SIDE * 2, SIDE * 6), chance.randrange(SIDE * 2, SIDE * 6)
    while True:
        x, y = (at + chance.randrange(-800, 800) for at in home)
        stroke, piece, at = STROKES.new(), 0, (x, y, width)
        for _ in range(20):
            x, y = (v + int(chance.choice((-1, 1)) * speed * 8 * 0.1 * 0.7) for v in (x, y))
            x, y = (min(SIDE * 8, max(0, v)) for v in (x, y))
            to = (x, y, width)
            yield [wire.Stroke(stroke, piece, (200, 40, 40), 120, 16 if piece else 0, (at, to), False, who)]
            piece, at = piece + 1, to
        for _ in range(int(20 / busy) - 20):
            yield []


def main() -> None:
    parser = argparse.ArgumentParser(prog="make attack", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=600, help="of each attack, 60 to 600 (default: 600)")
    last = max(60, min(600, parser.parse_known_args()[0].seconds))
    for guests in (0, GUESTS * ADDRESSES):
        print(
            f"{ACCOUNTS} fresh accounts and {guests} guests, {ADDRESSES} addresses, a dream of {SIDE} px; gone of it:\n"
        )
        print(f"| way | 1 s | 10 s | 1 min | {last / 60:.0f} min |\n|---|---|---|---|---|")
        for name, way in WAYS.items():
            found = {round(at): share for at, share in destroy(way, guests=guests, seconds=last)}
            print(f"| {name} | " + " | ".join(f"{found[at]:.0%}" for at in (1, 10, 60, last)) + " |", flush=True)
        print()
    print("A newcomer's first hour, alone and beside twenty-four others behind one address:\n")
    print("| hand | refused | least ink | of 25: refused | least ink |\n|---|---|---|---|---|")
    for name, hand in HANDS.items():
        for guest in (False, True):
            refused, least = newcomer(*hand, guest=guest)
            crowd, left = newcomer(*hand, minutes=10, company=24, guest=guest)
            who = "a guest, " if guest else ""
            print(f"| {who}{name} | {refused} | {least:.0%} | {crowd} | {left:.0%} |", flush=True)


if __name__ == "__main__":
    main()
