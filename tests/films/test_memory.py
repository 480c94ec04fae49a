"""However long a film: what is held is a few pictures and the encoder's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from canvas.brush import Pixels
from dreamsite.core.rect import Rect
from gallery.films import encode, plan, render
from gallery.films.chapters import chapters
from gallery.films.crop import View
from gallery.films.plan import Still

FRAMES, SIDE = 5_000, 64


def resident() -> int:
    """Bytes of real memory this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads Linux' /proc")
def test_thousands_of_frames_take_no_more_than_hundreds(tmp_path: Path) -> None:
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    stills = [Still(n, n, n, begun + timedelta(seconds=30 * n), f"style {n // 200}") for n in range(1, FRAMES + 1)]
    film = plan.plan(stills, plan.PACES["whole"], drawing=False)
    noise = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), np.uint8)

    def load(still: Still) -> Pixels:
        return np.roll(noise, still.number, 0)

    def strokes(*span: object) -> Iterator[Pixels]:
        raise AssertionError("no strokes were expected")

    card = Image.new("RGB", (SIDE, SIDE))
    view = View(None, Rect(0, 0, SIDE, SIDE), SIDE, SIDE)
    renderer = render.Renderer(film, render.Sources(card, card, load, strokes), view)
    (output,) = encode.outputs(av1=False, lossless=False, threads=1)
    work = encode.WorkDirectory(tmp_path / "work", "memory")
    held = []
    for part in film.segments:
        encode.segment(work, part, renderer.frames(part), [output], film.fps)
        held.append(resident())
    encode.join(tmp_path / "film.mp4", work, film, output, chapters=chapters(film))
    held.append(resident())
    assert len(held) > 20
    grown = max(held[3:]) - held[2]
    assert grown < 24 * 2**20, f"{grown / 2**20:.1f} MiB more after {FRAMES} frames than after the first hundreds"
