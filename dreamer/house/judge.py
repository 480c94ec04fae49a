"""How often the shipped file knows what fresh samples show: numpy and ONNX Runtime alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from .classes import NUMBER, OBJECTS, PLAIN
from .samples import Samples, render
from .scenes import render_scenes

MODEL, CLASSES, DATA = "model.onnx", "classes", "data"
SHOWN = 1.5  # cells of a sample that a class must cover to count as shown


@dataclass(frozen=True)
class Verdict:
    """Shares of 1. A sample is right when the class that covers most of it, but plain, is the strongest one."""

    samples: int
    objects: float
    textures: float
    places: float  # of all places that one class covers for more than 0.6, those whose strongest class it is

    def __str__(self) -> str:
        return (
            f"{self.samples} fresh samples: objects {self.objects:.1%}, textures {self.textures:.1%} right; "
            f"places {self.places:.1%} right"
        )


def scores(folder: Path, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Class scores at each place, float32 [n, classes, h/16, w/16], of uint8 [n, h, w, 3] RGB."""
    session = onnxruntime.InferenceSession(str(folder / MODEL), providers=["CPUExecutionProvider"])
    fed = (pictures.transpose(0, 3, 1, 2).astype(np.float32) - 127.5) / 127.5
    parts = [session.run([CLASSES], {DATA: fed[i : i + 32]})[0] for i in range(0, len(fed), 32)]
    return np.concatenate(parts)


def judge(folder: Path, count: int = 1000, seed: int = 987_654, *, rich: bool = False) -> Verdict:
    """Judge the model of `folder` by `count` samples of a seed that no training uses, or as many richer ones."""
    samples = render(seed, 0, count, rich=rich)
    return verdict(scores(folder, samples.pictures), samples)


def judge_views(folder: Path, count: int = 1000, seed: int = 987_654) -> Verdict:
    """The same by views as the second edition is taught with (scenes.py), where it is known what they show.

    Raises FileNotFoundError saying what to install.
    """
    views = render_scenes(seed, 0, count)
    known = replace(views, shares=np.where(views.weights > 0, views.shares, 0).astype(np.uint8))
    return verdict(scores(folder, views.pictures), known)


def verdict(found: NDArray[np.float32], samples: Samples) -> Verdict:
    """Compare scores with what the samples show."""
    shares = samples.shares.astype(np.float32) / 255
    covered = shares.sum(axis=(2, 3)) * (samples.labels != NUMBER[PLAIN])
    best = covered.argmax(axis=1)
    rows = np.arange(len(best))
    shown, truth = covered[rows, best] > SHOWN, samples.labels[rows, best]
    chances = np.exp(found - found.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    chances[:, NUMBER[PLAIN]] = 0
    right = chances.sum(axis=(2, 3)).argmax(axis=1) == truth
    is_object = truth < len(OBJECTS)
    most = shares.argmax(axis=1)
    clear = shares.max(axis=1) > 0.6
    predicted = found.argmax(axis=1)
    expected = np.take_along_axis(samples.labels[:, :, None, None].astype(np.int64), most[:, None], axis=1)[:, 0]
    return Verdict(
        len(rows),
        float(right[shown & is_object].mean()),
        float(right[shown & ~is_object].mean()),
        float((predicted == expected)[clear].mean()),
    )
