"""How a reported spot looks at this moment, as the server sees it: nobody can hand in a picture of their own."""

from __future__ import annotations

import io

from PIL import Image

from canvas import frames
from canvas.brush import Pixels
from canvas.models import Canvas, Frame
from canvas.moderation.models import Evidence, Report

CONTEXT = 3  # the crop's side in radii of the spot: what is around it tells what it means
SIDE_LEAST = 240  # px
SIDE_MOST = 720  # px of the stored picture; larger spots are scaled down
QUALITY = 88  # JPEG


def box(width: int, height: int, x: int, y: int, r: int) -> tuple[int, int, int, int]:
    """The crop around a spot, left, top, right, bottom in px: a square moved inside the picture, or all of it."""
    side = max(SIDE_LEAST, CONTEXT * r)
    across, down = min(side, width), min(side, height)
    left = min(max(0, x - across // 2), width - across)
    top = min(max(0, y - down // 2), height - down)
    return left, top, left + across, top + down


def of_canvas(canvas: Canvas, x: int, y: int, r: int) -> tuple[Evidence, int]:
    """The canvas around a spot as everybody sees it now, not saved yet, and the journal's number that is in it."""
    now = frames.compose(canvas)
    return _evidence(now.pixels, box(canvas.width, canvas.height, x, y, r)), now.seq


def of_frame(frame: Frame) -> tuple[Evidence | None, int]:
    """The whole frame; nothing where its file is lost."""
    try:
        pixels = frames.load(frame.pk)
    except frames.FrameGone:
        return None, frame.seq
    return _evidence(pixels, (0, 0, frame.width, frame.height)), frame.seq


def of_pixels(pixels: Pixels | None) -> Evidence | None:
    """A whole picture, uint8 [h, w, 3]; nothing where there is none."""
    return None if pixels is None else _evidence(pixels, (0, 0, pixels.shape[1], pixels.shape[0]))


def keep(report: Report, evidence: Evidence | None) -> None:
    if evidence is not None:
        evidence.report = report
        evidence.save(force_insert=True)


def _evidence(pixels: Pixels, crop: tuple[int, int, int, int]) -> Evidence:
    left, top, right, bottom = crop
    image = Image.fromarray(pixels[top:bottom, left:right])
    image.thumbnail((SIDE_MOST, SIDE_MOST), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY, optimize=True)
    return Evidence(image=buffer.getvalue(), left=left, top=top, width=right - left, height=bottom - top)
