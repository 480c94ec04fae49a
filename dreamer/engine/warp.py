"""Turning and scaling a picture for one step, and bringing the gradient back.

A form that must survive being turned, scaled and shifted a little is a form and not a pattern of pixels; from noise
and towards a class this makes the difference between texture and things (Olah, Mordvintsev and Schubert, "Feature
Visualization", Distill 2017, section on transformation robustness).
"""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from .bands import Floats


def warp(picture: Floats, degrees: float, scale: float) -> Floats:
    """float32 [3, H, W] turned counter-clockwise and scaled about its middle, same size; cubic, mirrored edges.

    Holds up to three more copies: meant for pictures that begin as noise, not for the largest photographs.
    """
    _, height, width = picture.shape
    # How far beyond the edge the corners of the result reach.
    cos, sin = math.cos(math.radians(degrees)), abs(math.sin(math.radians(degrees)))
    beyond = max(
        (cos * height + sin * width) / scale - height,
        (cos * width + sin * height) / scale - width,
    )
    margin = max(0, math.ceil(beyond / 2)) + 2  # two more for the cubic
    padded = np.pad(picture, ((0, 0), (margin, margin), (margin, margin)), mode="reflect")
    return _affine(padded, degrees, scale, (height, width), margin)


def unwarp(gradient: Floats, degrees: float, scale: float) -> Floats:
    """The gradient at `warp(picture, degrees, scale)` brought back: [3, H, W], zero where the warp did not look.

    This is the inverse warp times scale², which is the adjoint of `warp` up to the interpolation's own blur.
    """
    back = _affine(gradient, -degrees, 1 / scale, gradient.shape[1:], 0)
    back *= np.float32(scale * scale)
    return back


def _affine(source: Floats, degrees: float, scale: float, size: tuple[int, ...], margin: int) -> Floats:
    height, width = size
    cos, sin = math.cos(math.radians(degrees)) / scale, math.sin(math.radians(degrees)) / scale
    # Pillow wants the place in the source of each place in the result, x before y, both counted from the corner.
    cx, cy = width / 2, height / 2
    place = (cos, -sin, margin + cx - cos * cx + sin * cy, sin, cos, margin + cy - sin * cx - cos * cy)
    out = np.empty((source.shape[0], height, width), dtype=np.float32)
    for channel, target in zip(source, out, strict=True):
        image = Image.fromarray(channel)
        target[...] = np.asarray(
            image.transform((width, height), Image.Transform.AFFINE, place, Image.Resampling.BICUBIC)
        )
    return out
