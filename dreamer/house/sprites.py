"""Emoji of the Noto font as pictures to compose samples of.

The font's drawings are flat and their eyes are black dots, and a network that has only seen those dreams of black
dots. So each sprite knows a relief, from which a light can give it volume, and creatures' dots become irises, of more
or less contrast, or vanish.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from .classes import BODIES, CREATURES, OBJECTS

FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
FONT_SIZE = 109  # the one size of the font's bitmaps
SIDES = (128, 64)  # px; the smaller one for sprites that end up small
EYED, EYELESS = 3, 2  # versions of a creature with irises, and with no eyes at all; black dots have no version

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Sprite:
    """One drawing at one size: uint8 [side, side, 4] RGBA, the slopes of its relief, float32 [2, side, side], and
    whether it is a whole body seen from the side."""

    rgba: Bytes
    slopes: Floats
    body: bool


@lru_cache(maxsize=1)
def sprites() -> dict[str, tuple[dict[int, Sprite], ...]]:
    """All drawings of each class by side. Raises FileNotFoundError saying what to install."""
    if not FONT.is_file():
        raise FileNotFoundError(f"{FONT} is missing: install the package fonts-noto-color-emoji")
    font = ImageFont.truetype(str(FONT), FONT_SIZE)
    random = np.random.default_rng(0)
    found: dict[str, tuple[dict[int, Sprite], ...]] = {}
    for label, emoji in OBJECTS.items():
        versions = []
        for character in emoji:
            picture = glyph(character, font)
            drawn = [picture]
            if label in CREATURES and (eyes := _dark_spots(picture)):
                bare = _without_spots(picture, eyes)
                drawn = [bare] * EYELESS + [_with_irises(bare, eyes, random) for _ in range(EYED)]
            versions += [{side: _sprite(version, side, character in BODIES) for side in SIDES} for version in drawn]
        found[label] = tuple(versions)
    return found


def glyph(character: str, font: ImageFont.FreeTypeFont) -> Bytes:
    """An emoji on a transparent square of 128 px, uint8 [128, 128, 4]."""
    canvas = Image.new("RGBA", (160, 160))
    ImageDraw.Draw(canvas).text((12, 12), character, font=font, embedded_color=True)
    drawing = fitted(canvas)
    if drawing is None:
        raise ValueError(f"the font has no drawing of {character!r}")
    return drawing


def fitted(picture: Image.Image) -> Bytes | None:
    """An RGBA picture cut to what it shows, in the middle of a transparent square of 128 px: uint8 [128, 128, 4]. None
    where it shows next to nothing."""
    box = picture.getbbox()
    if box is None or box[2] - box[0] < 32:
        return None
    drawing = picture.crop(box)
    drawing.thumbnail((120, 120), Image.Resampling.LANCZOS)
    square = Image.new("RGBA", (128, 128))
    square.paste(drawing, ((128 - drawing.width) // 2, (128 - drawing.height) // 2))
    return np.asarray(square)


def _sprite(rgba: Bytes, side: int, body: bool) -> Sprite:
    picture = Image.fromarray(rgba).convert("RGBa").resize((side, side), Image.Resampling.BOX).convert("RGBA")
    small = np.asarray(picture)
    # The relief: a dome over the whole shape, and the drawing's own light and dark as finer bumps.
    alpha = picture.getchannel("A")
    dome = sum(
        np.asarray(alpha.filter(ImageFilter.GaussianBlur(side * s)), np.float32) / 255 for s in (0.04, 0.08, 0.14)
    )
    bumps = np.asarray(picture.convert("L").filter(ImageFilter.GaussianBlur(side * 0.02)), np.float32) / 255
    height = dome * (side * 0.12) + bumps * (side * 0.05)
    down, right = np.gradient(height.astype(np.float32))
    return Sprite(small, np.stack([down, right]).astype(np.float32), body)


def _dark_spots(rgba: Bytes) -> list[tuple[float, float, float]]:
    """The highest round dark spots, as (row, column, radius): eyes, and not the nose below them."""
    luma = rgba[..., :3].astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    left = {(int(y), int(x)) for y, x in np.argwhere((luma < 75) & (rgba[..., 3] > 200))}
    spots = []
    while left:
        spot, edge = [], [left.pop()]
        while edge:
            y, x = edge.pop()
            spot.append((y, x))
            for near in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if near in left:
                    left.remove(near)
                    edge.append(near)
        points = np.array(spot)
        high, wide = np.ptp(points, axis=0) + 1
        if 14 <= len(spot) <= 420 and 0.55 <= high / wide <= 1.9 and len(spot) > 0.6 * high * wide:
            spots.append((*points.mean(axis=0), float(np.sqrt(len(spot) / np.pi))))
    top = min((row for row, _, _ in spots), default=0.0)
    return [spot for spot in spots if spot[0] < top + 14]


def _without_spots(rgba: Bytes, spots: list[tuple[float, float, float]]) -> Bytes:
    """The drawing with each dark spot painted over in the colour around it."""
    picture = rgba.astype(np.float32)
    rows, columns = np.mgrid[0:128, 0:128].astype(np.float32)
    for row, column, radius in spots:
        far = np.hypot(rows - row, columns - column) - radius
        ring = (far > 3) & (far < 8) & (picture[..., 3] > 200) & (picture[..., :3].max(axis=2) > 80)
        if ring.any():
            share = np.clip((4 - far) / 2, 0, 1)[..., None]
            picture[..., :3] = picture[..., :3] * (1 - share) + np.median(picture[ring][:, :3], axis=0) * share
    return picture.astype(np.uint8)


def _with_irises(rgba: Bytes, spots: list[tuple[float, float, float]], random: np.random.Generator) -> Bytes:
    """The drawing with an eye in place of each dark spot: lid, iris with rays, pupil, glint."""
    picture = rgba.astype(np.float32)
    rows, columns = np.mgrid[0:128, 0:128].astype(np.float32)
    iris = random.uniform(40, 255, 3).astype(np.float32)
    iris[random.integers(3)] *= 0.3
    rim, rays, slit = random.uniform(0.15, 0.5), random.integers(7, 18), random.random() < 0.3
    white, grow, pupil = random.uniform(0.6, 1.0), random.uniform(1.2, 1.8), random.uniform(0.2, 0.45)
    opaque = random.uniform(0.35, 1.0)
    for row, column, radius in spots:
        size = radius * grow + 1
        y, x = (rows - row) / size, (columns - column) / size
        far = np.sqrt(y * y + x * x)
        angle = np.arctan2(y, x)
        inside = (1 - far) * size
        ray = 0.75 + 0.25 * np.cos(angle * rays + 9 * far)
        colour = iris * (ray * (1.25 - rim * far))[..., None]
        dark = far * (1 if not slit else np.sqrt(0.35 + 2.2 * np.cos(angle) ** 2))
        colour *= np.clip((dark - pupil) * size + 0.5, 0, 1)[..., None]
        rand = np.clip((far - 0.8) * size * 1.2, 0, 1)[..., None]
        colour = colour * (1 - rand) + rand * 255 * white * np.clip(1.5 - 1.5 * (far - 0.8), 0.2, 1)[..., None]
        glint = np.clip((0.24 - np.hypot(y + 0.33, x + 0.3)) * size + 0.3, 0, 1)[..., None]
        colour = colour * (1 - glint) + 255 * glint
        share = opaque * np.clip(inside + 0.5, 0, 1)[..., None] * (picture[..., 3:] > 30)
        picture[..., :3] = picture[..., :3] * (1 - share) + colour * share
    return np.clip(picture, 0, 255).astype(np.uint8)
