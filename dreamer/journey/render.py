"""All pictures of a journey's film, step by step, so that each step can be made again by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dreamer.film.music import mixed
from dreamer.journey.between import between
from dreamer.journey.path import Path, Waypoint
from dreamer.journey.plan import ground

FPS = (24, 60)  # pictures a second, at least and at most
SECONDS = (0.5, 20.0)  # from one key frame to the next
REST = 2.0  # seconds that the last key frame stays

Load = Callable[[int], NDArray[np.uint8]]  # a key frame by its number, from 0


@dataclass(frozen=True)
class Film:
    """A journey as a film: `waypoints` lead from each key frame to the next; one more with `loop`, to the first again.

    strength  of the dream at each second of the film, 0 to 1; None: all of it, always
    """

    waypoints: tuple[Waypoint, ...]
    fps: int = 24
    seconds: float = 2.5  # from one key frame to the next
    loop: bool = False
    strength: Callable[[float], float] | None = None

    def __post_init__(self) -> None:
        if not self.waypoints:
            raise ValueError("received a journey of one key frame, expected at least two")
        for name, value, (low, high) in (("fps", self.fps, FPS), ("seconds", self.seconds, SECONDS)):
            if not low <= value <= high:
                raise ValueError(f"{name}: received {value}, expected {low} to {high}")

    @property
    def step_frames(self) -> int:
        """Pictures from one key frame to the next."""
        return max(2, round(self.fps * self.seconds))

    @property
    def rest_frames(self) -> int:
        return 0 if self.loop else max(1, round(self.fps * REST))

    @property
    def frames(self) -> int:
        return len(self.waypoints) * self.step_frames + self.rest_frames

    @property
    def length(self) -> float:
        """Seconds."""
        return self.frames / self.fps

    def step(self, number: int, load: Load, size: tuple[int, int]) -> Iterator[Image.Image]:
        """The pictures from key frame `number` up to, not with, the next one: RGB of `size` (width, height)."""
        path = Path(self.waypoints, loop=self.loop)
        last = number + 1 == len(self.waypoints)
        now = self._layers(number, load)
        after = self._layers(0 if self.loop and last else number + 1, load)
        for index in range(self.step_frames):
            share = index / self.step_frames
            at = (number * self.step_frames + index) / self.fps
            view = path.view(number, share)
            yield between(self._mixed(now, at), self._mixed(after, at), self.waypoints[number], view, share, size)

    def rest(self, load: Load, size: tuple[int, int]) -> Iterator[Image.Image]:
        """The last key frame, for a while; nothing where the film begins anew."""
        if self.loop:
            return
        last = self._layers(len(self.waypoints), load)
        for index in range(self.rest_frames):
            at = (len(self.waypoints) * self.step_frames + index) / self.fps
            yield self._mixed(last, at).resize(size, Image.Resampling.BICUBIC)

    def _layers(self, number: int, load: Load) -> tuple[Image.Image, Image.Image]:
        """A key frame as it was before its dream, and after it."""
        dreamed = load(number)
        if self.strength is None or number == 0:
            image = Image.fromarray(dreamed)
            return image, image
        before = ground(load(number - 1), self.waypoints[number - 1])
        return Image.fromarray(before), Image.fromarray(dreamed)

    def _mixed(self, layers: tuple[Image.Image, Image.Image], at: float) -> Image.Image:
        plain, dreamed = layers
        if self.strength is None or plain is dreamed:
            return dreamed
        return mixed(plain, dreamed, self.strength(at))
