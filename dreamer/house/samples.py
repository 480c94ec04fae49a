"""Labelled training crops, composed from a seed: sprites on grounds, and textures by themselves.

A sample knows what can be seen at each place of it: per cell of 16 px the share of up to three classes. The network's
class layer learns those maps, and so learns to say what each place of a picture looks like.

What it is to learn is not the same everywhere. `weights` are the shares, less at the rims of sprites than in their
middle. A network that must know a fox by any shred of orange dreams of shreds; one that must know where a fox's middle
is has to look at all of the fox.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from .classes import BUILDINGS, CREATURES, NUMBER, OBJECTS, PLAIN
from .sprites import Sprite, sprites
from .textures import SIDE, TEXTURES, VARIANTS, fields

CROP = 112  # px
CELL = 16  # px
CELLS = CROP // CELL
SLOTS = 3  # classes in one sample: the ground and up to two kinds of sprites
RIM = 0.25  # what the rim of a sprite counts, its middle being 1
STROKES = 0.15  # of the samples have somebody's strokes on the ground
SKETCHES = 0.1  # of the sprites are drawn in lines alone, or are half coloured in
CANVASES = 0.25  # of the richer samples are a white canvas with little on it
COLOURED = 0.3  # of the richer sprites wear a texture in its own colours

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Samples:
    """Pictures uint8 [n, CROP, CROP, 3] RGB; labels int16 [n, SLOTS]; shares uint8 [n, SLOTS, CELLS, CELLS] of 255,
    and how much of them counts in training, likewise."""

    pictures: Bytes
    labels: NDArray[np.int16]
    shares: Bytes
    weights: Bytes


def render(seed: int, number: int, count: int, *, rich: bool = False) -> Samples:
    """`count` samples: batch `number` of the stream that `seed` starts. The same arguments give the same samples.

    The richer ones show what the first lack: white canvases with little on them, strong colours, bodies from the side
    and buildings that fill the picture, and things that wear a texture in its own colours.
    """
    random = np.random.default_rng([seed, number])
    pictures = np.empty((count, CROP, CROP, 3), np.uint8)
    labels = np.empty((count, SLOTS), np.int16)
    shares, weights = np.empty((2, count, SLOTS, CELLS, CELLS), np.uint8)
    for i in range(count):
        pictures[i], labels[i], shares[i], weights[i] = sample(random, rich=rich)
    return Samples(pictures, labels, shares, weights)


def sample(
    random: np.random.Generator, wanted: str | None = None, *, rich: bool = False
) -> tuple[Bytes, NDArray[np.int16], Bytes, Bytes]:
    """One picture, its labels, their shares and weights; of one class alone where `wanted` names it."""
    objects = list(OBJECTS)
    if wanted is None:
        wanted = "" if random.random() < 0.82 else str(random.choice(list(TEXTURES)))
    canvas = rich and not wanted and random.random() < CANVASES
    ground, ground_label = _canvas(random) if canvas else ground_for(random, wanted)
    labels = np.full(SLOTS, NUMBER[PLAIN], np.int16)
    labels[0] = NUMBER[ground_label]
    picture = Image.fromarray(ground)
    if not wanted and random.random() < STROKES:
        scribble(random, picture, int(random.integers(1, 6)))
    seen = np.zeros((SLOTS, CROP, CROP), np.float32)
    seen[0] = 1
    counts = seen.copy()
    if wanted in OBJECTS:
        kinds = [wanted]
    else:
        kinds = [] if wanted else [str(k) for k in random.choice(objects, 1 + (random.random() < 0.3), replace=False)]
    for slot, kind in enumerate(kinds, start=1):
        labels[slot] = NUMBER[kind]
        big = float(np.exp(random.uniform(np.log(46), np.log(150 if len(kinds) == 1 else 110))))
        if rich and kind in BUILDINGS:
            big *= 1.35
        elif canvas:
            big *= 0.75
        herd = int(random.integers(2, 5)) if big < 60 and random.random() < 0.45 else 1
        for _ in range(herd):
            size = big * random.uniform(0.85, 1.15)
            sprite, middle = placed_sprite(random, kind, size, alone=len(kinds) * herd == 1, rich=rich)
            alpha = sprite.getchannel("A")
            picture.paste(sprite, (0, 0), alpha)
            share = np.asarray(alpha, np.float32) / 255
            for part in (seen, counts):
                part *= 1 - share
            seen[slot] += share
            counts[slot] += share * middling(middle, size)
    if not wanted and random.random() < STROKES / 3:  # somebody goes on drawing
        scribble(random, picture, int(random.integers(1, 3)))
    exposed = np.asarray(picture) if canvas and random.random() < 0.5 else exposed_as_by_a_lens(random, picture)
    return exposed, labels, by_cells(seen), by_cells(counts)


def by_cells(shares: Floats) -> Bytes:
    """Shares per pixel, float32 [SLOTS, CROP, CROP], as means over cells, of 255."""
    cells = shares.reshape(SLOTS, CELLS, CELL, CELLS, CELL).mean(axis=(2, 4))
    rounded: Bytes = np.rint(cells * 255).astype(np.uint8)
    return rounded


def middling(middle: tuple[float, float], size: float) -> Floats:
    """1 in the middle (x, y) of something so large, falling to RIM: float32 [CROP, CROP]."""
    at = np.arange(CROP, dtype=np.float32) + 0.5
    far = ((at - middle[0])[None] ** 2 + (at - middle[1])[:, None] ** 2) / (0.3 * size) ** 2
    return np.asarray(RIM + (1 - RIM) * np.exp(-far), np.float32)


def scribble(random: np.random.Generator, picture: Image.Image, strokes: int) -> None:
    """Strokes of a thick or thin brush, as people draw them: they mean nothing, and things grow among them."""
    brush = ImageDraw.Draw(picture)
    for _ in range(strokes):
        at, heading, turn = random.uniform(0, CROP, 2), random.uniform(0, 2 * np.pi), 0.0
        colour = tuple(int(c) for c in random.integers(0, 256, 3))
        points = []
        for _ in range(int(random.integers(6, 24))):
            points.append(tuple(at))
            turn = 0.8 * turn + random.normal(0, 0.25)
            heading += turn
            at = at + 5 * np.array([np.cos(heading), np.sin(heading)])
        brush.line(points, fill=colour, width=int(random.integers(1, 9)), joint="curve")


def ground_for(random: np.random.Generator, wanted: str) -> tuple[Bytes, str]:
    """What lies behind, and its class."""
    if wanted in TEXTURES:
        return _lit(random, *_textured(random, wanted, 1.0)), wanted
    chance = random.random()
    if chance < 0.3:
        texture = str(random.choice(list(TEXTURES)))
        return _lit(random, *_textured(random, texture, random.uniform(0.4, 1))), texture
    if chance < 0.5:  # a texture out of focus is a plain ground
        colours, _ = _textured(random, str(random.choice(list(TEXTURES))), random.uniform(0.3, 1))
        return np.asarray(Image.fromarray(colours).filter(ImageFilter.GaussianBlur(random.uniform(5, 9)))), PLAIN
    corners = random.integers(0, 256, (2 if chance < 0.68 else 3, 2, 3)).astype(np.uint8)
    if chance > 0.8:
        corners[:] = corners[0, 0]
    if chance > 0.86:  # paper: canvases begin white
        corners[:] = random.integers(225, 256)
    return np.asarray(Image.fromarray(corners).resize((CROP, CROP), Image.Resampling.BICUBIC)), PLAIN


def _canvas(random: np.random.Generator) -> tuple[Bytes, str]:
    """White paper, as a canvas begins."""
    return np.full((CROP, CROP, 3), random.integers(246, 256), np.uint8), PLAIN


def _window(random: np.random.Generator, heights: Bytes, low: float = 0.35, high: float = 1.0) -> Bytes:
    """A turned, scaled window of a texture: uint8 [CROP, CROP]."""
    scale = float(np.exp(random.uniform(np.log(low), np.log(high))))
    angle = random.uniform(-0.35, 0.35) + (np.pi / 2) * int(random.integers(4))
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    half = CROP / 2
    room = max(SIDE / 2 - (abs(cos) + abs(sin)) * half, 0)
    cx, cy = SIDE / 2 + random.uniform(-room, room, 2)
    matrix = (cos, -sin, cx - (cos - sin) * half, sin, cos, cy - (sin + cos) * half)
    return np.asarray(
        Image.fromarray(heights).transform(
            (CROP, CROP), Image.Transform.AFFINE, matrix, resample=Image.Resampling.BILINEAR
        )
    )


def _palette(random: np.random.Generator) -> Bytes:
    """256 colours through two to five random ones: [256, 3]."""
    stops = int(random.integers(2, 6))
    colours = random.uniform(0, 255, (stops, 3))
    if random.random() < 0.35:  # shades of one hue, as most things in nature
        colours = random.uniform(60, 255, 3) * np.linspace(0.1, 1.1, stops)[:, None] + random.normal(0, 25, (stops, 3))
    at = np.linspace(0, 255, stops)
    table = np.stack([np.interp(np.arange(256), at, colours[:, c]) for c in range(3)], axis=1)
    return np.clip(table, 0, 255).astype(np.uint8)


def _textured(random: np.random.Generator, name: str, contrast: float) -> tuple[Bytes, Bytes]:
    """A texture in colours, uint8 [CROP, CROP, 3], and its heights."""
    heights = _window(random, fields()[name][random.integers(VARIANTS)])
    colours = _palette(random)
    if contrast < 1:
        mean = colours.mean(axis=0)
        colours = (mean + (colours - mean) * contrast).astype(np.uint8)
    return colours[heights if random.random() < 0.7 else 255 - heights], heights


def _lit(random: np.random.Generator, colours: Bytes, heights: Bytes) -> Bytes:
    """The colours with the heights lit from one side, half of the time."""
    if random.random() < 0.5:
        return colours
    high = heights.astype(np.float32)
    angle, force = random.uniform(0, 2 * np.pi), random.uniform(0.002, 0.012)
    light = np.ones_like(high)
    light[1:, 1:] += force * (
        np.cos(angle) * (high[1:, 1:] - high[:-1, 1:]) + np.sin(angle) * (high[1:, 1:] - high[1:, :-1])
    )
    return np.asarray(np.clip(colours * light[..., None], 0, 255), np.uint8)


def placed_sprite(
    random: np.random.Generator, kind: str, size: float, *, alone: bool, rich: bool
) -> tuple[Image.Image, tuple[float, float]]:
    """A sprite relit, recoloured, turned, squeezed and put somewhere: RGBA of CROP px, and its middle (x, y)."""
    versions = sprites()[kind]
    version = versions[random.integers(len(versions))]
    side = 64 if size < 60 else 128
    if rich and not version[side].body:  # a body from the side gets a second chance
        version = versions[random.integers(len(versions))]
    sprite = version[side]
    if random.random() < SKETCHES:
        rgba = Image.fromarray(_sketched(random, sprite))
    else:
        rgba = Image.fromarray(_dressed(random, _coloured(random, sprite) if rich else sprite, kind))
    turn = random.normal(0, 0.25) if random.random() < 0.8 else random.uniform(-np.pi, np.pi)
    mirror = -1 if random.random() < 0.5 else 1
    squeeze = float(np.exp(random.normal(0, 0.14)))
    shear = random.normal(0, 0.12)
    # The middle of a lone sprite stays in the picture; others may be cut by the edge.
    reach = max(CROP / 2 - size * (0.4 if alone else 0.2), 10)
    cx, cy = CROP / 2 + random.uniform(-reach, reach, 2)
    to_sprite = side / size
    cos, sin = np.cos(turn) * to_sprite, np.sin(turn) * to_sprite
    a, b = mirror * squeeze * (cos + shear * sin), mirror * squeeze * (sin - shear * cos)
    d, e = -sin / squeeze, cos / squeeze
    matrix = (a, b, side / 2 - a * cx - b * cy, d, e, side / 2 - d * cx - e * cy)
    placed = rgba.transform((CROP, CROP), Image.Transform.AFFINE, matrix, resample=Image.Resampling.BILINEAR)
    return _edged(random, placed), (cx, cy)


def dressed_sprite(random: np.random.Generator, sprite: Sprite, kind: str) -> Bytes:
    """A sprite in other colours, with a coat and volume: uint8 [side, side, 4]."""
    return _dressed(random, _coloured(random, sprite), kind)


def _coloured(random: np.random.Generator, sprite: Sprite) -> Sprite:
    """The sprite in stronger colours, or wearing a texture in its own."""
    rgb, chance = sprite.rgba[..., :3].astype(np.float32), random.random()
    grey = rgb.mean(axis=2, keepdims=True)
    if chance < COLOURED:
        names = tuple(TEXTURES)
        colours, _ = _textured(random, names[random.integers(len(names))], random.uniform(0.6, 1))
        side = rgb.shape[0]
        worn = np.asarray(Image.fromarray(colours).resize((side, side), Image.Resampling.BILINEAR), np.float32)
        share = random.uniform(0.25, 0.65)
        rgb = rgb * (1 - share) + worn * (share * (0.4 + grey / 255))  # the drawing's light and dark show through
    elif chance < 0.8:
        rgb = grey + (rgb - grey) * np.float32(random.uniform(1.1, 2))
    bytes_ = np.clip(rgb, 0, 255).astype(np.uint8)
    return replace(sprite, rgba=np.concatenate([bytes_, sprite.rgba[..., 3:]], axis=2))


def _dressed(random: np.random.Generator, sprite: Sprite, kind: str) -> Bytes:
    """The sprite's own pixels with other colours, a texture on them, and volume: uint8 [side, side, 4]."""
    side = sprite.rgba.shape[0]
    rgb = sprite.rgba[..., :3].astype(np.float32)
    if random.random() < 0.5:  # colours: gently, or (rarely) exchanged
        mix = np.eye(3) + random.normal(0, 0.12, (3, 3))
        if random.random() < 0.2:
            mix = mix[random.permutation(3)]
        rgb = rgb @ (mix / mix.sum(axis=1, keepdims=True).clip(0.5)).T.astype(np.float32)
    if random.random() < 0.6:  # a coat: fur and feathers for creatures, mostly
        coats = ("fur", "fur", "feathers", "scales", "curls", "clouds", "marble", "pebbles")
        names = coats if kind in CREATURES or random.random() < 0.3 else tuple(TEXTURES)
        heights = fields()[names[random.integers(len(names))]][random.integers(VARIANTS)]
        start = random.integers(0, SIDE - side + 1, 2)
        step = 1 if side == 128 or random.random() < 0.5 else 2
        coat = heights[::step, ::step] if step == 2 else heights[start[0] : start[0] + side, start[1] : start[1] + side]
        coat = coat[:side, :side].astype(np.float32) / 255 - 0.5
        rgb *= 1 + random.uniform(0.3, 1.1) * coat[..., None] if coat.shape == (side, side) else 1
    if random.random() < 0.75:  # volume
        angle = random.uniform(0, 2 * np.pi)
        slope = np.cos(angle) * sprite.slopes[0] + np.sin(angle) * sprite.slopes[1]
        light = np.clip(random.uniform(0.85, 1.1) + random.uniform(0.3, 1.0) * slope, 0.1, 1.9)
        rgb *= light[..., None]
        if random.random() < 0.4:
            rgb += (np.clip(slope - 0.25, 0, 1) * random.uniform(60, 200))[..., None]
    return np.concatenate([np.clip(rgb, 0, 255).astype(np.uint8), sprite.rgba[..., 3:]], axis=2)


def _sketched(random: np.random.Generator, sprite: Sprite) -> Bytes:
    """The sprite as somebody would draw it: its lines with one pen, and its colours thin: uint8 [side, side, 4]."""
    side = sprite.rgba.shape[0]
    whole = Image.fromarray(sprite.rgba)
    flat = Image.new("RGB", (side, side), "white")
    flat.paste(whole, (0, 0), whole)
    wide = 3 if side == 64 else 5
    lines = ImageChops.difference(flat.filter(ImageFilter.MaxFilter(wide)), flat.filter(ImageFilter.MinFilter(wide)))
    pen = np.clip(np.asarray(lines, np.float32).max(axis=2) * 2.5 - 90, 0, 255)[..., None] / 255
    colour = random.uniform(0, 170, 3).astype(np.float32)
    thin = random.uniform(0, 1) ** 1.5
    rgb = sprite.rgba[..., :3] * (1 - pen) + colour * pen
    alpha = np.maximum(pen * 255, sprite.rgba[..., 3:] * thin)
    return np.concatenate([rgb, alpha], axis=2).astype(np.uint8)


def _edged(random: np.random.Generator, placed: Image.Image) -> Image.Image:
    """Sharp, soft or hairy edges."""
    chance = random.random()
    if chance < 0.5:
        return placed
    alpha = placed.getchannel("A").filter(ImageFilter.GaussianBlur(random.uniform(0.7, 2.2)))
    if chance > 0.75:
        hairs = _window(random, fields()["fur"][random.integers(VARIANTS)]).astype(np.float32)
        soft = np.asarray(alpha, np.float32)
        rough = np.clip((soft - 255 + hairs) * 4, 0, 255)  # shows where hairs are higher than the edge is far
        alpha = Image.fromarray(np.minimum(rough, soft * 2).astype(np.uint8))
    placed.putalpha(alpha)
    return placed


def exposed_as_by_a_lens(random: np.random.Generator, picture: Image.Image) -> Bytes:
    """What the lens and the light do: focus, shade across the picture, exposure, contrast, cast, grain."""
    if random.random() < 0.3:
        picture = picture.filter(ImageFilter.GaussianBlur(random.uniform(0.4, 1.6)))
    out = np.asarray(picture, np.float32)
    shade = random.normal(0, 0.25, 2) * (random.random() < 0.6)
    line = np.linspace(-1, 1, picture.height, dtype=np.float32)
    light = 1 + shade[0] * line[:, None] + shade[1] * line[None]
    contrast = random.uniform(0.45, 1.2)
    gain = (contrast * (1 + random.normal(0, 0.06, 3))).astype(np.float32)
    lift = np.float32(127.5 * (1 - contrast) + random.normal(0, 14))
    out = out * light[..., None].astype(np.float32) * gain + lift
    if random.random() < 0.5:
        out += random.standard_normal(out.shape, dtype=np.float32) * np.float32(random.uniform(1, 12))
    return np.asarray(np.clip(out, 0, 255), np.uint8)
