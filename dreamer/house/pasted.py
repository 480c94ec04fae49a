"""Views that cost little: things and grounds drawn ahead, pasted together anew for every step.

A view of scenes.py takes 18 ms of a core, and what a teacher says of it as much again, so there are few, and a network
that sees them often learns them by heart. Here a stock of things, cut out of photographs, emoji in many coats and
drawings by the canvas' brush, is made once; a view then is a ground and one to three of them, 2 ms. What is where is
known to the pixel, and no teacher is asked: these views teach classes alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from .classes import NUMBER, OBJECTS, PLAIN
from .photographs import cutouts, pictures
from .samples import (
    CELL,
    CELLS,
    CROP,
    SLOTS,
    Bytes,
    Samples,
    by_cells,
    dressed_sprite,
    exposed_as_by_a_lens,
    ground_for,
    middling,
)
from .scenes import VIEW, VIEW_CELLS, View, crop
from .sketches import SIDE, sketch
from .sprites import sprites
from .textures import TEXTURES

COATS, DRAWINGS = 6, 5  # of each emoji or cut-out: so many versions are dressed, and so many drawn
GROUNDS = 1200  # of each sort
PHOTOGRAPHED = 0.7  # of the things are of kinds that there are photographs of
AS_PHOTOGRAPH, AS_DRAWING = 0.88, 0.3  # how often they are one; of the others so many are drawings
SMALLEST, LARGEST = 46, 180  # px of a thing
ROOM = 1.25  # a drawing's square, of the sprite's: lines go over the edge


@dataclass(frozen=True)
class Thing:
    """A thing by its side in px, in four bands: colours multiplied by alpha, and alpha. Of ink, `mask` is the thing."""

    sizes: dict[int, Image.Image]
    ink: bool = False
    mask: Image.Image | None = None


class Stock:
    """Things by class and sort, and grounds with their classes. The same seed gives the same stock."""

    def __init__(self, seed: int, *, grounds: int = GROUNDS, coats: int = COATS, drawings: int = DRAWINGS) -> None:
        random = np.random.default_rng([seed, 3])
        self.photographs = {
            label: [_sized(rgba, 256) for rgba in versions] for label, versions in cutouts().items() if label
        }
        self.emoji: dict[str, list[Thing]] = {}
        self.drawings: dict[str, list[Thing]] = {}
        for label in OBJECTS:
            versions = sprites()[label]
            self.emoji[label] = [
                _sized(dressed_sprite(random, version[128], label), 128) for version in versions for _ in range(coats)
            ]
            shown = [version[128].rgba for version in versions] + list(cutouts().get(label, ()))
            self.drawings[label] = [_drawn(random, rgba) for rgba in shown for _ in range(drawings)]
        photographs = pictures()
        self.grounds: list[tuple[Bytes, str, bool]] = []
        for _ in range(grounds):
            ground = crop(random, photographs[random.integers(len(photographs))], CROP)
            if random.random() < 0.5:
                blurred = Image.fromarray(ground).filter(ImageFilter.GaussianBlur(random.uniform(1, 5)))
                ground = np.asarray(blurred)
            self.grounds.append((ground, PLAIN, False))
        names = tuple(TEXTURES)
        for number in range(grounds):
            wanted = names[number % len(names)] if number % 3 == 0 else ""
            self.grounds.append((*ground_for(random, wanted), True))


def paste(random: np.random.Generator, stock: Stock, count: int) -> Samples:
    """`count` views out of the stock, as scenes.py has them."""
    views = [pasted(random, stock) for _ in range(count)]
    found, labels, shares, weights = (np.stack(part) for part in zip(*views, strict=True))
    return Samples(found, labels, shares, weights)


def pasted(random: np.random.Generator, stock: Stock) -> View:
    """One view, its labels, their shares and weights."""
    if paper := random.random() < 0.3:
        ground, label, known = np.full((CROP, CROP, 3), random.integers(240, 256), np.uint8), PLAIN, True
    else:
        ground, label, known = stock.grounds[random.integers(len(stock.grounds))]
        if random.random() < 0.5:
            ground = ground[:, ::-1]
    picture = Image.fromarray(ground)
    labels = np.full(SLOTS, NUMBER[PLAIN], np.int16)
    labels[0] = NUMBER[label]
    seen = np.zeros((SLOTS, CROP, CROP), np.float32)
    seen[0] = 1
    counts = seen * (1.0 if known else 0.0)
    kinds = 0 if label != PLAIN and random.random() < 0.4 else 1 + (random.random() < 0.3)
    for slot in range(1, kinds + 1):
        names = tuple(stock.photographs) if random.random() < PHOTOGRAPHED else tuple(OBJECTS)
        kind = names[random.integers(len(names))]
        labels[slot] = NUMBER[kind]
        big = float(np.exp(random.uniform(np.log(SMALLEST), np.log(LARGEST if kinds == 1 else 120))))
        for _ in range(int(random.integers(2, 4)) if big < 56 and random.random() < 0.3 else 1):
            size = big * random.uniform(0.85, 1.15)
            thing = _thing(random, stock, kind, paper)
            picture, share, middle = _laid(random, picture, thing, size)
            for part in (seen, counts):
                part *= 1 - share
            seen[slot] += share
            counts[slot] += share * middling(middle, size)
    as_it_is = random.random() < (0.6 if paper else 0.2)
    whole: Bytes = np.asarray(picture, np.uint8) if as_it_is else exposed_as_by_a_lens(random, picture)
    y, x = (int(n) for n in random.integers(0, CELLS - VIEW_CELLS + 1, 2))
    cells = np.s_[:, y : y + VIEW_CELLS, x : x + VIEW_CELLS]
    return whole[y * CELL :, x * CELL :][:VIEW, :VIEW], labels, by_cells(seen)[cells], by_cells(counts)[cells]


def _thing(random: np.random.Generator, stock: Stock, kind: str, paper: bool) -> Thing:
    if kind in stock.photographs and random.random() < (0.4 if paper else AS_PHOTOGRAPH):
        versions = stock.photographs[kind]
    else:
        versions = (stock.drawings if random.random() < (0.6 if paper else AS_DRAWING) else stock.emoji)[kind]
    return versions[random.integers(len(versions))]


def _laid(
    random: np.random.Generator, picture: Image.Image, thing: Thing, size: float
) -> tuple[Image.Image, NDArray[np.float32], tuple[float, float]]:
    """The picture with the thing on it, how much of each pixel that is, and its middle (x, y)."""
    side = next((s for s in sorted(thing.sizes) if s >= size), max(thing.sizes))
    # Half of them are whole, the others cut by the edge.
    cut = 0.3 if random.random() < 0.5 else 0.55
    reach = max(CROP / 2 - size * cut, size * 0.3 if size > CROP * 1.2 else 8.0)
    cx, cy = CROP / 2 + random.uniform(-reach, reach, 2)
    turn = random.normal(0, 0.18) if random.random() < 0.9 else random.uniform(-np.pi, np.pi)
    mirror = -1 if random.random() < 0.5 else 1
    squeeze, zoom = float(np.exp(random.normal(0, 0.1))), side / size
    cos, sin = np.cos(turn) * zoom, np.sin(turn) * zoom
    a, b, d, e = mirror * squeeze * cos, mirror * squeeze * sin, -sin / squeeze, cos / squeeze
    matrix = (a, b, side / 2 - a * cx - b * cy, d, e, side / 2 - d * cx - e * cy)
    found = thing.sizes[side].transform((CROP, CROP), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    rgba = np.asarray(found, np.float32)
    share = rgba[..., 3] / np.float32(255)
    back = np.asarray(picture, np.float32)
    if thing.ink:
        laid = back * (1 - share[..., None]) + rgba[..., :3]
        assert thing.mask is not None
        whole = thing.mask.transform((CROP, CROP), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
        share = np.asarray(whole, np.float32) / np.float32(255)
    else:
        gain = np.exp(random.normal(0, 0.15) + random.normal(0, 0.05, 3)).astype(np.float32)
        line = np.linspace(-1, 1, CROP, dtype=np.float32)
        down, across = random.normal(0, 0.15, 2).astype(np.float32)
        light = 1 + down * line[:, None] + across * line[None]
        laid = back * (1 - share[..., None]) + rgba[..., :3] * gain * light[..., None]
    return Image.fromarray(np.clip(laid, 0, 255).astype(np.uint8)), share, (cx, cy)


def _bands(rgba: Bytes) -> Image.Image:
    """Colours that are multiplied by alpha already, as a picture of four bands that Pillow does not multiply again."""
    return Image.frombytes("CMYK", (rgba.shape[1], rgba.shape[0]), np.ascontiguousarray(rgba).tobytes())


def _sized(rgba: Bytes, side: int) -> Thing:
    whole = Image.fromarray(rgba).convert("RGBa")
    sizes = {}
    while side >= 64:
        small = whole if whole.width == side else whole.resize((side, side), Image.Resampling.BOX)
        sizes[side] = _bands(np.asarray(small))
        side //= 2
    return Thing(sizes)


def _drawn(random: np.random.Generator, rgba: Bytes) -> Thing:
    """Ink on nothing: what it makes of white paper and of black says how much it covers."""
    zoom = 2 / ROOM
    edge = SIDE * (1 - 1 / ROOM)
    place = np.array([[zoom, 0, edge], [0, zoom, edge]])
    pen = float(np.exp(random.uniform(np.log(3.0), np.log(14.0))))
    papers = []
    state = random.bit_generator.state
    mask = np.zeros(0, np.float32)
    for level in (255, 0):
        random.bit_generator.state = state
        paper = np.full((2 * SIDE, 2 * SIDE, 3), level, np.uint8)
        mask = sketch(random, paper, rgba, place, pen)
        papers.append(paper.astype(np.float32))
    white, black = papers
    alpha = np.clip(255 - (white - black).mean(axis=2), 0, 255)
    rgba = np.concatenate([black, alpha[..., None]], axis=2).astype(np.uint8)
    whole = _bands(rgba).resize((128, 128), Image.Resampling.BOX)
    share = Image.fromarray((np.clip(mask, 0, 1) * 255).astype(np.uint8)).resize((128, 128), Image.Resampling.BOX)
    return Thing({128: whole}, ink=True, mask=share)
