"""`manage.py dream --video`: a video in, a dreamed one out, with its sound."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from django.core.management import CommandError, call_command

from dreamer.engine import Recipe
from dreamer.video import job
from dreamer.video.films import RECIPE
from tests.video.films import decoded, heard, scene, tone, video

SMALL = {"octaves": 2, "iterations": 1, "threads": 1}


@pytest.fixture(autouse=True)
def house(settings: Any, tmp_path: Path) -> None:
    settings.MODELS_DIR, settings.HOUSE_MODEL = tmp_path / "models", True


def test_a_video_is_dreamed_with_its_sound_and_its_recipe(tmp_path: Path) -> None:
    source, target, said = tmp_path / "in.mp4", tmp_path / "out.mp4", io.StringIO()
    source.write_bytes(video(scene(8), sound=tone(1, click=0.25)))
    call_command("dream", str(target), video=source, stdout=said, **SMALL)
    assert "8 pictures, 0.7 s, with its sound" in said.getvalue()
    before, after = decoded(source), decoded(target)
    assert len(after) == 8 and after[0].shape == before[0].shape
    assert np.abs(after[5].astype(float) - before[5]).mean() > 4
    loud = np.flatnonzero(np.abs(heard(target)) > 0.3)
    assert abs(loud[0] / 48_000 - 0.25) < 0.03
    with av.open(str(target)) as container:
        assert Recipe.from_json(json.loads(container.metadata[RECIPE])).octaves == 2


def test_what_cannot_be_is_said_before_the_work(tmp_path: Path) -> None:
    source, bad = tmp_path / "in.mp4", tmp_path / "bad.mp4"
    source.write_bytes(video(scene(2)))
    bad.write_bytes(b"nothing at all")
    for words, name, options in (
        ("expected .mp4", "out.jpg", {"video": source}),
        ("there is no such file", "out.mp4", {"video": tmp_path / "none.mp4"}),
        ("in use here already", "in.mp4", {"video": source}),
        ("both --video and --gif", "out.mp4", {"video": source, "gif": tmp_path / "x.gif"}),
        ("expected 64 to 3840", "out.mp4", {"video": source, "frame_side": 8}),
        ("no video we can read", "out.mp4", {"video": bad}),
    ):
        with pytest.raises(CommandError, match=words):
            call_command("dream", str(tmp_path / name), **SMALL, **options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.mp4", "in.mp4"]


KILLED = """
import os, signal, sys
import django
django.setup()
from django.conf import settings
from django.core.management import call_command
from pathlib import Path
from dreamer.video import job
settings.MODELS_DIR, settings.HOUSE_MODEL, job.SEGMENT = Path(sys.argv[1]) / "models", True, 3
real = job.dreamed
def dreamed(*rest, start=0, **more):
    for number, found in enumerate(real(*rest, start=start, **more), start):
        if number == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        yield found
job.dreamed = dreamed
folder = Path(sys.argv[1])
call_command("dream", str(folder / "out.mp4"), video=folder / "in.mp4", octaves=2, iterations=1, threads=1)
"""


def test_killed_and_called_again_it_goes_on_and_the_film_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "in.mp4", tmp_path / "out.mp4"
    source.write_bytes(video(scene(8), sound=tone(1, click=0.25)))
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "dreamsite.settings"}
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL and not target.exists()
    monkeypatch.setattr(job, "SEGMENT", 3)
    begun: list[int] = []
    real = job.dreamed
    monkeypatch.setattr(
        job, "dreamed", lambda *rest, start, **more: (begun.append(start), real(*rest, start=start, **more))[1]
    )
    for path in (target, tmp_path / "whole.mp4"):
        call_command("dream", str(path), video=source, **SMALL)
    assert begun == [3, 6, 0, 3, 6], "the first piece was there"
    pairs = list(zip(decoded(target), decoded(tmp_path / "whole.mp4"), strict=True))
    assert max(np.abs(one.astype(int) - other).mean() for one, other in pairs) < 2, "what the encoder may lose"
    assert len(pairs) == 8 and len(heard(target)) > 0.6 * 48_000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "out.mp4", "whole.mp4"]
