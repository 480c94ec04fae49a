"""Pictures of a wide range of brightness (HDR) brought to ordinary ones: BT.2020 with PQ or HLG -> BT.709.

Formulas: ITU-R BT.2100-2, tables 4 (PQ) and 5 (HLG); the matrix of ITU-R BT.2087-0, table 4 read backwards;
reference white at 203 cd/m^2 by ITU-R BT.2408-7. What is brighter than white is bent down by E. Reinhard et al.,
Photographic Tone Reproduction for Digital Images, 2002, equation 4, on the largest of the three colours, so that hues
stay.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

WHITE = 203.0  # cd/m^2
BRIGHTEST = 1000.0 / WHITE  # what becomes the brightest there is; whites
NARROW = np.array(  # linear BT.2020 -> linear BT.709
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)


def narrowed(picture: NDArray[np.uint16], curve: str) -> NDArray[np.uint8]:
    """uint16 [H, W, 3] RGB of BT.2020, its `curve` "pq" or "hlg": uint8 [H, W, 3] RGB of BT.709."""
    signal: Any = picture.astype(np.float32) / np.float32(65535)
    linear = (_pq(signal) if curve == "pq" else _hlg(signal)) @ NARROW.T
    linear = np.maximum(linear, 0)
    peak = linear.max(axis=2, keepdims=True)
    bent = peak * (1 + peak / BRIGHTEST**2) / (1 + peak)
    # White paper stays white: Reinhard's curve halves it.
    bent *= 2 / (1 + 1 / BRIGHTEST**2)
    linear *= np.minimum(bent, 1) / np.maximum(peak, 1e-6)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-6) ** (1 / 2.4) - 0.055)
    result: NDArray[np.uint8] = np.clip(np.rint(encoded * 255), 0, 255).astype(np.uint8)
    return result


def _pq(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """Light in shares of WHITE."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = signal ** (1 / m2)
    light: NDArray[np.float32] = (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1) * (10000 / WHITE)
    return light


def _hlg(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """Light in shares of WHITE on a display of 1000 cd/m^2, whose system gamma is 1.2."""
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    luminance = scene @ np.array([0.2627, 0.6780, 0.0593], np.float32)
    light: NDArray[np.float32] = (scene * np.maximum(luminance, 1e-6)[:, :, None] ** 0.2 * (1000 / WHITE)).astype(
        np.float32
    )
    return light
