"""Small frames whose grey says which one they are, so that a decoded film can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from canvas import frames
from canvas.models import Canvas, Frame

BEGUN = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SIDE = 64


def grey(number: int) -> int:
    """The grey of frame `number`, for up to 40 of them: six levels apart, which every encoder here keeps."""
    return 10 + 6 * (number % 40)


@pytest.fixture(autouse=True)
def plain(plain_site: None, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    settings.VAR_DIR = tmp_path
    settings.FILM_AV1 = False


@pytest.fixture
def canvas(db: None) -> Canvas:
    return Canvas.objects.create(slug="film", title="A small canvas", width=SIDE, height=SIDE)


@pytest.fixture
def kept(canvas: Canvas) -> Callable[..., list[Frame]]:
    """Frames as the dreamer keeps them, half a minute apart; `style(number)` names their styles."""

    def keep(
        count: int,
        *,
        begun: datetime = BEGUN,
        style: Callable[[int], str] = lambda number: f"style {number // 10}",
        people: tuple[int, ...] = (),
    ) -> list[Frame]:
        made = []
        for index in range(count):
            number = Frame.objects.filter(canvas=canvas).count() + 1
            pixels = np.full((SIDE, SIDE, 3), grey(number), np.uint8)
            frame = frames.keep(
                frames.NewFrame(
                    canvas,
                    frames.encode(pixels, Frame.Kind.DREAM),
                    Frame.Kind.DREAM,
                    canvas.head,
                    authors=people,
                    title=style(number),
                    recipe={"model": "house"},
                )
            )
            frame.made_at = begun + timedelta(seconds=30 * index)
            frame.save(update_fields=["made_at"])
            made.append(frame)
        return made

    return keep


def pictures(path: Path | str) -> Iterator[np.ndarray]:
    """Every picture of a film as RGB, in the order in which they are shown."""
    with av.open(str(path)) as film:
        for frame in film.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def levels(path: Path | str) -> list[float]:
    """The mean grey of each picture's middle."""
    return [float(picture[16:48, 16:48].mean()) for picture in pictures(path)]
