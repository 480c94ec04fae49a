"""Into the dream: each picture, a little enlarged, is dreamed on to give the next."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .bands import Bytes
from .dream import Progress, dream
from .network import Network
from .recipe import Recipe
from .warp import warp


@dataclass(frozen=True)
class Journey:
    """How far a zoom goes: so many dreams, each after growing by `zoom` and turning by `turn` degrees; and how many
    pictures are drawn `between` two dreams, which costs next to nothing and is what makes the film smooth."""

    dreams: int
    zoom: float = 1.04
    turn: float = 0.0
    between: int = 0

    def __post_init__(self) -> None:
        limits = (("dreams", 1, 100_000), ("zoom", 0.5, 2.0), ("turn", -45.0, 45.0), ("between", 0, 100))
        for name, low, high in limits:
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name}: received {value}, expected {low} to {high}")


def travel(
    start: Bytes,
    network: Network,
    recipe: Recipe,
    journey: Journey,
    *,
    progress: Callable[[Progress], None] | None = None,
    **options: Any,
) -> Iterator[Bytes]:
    """The pictures of a zoom, uint8 [H, W, 3]: the first dream, those between, the second dream, and so on.

    Each dream has a seed of its own, counted up from the recipe's. `progress` is over the whole journey; the other
    options are `dream`'s. Few iterations are enough, since the dream accumulates; `mean_free` keeps the colours from
    drifting. Interrupted carries the picture of the dream that was under way.
    """
    began = time.monotonic()
    before: Bytes | None = None
    for number in range(journey.dreams):

        def report(p: Progress, number: int = number) -> None:
            if progress is not None:
                fraction = (number + p.fraction) / journey.dreams
                left = (time.monotonic() - began) / fraction * (1 - fraction) if fraction > 0 else None
                progress(replace(p, fraction=fraction, seconds_left=left))

        ground = start if before is None else _seen(before, journey, 1.0)
        after = dream(ground, network, replace(recipe, seed=(recipe.seed + number) % 2**63), progress=report, **options)
        if before is not None:
            yield from _between(before, after, journey)
        yield after
        before = after


def _between(before: Bytes, after: Bytes, journey: Journey) -> Iterator[Bytes]:
    """The two dreams faded into each other while both grow: at share t the first by zoom^t, the second, which has
    already grown once, by zoom^(t-1)."""
    for step in range(1, journey.between + 1):
        t = step / (journey.between + 1)
        old, new = _seen(before, journey, t), _seen(after, journey, t - 1)
        yield np.rint(old * np.float32(1 - t) + new * np.float32(t)).astype(np.uint8)


def _seen(picture: Bytes, journey: Journey, share: float) -> Bytes:
    """The picture after a share of one enlargement and turn."""
    values = picture.transpose(2, 0, 1).astype(np.float32)
    moved = warp(values, journey.turn * share, journey.zoom**share)
    return np.clip(np.rint(moved), 0, 255).astype(np.uint8).transpose(1, 2, 0)
