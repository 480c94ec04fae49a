"""The pictures of a film, one after another: what is decoded is two frames at a time, however long the film."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from canvas.brush import Pixels
from gallery.films.crop import View
from gallery.films.plan import Part, Plan, Segment, Still

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sources:
    """Where pictures come from. `strokes(before, after, size)` gives that many steps of the drawing between them."""

    title: Image.Image | None  # None: it begins with its first picture
    credits: Image.Image
    load: Callable[[Still], Pixels | None]  # None: its file is lost
    strokes: Callable[[Still, Still, Pixels, int], Iterator[Pixels]]


class Renderer:
    """Renders any segment of a plan by itself, so that work can be taken up at any of them."""

    def __init__(self, plan: Plan, sources: Sources, view: View) -> None:
        self._plan, self._sources, self._view = plan, sources, view
        self._known: dict[int, Pixels] = {}  # the frames before and after a shot, as they were kept

    def frames(self, segment: Segment) -> Iterator[Image.Image]:
        """`segment.length` pictures, RGB, all of the film's size."""
        before = self._end(segment.first - 1)
        for index in range(segment.first, segment.last):
            part = self._plan.parts[index]
            after = self._end(index)
            yield from self._part(index, part, before, after)
            before = after

    def _part(self, index: int, part: Part, before: Image.Image, after: Image.Image) -> Iterator[Image.Image]:
        start = before
        if part.draw and part.still:
            earlier = self._plan.parts[index - 1].still
            assert earlier is not None  # strokes are shown between frames only
            base = self._load(earlier)
            shown = 0
            if base is not None:
                last = None
                for pixels in self._sources.strokes(earlier, part.still, base, part.draw):
                    if pixels is not last:
                        start, last = self._fit(pixels), pixels
                    shown += 1
                    yield start
            for _ in range(part.draw - shown):
                yield start
        for step in range(1, part.fade + 1):
            yield after if step == part.fade else Image.blend(start, after, _ease(step / part.fade))
        for _ in range(part.hold):
            yield after

    def _end(self, index: int) -> Image.Image:
        """The picture a part ends with. One whose file is lost shows the one before it."""
        if index <= 0:
            return self._sources.title or self._first()
        part = self._plan.parts[index]
        if part.still is None:
            return self._sources.credits
        pixels = self._load(part.still)
        if pixels is None:
            log.warning("Frame %d is left out of the film: its file is lost.", part.still.number)
            return self._end(index - 1)
        return self._fit(pixels)

    def _first(self) -> Image.Image:
        """The first picture that can be read; black where none can."""
        readable = (pixels for still in self._plan.stills if (pixels := self._sources.load(still)) is not None)
        pixels = next(readable, None)
        return Image.new("RGB", self._view.size) if pixels is None else fitted(pixels, self._view)

    def _load(self, still: Still) -> Pixels | None:
        if still.id not in self._known:
            while len(self._known) > 1:
                del self._known[next(iter(self._known))]
            pixels = self._sources.load(still)
            if pixels is None:
                return None
            self._known[still.id] = pixels
        return self._known[still.id]

    def _fit(self, pixels: Pixels) -> Image.Image:
        return fitted(pixels, self._view)


def fitted(pixels: Pixels, view: View) -> Image.Image:
    """What a film shows of a picture [h, w, 3] of the canvas."""
    width, height = view.size
    if view.area is not None:
        return cut(Image.fromarray(pixels), view)
    # An odd side loses its last row or column, as 4:2:0 asks; anything else is scaled.
    if pixels.shape[0] // 2 * 2 == height and pixels.shape[1] // 2 * 2 == width:
        return Image.fromarray(np.ascontiguousarray(pixels[:height, :width]))
    return Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS)


def cut(image: Image.Image, view: View, size: tuple[int, int] | None = None) -> Image.Image:
    """The same of a picture of the canvas in any size, large or small."""
    across, down = image.width / view.canvas.width, image.height / view.canvas.height
    left, top, right, bottom = view.area or view.canvas
    box = (left * across, top * down, right * across, bottom * down)
    return image.convert("RGB").resize(size or view.size, Image.Resampling.LANCZOS, box=box)


def _ease(t: float) -> float:
    """Gentle at both ends."""
    return t * t * (3 - 2 * t)
