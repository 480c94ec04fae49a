"""Teaches the house model's eye: drawings by the canvas' own brush, of the emoji that the network was trained with, as
the font has them and as others drew them (`emoji.py`).

Nothing of what it is judged by (`judging.HELD_BACK`) is among them, in anybody's drawing.
`python -m dreamer.guesses --teach --drawings FOLDER ...` does it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageFont

from dreamer.engine import Network
from dreamer.house.classes import OBJECTS
from dreamer.house.samples import scribble
from dreamer.house.sprites import FONT, FONT_SIZE, glyph

from .emoji import EmojiSet
from .eye import NOTHING, SIDE, Bytes, Eye, Floats, features
from .judging import drawn
from .seeing import window_around

SCALES = (0.5, 0.75)  # in turn, of the sketches that are judged: the network sees them smaller still
THICKER = (3, 5, 7)  # px of a window: many people draw small things with a thick pen
SCRIBBLES = 240

# Found on emoji left out of the teaching, one of each class that has several.
UNITS = 96  # between features and labels
EPOCHS, BATCH, RATE, DECAY = 12, 128, 2e-3, 0.05
DROPPED, NOISE, SMOOTHED = 0.3, 0.3, 0.1  # share of features and units, deviations of a feature, of a label's certainty

LABELS = (*OBJECTS, NOTHING)


def teach(network: Network, sets: Sequence[EmojiSet] = (), each: int = 6, seed: int = 1) -> Eye:
    """An eye for this network, which stays as it is, from `each` drawings of every emoji, and half as many of each
    other hand's."""
    rows, labels, random = [], [], np.random.default_rng(seed)
    for label, window in lessons(each, seed, sets):
        for seen in views(random, window):
            rows.append(features(network, seen))
            labels.append(LABELS.index(label))
    return fit(network.sha256, np.array(rows), np.array(labels), seed)


def views(random: np.random.Generator, window: Bytes) -> tuple[Bytes, Bytes]:
    """A lesson as it is and drawn with a thicker pen, each of them mirrored as often as not."""
    thick = np.asarray(Image.fromarray(window).filter(ImageFilter.MinFilter(int(random.choice(THICKER)))))
    first, second = (np.ascontiguousarray(seen[:, ::-1]) if random.random() < 0.5 else seen for seen in (window, thick))
    return first, second


def lessons(each: int, seed: int, sets: Sequence[EmojiSet] = ()) -> Iterator[tuple[str, Bytes]]:
    """Labels, and windows uint8 [SIDE, SIDE, 3] around drawings of them; and scribbles, which are NOTHING.

    Raises FileNotFoundError saying what to install.
    """
    if not FONT.is_file():
        raise FileNotFoundError(f"{FONT} is missing: install the package fonts-noto-color-emoji")
    font, random = ImageFont.truetype(str(FONT), FONT_SIZE), np.random.default_rng(seed)
    for label, emoji in OBJECTS.items():
        for character in emoji:
            hands = [(glyph(character, font), each)]
            hands += [(one.drawings[character], each // 2) for one in sets if character in one.drawings]
            for shape, times in hands:
                for number in range(times):
                    yield label, _sketched(random, label, shape, SCALES[number % len(SCALES)])
                yield label, _painted(random, shape)
    for _ in range(SCRIBBLES):
        paper = Image.new("RGB", (SIDE, SIDE), "white")
        scribble(random, paper, int(random.integers(1, 6)))
        yield NOTHING, np.asarray(paper)


def _sketched(random: np.random.Generator, label: str, shape: Bytes, scale: float) -> Bytes:
    made = drawn(random, label, shape, scale)
    x0, y0, x1, y1 = window_around(made.box, made.picture.shape[1], made.picture.shape[0])
    window = Image.fromarray(made.picture[y0:y1, x0:x1])
    return np.asarray(window.resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def _painted(random: np.random.Generator, shape: Bytes) -> Bytes:
    """The whole picture on paper, as somebody with patience would paint it."""
    paper, size = Image.new("RGB", (SIDE, SIDE), "white"), round(SIDE * random.uniform(0.6, 0.9))
    turned = Image.fromarray(shape).rotate(random.uniform(-15, 15), Image.Resampling.BILINEAR).resize((size, size))
    x, y = (int(n) for n in random.integers(0, SIDE - size + 1, 2))
    paper.paste(turned, (x, y), turned)
    return np.asarray(paper)


def fit(sha256: str, rows: Floats, labels: NDArray[np.int_], seed: int = 1) -> Eye:
    """A layer of UNITS rectified units between standardised features and labels, by cross entropy (AdamW, dropout,
    noise, smoothed labels); rows float32 [n, features], labels [n] are places in LABELS. Every class counts alike,
    however many rows it has. Needs PyTorch."""
    import torch
    from torch import nn
    from torch.nn import functional

    torch.manual_seed(seed)
    mean, deviation = rows.mean(axis=0), rows.std(axis=0) + 1e-3
    x, y = torch.from_numpy(((rows - mean) / deviation).astype(np.float32)), torch.from_numpy(labels)
    share = 1 / np.bincount(labels, minlength=len(LABELS)).clip(1)
    weight = torch.from_numpy((share / share.mean()).astype(np.float32))
    hidden, last = nn.Linear(x.shape[1], UNITS), nn.Linear(UNITS, len(LABELS))
    net = nn.Sequential(nn.Dropout(DROPPED), hidden, nn.ReLU(), nn.Dropout(DROPPED), last)
    batches = max(1, len(x) // BATCH)
    by = torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY)
    rate = torch.optim.lr_scheduler.OneCycleLR(by, RATE, total_steps=EPOCHS * batches + 1)
    for _ in range(EPOCHS):
        for part in torch.randperm(len(x))[: batches * BATCH].chunk(batches):
            shown = x[part] + NOISE * torch.randn(len(part), x.shape[1])
            loss = functional.cross_entropy(net(shown), y[part], weight=weight, label_smoothing=SMOOTHED)
            by.zero_grad()
            loss.backward()
            by.step()
            rate.step()
    parts = [layer.detach().numpy() for layer in (hidden.weight.T, hidden.bias, last.weight.T, last.bias)]
    return Eye(sha256, LABELS, mean.astype(np.float32), deviation.astype(np.float32), *parts)
