"""The eye learns: from lessons (`teaching.py`) to the layer that ships (`eye.py`). Needs PyTorch."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from .eye import FILLED, FILLS, SIDE, Eye, features
from .teaching import LABELS

VARIED = 2  # how often each lesson is shown, never twice alike
UNITS = 256
STEPS, BATCH = 2500, 256
RATE, DECAY, DROPPED, NOISE, SMOOTHED = 3e-3, 0.05, (0.3, 0.4), 0.2, 0.1
THREADS = 1  # sums depend on how they are divided


def fit(sheets: NDArray[np.int8], labels: NDArray[np.int_], seed: int = 1, steps: int = STEPS) -> Eye:
    """A layer of UNITS rectified units between standardised features and words, by cross entropy (AdamW, one cycle,
    dropout, noise, smoothed labels); the same eye each time on processors of a kind.

    sheets int8 [n, 3, SHEET, SHEET] in 127ths, labels [n] are places in LABELS. Of a word with many drawings each
    counts less, by the square root: words with few are not to be learned by heart.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(THREADS)
    random = np.random.default_rng(seed)
    shown = np.concatenate(
        [
            features(_varied(random, torch.from_numpy(sheets[part : part + BATCH]).float() / 127).numpy())
            for _ in range(VARIED)
            for part in range(0, len(sheets), BATCH)
        ]
    )
    wanted = np.tile(labels, VARIED)
    mean, deviation = shown.mean(axis=0), shown.std(axis=0) + np.float32(1e-2)
    x, y = torch.from_numpy((shown - mean) / deviation), torch.from_numpy(wanted)
    hidden, last = nn.Linear(x.shape[1], UNITS), nn.Linear(UNITS, len(LABELS))
    net = nn.Sequential(nn.Dropout(DROPPED[0]), hidden, nn.ReLU(), nn.Dropout(DROPPED[1]), last)
    share = np.bincount(wanted, minlength=len(LABELS)).clip(1)[wanted] ** -0.5
    chosen = torch.from_numpy(random.choice(len(wanted), (steps, BATCH), p=share / share.sum()))
    by = torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY)
    rate = torch.optim.lr_scheduler.OneCycleLR(by, RATE, total_steps=steps + 1)
    for part in chosen:
        noise = NOISE * torch.randn(BATCH, x.shape[1])
        loss = functional.cross_entropy(net(x[part] + noise), y[part], label_smoothing=SMOOTHED)
        by.zero_grad()
        loss.backward()
        by.step()
        rate.step()
    parts = [layer.detach().numpy() for layer in (hidden.weight.T, hidden.bias, last.weight.T, last.bias)]
    return Eye(LABELS, mean, deviation, *parts)


def _varied(random: np.random.Generator, shown: Tensor) -> Tensor:
    """Sheets [n, 3, SHEET, SHEET] as the network is shown them, [n, 3, SIDE, SIDE]: turned, leaning, mirrored, nearer
    or further away, a little bent; some with a thicker pen, some without colours, some with a part missing."""
    n = len(shown)
    thick = torch.from_numpy(random.random(n) < 0.3)
    shown[thick, :1] = functional.max_pool2d(shown[thick, :1], 3, 1, 1)
    shown[torch.from_numpy(random.random(n) < 0.4), 1:] = 0
    fill = FILLED / random.uniform(FILLS[0] - 0.06, FILLS[-1] + 0.06, n)
    turn, lean = random.normal(0, 0.14, n), random.normal(0, 0.1, n)
    wide = np.exp(random.normal(0, 0.09, n)) * np.where(random.random(n) < 0.5, -1, 1)
    tall = np.exp(random.normal(0, 0.09, n))
    matrix = np.empty((n, 2, 3))
    matrix[:, 0] = np.stack(
        [fill * wide * np.cos(turn), fill * (lean - np.sin(turn)), random.normal(0, 0.05, n)], axis=1
    )
    matrix[:, 1] = np.stack([fill * wide * np.sin(turn), fill * tall * np.cos(turn), random.normal(0, 0.05, n)], axis=1)
    grid = functional.affine_grid(torch.from_numpy(matrix).float(), [n, 3, SIDE, SIDE], align_corners=False)
    bends = torch.from_numpy(random.normal(0, 0.035, (n, 2, 5, 5))).float()
    grid = grid + functional.interpolate(bends, (SIDE, SIDE), mode="bicubic").permute(0, 2, 3, 1)
    seen = functional.grid_sample(shown, grid, align_corners=False)
    for place in np.flatnonzero(random.random(n) < 0.25):
        x, y = random.integers(0, SIDE - 12, 2)
        seen[place, :, y : y + random.integers(6, 18), x : x + random.integers(6, 18)] = 0
    return seen * torch.from_numpy(random.uniform(0.7, 1.3, (n, 1, 1, 1))).float().clamp(max=1.3)
