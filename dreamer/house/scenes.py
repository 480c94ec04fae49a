"""What the second edition is taught with: views of VIEW px, from a seed.

    drawings      things drawn by the canvas' brush on paper, filled and unfilled
    compositions  cut-out photographs and emoji, whole and in parts, on photographs, paper and patterns
    samples       what the first edition learned from (samples.py), so that what it knows is not forgotten
    photographs   crops of whole photographs
    dreams        crops of what networks dreamed: a teacher, and the house model itself

Where it is known what a place shows, `labels`, `shares` and `weights` say it as in samples.py. What a photograph or a
dream shows only the teacher can say: there the weights are 0. Empty paper is `plain`, which no dream is made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

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
    Floats,
    Samples,
    by_cells,
    exposed_as_by_a_lens,
    ground_for,
    middling,
    placed_sprite,
    sample,
    scribble,
)
from .sketches import sketch
from .sprites import sprites

View = tuple[Bytes, NDArray[np.int16], Bytes, Bytes]  # a picture, its labels, their shares and weights

VIEW_CELLS = 6
VIEW = VIEW_CELLS * CELL  # px
DRAWINGS, COMPOSITIONS, SAMPLES, PHOTOGRAPHS = 0.3, 0.26, 0.2, 0.14  # shares of the views; dreams are the rest
SKETCHED = 0.15  # of the things in compositions: with the drawings some 40 % of all things
PHOTOGRAPHED = 0.65  # of the things of which there are photographs are photographs
SMALLEST, LARGEST = 44, 210  # px of a thing: beyond the view's size parts of it are seen
PENS = 1.1, 7.0  # px: brushes of 8 to 50 px, as the octaves of a canvas of 1536 px show them


def render_scenes(seed: int, number: int, count: int, dreams: Sequence[Bytes] = ()) -> Samples:
    """`count` views: batch `number` of the stream that `seed` starts, pictures uint8 [n, VIEW, VIEW, 3]. The same
    arguments give the same views. Raises FileNotFoundError saying what to install."""
    random = np.random.default_rng([seed, 2, number])
    views = [scene(random, dreams) for _ in range(count)]
    found, labels, shares, weights = (np.stack(part) for part in zip(*views, strict=True))
    return Samples(found, labels, shares, weights)


def scene(random: np.random.Generator, dreams: Sequence[Bytes]) -> View:
    """One view, its labels, their shares and weights."""
    chance = random.random()
    if chance < DRAWINGS:
        whole = _composed(random, drawing=True)
    elif (chance := chance - DRAWINGS) < COMPOSITIONS:
        whole = _composed(random, drawing=False)
    elif (chance := chance - COMPOSITIONS) < SAMPLES:
        whole = sample(random, rich=random.random() < 0.5)
    else:
        dreamed = chance - SAMPLES >= PHOTOGRAPHS and dreams
        chosen = dreams if dreamed else pictures()
        return _unlabelled(random, chosen[int(random.integers(len(chosen)))])
    y, x = (int(n) for n in random.integers(0, CELLS - VIEW_CELLS + 1, 2))
    picture, labels, shares, weights = whole
    cells = np.s_[:, y : y + VIEW_CELLS, x : x + VIEW_CELLS]
    return picture[y * CELL :, x * CELL :][:VIEW, :VIEW], labels, shares[cells], weights[cells]


def crop(random: np.random.Generator, picture: Bytes, side: int, smallest: float = 0.12) -> Bytes:
    """A turned crop of a picture, from `smallest` of its shorter side to all of it: uint8 [side, side, 3]."""
    height, width = picture.shape[:2]
    shorter = min(height, width)
    span = shorter * float(np.exp(random.uniform(np.log(min(1.0, max(smallest, 0.75 * side / shorter))), 0)))
    turn = random.normal(0, 0.12)
    mirror = -1 if random.random() < 0.5 else 1
    span = min(span, (shorter - 2) / (abs(np.cos(turn)) + abs(np.sin(turn))))  # its corners stay in the picture
    zoom = span / side
    cos, sin = np.cos(turn) * zoom, np.sin(turn) * zoom
    reach = span * (abs(np.cos(turn)) + abs(np.sin(turn))) / 2
    cx = random.uniform(min(reach, width / 2), max(width - reach, width / 2))
    cy = random.uniform(min(reach, height / 2), max(height - reach, height / 2))
    half = side / 2
    a, d = mirror * cos, mirror * sin
    matrix = (a, -sin, cx - (a - sin) * half, d, cos, cy - (d + cos) * half)
    source = Image.fromarray(picture)
    if zoom > 1.5:
        source = source.reduce(int(zoom))
        matrix = tuple(value / int(zoom) for value in matrix)
    return np.asarray(source.transform((side, side), Image.Transform.AFFINE, matrix, resample=Image.Resampling.BICUBIC))


def _unlabelled(random: np.random.Generator, picture: Bytes) -> View:
    view = crop(random, picture, VIEW)
    if random.random() < 0.4:
        view = exposed_as_by_a_lens(random, Image.fromarray(view))
    labels = np.full(SLOTS, NUMBER[PLAIN], np.int16)
    nothing = np.zeros((SLOTS, VIEW_CELLS, VIEW_CELLS), np.uint8)
    return view, labels, nothing, nothing


@lru_cache(maxsize=1)
def _photographed() -> tuple[str, ...]:
    return tuple(cutouts())


def _composed(random: np.random.Generator, *, drawing: bool) -> View:
    """Things on a ground: uint8 [CROP, CROP, 3], its labels, their shares and weights."""
    chance = random.random()
    known = True  # whether the ground's class is
    if drawing or chance < 0.25:
        ground, label = np.full((CROP, CROP, 3), random.integers(243, 256), np.uint8), PLAIN
    elif chance < 0.65:
        photographs = pictures()
        ground, label, known = crop(random, photographs[random.integers(len(photographs))], CROP), PLAIN, False
        if random.random() < 0.5:  # out of focus, as behind a subject
            blurred = Image.fromarray(ground).filter(ImageFilter.GaussianBlur(random.uniform(1, 5)))
            ground = np.asarray(blurred)
    else:
        ground, label = ground_for(random, "")
    picture = Image.fromarray(ground)
    if random.random() < 0.15:
        scribble(random, picture, int(random.integers(1, 5)))
    labels = np.full(SLOTS, NUMBER[PLAIN], np.int16)
    labels[0] = NUMBER[label]
    seen = np.zeros((SLOTS, CROP, CROP), np.float32)
    seen[0] = 1
    counts = seen * (1.0 if known else 0.0)
    kinds = 1 + (random.random() < 0.35)
    for slot in range(1, kinds + 1):
        kind = _kind(random)
        labels[slot] = NUMBER[kind] if kind else NUMBER[PLAIN]
        largest = LARGEST if kinds == 1 else 120
        big = float(np.exp(random.uniform(np.log(SMALLEST), np.log(largest))))
        for _ in range(int(random.integers(2, 4)) if big < 56 and random.random() < 0.4 else 1):
            size = big * random.uniform(0.85, 1.15)
            picture, share, middle = _with(random, picture, kind, size, sketched=drawing or random.random() < SKETCHED)
            for part in (seen, counts):
                part *= 1 - share
            seen[slot] += share
            if kind:
                counts[slot] += share * middling(middle, size)
    as_it_is = drawing and random.random() < 0.6
    exposed: Bytes = np.asarray(picture, np.uint8) if as_it_is else exposed_as_by_a_lens(random, picture)
    return exposed, labels, by_cells(seen), by_cells(counts)


def _kind(random: np.random.Generator) -> str:
    """A class, or "" for a thing that has none; what there are photographs of comes more often."""
    names = _photographed() if random.random() < 0.6 else tuple(OBJECTS)
    return names[random.integers(len(names))]


def _with(
    random: np.random.Generator, picture: Image.Image, kind: str, size: float, *, sketched: bool
) -> tuple[Image.Image, Floats, tuple[float, float]]:
    """The picture with one thing of this kind on it, how much of each pixel that is, and its middle (x, y)."""
    photographs = cutouts().get(kind, ())
    photographed = photographs and (not kind or random.random() < PHOTOGRAPHED)
    if not photographed and not sketched:
        sprite, middle = placed_sprite(random, kind, min(size, 170), alone=False, rich=True)
        picture.paste(sprite, (0, 0), sprite)
        return picture, _opacity(sprite), middle
    if photographed:
        rgba = photographs[random.integers(len(photographs))]
    else:
        versions = sprites()[kind]
        rgba = versions[random.integers(len(versions))][128].rgba
    place, middle = _place(random, size / rgba.shape[0], rgba.shape[0])
    if sketched:
        pixels = np.array(picture)
        pen = float(np.exp(random.uniform(*np.log(PENS)))) * min(1.0, size / 80)
        to_sketch = place @ np.diag([rgba.shape[0] / 128, rgba.shape[0] / 128, 1])
        share = sketch(random, pixels, rgba, to_sketch, pen)
        return Image.fromarray(pixels), share, middle
    back = np.linalg.inv(np.vstack([place, [0, 0, 1]]))[:2]
    source, shrink = Image.fromarray(_relit(random, rgba)), int(max(1, rgba.shape[0] / size))
    if shrink > 1:
        source, back = source.convert("RGBa").reduce(shrink).convert("RGBA"), back / shrink
    placed = source.transform((CROP, CROP), Image.Transform.AFFINE, tuple(back.ravel()), Image.Resampling.BICUBIC)
    if random.random() < 0.5:
        soft = placed.getchannel("A").filter(ImageFilter.GaussianBlur(random.uniform(0.4, 1.2)))
        placed.putalpha(soft)
    picture.paste(placed, (0, 0), placed)
    return picture, _opacity(placed), middle


def _opacity(picture: Image.Image) -> Floats:
    """Of each pixel, float32 [h, w] in 0..1."""
    return np.asarray(picture.getchannel("A"), np.float32) / np.float32(255)


def _place(random: np.random.Generator, scale: float, side: int) -> tuple[NDArray[np.float64], tuple[float, float]]:
    """Somewhere, mirrored or not, turned a little: from px of a sprite of `side` px to px of the picture, [2, 3], and
    its middle there."""
    size = scale * side
    reach = max(CROP / 2 - size * 0.3, size * 0.3 if size > CROP else 10.0)
    cx, cy = CROP / 2 + random.uniform(-reach, reach, 2)
    turn = random.normal(0, 0.18) if random.random() < 0.9 else random.uniform(-np.pi, np.pi)
    mirror = -1 if random.random() < 0.5 else 1
    squeeze = float(np.exp(random.normal(0, 0.1)))
    cos, sin = np.cos(turn) * scale, np.sin(turn) * scale
    a, b, d, e = mirror * cos * squeeze, -sin / squeeze, mirror * sin * squeeze, cos / squeeze
    half = side / 2
    return np.array([[a, b, cx - (a + b) * half], [d, e, cy - (d + e) * half]]), (cx, cy)


def _relit(random: np.random.Generator, rgba: Bytes) -> Bytes:
    """A cut-out in another light: brighter or darker, warmer or colder, from one side. Its own colours stay."""
    rgb = rgba[..., :3].astype(np.float32)
    side = rgba.shape[0]
    line = np.linspace(-1, 1, side, dtype=np.float32)
    across, down = random.normal(0, 0.18, 2).astype(np.float32)
    light = 1 + down * line[:, None] + across * line[None]
    gain = np.float32(np.exp(random.normal(0, 0.18))) * (1 + random.normal(0, 0.05, 3)).astype(np.float32)
    lift = np.float32(random.normal(0, 8))
    lit = np.clip(rgb * light[..., None] * gain + lift, 0, 255).astype(np.uint8)
    return np.concatenate([lit, rgba[..., 3:]], axis=2)
