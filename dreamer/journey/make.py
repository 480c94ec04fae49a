"""A journey from file to file: what `manage.py dream --journey` does. The site's studio does the same in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dreamer.engine import Network, Progress
from dreamer.engine.film import Add, film
from dreamer.journey.lead import most_active
from dreamer.journey.path import Waypoint
from dreamer.journey.plan import Pixels, Plan, next_key_frame
from dreamer.journey.render import Film
from dreamsite.core.files import whole_file

DREAMED = 0.8  # of the work: the rest is drawing the pictures between and encoding
GIF_SIDE = 480

Report = Callable[[float, str], None]  # how far it is, 0 to 1, and what is done


@dataclass(frozen=True)
class Route:
    """Where it goes: along `waypoints`, or by itself where there are none."""

    waypoints: tuple[Waypoint, ...] = ()
    zoom: float = 2.0

    def at(self, number: int, picture: Pixels, plan: Plan, network: Network) -> Waypoint:
        """The waypoint in a key frame, on the way to `number` + 1."""
        if self.waypoints:
            return self.waypoints[min(number, len(self.waypoints) - 1)]
        return most_active(network, picture, plan.target_at(number + 1), self.zoom)


def make(
    start: Pixels,
    plan: Plan,
    route: Route,
    network: Network,
    films: Sequence[Path],
    how: dict[str, Any],
    folder: Path,
    *,
    ending: Callable[[Image.Image], Iterator[Image.Image]] = lambda last: iter(()),
    report: Report = lambda fraction, words: None,
    cancelled: Callable[[], bool] | None = None,
) -> Pixels:
    """Dreams all key frames from `start` (uint8 [h, w, 3], of the film's size) on, and writes the films; the last one.

    how       a Film's settings: fps, seconds, loop, strength
    folder    for key frames: those that are there already are not dreamed again
    ending    pictures after the journey, from its last one on: a card with credits

    Raises Interrupted with the key frame that was under way; no film is written then.
    """

    def save(number: int, picture: Pixels) -> None:
        with whole_file(folder / f"{number}.npy") as draft:
            np.save(draft, picture)

    @lru_cache(maxsize=3)
    def load(number: int) -> Pixels:
        loaded: Pixels = np.load(folder / f"{number}.npy")
        return loaded

    picture, gone = start, []
    save(0, start)
    for number in range(1, plan.key_frames + 1):

        def show(progress: Progress, number: int = number) -> None:
            done = (number - 1 + progress.fraction) / plan.key_frames
            report(DREAMED * done, f"key frame {number}/{plan.key_frames}")

        gone.append(route.at(number - 1, picture, plan, network))
        if (folder / f"{number}.npy").exists():
            picture = load(number)
            continue
        picture = next_key_frame(picture, gone[-1], number, plan, network, progress=show, cancelled=cancelled)
        save(number, picture)
    if how.get("loop"):
        gone.append(route.at(plan.key_frames, picture, plan, network))
    if films:
        _write(films, Film(tuple(gone), **how), load, picture, ending, report)
    return picture


def _write(
    films: Sequence[Path],
    made: Film,
    load: Callable[[int], Pixels],
    picture: Pixels,
    ending: Callable[[Image.Image], Iterator[Image.Image]],
    report: Report,
) -> None:
    height, width = picture.shape[:2]
    last = Image.fromarray(load(0) if made.loop else picture)
    steps = (made.step(number, load, (width, height)) for number in range(len(made.waypoints)))
    frames = chain(chain.from_iterable(steps), made.rest(load, (width, height)), ending(last))
    with ExitStack() as stack:
        reels: list[tuple[Add, tuple[int, int]]] = []
        for path in films:
            size = (width, height) if path.suffix.lower() != ".gif" else _small(width, height)
            reels.append((stack.enter_context(film(path, fps=made.fps, rest=0.0)), size))
        for index, image in enumerate(frames):
            for add, size in reels:
                shown = image if image.size == size else image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
                add(np.asarray(shown))
            report(DREAMED + (1 - DREAMED) * min(1.0, (index + 1) / made.frames), "the film")


def _small(width: int, height: int) -> tuple[int, int]:
    scale = min(1.0, GIF_SIDE / max(width, height))
    return max(2, round(width * scale)), max(2, round(height * scale))
