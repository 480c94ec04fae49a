"""Running a network's models over the tiles of a picture: what each tile is fed, in what order, on how many cores."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime as ort

from .build import Question
from .forward import Layer
from .target import Floats, Target, Term
from .tiles import Roll, Tile

if TYPE_CHECKING:
    from .network import Network


class Cancelled(Exception):
    """The caller asked to stop; nothing is returned."""


class Work:
    """The tiles of one call: what each is fed, and running them. ``picture`` is an array [3,h,w] or lies on the
    device; ``size`` is what the tiles cover, which may be larger."""

    def __init__(
        self,
        network: Network,
        picture: Floats | ort.OrtValue,
        size: tuple[int, int],
        roll: Roll,
        mask: Floats | None,
        border: int,
        target: Target,
        guide: Floats | None,
        tiles: list[Tile],
        on_tile: Callable[[int, int], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self.network, self.picture, self.size, self.roll = network, picture, size, roll
        self.mask, self.border, self.tiles = mask, border, tiles
        self.terms = [(term, network.layer(term.layer)) for term in target.terms]
        self.vectors = network.vectors(self.terms, guide)
        self.done, self.total = 0, len(tiles) * (2 if len(self.terms) > 1 else 1)
        self.on_tile, self.cancelled = on_tile, cancelled

    def gradients(self, smooth_pool: bool) -> Iterator[tuple[Tile, list[Any] | None]]:
        """Each tile with its window's gradient and value (None: zeros), the terms weighed against each other."""
        names = tuple(term.layer for term, _ in self.terms)
        match = tuple(term.guide == "match" for term, _ in self.terms)
        if len(self.terms) > 1:
            squares = np.zeros(len(self.terms))
            for place, results in self.run(Question("norms", names, match)):
                squares += [float(r) * place.share for r in results or [0.0] * len(self.terms)]
            for i, ((term, _), square) in enumerate(zip(self.terms, squares, strict=True)):
                for name in (f"linear{i}", f"squared{i}"):
                    self.vectors[name] = self.vectors[name] * np.float32(term.weight / (np.sqrt(square) + 1e-12))
        yield from self.run(Question("gradient", names, match, smooth_pool))

    def run(self, question: Question) -> Iterator[tuple[Tile, list[Any] | None]]:
        """Each tile with its results, in order; None for tiles in which nothing is wanted.

        One tile on each core, or on each few where there are many, is faster than each tile on all cores; what is left
        over takes them all.
        """
        threads, at_once = self.network.threads, self.network.at_once
        rest = len(self.tiles) % at_once
        side_by_side, alone = self.tiles[: len(self.tiles) - rest], self.tiles[len(self.tiles) - rest :]
        with ThreadPoolExecutor(at_once) as pool:
            for tiles, count in ((side_by_side, at_once), (alone, 1)):
                if tiles:
                    yield from self._run(question, tiles, threads // count, pool, count)

    def _run(
        self, question: Question, tiles: list[Tile], each: int, pool: ThreadPoolExecutor, at_once: int
    ) -> Iterator[tuple[Tile, list[Any] | None]]:
        runner = self.network.runner(question, tiles[0], each)
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
                yield from self._told(done)

    def _go_on(self) -> None:
        if self.cancelled is not None and self.cancelled():
            raise Cancelled

    def _told(self, result: tuple[Tile, list[Any] | None]) -> Iterator[tuple[Tile, list[Any] | None]]:
        """Hand over one result, then report it."""
        yield result
        self.done += 1
        if self.on_tile is not None:
            self.on_tile(self.done, self.total)

    def _mask(self, term: Term, layer: Layer, tile: Tile) -> Floats:
        """A term's mask for one window, at the layer's resolution ([1,1,1,1] of ones where nothing is masked)."""
        if not layer.spatial:
            inside = 1.0 if self.mask is None else float(self.mask[tile.core].mean())
            return np.full((1, 1), inside, np.float32)
        free = self.mask is None and term.place is None and not self.border
        if free and not self.network.resident:
            return np.ones((1, 1, 1, 1), np.float32)
        rows, columns = tile.window
        height, width = rows.stop - rows.start, columns.stop - columns.start
        h, w = self.network.layer_size(layer.name, height, width)
        result = np.ones((h, w), np.float32) if self.mask is None else _shrink(self.mask[tile.window], h, w)
        if term.place is not None:
            x, y = (round(p * (n - 1)) for p, n in zip(term.place, self.size[::-1], strict=True))
            unit = np.zeros_like(result)
            if rows.start <= y < rows.stop and columns.start <= x < columns.stop:
                unit[(y - rows.start) * h // height, (x - columns.start) * w // width] = 1
            result = result * unit
        return interior(result, self.border, layer.stride)[None, None]


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
