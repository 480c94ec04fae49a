"""Films: frames counted by a decoder, colours near the source's, the index in front, nothing left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence

from dreamer.engine import film as films
from dreamer.engine.film import film, fit
from dreamer.engine.pictures import PictureError


def frames(count: int, height: int = 48, width: int = 64) -> Any:
    x = np.linspace(0, 200, width)[None, :, None] * np.ones((height, 1, 3))
    return [np.clip(x + 40 * np.sin(i / 3) * np.array([1, 0, -1]), 0, 255).astype(np.uint8) for i in range(count)]


def test_sizes_fit_and_are_even() -> None:
    assert fit(1000, 1500, 600) == (400, 600)
    assert fit(101, 51, 600) == (100, 50)
    assert fit(1, 900, 600) == (2, 600)


def test_gif_shows_every_frame_and_rests_on_the_last(tmp_path: Path) -> None:
    pictures = frames(12)
    with film(tmp_path / "a.gif", fps=10) as add:
        for picture in pictures:
            add(picture)
    with Image.open(tmp_path / "a.gif") as image:
        assert image.n_frames == 12 and image.info["loop"] == 0
        shown = [(f.info["duration"], np.asarray(f.convert("RGB")).astype(int)) for f in ImageSequence.Iterator(image)]
    assert [duration for duration, _ in shown] == [100] * 11 + [2100]
    for (_, pixels), picture in zip(shown, pictures, strict=True):
        assert np.abs(pixels - picture).mean() < 8


def test_gif_is_bounded_and_keeps_its_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(films, "GIF_FRAMES", 10)
    pictures = frames(38)
    with film(tmp_path / "a.gif", fps=10, rest=0) as add:
        for picture in pictures:
            add(picture)
    with Image.open(tmp_path / "a.gif") as image:
        assert 5 <= image.n_frames <= 11
        length = sum(f.info["duration"] for f in ImageSequence.Iterator(image))
        assert length == pytest.approx(3800, abs=1)
        image.seek(image.n_frames - 1)
        assert np.abs(np.asarray(image.convert("RGB")).astype(int) - pictures[-1]).mean() < 8


def test_mp4_is_h264_that_streams(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    pictures = frames(20, 49, 65)  # odd sides lose a row and a column
    with film(tmp_path / "a.mp4", fps=10, rest=0.5) as add:
        for picture in pictures:
            add(picture)
    data = (tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264" and stream.codec_context.pix_fmt == "yuv420p"
        assert float(stream.duration * stream.time_base) == pytest.approx(2.5)
        shown = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(stream)]
    assert len(shown) == 25 and shown[0].shape == (48, 64, 3)
    for index in (0, 10, 19):
        assert np.abs(shown[index] - pictures[index][:48, :64]).mean() < 4


@pytest.mark.parametrize("name", ["a.gif", "a.mp4"])
def test_a_failed_film_leaves_no_file(tmp_path: Path, name: str) -> None:
    pytest.importorskip("av")
    with pytest.raises(KeyError), film(tmp_path / name, fps=10) as add:
        add(frames(1)[0])
        raise KeyError
    with pytest.raises(PictureError, match="no pictures"), film(tmp_path / name, fps=10):
        pass
    assert not list(tmp_path.iterdir())


def test_unknown_endings_and_changing_sizes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"expected \.gif or \.mp4"):
        film(tmp_path / "a.avi", fps=10)
    pytest.importorskip("av")
    with pytest.raises(PictureError, match="expected 64 x 48 like the first"), film(tmp_path / "a.mp4", fps=5) as add:
        add(frames(1)[0])
        add(frames(1, 32, 32)[0])
