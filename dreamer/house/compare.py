"""One edition against another, in figures; docs/house-model.md has the table.

    accuracy      as judge.py says it, on the first edition's samples and on the richer ones
    robust        places still right when the samples are moved against the network, an L2 ball of RADIUS around each
    named         class pictures of classes that GoogLeNet knows too, and that have the right kind among its five best
    seconds       of the processor for one live dream, and as a share of GoogLeNet's to `inception_4c/output`
    edges         share of a drawing's edges found again after three live dreams (dreamer.sheets)

GoogLeNet is not a stranger to an edition that learned from it: such a one has a head start in `named`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from ..engine import PRESETS, Network, Recipe, Target, dream
from ..library.files import ModelFiles, ShelfStyle
from ..sheets.drawings import draw
from ..sheets.likeness import kept
from . import LIVE
from .classes import ILSVRC, NUMBER, PLAIN
from .imported import Imported
from .judge import CLASSES, judge, judge_views
from .look import canvases, chain, class_sheet, style_named
from .samples import Bytes, Samples, render

log = logging.getLogger("dreamer.house")

RADIUS, MOVES = 3.0, 4  # units of -1..1 over the sample, L2; steps up the loss
PICTURE = 192  # px of a class picture
BEST = 5
SIDE = 1536  # px of the canvas that is timed; drawings whose edges are sought are half as large
DRAWN = ("child", "harbour", "doodle", "name", "painting")
# Styles for an edition without a shelf.
UNCHOSEN = ("creatures:owl", "garden:tree", "feast:watermelon", "town:castle", "creatures:fox")


def compare(folders: Sequence[Path], other: Path, *, count: int = 600) -> str:
    """The editions in `folders` as a Markdown table, GoogLeNet in `other`."""
    rows: dict[str, list[str]] = {"": [folder.name for folder in folders]}
    foreign = Network.open(other, threads=1)
    theirs = seconds(foreign, Target.layer("inception_4c/output"), PRESETS["live"])
    for folder in folders:
        size = (folder / "model.onnx").stat().st_size / 1e6
        found, rich = judge(folder, count), judge(folder, count, rich=True)
        views = judge_views(folder, count)
        right, robust = robustness(folder, min(count, 256))
        network = Network.open(folder, threads=1)
        known, names = named(network, other)
        styles = ModelFiles.read(folder).shelf or tuple(style_named(name) for name in UNCHOSEN)
        live = seconds(network, Target.layer(styles[0].layer, styles[0].channel), PRESETS["live"] | LIVE)
        for name, value in {
            "size": f"{size:.1f} MB, {parameters(folder) / 1e6:.2f} million parameters",
            "objects, textures, places": f"{found.objects:.1%}, {found.textures:.1%}, {found.places:.1%}",
            "the same on richer samples": f"{rich.objects:.1%}, {rich.textures:.1%}, {rich.places:.1%}",
            "the same on views of the second edition": f"{views.objects:.1%}, {views.textures:.1%}, {views.places:.1%}",
            "places right; moved": f"{right:.1%}; {robust:.1%}",
            "class pictures named": f"{len(names)} of {known}: {', '.join(names)}",
            "edges after three dreams": f"{edges(network, styles):.2f}",
            "a live dream": f"{live:.2f} s, {live / theirs:.2f} of GoogLeNet's to 4c ({theirs:.2f} s)",
        }.items():
            rows.setdefault(name, []).append(value)
            log.info("%s: %s: %s", folder.name, name, value)
    lines = [f"| {name} | {' | '.join(values)} |" for name, values in rows.items()]
    return "\n".join([lines[0], "|---" * (len(folders) + 1) + "|", *lines[1:]])


def parameters(folder: Path) -> int:
    """Weights of the network without the layers to dream of."""
    weights = onnx.load(str(folder / "model.onnx")).graph.initializer
    trunk = [
        w for w in weights if w.name.startswith(("conv", "inception", "classes")) and w.name.endswith(("_w", "_b"))
    ]
    return sum(int(np.prod(w.dims)) for w in trunk)


def robustness(folder: Path, count: int, seed: int = 987_654) -> tuple[float, float]:
    """Shares of clear places that are right: on fresh samples as they are, and moved against the network."""
    samples = render(seed, 0, count, rich=True)
    network = Imported(folder)
    x = torch.from_numpy(samples.pictures).permute(0, 3, 1, 2).float().sub(127.5).div(127.5)
    truth, clear = _truth(samples)
    right, still = 0, 0
    for part, wanted, counted in zip(x.split(32), truth.split(32), clear.split(32), strict=True):
        with torch.no_grad():
            right += _right(network.see(part, [CLASSES])[CLASSES], wanted, counted)
        moved = _moved(network, part, wanted, counted)
        with torch.no_grad():
            still += _right(network.see(moved, [CLASSES])[CLASSES], wanted, counted)
    return right / int(clear.sum()), still / int(clear.sum())


def _truth(samples: Samples) -> tuple[Tensor, Tensor]:
    """The class of each place, [n, cells, cells], and whether one class fills it that is not plain."""
    most = samples.shares.argmax(axis=1)
    truth = np.take_along_axis(samples.labels[:, :, None, None].astype(np.int64), most[:, None], axis=1)[:, 0]
    clear = (samples.shares.max(axis=1) > 0.6 * 255) & (truth != NUMBER[PLAIN])
    return torch.from_numpy(truth), torch.from_numpy(clear)


def _right(scores: Tensor, truth: Tensor, clear: Tensor) -> int:
    return int(((scores.argmax(1) == truth) & clear).sum())


def _moved(network: Imported, x: Tensor, truth: Tensor, clear: Tensor) -> Tensor:
    """Each sample moved MOVES times up the loss of its clear places, back into the ball each time."""
    move = torch.zeros_like(x)
    for _ in range(MOVES):
        at = (x + move).requires_grad_()
        scores = network.see(at, [CLASSES])[CLASSES]
        loss = (F.cross_entropy(scores, truth, reduction="none") * clear).sum()
        (gradient,) = torch.autograd.grad(loss, at)
        move = move + RADIUS / 2 * gradient / (_far(gradient) + 1e-12)
        move = move * torch.clamp(RADIUS / (_far(move) + 1e-12), max=1.0)
    return (x + move).clamp(-1, 1)


def _far(move: Tensor) -> Tensor:
    return move.flatten(1).norm(dim=1)[:, None, None, None]


def named(network: Network, other: Path) -> tuple[int, list[str]]:
    """How many class pictures were made, and those of which the other network has the right kind among its best."""
    foreign = Imported(other)
    labels = [label.split(",")[0].strip() for label in ModelFiles.read(other).labels]
    names = []
    for label, kinds in ILSVRC.items():
        picture = class_sheet(network, [label], side=PICTURE)
        best = {labels[kind] for kind in best_kinds(foreign, picture)}
        if best & set(kinds):
            names.append(label)
        log.info("%s: %s", label, ", ".join(sorted(best)))
    return len(ILSVRC), names


def best_kinds(foreign: Imported, picture: Bytes) -> NDArray[np.int64]:
    """The numbers of the kinds that GoogLeNet thinks likeliest, the best first, of a picture brought to 224 px."""
    seen = np.asarray(Image.fromarray(picture).resize((224, 224), Image.Resampling.BICUBIC))
    x = torch.from_numpy(np.array(seen)).permute(2, 0, 1)[None].float().sub(127.5).div(127.5)
    weight, bias = foreign.classifier()
    with torch.no_grad():
        last = foreign.see(x, ["inception_5b/output"], half=False)["inception_5b/output"]
        scores = last.mean(dim=(2, 3)) @ weight.T + bias
    best: NDArray[np.int64] = scores[0].topk(BEST).indices.numpy()
    return best


def edges(network: Network, styles: Sequence[ShelfStyle]) -> float:
    """The share of a drawing's edges found again after three live dreams, the mean of five drawings in a style each."""
    shares = []
    for name, style in zip(DRAWN, styles, strict=False):
        drawing = draw(name, SIDE // 2)
        *_, dreamed = chain(drawing, network, [style] * 3)
        shares.append(kept(drawing, dreamed))
    return float(np.mean(shares))


def seconds(network: Network, target: Target, fields: dict[str, Any], times: int = 2) -> float:
    """Of the processor, for one dream on a canvas with a drawing, on one thread: the least of several."""
    picture = canvases(SIDE)["first"]
    recipe = Recipe(target, model=network.name, **fields)
    taken = []
    for _ in range(times):
        started = time.process_time()
        dream(picture, network, recipe)
        taken.append(time.process_time() - started)
    return min(taken)
