"""Running a network's models over the tiles of a picture: what each tile is fed, in what order, on how many cores."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import onnxruntime as ort

from .build import Question
from .forward import Layer
from .gradient_options import GradientOptions
from .runners import Runners
from .target import Floats, Term
from .tiles import Roll, Tile


class Cancelled(Exception):
    """The caller asked to stop; nothing is returned."""


class Work:
    """The tiles of one call: what each is fed, and running them. ``picture`` is an array [3,h,w] or lies on the
    device; ``size`` is what the tiles cover, which may be larger; ``vectors`` is what the terms want of their layers'
    channels."""

    def __init__(
        self,
        runners: Runners,
        picture: Floats | ort.OrtValue,
        size: tuple[int, int],
        roll: Roll,
        mask: Floats | None,
        terms: list[tuple[Term, Layer]],
        vectors: dict[str, Any],
        tiles: list[Tile],
        options: GradientOptions,
    ) -> None:
        self.runners, self.picture, self.size, self.roll = runners, picture, size, roll
        self.mask, self.terms, self.vectors, self.tiles, self.options = mask, terms, vectors, tiles, options
        self.fixed = size if any(layer.fixed for _, layer in terms) else None
        self.done, self.total = 0, len(tiles) * (2 if len(terms) > 1 else 1)

    def gradients(self) -> Iterator[tuple[Tile, list[Any] | None]]:
        """Each tile with its window's gradient and value (None: zeros), the terms weighed against each other."""
        names = tuple(term.layer for term, _ in self.terms)
        match = tuple(term.guide == "match" for term, _ in self.terms)
        if len(self.terms) > 1:
            squares = np.zeros(len(self.terms))
            for place, results in self.run(Question("norms", names, match, fixed=self.fixed)):
                squares += [float(r) * place.share for r in results or [0.0] * len(self.terms)]
            for i, ((term, _), square) in enumerate(zip(self.terms, squares, strict=True)):
                for name in (f"linear{i}", f"squared{i}"):
                    self.vectors[name] = self.vectors[name] * np.float32(term.weight / (np.sqrt(square) + 1e-12))
        yield from self.run(Question("gradient", names, match, self.options.smooth_pool, fixed=self.fixed))

    def run(self, question: Question) -> Iterator[tuple[Tile, list[Any] | None]]:
        """Each tile with its results, in order; None for tiles in which nothing is wanted.

        One tile on each core, or on each few where there are many, is faster than each tile on all cores; what is left
        over takes them all.
        """
        threads, at_once = self.runners.threads, self.runners.at_once
        rest = len(self.tiles) % at_once
        side_by_side, alone = self.tiles[: len(self.tiles) - rest], self.tiles[len(self.tiles) - rest :]
        with ThreadPoolExecutor(at_once) as pool:
            for tiles, count in ((side_by_side, at_once), (alone, 1)):
                if tiles:
                    yield from self._run(question, tiles, threads // count, pool, count)

    def _run(
        self, question: Question, tiles: list[Tile], each: int, pool: ThreadPoolExecutor, at_once: int
    ) -> Iterator[tuple[Tile, list[Any] | None]]:
        runner = self.runners.get(question, tiles[0], each)
        place = runner.place(self.picture, self.roll)

        def one(tile: Tile) -> tuple[Tile, list[Any] | None]:
            masks = [self._mask(term, layer, tile) for term, layer in self.terms]
            if not any(m.any() for m in masks):
                return tile, None
            inputs = {**self.vectors, **{f"mask{i}": m for i, m in enumerate(masks)}}
            return tile, runner.run(place, tile.window, inputs)

        started: deque[Future[tuple[Tile, list[Any] | None]]] = deque()
        for tile in [*tiles, *[None] * at_once]:
            # no more tiles under way than cores: what is cancelled stops soon, and results do not pile up
            done = started.popleft().result() if len(started) == at_once or (tile is None and started) else None
            if tile is not None:
                self._go_on()
                started.append(pool.submit(one, tile))
            if done is not None:
                yield from self._handed_over(done)

    def _go_on(self) -> None:
        if self.options.cancelled is not None and self.options.cancelled():
            raise Cancelled

    def _handed_over(self, result: tuple[Tile, list[Any] | None]) -> Iterator[tuple[Tile, list[Any] | None]]:
        """Hand over one result, then report it."""
        yield result
        self.done += 1
        if self.options.on_tile is not None:
            self.options.on_tile(self.done, self.total)

    def _mask(self, term: Term, layer: Layer, tile: Tile) -> Floats:
        """A term's mask for one window, at the layer's resolution ([1,1,1,1] of ones where nothing is masked)."""
        if not layer.spatial:
            inside = 1.0 if self.mask is None else float(self.mask[tile.core].mean())
            return np.full((1, 1), inside, np.float32)
        free = self.mask is None and term.position is None and not self.options.border
        if free and not self.runners.resident and self.fixed is None:
            return np.ones((1, 1, 1, 1), np.float32)
        rows, columns = tile.window
        height, width = rows.stop - rows.start, columns.stop - columns.start
        h, w = self.runners.layer_size(layer.name, height, width)
        if not layer.placed:
            inside = 1.0 if self.mask is None else float(self.mask[tile.core].mean())
            return np.full((1, 1, h, w), inside, np.float32)
        result = np.ones((h, w), np.float32) if self.mask is None else _shrink(self.mask[tile.window], h, w)
        if term.position is not None:
            x, y = (round(p * (n - 1)) for p, n in zip(term.position, self.size[::-1], strict=True))
            unit = np.zeros_like(result)
            if rows.start <= y < rows.stop and columns.start <= x < columns.stop:
                unit[(y - rows.start) * h // height, (x - columns.start) * w // width] = 1
            result = result * unit
        return interior(result, self.options.border, layer.stride)[None, None]


def interior(mask: Floats, border: int, stride: int) -> Floats:
    """A window's mask, at its layer's resolution, without the units within ``border`` pixels of its edge."""
    units = round(border / stride)
    if not units or min(mask.shape) <= 2 * units:
        return mask
    inside = np.zeros_like(mask)
    inside[units:-units, units:-units] = mask[units:-units, units:-units]
    return inside


def _shrink(mask: Floats, h: int, w: int) -> Floats:
    """Mean of the mask over each of h x w equal areas."""
    rows, columns = (np.arange(n) * size // n for n, size in zip((h, w), mask.shape, strict=True))
    sums = np.add.reduceat(np.add.reduceat(mask, rows, axis=0), columns, axis=1)
    counts = np.outer(np.diff([*rows, mask.shape[0]]), np.diff([*columns, mask.shape[1]]))
    return np.asarray(sums / counts, np.float32)
