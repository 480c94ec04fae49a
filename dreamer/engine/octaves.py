"""Octaves: the picture at several sizes, smallest first, and resampling between them.

The classic scheme keeps, for every octave k, the detail that shrinking loses, h_k = p_k - up(p_(k-1)), and going up
continues with up(x_(k-1)) + h_k, so that the dream grows large forms first and the photograph stays sharp. Since
resampling is linear, that is p_k + up(x_(k-1) - p_(k-1)): the photograph at this size plus what has been dreamed so
far, enlarged. Only the difference has to be carried, no residual is kept, and a dream that did nothing gives the
photograph back to the bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .bands import Bytes, Floats, bands, each, rows_of

Size = tuple[int, int]

MOST_STEPS = 8  # times `iterations`: what a tapered octave takes at most


def octave_sizes(height: int, width: int, octaves: int, scale: float, min_size: int, finest: float = 1.0) -> list[Size]:
    """(height, width) of each octave, smallest first, the last one `finest` times the picture's own size.

    Each is the next larger one divided by `scale` and rounded down. Octaves whose shorter side would fall under
    `min_size` are left out, so that one recipe fits a thumbnail and a poster; one octave always stays.
    """
    finest = min(1.0, max(finest, min_size / min(height, width)))
    sizes = [(round(height * finest), round(width * finest))]
    while len(sizes) < octaves:
        smaller = (int(sizes[-1][0] / scale), int(sizes[-1][1] / scale))
        if min(smaller) < max(min_size, 1):
            break
        sizes.append(smaller)
    return sizes[::-1]


def steps_of(octaves: int, iterations: int, taper: float) -> list[int]:
    """How many steps each octave takes, smallest first: `taper` times as many as the next larger one, rounded."""
    return [round(iterations * min(taper**below, MOST_STEPS)) for below in reversed(range(octaves))]


def shrink(photo: Bytes, size: Size) -> Bytes:
    """uint8 [H, W, 3] (or [H, W]) at another size, anti-aliased (Hamming's filter: sharp, and three times faster
    than Lanczos'). Enlarged, as the small masks of fronts are, it would leave steps: that is bilinear.

    Rounding to whole grey levels is harmless here: the dream is a difference to exactly this picture, and only the
    difference is carried on.
    """
    if photo.shape[:2] == size:
        return photo
    smaller = size[0] <= photo.shape[0] and size[1] <= photo.shape[1]
    part = _resized(Image.fromarray(photo), size, Image.Resampling.HAMMING if smaller else Image.Resampling.BILINEAR)
    out = np.empty((*size, *photo.shape[2:]), np.uint8)

    def fill(rows: slice) -> None:
        out[rows] = part(rows)

    each(fill, bands(size[0], photo.nbytes // size[0]))
    return out


def enlarged(difference: Floats, size: Size) -> Callable[[slice], Floats]:
    """Gives rows of [3, h, w] resampled to `size`, float32 [3, rows, W]; cubic, in float32.

    Works for any pair of sizes: it anti-aliases when it shrinks, and copies where the sizes are the same.
    """
    if difference.shape[1:] == size:
        return lambda rows: difference[:, rows].copy()
    channels = [_resized(Image.fromarray(channel), size, Image.Resampling.BICUBIC) for channel in difference]
    return lambda rows: np.stack([part(rows) for part in channels])


def _resized(image: Image.Image, size: Size, filter: Image.Resampling) -> Callable[[slice], NDArray[Any]]:
    """Gives rows of an image at another size."""
    height, width = size
    ratio = image.height / height

    def part(rows: slice) -> NDArray[Any]:
        box = (0, rows.start * ratio, image.width, min(rows.stop * ratio, image.height))
        return np.asarray(image.resize((width, rows.stop - rows.start), filter, box))

    return part


def soften(difference: Floats) -> None:
    """Blur [3, h, w] with outer([1 2 1], [1 2 1]) / 16, in place, a channel at a time; beyond the edge it repeats.

    What changes from pixel to pixel does not survive being enlarged a little: it comes out as a weave.
    """
    for channel in difference:
        padded = np.pad(channel, 1, mode="edge")
        tall = padded[:-2] + padded[2:]
        tall += 2 * padded[1:-1]
        np.add(tall[:, :-2], tall[:, 2:], out=channel)
        channel += 2 * tall[:, 1:-1]
        channel *= np.float32(1 / 16)


def add_enlarged(difference: Floats, picture: Floats) -> None:
    """picture += difference resampled to the picture's size, in place, both [3, H, W]."""
    part = enlarged(difference, (picture.shape[1], picture.shape[2]))

    def add(rows: slice) -> None:
        picture[:, rows] += part(rows)

    each(add, rows_of(picture))


def add_photo(photo: Bytes, picture: Floats, sign: float = 1.0) -> None:
    """picture += sign * photo, in place: uint8 [H, W, 3] into float32 [3, H, W]."""

    def add(rows: slice) -> None:
        part = photo[rows].transpose(2, 0, 1).astype(np.float32)
        part *= np.float32(sign)
        picture[:, rows] += part

    each(add, rows_of(picture))
