"""Dreams to train with: what a network makes of photographs, drawings and nothing, once and again.

A network that has never seen a dream sees something else in its own dream than it dreamed, and dream upon dream it
drifts to what it knows least. So both teacher and student dream, and learn from it.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from PIL import Image

from ..engine import PRESETS, Network, Recipe, Target, dream
from ..library.files import ModelFiles
from .look import blank, chain, scribble
from .photographs import pictures
from .samples import Bytes
from .scenes import crop, scene

log = logging.getLogger("dreamer.house")

SIDE = 448  # px
# Of a foreign network: what is climbed, and a recipe that suits GoogLeNet on a canvas of this size.
MODULES = ("inception_4a", "inception_4b", "inception_4c", "inception_4d", "inception_4e", "inception_5a")
FOREIGN = {"octaves": 5, "iterations": 2, "step": 4.0, "smooth": 4, "taper": 1.3}


def make_dreams(folder: Path, model: Path, count: int, seed: int, *, threads: int = 1) -> None:
    """Write `count` dreams of `model` to the folder, PNG, on from what is there."""
    folder.mkdir(parents=True, exist_ok=True)
    network = Network.open(model, threads=threads)
    shelf = ModelFiles.read(model).shelf if "likeness" in network.layers else ()  # ours: dreams as on its canvas
    for number in range(count):
        path = folder / f"{network.name}-{number:03}.png"
        if path.is_file():
            continue
        random = np.random.default_rng([seed, 3, number])
        picture = _ground(random)
        for again in range(int(random.integers(1, 5))):
            if shelf:
                (picture,) = chain(picture, network, [shelf[random.integers(len(shelf))]])
            else:
                recipe = Recipe(_target(random, network), model=network.name, seed=again, **PRESETS["live"] | FOREIGN)
                picture = dream(picture, network, recipe)
        part = path.with_suffix(".part")
        Image.fromarray(picture).save(part, format="PNG")
        part.rename(path)
        log.info("%s", path.name)


def read_dreams(folder: Path, lesson: int) -> tuple[Bytes, ...]:
    """The dreams that a lesson is made with: those in `folder`'s folders whose names are numbers up to the lesson's."""
    found = []
    for part in sorted(folder.glob("[0-9]*")):
        if int(part.name) <= lesson:
            found += [np.asarray(Image.open(path).convert("RGB")) for path in sorted(part.glob("*.png"))]
    return tuple(found)


def _target(random: np.random.Generator, network: Network) -> Target:
    layer = f"{MODULES[random.integers(len(MODULES))]}/output"
    if random.random() < 0.3:
        return Target.layer(layer, None)
    return Target.layer(layer, int(random.integers(network.layers[layer].channels)))


def _ground(random: np.random.Generator) -> Bytes:
    chance = random.random()
    if chance < 0.45:
        photographs = pictures()
        return crop(random, photographs[random.integers(len(photographs))], SIDE, smallest=0.5)
    if chance < 0.6:
        return scribble(SIDE, SIDE, seed=int(random.integers(1 << 30)))
    if chance < 0.7:
        return blank(SIDE, SIDE)
    views = [scene(random, ())[0] for _ in range(4)]
    half = (SIDE // 2, SIDE // 2)
    quarter = [np.asarray(Image.fromarray(view).resize(half, Image.Resampling.BICUBIC)) for view in views]
    return np.concatenate([np.concatenate(quarter[:2], axis=1), np.concatenate(quarter[2:], axis=1)])
