"""Training: a student of our own learns from views, what they are known to show, and what a teacher sees there.

The loss has five parts, each at every place:

    classes   cross entropy against what the view is known to show
    taught    the same against the teacher's kinds as classes of ours, where a view is not known: photographs, dreams
    kinds     cross entropy against the teacher's class probabilities, where there is ink
    features  how far the student, through projections that are dropped afterwards, is from four of the teacher's depths
    changes   how far its change from one view of a pair to the other is from the teacher's change

Two sorts of views make a batch. Lessons (teacher.py) are stored with what the teacher says of them; they are few, so
blocks of one are put into the next now and then. The others are pasted anew for each step (pasted.py): of them only
`classes` is known, but none is seen twice, so they cannot be learned by heart.

First on the views as they are, then on views moved against the student: trained on pictures that were moved within a
small ball to where it errs, a network comes to rely on what those moves cannot fake, whole forms instead of
high-frequency hints, and its gradients draw (Engstrom et al., "Adversarial Robustness as a Prior for Learned
Representations", 2019; Santurkar et al., "Image Synthesis with a Single (Robust) Classifier", 2019). The student starts
from random weights, or as a smaller model of ours (widened.py); none of the teacher's are copied.

On a processor, workers are processes of one thread each, on parts of the same batch: they lose less than threads do on
a machine that has other work, and are as fast on one that has none. Where there is a GPU, one worker uses it.

Everything random is drawn from (seed, step, worker), so a resumed run takes the steps the whole run would have taken.
Stopping it at any time (even by SIGKILL) costs the steps since the last checkpoint.
"""

from __future__ import annotations

import copy
import json
import logging
import os
import signal
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed, nn
from torch.nn import functional as F

from ..library.files import ModelFiles
from .classes import LABELS, NUMBER, PLAIN
from .dreams import make_dreams, read_dreams
from .network import Student
from .pasted import Stock, paste
from .samples import Samples
from .scenes import VIEW_CELLS, render_scenes
from .teacher import DEPTHS, KINDS, PAIRED, Basis, Lesson, Teacher, as_input, classes_of_kinds, lesson, read, store
from .widened import widen

log = logging.getLogger("dreamer.house")

LESSON = 1024  # views made and stored together
REUSE = 6.0  # how often a lesson's view is seen, on average, in the run
WINDOW = 96  # lessons in use at a time
HELD_BACK = 99_999  # the number of a lesson that nothing is learned from
JUDGED = 256  # of its views, at each checkpoint
FIRST = 6  # lessons made before the first step
CHECKPOINT_SECONDS = 120
PICTURES_SECONDS = 3600
SHOWN = 1.0  # cells' weight that a class needs to count as shown, in the log
CALIBRATION = 256  # views by which the norms of a network that begins as another are set
PLAIN_WEIGHT = 0.5  # of a place where nothing is, in the loss
INK = 0.02  # of -1..1: deviation within a cell above which there is something on the paper
# The student's modules that are to say what the teacher's depths say.
PROJECTED = dict(zip(("3a", "4c", "5a", "5b"), (components for components, _ in DEPTHS.values()), strict=True))
WEIGHTS = {"taught": 0.3, "kinds": 0.5, "features": 1.0}  # of the loss's parts
TAUGHT = 0.5  # the teacher's chance of kinds that are classes of ours, above which a place is taught by it
TEACHERS_DREAMS, OWN_DREAMS = 16, 8  # pictures before the first lesson; see `python -m dreamer.house dreaming`


@dataclass(frozen=True)
class Plan:
    """What decides the run. `radius` is in units of the network's input, -1..1, over a whole view (L2)."""

    seed: int = 1
    workers: int = 2
    batch: int = 64
    plain_steps: int = 1200
    robust_steps: int = 24000
    ramp_steps: int = 2400  # in which the radius grows to its full size
    radius: float = 3.0
    rate: float = 2e-3
    robust_rate: float = 1.2e-3
    final_steps: int = 5000  # in which the rate falls to nothing
    decay: float = 0.02
    makers: int = 1  # processes that make lessons ahead; with 0 the first worker makes what is missing, between steps
    start: str = ""  # the folder of a smaller model, or another run's checkpoint, to begin as, or nothing
    pasted: float = 0.625  # the share of a batch that is pasted anew (pasted.py), without a teacher
    teacher: float = 1.0  # weight of all that the teacher says; with 0 lessons teach their classes alone
    mixed: float = 0.5  # how often the lessons' views of a step have a block of the next one in them
    changes: float = 0.0  # weight of that part of the loss; with 0 there are no pairs
    average: float = 0.998  # of the averaged weights, which are what is exported

    @property
    def steps(self) -> int:
        return self.plain_steps + self.robust_steps

    @property
    def paired(self) -> float:
        """The share of a lesson's views that are in pairs."""
        return PAIRED if self.changes else 0.0

    @property
    def taught(self) -> int:
        """How many of a worker's views are from lessons: an even number, half from each of two."""
        return int(self.batch // self.workers * (1 - self.pasted)) // 2 * 2

    def lessons_at(self, step: int) -> tuple[int, int]:
        """The first of the lessons that a step's views are from, and the one after the last."""
        newest = FIRST + int(step * self.taught * self.workers / LESSON / REUSE)
        return max(0, newest - WINDOW), newest

    def rate_at(self, step: int) -> float:
        """Learning rate: warmed up, constant (the average does a decay's work), falling at the end."""
        rate = self.rate if step < self.plain_steps else self.robust_rate
        return rate * min(1.0, (step + 1) / 200, (self.steps - step) / self.final_steps)

    def radius_at(self, step: int) -> float:
        return self.radius * min(max(step - self.plain_steps, 0) / self.ramp_steps, 1.0)


@dataclass(frozen=True)
class Batch:
    """Views [n, 3, h, w] in -1..1, the first 2 * `pairs` in pairs; labels [n, slots] and their weights [n, slots,
    cells, cells] in 0..1. Of the first `taught` of them, by depth what the teacher sees; its kinds and their chances
    [taught, best, cells, cells].
    """

    x: Tensor
    pairs: int
    labels: Tensor
    weights: Tensor
    features: tuple[Tensor, ...]
    kinds: Tensor
    chances: Tensor

    @property
    def taught(self) -> int:
        return len(self.kinds)

    def to(self, device: torch.device) -> Batch:
        parts = {name: value.to(device) for name, value in vars(self).items() if isinstance(value, Tensor)}
        return replace(self, features=tuple(f.to(device) for f in self.features), **parts)


class Stream:
    """One worker's part of each step's batch, from lessons that `makers` processes of the first worker make ahead."""

    def __init__(self, folder: Path, plan: Plan, worker: int, teacher: Path | None, makers: int = 1) -> None:
        self.folder, self.plan, self.worker, self.teacher, self.makers = folder, plan, worker, teacher, makers
        makes = teacher and makers and worker == 0
        self.pool = ProcessPoolExecutor(makers, mp_context=get_context("spawn")) if makes else None
        self.ordered: dict[int, Future[None]] = {}
        self.open: dict[int, Lesson] = {}
        self.stock = Stock(plan.seed) if plan.taught < plan.batch // plan.workers else None

    def batch(self, step: int) -> Batch:
        oldest, newest = self.plan.lessons_at(step)
        if self.pool and self.teacher:
            for number in range(oldest, newest + self.makers):
                if number not in self.ordered:
                    what = self.folder, self.teacher, self.plan.seed, number, self.plan.paired
                    self.ordered[number] = self.pool.submit(make_lesson, *what)
        elif self.teacher and self.worker == 0:
            for number in range(oldest, newest):
                make_lesson(self.folder, self.teacher, self.plan.seed, number, self.plan.paired)
        random = np.random.default_rng([self.plan.seed, 1, step, self.worker])
        count = self.plan.taught // 2
        pairs = int(count * self.plan.paired / 2)
        parts = [self._part(random, int(number), count, pairs) for number in random.integers(oldest, newest, 2)]
        order = [*range(2 * pairs), *range(count, count + 2 * pairs), *range(2 * pairs, count)]
        order += range(count + 2 * pairs, 2 * count)  # all pairs first
        together = [torch.cat(values)[order] for values in zip(*parts, strict=True)]
        x, labels, weights, kinds, chances, *features = together
        batch = Batch(x, 2 * pairs, labels, weights, tuple(features), kinds, chances)
        if random.random() < self.plan.mixed:
            batch = mixed(batch, random)
        if self.stock:
            batch = with_pasted(batch, paste(random, self.stock, self.plan.batch // self.plan.workers - 2 * count))
        return replace(batch, x=batch.x.contiguous(memory_format=torch.channels_last))

    def held_back(self) -> Batch:
        """Views of a lesson that nothing is learned from, to judge by."""
        if self.teacher:
            make_lesson(self.folder, self.teacher, self.plan.seed, HELD_BACK, self.plan.paired)
        parts = self._part(np.random.default_rng(0), HELD_BACK, JUDGED, 0)
        x, labels, weights, kinds, chances, *features = parts
        x = x.contiguous(memory_format=torch.channels_last)
        return Batch(x, 0, labels, weights, tuple(features), kinds, chances)

    def _part(self, random: np.random.Generator, number: int, count: int, pairs: int) -> list[Tensor]:
        made = self._lesson(number)
        first = 2 * random.choice(made.pairs, pairs, replace=False)
        single = random.choice(np.arange(2 * made.pairs, len(made.kinds)), count - 2 * pairs, replace=False)
        rows = [*np.stack([first, first + 1], axis=1).ravel(), *np.sort(single)]
        pictures = made.samples.pictures[rows]
        targets: list[NDArray[Any]] = [made.samples.weights, made.kinds, made.chances, *made.features]
        maps = [m[rows] for m in targets]
        if random.random() < 0.5:
            pictures, maps = pictures[:, :, ::-1], [m[..., ::-1] for m in maps]
        weights, kinds, chances, *features = (torch.from_numpy(np.ascontiguousarray(m)) for m in maps)
        labels = torch.from_numpy(made.samples.labels[rows].astype(np.int64))
        return [
            as_input(pictures),
            labels,
            weights.float().div_(255),
            kinds.long(),
            chances.float(),
            *(f.float() for f in features),
        ]

    def _lesson(self, number: int) -> Lesson:
        while number not in self.open:
            if number in self.ordered:
                self.ordered[number].result()
            if (self.folder / "lessons" / f"{number:05}").is_dir():
                self.open[number] = read(self.folder / "lessons", number)
            else:
                time.sleep(0.5)
        for old in sorted(self.open)[:-WINDOW]:
            del self.open[old]
        return self.open[number]

    def close(self) -> None:
        if self.pool:
            self.pool.shutdown(cancel_futures=True)


def mixed(batch: Batch, random: np.random.Generator) -> Batch:
    """The views but the pairs, each with a block of cells of the next one in it, and with what is known of that."""
    first, cells = 2 * batch.pairs, VIEW_CELLS
    high, wide = (int(n) for n in random.integers(2, cells - 1, 2))
    y, x = int(random.integers(0, cells + 1 - high)), int(random.integers(0, cells + 1 - wide))

    def put(value: Tensor) -> Tensor:
        each = value.shape[-1] // cells  # of a cell's side
        block = np.s_[:, :, y * each : (y + high) * each, x * each : (x + wide) * each]
        whole = value.clone()
        whole[first:][block] = value[first:].roll(-1, 0)[block]
        return whole

    inside = torch.zeros(cells, cells)
    inside[y : y + high, x : x + wide] = 1
    weights = torch.cat([batch.weights, torch.zeros_like(batch.weights)], dim=1)
    labels = batch.labels.repeat(1, 2)
    alone = batch.weights[first:]
    weights[first:] = torch.cat([alone * (1 - inside), alone.roll(-1, 0) * inside], dim=1)
    labels[first:, batch.labels.shape[1] :] = batch.labels[first:].roll(-1, 0)
    return replace(
        batch,
        x=put(batch.x),
        labels=labels,
        weights=weights,
        features=tuple(put(f) for f in batch.features),
        kinds=put(batch.kinds),
        chances=put(batch.chances),
    )


def with_pasted(batch: Batch, samples: Samples) -> Batch:
    """The batch and after it these views, of which no teacher has said anything."""
    labels = torch.from_numpy(samples.labels.astype(np.int64))
    weights = torch.from_numpy(samples.weights).float().div_(255)
    if more := batch.labels.shape[1] - labels.shape[1]:
        labels = F.pad(labels, (0, more), value=NUMBER[PLAIN])
        weights = F.pad(weights, (0, 0, 0, 0, 0, more))
    return replace(
        batch,
        x=torch.cat([batch.x, as_input(samples.pictures)]),
        labels=torch.cat([batch.labels, labels]),
        weights=torch.cat([batch.weights, weights]),
    )


@lru_cache(maxsize=1)
def _teacher(folder: Path) -> Teacher:
    torch.set_num_threads(1)
    return Teacher(folder, "cuda" if torch.cuda.is_available() else "cpu")


def make_lesson(folder: Path, teacher: Path, seed: int, number: int, paired: float) -> None:
    """Make and store a lesson, of whose views the share `paired` is in pairs, unless it is there."""
    if (folder / "lessons" / f"{number:05}").is_dir():
        return
    known = folder / "basis.pt"
    if known.is_file():
        basis = Basis(tuple(torch.load(known, weights_only=True)))
    else:
        basis = Basis.of(_teacher(teacher), seed)
        torch.save(list(basis.parts), known.with_suffix(".part"))
        known.with_suffix(".part").replace(known)
    dreams = read_dreams(folder / "dreams", number)
    store(folder / "lessons", number, lesson(_teacher(teacher), basis, seed, number, LESSON, dreams, paired))


def make_lessons(folder: Path, teacher: Path, count: int) -> None:
    """The first `count` lessons of the run in `folder`, made before they are needed."""
    plan = Plan(**json.loads((folder / "plan.json").read_text()))
    for number in range(count):
        make_lesson(folder, teacher, plan.seed, number, plan.paired)


def take_pictures(folder: Path, step: int) -> None:
    """What the averaged network of the newest checkpoint makes of noise, for ten classes: a sheet in `pictures`."""
    from PIL import Image

    from ..engine import Network
    from .export import export
    from .look import TEN, class_sheet

    there = folder / "pictures" / f"step-{step:06}"
    export(folder / "checkpoint.pt", there)
    sheet = class_sheet(Network.open(there, threads=1), TEN)
    Image.fromarray(sheet).save(there.with_suffix(".jpg"), quality=88)


def class_loss(scores: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Cross entropy at every place, against the weights of the classes that can be seen there."""
    logs = F.log_softmax(scores.float(), dim=1)
    index = labels[:, :, None, None].expand(-1, -1, *logs.shape[2:])
    weights = weights * torch.where(labels == NUMBER[PLAIN], PLAIN_WEIGHT, 1.0)[:, :, None, None]
    return -(logs.gather(1, index) * weights).sum() / weights.sum().clamp(min=1.0)


def kind_loss(scores: Tensor, x: Tensor, kinds: Tensor, chances: Tensor) -> Tensor:
    """Cross entropy at every place against the teacher's strongest kinds, but for empty paper, which is of no kind."""
    cell = x.shape[-1] // scores.shape[-1]
    mean, square = F.avg_pool2d(x, cell), F.avg_pool2d(x * x, cell)
    ink = ((square - mean * mean).amax(1) > INK**2).float()
    logs = F.log_softmax(scores.float(), dim=1).gather(1, kinds)
    return -((logs * chances).sum(1) * ink).sum() / (chances.sum(1) * ink).sum().clamp(min=1.0)


def taught_loss(scores: Tensor, batch: Batch, own: Tensor) -> Tensor:
    """Cross entropy of class scores in views that nothing is known of, against the teacher's kinds, `own` [kinds] being
    the classes they are: where it is of one mind that it is one of them."""
    classes = own[batch.kinds]
    chances = batch.chances * (classes != NUMBER[PLAIN])
    unknown = batch.weights[: batch.taught].flatten(1).sum(1) == 0
    counted = (chances.sum(1) > TAUGHT) & unknown[:, None, None]
    logs = F.log_softmax(scores.float(), dim=1).gather(1, classes)
    return -((logs * chances).sum(1) * counted).sum() / counted.sum().clamp(min=1.0)


def feature_losses(projected: tuple[Tensor, ...], wanted: tuple[Tensor, ...], pairs: int) -> tuple[Tensor, Tensor]:
    """How far the student is from the teacher, and its changes within pairs from the teacher's: squared, of 1."""
    far = changed = torch.zeros((), device=wanted[0].device)
    for ours, theirs in zip(projected, wanted, strict=True):
        ours = ours.float()
        far = far + (ours - theirs).square().mean() / theirs.square().mean()
        if pairs:
            change, meant = (value[1 : 2 * pairs : 2] - value[0 : 2 * pairs : 2] for value in (ours, theirs))
            changed = changed + (change - meant).square().mean() / meant.square().mean()
    return far / len(wanted), changed / len(wanted)


def losses(
    student: Student, x: Tensor, batch: Batch, own: Tensor, changes: float = 0.0, teacher: float = 1.0
) -> tuple[Tensor, dict[str, float], Tensor]:
    """The loss of views `x` that should be seen as `batch` says, its parts, and the class scores. `own` [kinds]: which
    class of ours each of the kinds is; `changes`: the weight of that part; `teacher`: of all that the teacher says."""
    if not teacher:
        with torch.autocast(x.device.type, torch.bfloat16):
            classes = student.house(x)
        known = class_loss(classes, batch.labels, batch.weights)
        return known, {"classes": float(known.detach())}, classes
    with torch.autocast(x.device.type, torch.bfloat16):
        classes, kinds, projected = student(x, batch.taught)
    parts = {
        "classes": class_loss(classes, batch.labels, batch.weights),
        "taught": taught_loss(classes[: batch.taught], batch, own),
        "kinds": kind_loss(kinds, batch.x[: batch.taught], batch.kinds, batch.chances),
    }
    parts["features"], parts["changes"] = feature_losses(projected, batch.features, batch.pairs)
    weights = {name: weight * teacher for name, weight in (WEIGHTS | {"changes": changes}).items()} | {"classes": 1.0}
    total = torch.stack([weights[name] * value for name, value in parts.items()]).sum()
    return total, {name: float(value.detach()) for name, value in parts.items()}, classes


def relit(x: Tensor, random: torch.Generator) -> Tensor:
    """The views, half of them in another light, so that one seen again is not learned by heart: in -1..1."""
    lift, tint, light = (torch.randn(len(x), channels, 1, 1, generator=random) for channels in (1, 3, 1))
    some = (torch.rand(len(x), 1, 1, 1, generator=random) < 0.5).float()
    gain, lift = torch.exp(some * (0.15 * light + 0.06 * tint)), 0.06 * some * lift
    return ((x + 1) * gain.to(x.device) - 1 + lift.to(x.device)).clamp(-1, 1)


def started(batch: Batch, radius: float, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """A move of each view by chance, half as far as its own radius, and the radii. Both of a pair move alike."""
    x = batch.x
    sizes = radius * (0.4 + 0.6 * torch.rand(len(x), 1, 1, 1, generator=random)).to(x.device)
    start = torch.randn(x.shape, generator=random).to(x.device).contiguous(memory_format=torch.channels_last)
    for value in (sizes, start):
        value[1 : 2 * batch.pairs : 2] = value[0 : 2 * batch.pairs : 2]
    return start * (0.5 * sizes / start.flatten(1).norm(dim=1)[:, None, None, None]), sizes


def moved(batch: Batch, start: Tensor, sizes: Tensor, gradient: Tensor) -> Tensor:
    """Each view moved within its L2 ball: from the start one step up the loss, whose gradient is given."""
    both = gradient[0 : 2 * batch.pairs : 2] + gradient[1 : 2 * batch.pairs : 2]
    gradient = torch.cat([both.repeat_interleave(2, dim=0), gradient[2 * batch.pairs :]])
    move = start + 1.25 * sizes * gradient / (gradient.flatten(1).norm(dim=1)[:, None, None, None] + 1e-12)
    move *= torch.clamp(sizes / (move.flatten(1).norm(dim=1)[:, None, None, None] + 1e-12), max=1.0)
    return (batch.x + move).clamp(-1, 1).detach()


def right(scores: Tensor, labels: Tensor, weights: Tensor) -> tuple[int, int]:
    """How many of the views that show something have it as the strongest class but plain, and how many do."""
    seen = weights.flatten(2).sum(2) * (labels != NUMBER[PLAIN])
    best = seen.argmax(1)
    shows = seen.gather(1, best[:, None])[:, 0] > SHOWN
    chances = scores.float().softmax(1)
    chances[:, NUMBER[PLAIN]] = 0
    predicted = chances.flatten(2).sum(2).argmax(1)
    return int(((predicted == labels.gather(1, best[:, None])[:, 0]) & shows).sum()), int(shows.sum())


class Run:
    """One worker's share of a run. All workers hold the same weights; the first one logs and saves. `kinds` are the
    teacher's labels."""

    def __init__(self, folder: Path, plan: Plan, worker: int, kinds: Sequence[str], device: str = "cpu") -> None:
        self.folder, self.plan, self.worker, self.device = folder, plan, worker, torch.device(device)
        self.path = folder / "checkpoint.pt"
        torch.manual_seed(plan.seed)
        self.own = torch.from_numpy(classes_of_kinds(kinds)).to(self.device)
        student = Student(len(LABELS), PROJECTED, KINDS)
        if Path(plan.start).is_file() and not self.path.is_file():
            student.load_state_dict(torch.load(plan.start, weights_only=True, map_location="cpu")["mean"])
        elif plan.start and not self.path.is_file():
            start = read(folder / "lessons", 0).samples.pictures
            widen(student.house, Path(plan.start), as_input(start[:: len(start) // CALIBRATION]))
        self.student = student.to(self.device, memory_format=torch.channels_last).train()
        self.mean = {k: v.clone() for k, v in self.student.state_dict().items()}
        self.optimiser = torch.optim.AdamW(
            self.student.parameters(), lr=plan.rate, weight_decay=plan.decay, betas=(0.9, 0.98), fused=True
        )
        self.step = 0
        if self.path.is_file():
            saved = torch.load(self.path, weights_only=True, map_location=self.device)
            self.student.load_state_dict(saved["network"])
            self.optimiser.load_state_dict(saved["optimiser"])
            self.mean, self.step = saved["mean"], saved["step"]

    def save(self) -> None:
        state = {"network": self.student.state_dict(), "mean": self.mean, "optimiser": self.optimiser.state_dict()}
        part = self.path.with_suffix(".part")
        torch.save(state | {"step": self.step, "labels": list(LABELS), "plan": asdict(self.plan)}, part)
        part.replace(self.path)

    def go(self, stream: Stream, end: int) -> None:
        """Train up to step `end`."""
        recent = deque[tuple[dict[str, float], int, int]](maxlen=100)
        saved = logged = pictured = time.monotonic()
        while self.step < end:
            recent.append(self.one(stream.batch(self.step).to(self.device)))
            self.step += 1
            if self.worker or self.step % 100:
                continue
            now = time.monotonic()
            hits, shown = sum(hit for _, hit, _ in recent), sum(show for _, _, show in recent)
            means = {name: float(np.mean([parts[name] for parts, _, _ in recent])) for name in recent[0][0]}
            parts = "  ".join(f"{name} {mean:.3f}" for name, mean in means.items())
            log.info(
                "step %d  %s  right %.1f %%  radius %.2f  %.2f steps/s",
                self.step,
                parts,
                100 * hits / max(shown, 1),
                self.plan.radius_at(self.step),
                100 / (now - logged),
            )
            logged = now
            if now - saved > CHECKPOINT_SECONDS or self.step % 1000 == 0:
                self.save()
                if stream.teacher:
                    log.info("step %d  held back: %s", self.step, self.judged(stream.held_back().to(self.device)))
                saved = now
            if self.step % 2000 == 0:
                (self.folder / f"step-{self.step:06}.pt").write_bytes(self.path.read_bytes())
            if now - pictured > PICTURES_SECONDS and stream.pool:
                self.save()
                stream.pool.submit(take_pictures, self.folder, self.step)
                pictured = now
        if self.worker == 0:
            self.save()

    def one(self, batch: Batch) -> tuple[dict[str, float], int, int]:
        """One step; the parts of the loss, and what `right` counts.

        A step against moves learns twice: from views moved by chance, and, by the gradient that this gives of the views
        too, from the same views moved against the student (Shafahi et al., "Adversarial Training for Free!", 2019).
        """
        random = torch.Generator().manual_seed((self.plan.seed * 1_000_003 + self.step) * 64 + self.worker)
        batch = replace(batch, x=relit(batch.x, random))
        radius = self.plan.radius_at(self.step)
        if not radius:
            return self._learn(batch.x, batch)
        start, sizes = started(batch, radius, random)
        at = (batch.x + start).requires_grad_()
        self._learn(at, batch)
        assert at.grad is not None
        return self._learn(moved(batch, start, sizes, at.grad), batch)

    def judged(self, batch: Batch) -> str:
        """The averaged network on views that nothing is learned from: as they are, and moved once by `radius`."""
        student = copy.deepcopy(self.student).eval()
        student.load_state_dict(self.mean)
        at = batch.x.clone().requires_grad_()
        total, _, _ = losses(student, at, batch, self.own, teacher=self.plan.teacher)
        (gradient,) = torch.autograd.grad(total, at)
        sizes = torch.full((len(at), 1, 1, 1), self.plan.radius, device=at.device)
        said = []
        for x in (batch.x, moved(batch, torch.zeros_like(gradient), sizes, gradient)):
            with torch.no_grad():
                _, parts, classes = losses(student, x, batch, self.own, teacher=self.plan.teacher)
            hits, shown = right(classes, batch.labels, batch.weights)
            named = "  ".join(f"{name} {value:.3f}" for name, value in parts.items())
            said.append(f"{named}  right {hits / max(shown, 1):.1%}")
        return "; moved: ".join(said)

    def _learn(self, x: Tensor, batch: Batch) -> tuple[dict[str, float], int, int]:
        plan, student = self.plan, self.student
        for group in self.optimiser.param_groups:
            group["lr"] = plan.rate_at(self.step)
        total, parts, classes = losses(student, x, batch, self.own, plan.changes, plan.teacher)
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        gradients = [p.grad for p in student.parameters() if p.grad is not None]
        if plan.workers > 1:
            flat = torch.cat([g.flatten() for g in gradients])
            distributed.all_reduce(flat)
            flat /= plan.workers
            for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
                gradient.copy_(part.view_as(gradient))
        nn.utils.clip_grad_norm_(student.parameters(), 4.0)
        self.optimiser.step()
        share = max(1 - plan.average, 1 / (self.step + 1))
        for name, value in student.state_dict().items():
            if value.is_floating_point():
                self.mean[name].lerp_(value, share)
            else:
                self.mean[name].copy_(value)
        fresh = batch.taught if batch.taught < len(x) else 0
        return parts, *right(classes.detach()[fresh:], batch.labels[fresh:], batch.weights[fresh:])


def work(worker: int, folder: Path, plan: Plan, teacher: Path, until: int, device: str) -> None:
    """A worker's process. It ends with the one that began it, also in the background, where interrupts are ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    handlers: list[logging.Handler] = [logging.StreamHandler(), logging.FileHandler(folder / "training.log")]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", handlers=handlers)
    if device == "cpu":
        torch.set_num_threads(1)
    if plan.workers > 1:
        meeting = f"file://{(folder / 'meeting').absolute()}"
        distributed.init_process_group("gloo", init_method=meeting, rank=worker, world_size=plan.workers)
    # A GPU learns faster than one process draws.
    makers = plan.makers if device == "cpu" else max(1, (os.cpu_count() or 2) - 2)
    stream = Stream(folder, plan, worker, teacher, makers)
    try:
        Run(folder, plan, worker, ModelFiles.read(teacher).labels, device).go(stream, min(plan.steps, until))
    finally:
        stream.close()
        if plan.workers > 1:
            distributed.destroy_process_group()


def train(folder: Path, teacher: Path, changes: dict[str, object] | None = None, *, until: int | None = None) -> None:
    """Run a plan in `folder`, on from its checkpoint if there is one, up to step `until`.

    A new folder gets the default plan with `changes`; an old one goes on by its own, with them. Raises
    FileNotFoundError where something that it needs is not installed, LibraryError for a teacher that cannot be read.
    """
    render_scenes(1, 0, 1)  # says what is missing, before anything is begun
    Teacher(teacher)
    folder.mkdir(parents=True, exist_ok=True)
    known = folder / "plan.json"
    plan = Plan(**(json.loads(known.read_text()) if known.exists() else {}) | (changes or {}))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda":
        plan = replace(plan, workers=1)
    known.write_text(json.dumps(asdict(plan), indent=2) + "\n")
    from . import BUILTIN

    make_dreams(folder / "dreams" / "0", teacher, TEACHERS_DREAMS, plan.seed)
    make_dreams(folder / "dreams" / "0", BUILTIN / "house", OWN_DREAMS, plan.seed)
    (folder / "meeting").unlink(missing_ok=True)
    log.info("%s, process %d", device, os.getpid())
    torch.multiprocessing.spawn(work, (folder, plan, teacher, until or plan.steps, device), nprocs=plan.workers)
