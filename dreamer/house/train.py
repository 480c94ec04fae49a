"""Training: first on the samples as they are, then on samples moved against the network.

    python -m dreamer.house.train --out DIR [--seed 1]      from nothing
    python -m dreamer.house.train --resume DIR              on from DIR's newest checkpoint

The second part is what makes the gradients draw: trained on pictures that were moved within a small ball to where it
errs, a network comes to rely on what those moves cannot fake, whole forms instead of high-frequency hints (Engstrom
et al., "Adversarial Robustness as a Prior for Learned Representations", 2019; Santurkar et al., "Image Synthesis with
a Single (Robust) Classifier", 2019).

Workers are processes of one thread each, on parts of the same batch: they lose less than threads do on a machine that
has other work, and are as fast on one that has none.

Everything random is drawn from (seed, step, worker), so a resumed run takes the steps the whole run would have taken.
Stopping it at any time (even by SIGKILL) costs the steps since the last checkpoint.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, distributed, nn
from torch.nn import functional as F

from .classes import LABELS, NUMBER, PLAIN
from .network import House
from .samples import CELL, CELLS, Samples, render

log = logging.getLogger("dreamer.house")

SHARD = 2048  # samples rendered and stored together
VIEW = 6  # cells of a side that one step sees of a sample's seven: which ones is another thing that varies
REUSE = 5.0  # how often a sample is seen, on average, in the run
WINDOW = 64  # shards in use at a time
FIRST, FIRST_RICH = 3, 20  # shards rendered before the first step, and before the first with the richer samples
CHECKPOINT_SECONDS = 120
PLAIN_WEIGHT = 0.3  # of a place where nothing is, in the loss
SHOWN = 1.0  # cells' weight that a class needs to count as shown, in the log


@dataclass(frozen=True)
class Plan:
    """What decides the run. `radius` is in units of the network's input, -1..1, over a whole crop (L2)."""

    seed: int = 1
    workers: int = 2
    batch: int = 64
    plain_steps: int = 1500
    robust_steps: int = 14000
    ramp_steps: int = 1600  # in which the radius grows to its full size
    radius: float = 3.0
    rate: float = 2e-3
    robust_rate: float = 1e-3
    true_colours: int = 7000  # the step from which samples keep their own colours, and colour tells what things are
    rich: int = 9000  # the step from which all samples are of the richer kind
    final_steps: int = 4500  # in which the rate falls to nothing
    decay: float = 0.02
    average: float = 0.998  # of the averaged weights, which are what is exported

    @property
    def steps(self) -> int:
        return self.plain_steps + self.robust_steps

    def shards_at(self, step: int) -> tuple[int, int]:
        """The first of the shards that a step's samples are from, and the one after the last."""
        first, newest = 0, FIRST + self._used(step)
        if step >= self.rich:
            first = self.rich_shard
            newest += FIRST_RICH
        return max(first, newest - WINDOW), newest

    @property
    def rich_shard(self) -> int:
        """The first shard of the richer samples."""
        return FIRST + self._used(self.rich)

    def _used(self, step: int) -> int:
        return int(step * self.batch / SHARD / REUSE)

    def rate_at(self, step: int) -> float:
        """Learning rate: warmed up, constant (the average does a decay's work), falling at the end."""
        rate = self.rate if step < self.plain_steps else self.robust_rate
        return rate * min(1.0, (step + 1) / 200, (self.steps - step) / self.final_steps)

    def radius_at(self, step: int) -> float:
        return self.radius * min(max(step - self.plain_steps, 0) / self.ramp_steps, 1.0)


class Stream:
    """One worker's part of each step's batch, from shards that a process of the first worker renders ahead."""

    def __init__(self, folder: Path, plan: Plan, worker: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.plan, self.worker = folder, plan, worker
        self.pool = ProcessPoolExecutor(1, mp_context=get_context("spawn")) if worker == 0 else None
        self.asked: dict[int, Future[None]] = {}
        self.open: dict[int, Samples] = {}

    def batch(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Pictures [n, 3, h, w] in -1..1, labels [n, slots], and their weights [n, slots, cells, cells] in 0..1."""
        oldest, newest = self.plan.shards_at(step)
        if self.pool:
            for number in range(oldest, newest + 2):
                if number not in self.asked:
                    self.asked[number] = self.pool.submit(
                        render_shard, self.folder, self.plan.seed, number, rich=number >= self.plan.rich_shard
                    )
        random = np.random.default_rng([self.plan.seed, 1, step, self.worker])
        count = self.plan.batch // self.plan.workers // 2
        parts = []
        for number in random.integers(oldest, newest, 2):
            samples = self._shard(int(number))
            rows = np.sort(random.choice(SHARD, count, replace=False))
            y, x = (int(n) for n in random.integers(0, CELLS - VIEW + 1, 2))
            seen = (slice(y * CELL, (y + VIEW) * CELL), slice(x * CELL, (x + VIEW) * CELL))
            cells = (slice(y, y + VIEW), slice(x, x + VIEW))
            parts.append((samples.pictures[rows][:, *seen], samples.labels[rows], samples.weights[rows][:, :, *cells]))
        pictures, labels, weights = (np.concatenate(part) for part in zip(*parts, strict=True))
        flipped = random.random(len(pictures)) < 0.5
        pictures[flipped] = pictures[flipped, :, ::-1]
        weights[flipped] = weights[flipped, ..., ::-1]
        x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float().sub_(127.5).div_(127.5)
        if step < self.plan.true_colours:
            x = _recoloured(x, random)
        return (
            x.contiguous(memory_format=torch.channels_last),
            torch.from_numpy(labels.astype(np.int64)),
            torch.from_numpy(weights).float().div_(255),
        )

    def _shard(self, number: int) -> Samples:
        while number not in self.open:
            if number in self.asked:
                self.asked[number].result()
            if (self.folder / f"{number:05}.pictures.npy").is_file():
                self.open[number] = read_shard(self.folder, number)
            else:
                time.sleep(0.2)
        for old in sorted(self.open)[:-WINDOW]:
            del self.open[old]
        return self.open[number]

    def close(self) -> None:
        if self.pool:
            self.pool.shutdown(cancel_futures=True)


def _recoloured(x: Tensor, random: np.random.Generator) -> Tensor:
    """Other colours each time a sample is seen: a mix of channels and a shift."""
    mix = np.eye(3) * np.exp(random.normal(0, 0.15, (len(x), 1, 1))) + random.normal(0, 0.06, (len(x), 3, 3))
    shift = random.normal(0, 0.08, (len(x), 3, 1, 1))
    mixed = torch.einsum("nij,njhw->nihw", torch.from_numpy(mix).float(), x)
    return (mixed + torch.from_numpy(shift).float()).clamp_(-1, 1)


def render_shard(folder: Path, seed: int, number: int, *, rich: bool) -> None:
    """Render and store a shard, unless it is there."""
    path = folder / f"{number:05}.pictures.npy"
    if path.is_file():
        return
    samples = render(seed, number, SHARD, rich=rich)
    for name in ("weights", "shares", "labels", "pictures"):  # pictures last: they say that the shard is whole
        part = folder / f"{number:05}.{name}.part"
        with part.open("wb") as file:
            np.save(file, getattr(samples, name))
        part.rename(folder / f"{number:05}.{name}.npy")


def read_shard(folder: Path, number: int) -> Samples:
    """A stored shard; the pictures stay on disk until they are used."""
    names = ("pictures", "labels", "shares", "weights")
    return Samples(*(np.load(folder / f"{number:05}.{name}.npy", mmap_mode="r") for name in names))


def loss_of(scores: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Cross entropy at every place, against the weights of the classes that can be seen there."""
    logs = F.log_softmax(scores.float(), dim=1)
    index = labels[:, :, None, None].expand(-1, -1, *logs.shape[2:])
    weights = weights * torch.where(labels == NUMBER[PLAIN], PLAIN_WEIGHT, 1.0)[:, :, None, None]
    return -(logs.gather(1, index) * weights).sum() / weights.sum()


def moved(
    network: nn.Module, x: Tensor, labels: Tensor, weights: Tensor, radius: float, random: torch.Generator
) -> Tensor:
    """Each picture moved within its L2 ball: one step up the loss from a random start."""
    sizes = radius * (0.4 + 0.6 * torch.rand(len(x), 1, 1, 1, generator=random))
    start = torch.randn(x.shape, generator=random).contiguous(memory_format=torch.channels_last)
    start *= 0.5 * sizes / start.flatten(1).norm(dim=1)[:, None, None, None]
    at = (x + start).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        scores = network(at)
    (gradient,) = torch.autograd.grad(loss_of(scores, labels, weights), at)
    move = start + 1.25 * sizes * gradient / (gradient.flatten(1).norm(dim=1)[:, None, None, None] + 1e-12)
    move *= torch.clamp(sizes / (move.flatten(1).norm(dim=1)[:, None, None, None] + 1e-12), max=1.0)
    return (x + move).clamp(-1, 1).detach()


def right(scores: Tensor, labels: Tensor, weights: Tensor) -> tuple[int, int]:
    """How many of the samples that show something have it as the strongest class but plain, and how many do."""
    seen = weights.flatten(2).sum(2) * (labels != NUMBER[PLAIN])
    best = seen.argmax(1)
    shows = seen.gather(1, best[:, None])[:, 0] > SHOWN
    chances = scores.float().softmax(1)
    chances[:, NUMBER[PLAIN]] = 0
    said = chances.flatten(2).sum(2).argmax(1)
    return int(((said == labels.gather(1, best[:, None])[:, 0]) & shows).sum()), int(shows.sum())


class Run:
    """One worker's share of a run. All workers hold the same weights; the first one logs and saves."""

    def __init__(self, folder: Path, plan: Plan, worker: int) -> None:
        self.folder, self.plan, self.worker = folder, plan, worker
        self.path = folder / "checkpoint.pt"
        torch.manual_seed(plan.seed)
        self.network = House(len(LABELS)).to(memory_format=torch.channels_last).train()
        self.mean = {k: v.clone() for k, v in self.network.state_dict().items()}
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=plan.rate, weight_decay=plan.decay, betas=(0.9, 0.98)
        )
        self.step = 0
        if self.path.is_file():
            saved = torch.load(self.path, weights_only=True)
            self.network.load_state_dict(saved["network"])
            self.optimiser.load_state_dict(saved["optimiser"])
            self.mean, self.step = saved["mean"], saved["step"]

    def save(self) -> None:
        state = {"network": self.network.state_dict(), "mean": self.mean, "optimiser": self.optimiser.state_dict()}
        part = self.path.with_suffix(".part")
        torch.save(state | {"step": self.step, "labels": list(LABELS), "plan": asdict(self.plan)}, part)
        part.replace(self.path)

    def go(self, stream: Stream, end: int) -> None:
        """Train up to step `end`."""
        recent = deque[tuple[float, int, int]](maxlen=100)
        saved = logged = time.monotonic()
        while self.step < end:
            recent.append(self.one(*stream.batch(self.step)))
            self.step += 1
            if self.worker or self.step % 100:
                continue
            now = time.monotonic()
            losses, hits, shown = zip(*recent, strict=True)
            log.info(
                "step %d  loss %.3f  right %.1f %%  radius %.2f  %.2f steps/s", self.step, np.mean(losses),
                100 * sum(hits) / max(sum(shown), 1), self.plan.radius_at(self.step), 100 / (now - logged),
            )  # fmt: skip
            logged = now
            if now - saved > CHECKPOINT_SECONDS:
                self.save()
                saved = now
            if self.step % 1000 == 0:
                self.save()
                (self.folder / f"step-{self.step:06}.pt").write_bytes(self.path.read_bytes())
        if self.worker == 0:
            self.save()

    def one(self, x: Tensor, labels: Tensor, weights: Tensor) -> tuple[float, int, int]:
        """One step; the loss, and what `right` counts."""
        plan, network = self.plan, self.network
        radius = plan.radius_at(self.step)
        if radius:
            random = torch.Generator().manual_seed((plan.seed * 1_000_003 + self.step) * 64 + self.worker)
            x = moved(network, x, labels, weights, radius, random)
        for group in self.optimiser.param_groups:
            group["lr"] = plan.rate_at(self.step)
        with torch.autocast("cpu", torch.bfloat16):
            scores = network(x)
        loss = loss_of(scores, labels, weights)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        gradients = [p.grad for p in network.parameters() if p.grad is not None]
        if plan.workers > 1:
            flat = torch.cat([g.flatten() for g in gradients])
            distributed.all_reduce(flat)
            flat /= plan.workers
            for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
                gradient.copy_(part.view_as(gradient))
        nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        self.optimiser.step()
        share = max(1 - plan.average, 1 / (self.step + 1))
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                self.mean[name].lerp_(value, share)
            else:
                self.mean[name].copy_(value)
        return float(loss.detach()), *right(scores.detach(), labels, weights)


def work(worker: int, folder: Path, plan: Plan, until: int) -> None:
    """A worker's process."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    if plan.workers > 1:
        meeting = f"file://{(folder / 'meeting').absolute()}"
        distributed.init_process_group("gloo", init_method=meeting, rank=worker, world_size=plan.workers)
    stream = Stream(folder / f"shards-{plan.seed}", plan, worker)
    try:
        Run(folder, plan, worker).go(stream, min(plan.steps, until))
    finally:
        stream.close()
        if plan.workers > 1:
            distributed.destroy_process_group()


def train(folder: Path, plan: Plan, *, until: int | None = None) -> None:
    """Run `plan` in `folder`, on from its checkpoint if there is one, up to step `until`."""
    (folder / "meeting").unlink(missing_ok=True)
    torch.multiprocessing.spawn(work, (folder, plan, until or plan.steps), nprocs=plan.workers)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m dreamer.house.train", description="Train the house model.")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--out", type=Path, help="an empty or new folder for checkpoints and samples")
    where.add_argument("--resume", type=Path, help="go on from this folder's checkpoint, by its plan")
    parser.add_argument("--until", type=int, help="stop at this step")
    for name, default in asdict(Plan()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), help=f"default {default}")
    options = vars(parser.parse_args())
    folder: Path = options["out"] or options["resume"]
    folder.mkdir(parents=True, exist_ok=True)
    told = {name: options[name] for name in asdict(Plan()) if options[name] is not None}
    known = folder / "plan.json"
    if options["out"] and known.exists():
        parser.error(f"{folder} holds a run already: use --resume, or another folder")
    plan = Plan(**(json.loads(known.read_text()) if known.exists() else {}) | told)
    known.write_text(json.dumps(asdict(plan), indent=2) + "\n")
    train(folder, plan, until=options["until"])


if __name__ == "__main__":
    main()
