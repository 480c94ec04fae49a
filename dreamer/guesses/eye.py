"""What is seen in lines on paper: which way lines run where, read by a small network that knows nothing but drawings.

Networks that learned from photographs see little in a drawing. So the eye looks at ink alone, on paper of any colour:
how much of it lies in each part of the drawing, and which way its edges run there (histograms of oriented gradients,
Dalal and Triggs 2005; sketches are read so in Eitz et al. 2012, "How Do Humans Sketch Objects?"). A layer of units
learned what goes with which word, from drawings by the canvas' own brush of things as many hands draw them
(`teaching.py`). `eye.npz` beside this file is that layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in px

FILE = Path(__file__).parent / "eye.npz"
SIDE = 64  # px of what is read
SHEET = 96  # px of a drawing with room around it
FILLED = 0.6  # of the sheet's side, by the drawing's longer side
FILLS = (0.7, 0.8, 0.92)  # of what is read: it is looked at from here and from there
BINS = 8  # directions of an edge
CELLS = (8, 4)  # of a side that directions are counted in
NOTHING = "nothing"  # the word for scribbles
PARTS = ("mean", "deviation", "hidden", "offset", "weights", "bias")


@dataclass(frozen=True)
class Eye:
    """
    words    what each column says
    mean, deviation   float32 [features]: what features are standardised by
    hidden, offset    float32 [features, units], [units]: rectified units of them
    weights, bias     float32 [units, words], [words]
    """

    words: tuple[str, ...]
    mean: Floats
    deviation: Floats
    hidden: Floats
    offset: Floats
    weights: Floats
    bias: Floats

    def chances(self, picture: Bytes, box: Box, paper: tuple[int, int, int]) -> Floats:
        """How likely each word is for what was drawn inside `box` of a picture uint8 [h, w, 3]: float32 [words], their
        sum 1."""
        scores = self.scores(features(views(sheet(picture, box, paper))))
        likely = np.exp(scores - scores.max(axis=1, keepdims=True))
        logs = np.log(likely / likely.sum(axis=1, keepdims=True) + 1e-9).mean(axis=0)
        odds = np.exp(logs - logs.max())
        return np.asarray(odds / odds.sum(), np.float32)

    def scores(self, rows: Floats) -> Floats:
        """What features [n, features] say for each word: float32 [n, words]."""
        units = np.maximum(((rows - self.mean) / self.deviation) @ self.hidden + self.offset, 0)
        return np.asarray(units @ self.weights + self.bias, np.float32)

    def save(self, path: Path = FILE) -> None:
        """Halves are exact enough, and half as large."""
        parts = {name: getattr(self, name).astype(np.float16) for name in PARTS}
        np.savez_compressed(path, words=np.array(self.words), **parts)


@cache
def read(path: Path = FILE) -> Eye:
    """The eye that ships, or another that was saved."""
    with np.load(path) as file:
        return Eye(tuple(map(str, file["words"])), *(file[name].astype(np.float32) for name in PARTS))


def sheet(picture: Bytes, box: Box, paper: tuple[int, int, int]) -> Floats:
    """The drawing in the middle of a sheet, float32 [3, SHEET, SHEET]: how much ink lies there, 0 to 1, and its colour,
    as red against green and both against blue. Thin lines count like thick ones: of each two by two places the
    darkest."""
    x0, y0, x1, y1 = box
    side = max(x1 - x0, y1 - y0, 8) / FILLED
    left, top = (x0 + x1 - side) / 2, (y0 + y1 - side) / 2
    page = Image.new("RGB", (round(side), round(side)), paper)
    page.paste(Image.fromarray(np.ascontiguousarray(picture[y0:y1, x0:x1])), (round(x0 - left), round(y0 - top)))
    small = np.asarray(
        page.resize((2 * SHEET, 2 * SHEET), Image.Resampling.BOX if side > 2 * SHEET else Image.Resampling.BILINEAR)
    )
    shown = small.astype(np.float32) / 255
    there = np.abs(shown - np.asarray(paper, np.float32) / 255).max(axis=2)
    red, green, blue = shown[..., 0], shown[..., 1], shown[..., 2]
    colour = [
        (there * c).reshape(SHEET, 2, SHEET, 2).mean(axis=(1, 3)) for c in (red - green, (red + green) / 2 - blue)
    ]
    return np.stack([there.reshape(SHEET, 2, SHEET, 2).max(axis=(1, 3)), *colour]).astype(np.float32)


def views(drawn: Floats) -> Floats:
    """What is read of a sheet: from nearer and from further away, each as it is and mirrored; float32
    [views, 3, SIDE, SIDE]."""
    seen = []
    for fill in FILLS:
        side = SHEET * FILLED / fill
        box = ((SHEET - side) / 2, (SHEET - side) / 2, (SHEET + side) / 2, (SHEET + side) / 2)
        planes = [
            np.asarray(Image.fromarray(plane).resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=box))
            for plane in drawn
        ]
        seen += [np.stack(planes), np.stack(planes)[..., ::-1]]
    return np.ascontiguousarray(seen, np.float32)


def features(seen: Floats) -> Floats:
    """What there is of views [n, 3, SIDE, SIDE]: directions of edges by cell, ink by cell, and the mean colour of ink;
    float32 [n, features]."""
    near = np.pad(seen[:, 0], ((0, 0), (1, 1), (1, 1)))
    ink = sum(near[:, y : y + SIDE, x : x + SIDE] for y in range(3) for x in range(3)) / np.float32(9)
    down, right = np.gradient(ink, axis=(1, 2))
    turn = (np.arctan2(down, right) % np.pi) * (BINS / np.pi)
    strength, first = np.hypot(down, right), np.floor(turn)
    second = turn - first  # the share of the next direction
    maps = np.stack(
        [
            strength * np.where(first % BINS == way, 1 - second, np.where((first + 1) % BINS == way, second, 0))
            for way in range(BINS)
        ],
        axis=1,
    ).astype(np.float32)
    parts = []
    for cells in CELLS:
        counted = np.sqrt(_by_cell(maps, cells)).reshape(len(seen), -1)
        length = np.linalg.norm(counted, axis=1, keepdims=True) + 1e-6
        parts.append(counted / length * (np.sqrt(counted.shape[1]) / 8))
    parts.append(_by_cell(seen[:, :1], CELLS[0]).reshape(len(seen), -1))
    parts.append(2 * seen[:, 1:].sum(axis=(2, 3)) / (seen[:, :1].sum(axis=(2, 3)) + 1e-3))
    return np.concatenate(parts, axis=1).astype(np.float32)


def _by_cell(maps: Floats, cells: int) -> Floats:
    """Means of maps [n, channels, SIDE, SIDE] around the middle of each cell, less from further away (a tent two cells
    wide): float32 [n, channels, cells, cells]."""
    size = SIDE / cells
    middles, places = (np.arange(cells) + 0.5) * size, np.arange(SIDE) + 0.5
    tent = np.maximum(0, 1 - np.abs(places - middles[:, None]) / size)
    tent = (tent / tent.sum(axis=1, keepdims=True)).astype(np.float32)
    return np.asarray(tent @ maps @ tent.T, np.float32)
