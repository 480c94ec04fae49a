"""Procedural textures, each a class of its own: fields of heights in 0..1 that samples.py colours and lights.

A texture is a function (random, side) -> float32 [side, side]. One period of its pattern is about 8 to 24 px at side
192; the sampler shrinks, enlarges and turns it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Heights = Any  # an array of floats [side, side]: what numpy says such arithmetic gives; `field` brings it to bytes
Texture = Callable[[np.random.Generator, int], Heights]

SIDE = 192  # px
VARIANTS = 20  # of each texture
TEXTURES: dict[str, Texture] = {}
_TAU = 2 * np.pi


def _texture(function: Texture) -> Texture:
    TEXTURES[function.__name__.strip("_")] = function
    return function


@lru_cache(maxsize=1)
def fields() -> dict[str, NDArray[np.uint8]]:
    """Every texture's variants, uint8 [VARIANTS, SIDE, SIDE]."""
    return {name: np.stack([field(name, v) for v in range(VARIANTS)]) for name in TEXTURES}


def field(name: str, variant: int) -> NDArray[np.uint8]:
    """One variant of a texture, uint8 [SIDE, SIDE]."""
    random = np.random.default_rng([variant, *name.encode()])
    heights = np.asarray(TEXTURES[name](random, SIDE), np.float32)
    low, high = np.quantile(heights, (0.01, 0.99))
    return np.asarray(np.clip((heights - low) / max(high - low, 1e-6), 0, 1) * 255, np.uint8)


# --- what they are made of ------------------------------------------------------------------------------------------


def _grid(random: np.random.Generator, side: int, warp: float = 0.0) -> tuple[Floats, Floats]:
    """Rows and columns in px, bent by `warp` px of smooth noise."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    if warp:
        y, x = y + warp * smooth_noise(random, side, 24), x + warp * smooth_noise(random, side, 24)
    return y, x


def smooth_noise(random: np.random.Generator, side: int, scale: float, stretch: float = 1.0) -> Floats:
    """Gaussian noise whose grain is about `scale` px (`stretch` times that along the rows), mean 0, deviation 1."""
    fy, fx = np.fft.fftfreq(side)[:, None] * scale, np.fft.rfftfreq(side)[None] * scale * stretch
    spectrum = np.fft.rfft2(random.standard_normal((side, side))) * np.exp(-4 * (fy * fy + fx * fx))
    noise = np.fft.irfft2(spectrum, (side, side))
    return np.asarray((noise - noise.mean()) / (noise.std() + 1e-9), np.float32)


def clouds_noise(random: np.random.Generator, side: int, power: float = 1.6) -> Floats:
    """Noise with as much form at every scale: a spectrum that falls with frequency to `power`."""
    fy, fx = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]
    spectrum = np.fft.rfft2(random.standard_normal((side, side))) / np.maximum(np.hypot(fy, fx), 1 / side) ** power
    noise = np.fft.irfft2(spectrum, (side, side))
    return np.asarray((noise - noise.mean()) / noise.std(), np.float32)


def _smear(noise: Floats, angle: Floats, steps: int) -> Floats:
    """Noise drawn out along a flow of angles: hairs."""
    side = noise.shape[0]
    rows, columns = np.mgrid[0:side, 0:side].astype(np.float32)
    total = np.zeros_like(noise)
    y, x = rows.copy(), columns.copy()
    for _ in range(steps):
        iy, ix = np.rint(y).astype(int) % side, np.rint(x).astype(int) % side
        total += noise[iy, ix]
        y, x = y + np.sin(angle[iy, ix]), x + np.cos(angle[iy, ix])
    return total


def _nearest(random: np.random.Generator, side: int, spacing: float) -> tuple[Floats, Floats, NDArray[np.intp], Floats]:
    """Distances to the two nearest of jittered points, the nearest one's number, and its direction."""
    n = int(side / spacing) + 2
    grid = (
        np.stack(list(np.mgrid[-1:n, -1:n]), -1).reshape(-1, 2) + random.uniform(-0.42, 0.42, ((n + 1) ** 2, 2)) + 0.5
    )
    points = (grid * spacing).astype(np.float32)
    y, x = _grid(random, side)
    first, second = np.full((side, side), 1e9, np.float32), np.full((side, side), 1e9, np.float32)
    who, angle = np.zeros((side, side), np.intp), np.zeros((side, side), np.float32)
    for number, (py, px) in enumerate(points):
        r0, r1 = max(int(py - 3 * spacing), 0), max(int(py + 3 * spacing), 0)
        c0, c1 = max(int(px - 3 * spacing), 0), max(int(px + 3 * spacing), 0)
        box = (slice(r0, r1), slice(c0, c1))
        dy, dx = y[box] - py, x[box] - px
        d = np.hypot(dy, dx)
        closer = d < first[box]
        second[box] = np.where(closer, first[box], np.minimum(second[box], d))
        first[box] = np.where(closer, d, first[box])
        who[box] = np.where(closer, number, who[box])
        angle[box] = np.where(closer, np.arctan2(dy, dx), angle[box])
    return first, second, who, angle


def _polar(random: np.random.Generator, side: int, warp: float = 0.0) -> tuple[Floats, Floats]:
    """Distance and angle about a middle within the field."""
    y, x = _grid(random, side, warp)
    cy, cx = random.uniform(0.3, 0.7, 2) * side
    return np.hypot(y - cy, x - cx), np.arctan2(y - cy, x - cx)


def _rows(random: np.random.Generator, side: int, high: float, wide: float) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Cells in rows, each row shifted by half a cell: row and column within the cell in 0..1, and a cell's number."""
    y, x = _grid(random, side, random.uniform(0, 2))
    row = np.floor(y / high)
    x = x / wide + 0.5 * (row % 2)
    return y / high - row, x - np.floor(x), (row * 37 + np.floor(x)).astype(np.intp)


# --- the classes ----------------------------------------------------------------------------------------------------


@_texture
def stripes(random: np.random.Generator, side: int) -> Heights:
    _, x = _grid(random, side, random.uniform(0, 3))
    return np.tanh(random.uniform(1, 5) * np.sin(_TAU * x / random.uniform(9, 22)))


@_texture
def waves(random: np.random.Generator, side: int) -> Heights:
    y, x = _grid(random, side, 1)
    period, length = random.uniform(12, 20), random.uniform(26, 48)
    phase = y / period + random.uniform(0.3, 0.5) * np.sin(_TAU * x / length)
    return phase - np.floor(phase) + 0.15 * smooth_noise(random, side, 5, 3)


@_texture
def spiral(random: np.random.Generator, side: int) -> Heights:
    far, angle = _polar(random, side, random.uniform(0, 2))
    arms = random.integers(1, 4)
    return np.tanh(random.uniform(1, 4) * np.sin(_TAU * far / random.uniform(14, 26) + arms * angle))


@_texture
def rings(random: np.random.Generator, side: int) -> Heights:
    far, _ = _polar(random, side, random.uniform(0, 3))
    return np.tanh(random.uniform(1, 3) * np.sin(_TAU * far / random.uniform(11, 24)))


@_texture
def rays(random: np.random.Generator, side: int) -> Heights:
    far, angle = _polar(random, side, 1)
    return np.sin(angle * random.integers(9, 22) + 0.01 * far * random.uniform(-1, 1))


@_texture
def rosette(random: np.random.Generator, side: int) -> Heights:
    far, angle = _polar(random, side, random.uniform(0, 2))
    ring = far / random.uniform(18, 30)
    petal = np.abs(np.sin(angle * random.integers(3, 7) + np.pi / 2 * np.floor(ring + 0.5)))
    edge = ring + 0.5 * petal
    return (edge - np.floor(edge)) * (0.5 + 0.5 * petal)


@_texture
def petals(random: np.random.Generator, side: int) -> Heights:
    spacing = random.uniform(34, 52)
    first, _, who, angle = _nearest(random, side, spacing)
    count = random.integers(5, 9)
    turn = np.take(random.uniform(0, _TAU, who.max() + 1), who).astype(np.float32)
    reach = spacing * 0.5 * (0.55 + 0.45 * np.abs(np.cos((angle + turn) * count / 2)))
    far = first / reach
    petal = np.clip(1.3 - far, 0, 1) * (0.6 + 0.4 * np.abs(np.cos((angle + turn) * count / 2)))
    return np.where(far < 0.25, 0.1, np.where(far < 1, 0.35 + 0.65 * petal, 0))


@_texture
def eyes(random: np.random.Generator, side: int) -> Heights:
    spacing = random.uniform(30, 50)
    first, _, _, angle = _nearest(random, side, spacing)
    squash = 1 + random.uniform(0, 0.9) * np.abs(np.sin(angle))
    far = first * squash / (spacing * 0.46)
    pupil = random.uniform(0.16, 0.26)
    iris = 0.35 + 0.15 * np.cos(angle * random.integers(9, 20)) + 0.2 * (far - pupil)
    eye = np.where(far < pupil, 0.0, np.where(far < 0.55, iris, np.where(far < 0.6, 0.1, 1.0)))
    glint = np.hypot(first * np.sin(angle) + spacing * 0.07, first * np.cos(angle) + spacing * 0.07) < spacing * 0.05
    lid = 0.45 + 0.25 * np.sin(far * 6)
    return np.where(glint, 1.0, np.where(far < 1, eye, lid))


@_texture
def cells(random: np.random.Generator, side: int) -> Heights:
    first, second, _, _ = _nearest(random, side, random.uniform(16, 34))
    return np.tanh((second - first) / random.uniform(2, 5)) * (0.7 + 0.3 * np.exp(-first / 6))


@_texture
def pebbles(random: np.random.Generator, side: int) -> Heights:
    first, second, who, _ = _nearest(random, side, random.uniform(14, 30))
    tone = np.take(random.uniform(0.5, 1, who.max() + 1), who)
    dome = np.clip((second - first) / (second + first + 1e-6) * 1.6, 0, 1)
    return np.sqrt(dome) * tone


@_texture
def facets(random: np.random.Generator, side: int) -> Heights:
    first, _, who, angle = _nearest(random, side, random.uniform(20, 40))
    turn = np.take(random.uniform(0, _TAU, who.max() + 1), who)
    return np.take(random.uniform(0, 1, who.max() + 1), who) + 0.02 * first * np.cos(angle - turn)


@_texture
def scales(random: np.random.Generator, side: int) -> Heights:
    wide = random.uniform(16, 28)
    high = wide * random.uniform(0.45, 0.6)
    best = np.full((side, side), 0.0, np.float32)
    y, x = _grid(random, side, random.uniform(0, 2))
    for back in (2, 1, 0):  # each row lies over the one below it
        row = np.floor(y / high) - back
        cx = (np.floor(x / wide - 0.5 * (row % 2)) + 0.5 + 0.5 * (row % 2)) * wide
        far = np.hypot(y - row * high, x - cx) / (wide * 0.58)
        best = np.where(far < 1, 0.15 + 0.85 * far**1.5 * (far < 0.92), best)
    return best


@_texture
def feathers(random: np.random.Generator, side: int) -> Heights:
    wide = random.uniform(22, 36)
    high = wide * random.uniform(0.7, 1.0)
    y, x = _grid(random, side, random.uniform(0, 3))
    best = np.zeros((side, side), np.float32)
    slope, fine = random.uniform(0.8, 1.6), random.uniform(2.5, 4)
    for back in (2, 1, 0):
        row = np.floor(y / high) - back
        across = x - (np.floor(x / wide - 0.5 * (row % 2)) + 0.5 + 0.5 * (row % 2)) * wide
        along = y - row * high
        far = np.hypot(along * 0.55, across) / (wide * 0.5)
        barbs = 0.5 + 0.5 * np.sin(_TAU * (along + slope * np.abs(across)) / fine)
        vane = (0.35 + 0.4 * barbs * far + 0.3 * far) * (0.6 + 0.4 * (along / high / 3))
        vane = np.where(np.abs(across) < 0.9, 1.0, vane)
        best = np.where(far < 1, np.where(far > 0.93, 0, vane), best)
    return best


@_texture
def fur(random: np.random.Generator, side: int) -> Heights:
    flow = smooth_noise(random, side, 60) * random.uniform(0.3, 1.0) + random.uniform(0, _TAU)
    hairs = _smear(smooth_noise(random, side, 2.2), flow, int(random.integers(10, 20)))
    return hairs / hairs.std() + 0.8 * smooth_noise(random, side, 26)


@_texture
def curls(random: np.random.Generator, side: int) -> Heights:
    first, second, who, angle = _nearest(random, side, random.uniform(22, 36))
    sense = np.take(np.where(random.random(who.max() + 1) < 0.5, -1.0, 1.0), who)
    return np.sin(_TAU * first / random.uniform(7, 11) + sense * angle) * np.tanh((second - first) / 3)


@_texture
def grass(random: np.random.Generator, side: int) -> Heights:
    flow = np.pi / 2 + 0.5 * smooth_noise(random, side, 18)
    blades = _smear((smooth_noise(random, side, 3) > 1.0).astype(np.float32), flow, int(random.integers(16, 28)))
    return np.sqrt(np.maximum(blades, 0))


@_texture
def bricks(random: np.random.Generator, side: int) -> Heights:
    high = random.uniform(9, 15)
    y, x, who = _rows(random, side, high, high * random.uniform(1.8, 2.6))
    joint = (y < 0.14) | (x < 0.07)
    return np.where(joint, 0.0, 0.55 + 0.45 * np.take(random.random(997), who % 997)) + 0.04 * smooth_noise(
        random, side, 2
    )


@_texture
def windows(random: np.random.Generator, side: int) -> Heights:
    high, wide = random.uniform(22, 34), random.uniform(16, 26)
    y, x = _grid(random, side)
    u, v = x / wide % 1, y / high % 1
    arch = (np.abs(u - 0.5) < 0.3) & (v > 0.25) & (v < 0.85)
    arch |= np.hypot((u - 0.5) * wide, (v - 0.3) * high) < 0.3 * wide
    cross = (np.abs(u - 0.5) < 0.04) | (np.abs(v - 0.55) < 0.03)
    return np.where(arch & ~cross, 0.1 + 0.3 * v, 0.8) - 0.3 * (v < 0.06)


@_texture
def checks(random: np.random.Generator, side: int) -> Heights:
    y, x = _grid(random, side, random.uniform(0, 4))
    period = random.uniform(18, 34)
    return np.tanh(4 * np.sin(_TAU * x / period) * np.sin(_TAU * y / period))


@_texture
def dots(random: np.random.Generator, side: int) -> Heights:
    first, _, _, _ = _nearest(random, side, random.uniform(13, 24))
    return np.tanh(random.uniform(3, 7) - first)


@_texture
def leopard_spots(random: np.random.Generator, side: int) -> Heights:
    spacing = random.uniform(20, 30)
    first, _, _, angle = _nearest(random, side, spacing)
    first = first + 2 * smooth_noise(random, side, 6)
    ring = np.exp(-(((first - 0.28 * spacing) / (0.09 * spacing)) ** 2)) * (np.cos(angle * 3) > -0.6)
    return 1 - ring - 0.4 * np.exp(-((first / (0.24 * spacing)) ** 2))


@_texture
def labyrinth(random: np.random.Generator, side: int) -> Heights:
    fy, fx = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]
    band = np.exp(-(((np.hypot(fy, fx) - 1 / random.uniform(11, 19)) / 0.008) ** 2))
    noise = np.fft.irfft2(np.fft.rfft2(random.standard_normal((side, side))) * band, (side, side))
    return np.tanh(2.5 * noise / noise.std())


@_texture
def clouds(random: np.random.Generator, side: int) -> Heights:
    return np.tanh(clouds_noise(random, side, random.uniform(1.4, 1.9)))


@_texture
def marble(random: np.random.Generator, side: int) -> Heights:
    y, x = _grid(random, side)
    return np.abs(np.sin((x + y) / random.uniform(14, 24) + 2.5 * clouds_noise(random, side, 1.7))) ** 0.5


@_texture
def wood(random: np.random.Generator, side: int) -> Heights:
    y, x = _grid(random, side)
    cx, cy = random.uniform(-0.3, 1.3, 2) * side
    far = np.hypot((x - cx) * random.uniform(0.12, 0.3), y - cy) + 3 * smooth_noise(random, side, 50)
    ring = far / random.uniform(6, 10)
    return ring - np.floor(ring) + 0.2 * smooth_noise(random, side, 2, 14)


@_texture
def flames(random: np.random.Generator, side: int) -> Heights:
    y, x = _grid(random, side, 6)
    period = random.uniform(16, 26)
    tongue = np.abs(np.sin(np.pi * x / period + 0.8 * np.sin(y / 17)))
    level = y / random.uniform(34, 50) + 0.45 * tongue
    return (level - np.floor(level)) ** 0.7


@_texture
def veins(random: np.random.Generator, side: int) -> Heights:
    y, x = _grid(random, side, 2)
    wide = random.uniform(40, 60)
    u = np.abs(x / wide % 1 - 0.5) * wide
    side_veins = np.abs(np.sin(np.pi * (y - u * random.uniform(0.6, 1.2)) / random.uniform(9, 13)))
    return np.minimum(np.tanh(u / 2), 0.25 + 0.75 * np.tanh(3 * side_veins)) + 0.15 * np.tanh(u / 14)


@_texture
def weave(random: np.random.Generator, side: int) -> Heights:
    y, x = _grid(random, side, random.uniform(0, 2))
    p = random.uniform(8, 14)
    over = (np.floor(x / p) + np.floor(y / p)) % 2
    u, v = np.sin(np.pi * (x / p % 1)), np.sin(np.pi * (y / p % 1))
    return np.where(over > 0, v * (0.4 + 0.6 * u), 0.75 * u * (0.4 + 0.6 * v))


@_texture
def honeycomb(random: np.random.Generator, side: int) -> Heights:
    y, x = _grid(random, side, random.uniform(0, 1.5))
    s = random.uniform(13, 22)
    y, x = y / (s * np.sqrt(3)), x / s
    a = np.maximum(np.abs((x % 1) - 0.5), 0.5 * np.abs((x % 1) - 0.5) + 0.866 * 1.732 * np.abs((y % 1) - 0.5))
    x, y = x + 0.5, y + 0.5
    b = np.maximum(np.abs((x % 1) - 0.5), 0.5 * np.abs((x % 1) - 0.5) + 0.866 * 1.732 * np.abs((y % 1) - 0.5))
    d = np.minimum(a, b)
    return np.where(d < 0.42, 0.3 + 1.2 * d, 1.0)


@_texture
def bubbles(random: np.random.Generator, side: int) -> Heights:
    height = np.zeros((side, side), np.float32)
    y, x = _grid(random, side)
    for _ in range(70):
        cy, cx, r = *random.uniform(0, side, 2), random.uniform(5, 18)
        far = np.hypot(y - cy, x - cx) / r
        glint = np.exp(-((np.hypot(y - cy + 0.4 * r, x - cx + 0.35 * r) / (0.2 * r)) ** 2))
        height = np.where(far < 1, 0.2 + 0.55 * far**3 + glint, height)
    return height


@_texture
def knit(random: np.random.Generator, side: int) -> Heights:
    y, x = _grid(random, side, random.uniform(0, 2))
    p = random.uniform(9, 15)
    u = x / p % 1
    v = (y / (p * 0.7) + np.abs(u - 0.5) * 1.6) % 1
    return np.sin(np.pi * v) ** 0.7 * np.sqrt(np.abs(np.sin(_TAU * u)))
