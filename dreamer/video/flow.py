"""Optical flow: where each place of a picture is in another one, and where that cannot be known.

A flow is float32 [H, W, 2], in pixels, right and down: the place (x, y) of `here` is at (x, y) + flow[y, x] in
`there`. OpenCV's DIS flow is used where it is installed (T. Kroeger et al., Fast Optical Flow using Dense Inverse
Search, ECCV 2016); else a pyramidal Lucas-Kanade of our own (B. Lucas, T. Kanade, An Iterative Image Registration
Technique, IJCAI 1981; the pyramid as J.-Y. Bouguet, Pyramidal Implementation of the Lucas Kanade Feature Tracker,
2001, for every pixel instead of chosen ones).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

SIDE = 320  # px of the longer side at which motion is looked for: more costs time and finds little more
SMALLEST = 16  # px of the shorter side of the pyramid's top
WINDOW = 3  # px to each side that move together
ROUNDS = 3  # of Lucas-Kanade at each level
SOFT = 3  # px over which what can be known fades into what cannot


def flow(here: Bytes, there: Bytes) -> Floats:
    """The flow between two pictures, uint8 [H, W, 3] of one size: float32 [H, W, 2]."""
    return _enlarged(_flow(_grey(here, there), _grey(there, here)), here)


def motion(here: Bytes, there: Bytes) -> tuple[Floats, Floats]:
    """(the flow from here to there, float32 [H, W, 2]; where it can be believed, 0 to 1, float32 [H, W]) of two
    pictures, uint8 [H, W, 3] of one size. Found at SIDE pixels, as large as the pictures in the end."""
    first, second = _grey(here, there), _grey(there, here)
    forth = _flow(first, second)
    share = known(forth, _flow(second, first))
    size = here.shape[0], here.shape[1]
    return _enlarged(forth, here), resized(share[:, :, None], size)[:, :, 0]


def _flow(first: Bytes, second: Bytes) -> Floats:
    finder = _dis()
    if finder is not None and min(first.shape) >= SMALLEST:
        return np.asarray(finder.calc(first, second, None), np.float32)
    return lucas_kanade(first.astype(np.float32), second.astype(np.float32))


def _enlarged(small: Floats, picture: Bytes) -> Floats:
    height, width = picture.shape[:2]
    scale = np.array([width / small.shape[1], height / small.shape[0]], np.float32)
    return resized(small, (height, width)) * scale


@lru_cache(maxsize=1)
def _dis() -> Any:
    """OpenCV's finder; None where OpenCV is not installed. It is imported by the first flow, not by every process."""
    try:
        import cv2 as opencv
    except ImportError:
        return None
    cv2: Any = opencv  # its types leave this module of it out
    cv2.setNumThreads(1)
    return cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)


def lucas_kanade(here: Floats, there: Floats) -> Floats:
    """The flow between two grey pictures, float32 [h, w], from coarse to fine."""
    levels = [(here, there)]
    while min(levels[-1][0].shape) >= 2 * SMALLEST:
        levels.append((_halved(levels[-1][0]), _halved(levels[-1][1])))
    found = np.zeros((*levels[-1][0].shape, 2), np.float32)
    for first, second in reversed(levels):
        scale = np.array([first.shape[1] / found.shape[1], first.shape[0] / found.shape[0]], np.float32)
        found = resized(found, (first.shape[0], first.shape[1])) * scale
        down, right = (np.asarray(part, np.float32) for part in np.gradient(first))
        xx, xy, yy = (_mean(product) for product in (right * right, right * down, down * down))
        # A ground without detail says nothing: there the neighbours' motion stays.
        xx, yy = xx + 1.0, yy + 1.0
        determinant = xx * yy - xy * xy
        for _ in range(ROUNDS):
            change = moved(second[:, :, None], found)[:, :, 0] - first
            bx, by = _mean(right * change), _mean(down * change)
            step = np.stack([xy * by - yy * bx, xy * bx - xx * by], axis=2) / determinant[:, :, None]
            found = found + np.clip(step, -2, 2)
            found = np.stack([_mean(found[:, :, 0]), _mean(found[:, :, 1])], axis=2)
    return found.astype(np.float32)


def moved(picture: NDArray[Any], flow: Floats) -> Floats:
    """`there` brought to `here`: at each place what is where the flow leads, between pixels bilinear; beyond the edges
    the edge. picture [H, W, C], flow [H, W, 2]: float32 [H, W, C]."""
    height, width = flow.shape[:2]
    y = np.clip(np.arange(height, dtype=np.float32)[:, None] + flow[:, :, 1], 0, height - 1)
    x = np.clip(np.arange(width, dtype=np.float32)[None, :] + flow[:, :, 0], 0, width - 1)
    top, left = y.astype(np.intp), x.astype(np.intp)
    down, right = (y - top)[:, :, None], (x - left)[:, :, None]
    low, far = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    flat = picture.reshape(height * width, -1)
    over = flat[top * width + left] * (1 - right) + flat[top * width + far] * right
    under = flat[low * width + left] * (1 - right) + flat[low * width + far] * right
    result: Floats = (over * (1 - down) + under * down).astype(np.float32)
    return result


def known(forward: Floats, backward: Floats) -> Floats:
    """Where a flow can be believed, 0 to 1, float32 [H, W]; `forward` leads from here to there, `backward` back.

    M. Ruder, A. Dosovitskiy, T. Brox, Artistic Style Transfer for Videos, GCPR 2016, equations 5 and 6, after
    N. Sundaram, T. Brox, K. Keutzer, ECCV 2010: a place is newly seen where going there and back does not lead back,
    |f + b|^2 > 0.01 (|f|^2 + |b|^2) + 0.5, and is the edge of something that moves where
    |grad u|^2 + |grad v|^2 > 0.01 |f|^2 + 0.002. What comes from outside the picture was not seen either. Softened by
    SOFT pixels.
    """
    height, width = forward.shape[:2]
    back = moved(backward, forward)
    astray = ((forward + back) ** 2).sum(axis=2)
    size = (forward**2).sum(axis=2)
    good = astray <= 0.01 * (size + (back**2).sum(axis=2)) + 0.5
    edge = sum((part**2 for axis in (0, 1) for part in np.gradient(forward[:, :, axis])), np.zeros_like(size))
    good &= edge <= 0.01 * size + 0.002
    x = np.arange(width)[None, :] + forward[:, :, 0]
    y = np.arange(height)[:, None] + forward[:, :, 1]
    good &= (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
    return np.clip(_mean(good.astype(np.float32), SOFT), 0, 1)


def resized(values: Floats, size: tuple[int, int]) -> Floats:
    """float32 [h, w, C] at another (height, width), bilinear."""
    if values.shape[:2] == size:
        return values
    shape = (size[1], size[0])
    parts = [
        np.asarray(Image.fromarray(np.ascontiguousarray(part)).resize(shape, Image.Resampling.BILINEAR))
        for part in values.transpose(2, 0, 1)
    ]
    return np.stack(parts, axis=2)


def _grey(picture: Bytes, other: Bytes) -> Bytes:
    """Its luminance, small."""
    if picture.shape != other.shape:
        raise ValueError(f"received pictures of {picture.shape} and {other.shape}, expected two of one size")
    image = Image.fromarray(picture).convert("L")
    image.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(image)


def _halved(grey: Floats) -> Floats:
    height, width = grey.shape[0] // 2 * 2, grey.shape[1] // 2 * 2
    quarters = grey[:height, :width].reshape(height // 2, 2, width // 2, 2)
    result: Floats = quarters.mean(axis=(1, 3), dtype=np.float32)
    return result


def _mean(values: Floats, reach: int = WINDOW) -> Floats:
    """The mean of each place's square of 2 reach + 1 pixels a side, by running sums."""
    for axis in (0, 1):
        around = [(reach + 1, reach) if a == axis else (0, 0) for a in (0, 1)]
        sums = np.cumsum(np.pad(values, around, mode="edge"), axis=axis, dtype=np.float64)
        ahead = np.take(sums, range(2 * reach + 1, sums.shape[axis]), axis=axis)
        behind = np.take(sums, range(sums.shape[axis] - 2 * reach - 1), axis=axis)
        values = ((ahead - behind) / (2 * reach + 1)).astype(np.float32)
    return values
