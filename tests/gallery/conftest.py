"""History over a handful of real, small frames."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.core.cache import caches

from canvas import frames
from canvas.models import Canvas, Frame
from dreamsite.core.models import User
from gallery.timeline import activity

BEGUN = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
RECIPE = {
    "target": {"terms": [{"layer": "inception_4c/output", "channels": [[63, 1.0]]}]},
    "model": "googlenet",
    "octaves": 6,
    "octave_scale": 1.31415,
    "iterations": 10,
    "step": 1.5,
    "seed": 7,
    "device": "cpu",
}


@pytest.fixture(autouse=True)
def fresh(plain_site: None) -> None:
    """Nothing remembered of another test's history."""
    caches["pages"].clear()
    caches["pictures"].clear()
    activity.clear_cache()


@pytest.fixture
def canvas(db: None) -> Canvas:
    return Canvas.objects.default()


@pytest.fixture
def kept(canvas: Canvas) -> Frame:
    """One frame with real files, made as the dreamer makes them."""
    people = [User.objects.create_user(name) for name in ("ada-l", "bruno")]
    pixels = np.random.default_rng(1).integers(0, 256, (96, 96, 3), np.uint8)
    made = frames.encode(pixels, Frame.Kind.DREAM)
    return frames.keep(
        frames.NewFrame(
            canvas,
            made,
            Frame.Kind.DREAM,
            12,
            authors=[person.pk for person in people],
            title="inception_4c/output 63",
            recipe=RECIPE,
            seconds=8.25,
        )
    )


@pytest.fixture
def many(canvas: Canvas) -> Callable[..., list[Frame]]:
    """Rows without files, half a minute apart from BEGUN on."""

    def make(count: int, canvas: Canvas = canvas, **more: Any) -> list[Frame]:
        rows = (
            Frame(
                canvas=canvas,
                number=number,
                seq=number,
                made_at=BEGUN + timedelta(seconds=30 * (number - 1)),
                picture=f"frames/{number}.jpg",
                thumbnail=f"frames/{number}-thumb.jpg",
                width=96,
                height=96,
                size=1000,
                sha256="0" * 64,
                title=f"layer {number}",
                recipe=RECIPE,
                **more,
            )
            for number in range(1, count + 1)
        )
        return Frame.objects.bulk_create(rows)

    return make
