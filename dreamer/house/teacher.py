"""What a teacher sees in views, computed once and kept on disk, so that a training step costs the student alone.

The teacher is GoogLeNet as `manage.py model fetch` brings it; its weights are read here and go nowhere else. It looks
at views enlarged to twice their size: things of 100 px are 200 px large to it, as in the pictures it was trained on,
and its places (32 px) are the student's (16 px).

Kept of each view, as float16: what four depths say at each place, every channel brought to mean 0 and deviation 1 and
then turned into its principal components (`Basis`); and the strongest classes of each place. Some of the views are
pairs: a view, and the same moved a little up what the teacher sees there, as a dream moves it. What changes between the
two is the teacher's gradient by its effect, and the student is to change alike (Lee et al., "Indirect Gradient Matching
for Adversarial Robust Distillation", 2023).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from .classes import ILSVRC, ILSVRC_TOO, NUMBER, PLAIN
from .imported import Imported
from .samples import Bytes, Samples
from .scenes import render_scenes

ENLARGED = 2
# The teacher's layers, how many principal components are kept, and the places of a side they are brought to.
DEPTHS: dict[str, tuple[int, int]] = {
    "inception_3b/output": (48, 12),
    "inception_4c/output": (96, 6),
    "inception_4e/output": (128, 6),
    "inception_5b/output": (160, 6),
}
HEAD = "inception_5b/output"
BEST = 10  # classes kept of each place
KINDS = 1000  # classes of the teacher
CLIMBED = ("inception_4c/output", "inception_4d/output", "inception_4e/output")
MOVES = 2.0, 7.0  # how far the second of a pair is from the first: L2 over a view in units of -1..1
PAIRED = 3 / 8  # of the views are in pairs
CALIBRATION = 256  # views to find the basis by
BATCH = 32


@dataclass(frozen=True)
class Lesson:
    """Views and what the teacher says of them. `samples` is as scenes.py makes them; the first 2 * `pairs` views are
    pairs, the two of each next to one another. By depth `features` float16 [n, components, places, places]; `kinds`
    int16 and `chances` float16 [n, BEST, 6, 6]: the teacher's strongest classes of each place."""

    samples: Samples
    pairs: int
    features: tuple[NDArray[np.float16], ...]
    kinds: NDArray[np.int16]
    chances: NDArray[np.float16]


class Teacher(Imported):
    """GoogLeNet, looking at views enlarged. Raises ValueError for a network without its layers."""

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        super().__init__(folder, device)
        if absent := [name for name in (*DEPTHS, *CLIMBED) if name not in self.layers]:
            raise ValueError(f"the teacher in {folder} has no layer {absent[0]}; expected GoogLeNet's layers")
        self.head = self.classifier()

    def see(self, x: Tensor, wanted: Iterable[str], *, half: bool = True) -> dict[str, Tensor]:
        """The layers `wanted` of views [n, 3, h, w] in -1..1 RGB, enlarged first."""
        larger = F.interpolate(x, scale_factor=ENLARGED, mode="bilinear", align_corners=False)
        return super().see(larger, wanted, half=half)

    def chances(self, last: Tensor) -> Tensor:
        """Class probabilities [n, classes, h, w] at each place, and its neighbours, of the last module's output."""
        weight, bias = self.head
        around = F.avg_pool2d(last, 3, 1, 1, count_include_pad=False)
        return F.conv2d(around, weight[:, :, None, None], bias).softmax(1)


def classes_of_kinds(labels: Sequence[str]) -> NDArray[np.int64]:
    """For each of the teacher's kinds, by its label, the number of the class of ours that takes it in, or `plain`'s.

    Raises ValueError for labels that lack one of those in classes.py.
    """
    names = [label.split(",")[0].strip() for label in labels]
    found = np.full(len(names), NUMBER[PLAIN], np.int64)
    for label, kinds in (*ILSVRC_TOO.items(), *ILSVRC.items()):
        for kind in kinds:
            first, _, last = kind.partition("..")
            found[names.index(first) : names.index(last or first) + 1] = NUMBER[label]
    return found


@dataclass(frozen=True)
class Basis:
    """By depth: means and deviations [channels], principal components [components, channels], and how large the
    components are."""

    parts: tuple[dict[str, Tensor], ...]

    @classmethod
    def of(cls, teacher: Teacher, seed: int) -> Basis:
        """Found by views of a stream of their own."""
        samples = render_scenes(seed + 1_000_003, 0, CALIBRATION)
        heard: dict[str, list[Tensor]] = {name: [] for name in DEPTHS}
        with torch.no_grad():
            for part in as_input(samples.pictures).split(BATCH):
                for name, value in teacher.see(part.to(teacher.device), DEPTHS).items():
                    heard[name].append(value.cpu())
        parts = []
        for name, (components, _) in DEPTHS.items():
            value = torch.cat(heard[name]).permute(1, 0, 2, 3).flatten(1)
            mean, deviation = value.mean(1), value.std(1)
            deviation = deviation.clamp(min=0.1 * float(deviation.median()))
            level = (value - mean[:, None]) / deviation[:, None]
            _, vectors = torch.linalg.eigh(level @ level.T / level.shape[1])
            turned = vectors.flip(1)[:, :components].T
            parts.append({"mean": mean, "deviation": deviation, "turned": turned.contiguous()})
        return cls(tuple(parts))

    def apply(self, seen: dict[str, Tensor]) -> tuple[Tensor, ...]:
        """What is kept of each depth: [n, components, places, places]."""
        kept = []
        for (name, (_, places)), part in zip(DEPTHS.items(), self.parts, strict=True):
            value = F.adaptive_avg_pool2d(seen[name], places)
            mean, deviation, turned = (part[key].to(value.device) for key in ("mean", "deviation", "turned"))
            level = (value - mean[:, None, None]) / deviation[:, None, None]
            kept.append(F.conv2d(level, turned[:, :, None, None]))
        return tuple(kept)


def as_input(pictures: Bytes) -> Tensor:
    """uint8 [n, h, w, 3] as a tensor [n, 3, h, w] in -1..1."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float().sub_(127.5).div_(127.5)


def lesson(
    teacher: Teacher, basis: Basis, seed: int, number: int, count: int, dreams: Sequence[Bytes], paired: float = PAIRED
) -> Lesson:
    """Lesson `number` of the stream that `seed` starts: `count` views, the share `paired` of them in pairs."""
    pairs = int(count * paired / 2)
    drawn = render_scenes(seed, number, count - pairs, dreams)
    generator = torch.Generator().manual_seed(seed * 1_000_003 + number)
    x = as_input(drawn.pictures)
    moved = torch.cat([x[:0], *(dreamed(teacher, part, generator) for part in x[:pairs].split(BATCH))])
    second = ((moved * 127.5 + 127.5).round().clamp(0, 255)).to(torch.uint8).permute(0, 2, 3, 1).numpy()
    order = [*np.repeat(np.arange(pairs), 2), *range(pairs, count - pairs)]
    pictures = drawn.pictures[order]
    pictures[1 : 2 * pairs : 2] = second
    samples = Samples(pictures, drawn.labels[order], drawn.shares[order], drawn.weights[order])
    features: list[list[Tensor]] = [[] for _ in DEPTHS]
    best: list[tuple[Tensor, Tensor]] = []
    with torch.no_grad():
        for part in as_input(pictures).split(BATCH):
            seen = teacher.see(part.to(teacher.device), DEPTHS)
            for kept, value in zip(features, basis.apply(seen), strict=True):
                kept.append(value.half().cpu())
            chances, kinds = teacher.chances(seen[HEAD]).topk(BEST, dim=1)
            best.append((kinds.to(torch.int16).cpu(), chances.half().cpu()))
    return Lesson(
        samples,
        pairs,
        tuple(torch.cat(kept).numpy() for kept in features),
        torch.cat([kinds for kinds, _ in best]).numpy(),
        torch.cat([chances for _, chances in best]).numpy(),
    )


def dreamed(teacher: Teacher, x: Tensor, random: torch.Generator) -> Tensor:
    """The views one long step up what the teacher sees in them: a layer, or one channel of it that is strong there."""
    layer = CLIMBED[int(torch.randint(len(CLIMBED), (1,), generator=random))]
    at = x.to(teacher.device).requires_grad_()
    seen = teacher.see(at, [layer])[layer]
    loudness = seen.detach().mean(dim=(2, 3)).cpu()
    chosen = torch.multinomial(loudness.clamp(min=1e-6), 1, generator=random)[:, 0]
    alone = torch.rand(len(x), generator=random) < 0.6
    wanted = torch.where(alone[:, None], F.one_hot(chosen, seen.shape[1]).float(), torch.ones(len(x), seen.shape[1]))
    (gradient,) = torch.autograd.grad((seen.square() * wanted.to(seen.device)[:, :, None, None]).sum(), at)
    gradient = gradient.cpu()
    for _ in range(int(torch.randint(1, 4, (1,), generator=random))):  # as a dream smooths its gradient
        gradient = F.avg_pool2d(gradient, 3, 1, 1, count_include_pad=False)
    low, high = MOVES
    far = low + (high - low) * torch.rand(len(x), 1, 1, 1, generator=random)
    return (x + far * gradient / (gradient.flatten(1).norm(dim=1)[:, None, None, None] + 1e-12)).clamp(-1, 1)


def store(folder: Path, number: int, made: Lesson) -> None:
    """Write a lesson's file; it is there whole or not at all."""
    arrays = {name: getattr(made.samples, name) for name in ("pictures", "labels", "shares", "weights")}
    arrays |= {f"features{i}": value for i, value in enumerate(made.features)}
    arrays |= {"kinds": made.kinds, "chances": made.chances, "pairs": np.array(made.pairs)}
    lesson_folder, part = folder / f"{number:05}", folder / f"{number:05}.part"
    part.mkdir(parents=True, exist_ok=True)
    for name, value in arrays.items():
        np.save(part / f"{name}.npy", value)
    part.rename(lesson_folder)


def read(folder: Path, number: int) -> Lesson:
    """A stored lesson; it stays on disk until it is used."""
    there = folder / f"{number:05}"
    loaded = {path.stem: np.load(path, mmap_mode="r") for path in there.glob("*.npy")}
    return Lesson(
        Samples(loaded["pictures"], loaded["labels"], loaded["shares"], loaded["weights"]),
        int(loaded["pairs"]),
        tuple(loaded[f"features{i}"] for i in range(len(DEPTHS))),
        loaded["kinds"],
        loaded["chances"],
    )
