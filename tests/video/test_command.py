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
from numpy.typing import NDArray

from dreamer.engine import Recipe
from dreamer.video import job
from dreamer.video.films import RECIPE
from tests.dreamer.test_music import tone as beat
from tests.video.films import Bytes, decoded, heard, scene, tone, video

CREDIT = "Night; Ada Lovelace; CC BY 4.0; https://example.org/night"
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
        ("--music without --credit", "out.mp4", {"video": source, "music": bad}),
        ("without --music", "out.mp4", {"video": source, "follow": True}),
        ("both --sound and --music", "out.mp4", {"video": source, "music": bad, "credit": CREDIT, "sound": True}),
        (
            "credit: received no author",
            "out.mp4",
            {"video": source, "music": bad, "credit": "Night; ; CC0; https://a.b"},
        ),
        ("no sound we can read", "out.mp4", {"video": source, "music": bad, "credit": CREDIT}),
        ("in use here already", "in.mp4", {"video": bad, "music": source, "credit": CREDIT}),
        ("without --journey or --video", "out.jpg", {"photo": source, "music": bad}),
        ("without --video", "out.jpg", {"photo": source, "sound": False, "journey": "zoom"}),
    ):
        with pytest.raises(CommandError, match=words):
            call_command("dream", str(tmp_path / name), **SMALL, **options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.mp4", "in.mp4"]


def test_music_lies_under_it_instead_of_its_sound_and_its_credit_stands_at_the_end(tmp_path: Path) -> None:
    source, said = tmp_path / "in.mp4", io.StringIO()
    source.write_bytes(video(scene(36), sound=tone(3, click=0.25)))
    plain, steady, led = (tmp_path / f"{name}.mp4" for name in ("plain", "steady", "led"))
    musical = {"music": beat(tmp_path / "a.wav"), "credit": CREDIT}
    for path, options in ((plain, {"sound": False}), (steady, musical), (led, {**musical, "follow": True})):
        call_command("dream", str(path), video=source, stdout=said, **{**SMALL, "iterations": 2}, **options)
    assert "without sound" in said.getvalue() and "with “Night” by Ada Lovelace, CC BY 4.0" in said.getvalue()
    with av.open(str(plain)) as container:
        assert not container.streams.audio
    for path in (steady, led):
        pictures, sound = decoded(path), heard(path)
        assert len(pictures) == 36 + 4 * 12 and len(sound) / 48_000 == pytest.approx(len(pictures) / 12, abs=0.06)
        assert (
            np.abs(sound[: 48_000 * 9 // 10]).max() < 0.01 < 0.1 < np.abs(sound[48_000 * 11 // 10 : 48_000 * 2]).max()
        )
        card = pictures[-1].astype(int)
        assert np.median(card) < 30 and (card.max(axis=2) > 60).sum() > 20, "text on a dark ground"
    steady_share, led_share = (shares(decoded(path)[:36], decoded(plain), decoded(source)) for path in (steady, led))
    assert steady_share.min() > 0.7, "without --follow the dream is as it was"
    assert led_share[2:8].mean() < 0.5 and led_share[16:22].mean() > 0.7, "weak where it is silent, whole where loud"


def shares(pictures: list[Bytes], dreams: list[Bytes], film: list[Bytes]) -> NDArray[np.float64]:
    """How much of each dream is in each picture, 0 to 1, by least squares.

    Not by how far pictures are from dreams: on pictures this small x264's macroblock tree reads memory that it has not
    written, and the same pictures twice become files whose decoded pictures differ by 3 grey levels. That is noise
    which has nothing in common with the dream.
    """
    ground = np.array(film, float)
    there, dreamed = np.array(pictures) - ground, np.array(dreams) - ground
    share: NDArray[np.float64] = (there * dreamed).sum(axis=(1, 2, 3)) / (dreamed**2).sum(axis=(1, 2, 3))
    return share


KILLED = """
import os, signal, sys
import django
django.setup()
from django.conf import settings
from django.core.management import call_command
from pathlib import Path, PosixPath
from dreamer.video import job
settings.MODELS_DIR, settings.HOUSE_MODEL, job.SEGMENT = Path(sys.argv[1]) / "models", True, 3
real = job.dreamed
def dreamed(*rest, start=0, **more):
    for number, found in enumerate(real(*rest, start=start, **more), start):
        if number == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        yield found
job.dreamed = dreamed
folder, options = Path(sys.argv[1]), eval(sys.argv[2])
call_command("dream", str(folder / "out.mp4"), video=folder / "in.mp4", octaves=2, iterations=1, threads=1, **options)
"""


@pytest.mark.parametrize("musical", [False, True])
def test_killed_and_called_again_it_goes_on_and_the_film_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, musical: bool
) -> None:
    more: dict[str, Any] = {"music": beat(tmp_path / "a.wav"), "credit": CREDIT, "follow": True} if musical else {}
    source, target = tmp_path / "in.mp4", tmp_path / "out.mp4"
    source.write_bytes(video(scene(8), sound=tone(1, click=0.25)))
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "dreamsite.settings"}
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), repr(more)], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL and not target.exists()
    monkeypatch.setattr(job, "SEGMENT", 3)
    begun: list[int] = []
    real = job.dreamed
    monkeypatch.setattr(
        job, "dreamed", lambda *rest, start, **more: (begun.append(start), real(*rest, start=start, **more))[1]
    )
    for path in (target, tmp_path / "whole.mp4"):
        call_command("dream", str(path), video=source, **SMALL, **more)
    assert begun == [3, 6, 0, 3, 6], "the first piece was there"
    pairs = list(zip(decoded(target), decoded(tmp_path / "whole.mp4"), strict=True))
    assert max(np.abs(one.astype(int) - other).mean() for one, other in pairs) < 2, "what the encoder may lose"
    assert len(pairs) == 8 + 4 * 12 * musical and len(heard(target)) > 0.6 * 48_000
    names = {path.name for path in tmp_path.iterdir()} - {"a.wav"}
    assert names == {"in.mp4", "out.mp4", "whole.mp4"}
