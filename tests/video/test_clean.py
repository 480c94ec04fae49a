"""Videos of every kind become one kind, or are refused in words; the process that reads them can do nothing else."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from dreamer.film import sandbox
from dreamer.film.sandbox import ROOT, no_sockets
from dreamer.video.child import kind_of
from dreamer.video.clean import Limits, Made, VideoRefused, clean
from tests.video.films import decoded, heard, scene, tone, turned, video

PICTURES = scene(12)


def cleaned(tmp_path: Path, data: bytes, **limits: Any) -> tuple[Made, Path]:
    source, target = tmp_path / "in", tmp_path / "out.mp4"
    source.write_bytes(data)
    return clean(source, target, replace(Limits(), **limits)), target


def refused(tmp_path: Path, data: bytes, **limits: Any) -> VideoRefused:
    with pytest.raises(VideoRefused) as caught:
        cleaned(tmp_path, data, **limits)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"], "nothing is left behind"
    return caught.value


def far(a: Any, b: Any) -> float:
    return float(np.abs(np.asarray(a, float) - np.asarray(b, float)).mean())


@pytest.mark.parametrize(
    "how",
    [
        {"sound": tone(1)},
        {"codec": "libx265", "pixels": "yuv420p10le", "options": {"x265-params": "log-level=none"}},
        {"codec": "libvpx", "kind": "webm", "sound": tone(1), "sound_codec": "libopus"},
        {"codec": "libvpx-vp9", "kind": "matroska", "pixels": "yuv444p"},
        {"kind": "mov", "pixels": "yuv422p"},
    ],
)
def test_codecs_containers_and_depths_come_out_alike(tmp_path: Path, how: dict[str, Any]) -> None:
    made, path = cleaned(tmp_path, video(PICTURES, **how))
    assert made == Made(96, 64, 12, 12, (), "sound" in how)
    assert far(decoded(path)[5], PICTURES[5]) < 12


def test_a_film_of_uneven_times_is_shown_by_its_times(tmp_path: Path) -> None:
    """Twelve pictures, the sixth shown for a second: by count it would be over in one."""
    times = [0, 1, 2, 3, 4, 5, 18, 19, 20, 21, 22, 23]
    made, path = cleaned(tmp_path, video(PICTURES, times=times))
    assert abs(made.seconds - 2) <= 1.5 / made.fps
    shown = decoded(path)
    middle = shown[round(1.0 * made.fps)]
    assert far(middle, PICTURES[5]) < 12 < far(middle, PICTURES[11])
    assert far(shown[-1], PICTURES[11]) < 12


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_what_was_filmed_sideways_is_upright(tmp_path: Path, degrees: int) -> None:
    made, path = cleaned(tmp_path, turned(video(PICTURES), degrees))
    assert (made.width, made.height) == ((96, 64) if degrees == 180 else (64, 96))
    expected = np.rot90(PICTURES[3], -degrees // 90)
    assert far(decoded(path)[3], expected) < 12


def test_odd_sides_and_oblong_pixels(tmp_path: Path) -> None:
    odd = [picture[:63, :95] for picture in PICTURES]
    made, _path = cleaned(tmp_path, video(odd, pixels="yuv444p"))
    assert (made.width % 2, made.height % 2) == (0, 0) and abs(made.width - 95) <= 1
    made, _path = cleaned(tmp_path, video(PICTURES, aspect=Fraction(2)))
    assert (made.width, made.height) == (192, 64)


@pytest.mark.parametrize("curve", [16, 18])
def test_hdr_becomes_ordinary_colours(tmp_path: Path, curve: int) -> None:
    """Half of the range is a mid tone in both curves' files; the brightest stays the brightest, grey stays grey."""
    steps = np.repeat(np.linspace(16, 255, 6).astype(np.uint8), 16)
    grey = np.broadcast_to(steps[None, :, None], (64, 96, 3)).copy()
    how = {"codec": "libx265", "pixels": "yuv420p10le", "options": {"x265-params": "log-level=none"}}
    made, path = cleaned(tmp_path, video([grey] * 4, curve=curve, **how))
    row = decoded(path)[1][32, 8::16].astype(int)
    assert made.frames == 4
    assert (np.ptp(row, axis=1) < 12).all(), "no colour comes into grey"
    brightness = row.mean(axis=1)
    assert (np.diff(brightness) > -2).all() and brightness[0] < 20 and brightness[-1] > 235


def test_sound_stays_where_it_was(tmp_path: Path) -> None:
    """The click is at 0.5 s of the picture's clock; where the picture begins later in the file, both move."""
    for first in (0, 6):
        times = [first + n for n in range(12)]
        data = video(PICTURES, times=times, sound=tone(1.5, click=0.5 + first / 12))
        made, path = cleaned(tmp_path, data)
        assert made.sound
        loud = np.flatnonzero(np.abs(heard(path)) > 0.3)
        assert abs(loud[0] / 48_000 - 0.5) < 0.03, first


@pytest.mark.parametrize("layout", ["mono", "5.1"])
def test_sound_of_any_number_of_channels_is_heard_in_two(tmp_path: Path, layout: str) -> None:
    made, path = cleaned(tmp_path, video(PICTURES, sound=tone(1, click=0.5), layout=layout))
    with av.open(str(path)) as container:
        assert made.sound and container.streams.audio[0].layout.name == "stereo"
    loud = np.flatnonzero(np.abs(heard(path)) > 0.2)
    assert abs(loud[0] / 48_000 - 0.5) < 0.03


def test_sound_that_goes_on_ends_with_the_pictures_and_where_it_ends_first_there_is_silence(tmp_path: Path) -> None:
    for seconds in (3.0, 0.4):
        made, path = cleaned(tmp_path, video(PICTURES, sound=tone(seconds, click=0.1)))
        assert made.frames == 12
        with av.open(str(path)) as container:
            lengths = [float(stream.duration * stream.time_base) for stream in container.streams]
        assert abs(lengths[0] - lengths[1]) < 0.1, (seconds, lengths)


def test_a_phones_own_files(tmp_path: Path) -> None:
    """HEVC of ten bits in a QuickTime file, with its own tag, B-frames and so an edit list, turned, and with sound."""
    quiet = {"x265-params": "log-level=none:bframes=3"}
    data = video(PICTURES, codec="libx265", pixels="yuv420p10le", kind="mov", options=quiet, sound=tone(1, click=0.5))
    assert b"elst" in data and b"hev1" in data
    data = turned(data.replace(b"hev1", b"hvc1"), 90)
    made, path = cleaned(tmp_path, data)
    assert (made.width, made.height, made.frames) == (64, 96, 12)
    assert far(decoded(path)[3], np.rot90(PICTURES[3], -1)) < 12
    loud = np.flatnonzero(np.abs(heard(path)) > 0.3)
    assert abs(loud[0] / 48_000 - 0.5) < 0.03


def test_of_two_fields_one_is_shown(tmp_path: Path) -> None:
    """What moves has no comb: the second field, filmed later, is left out."""
    plain = np.full((64, 96, 3), 60, np.uint8)
    woven = []
    for number in range(8):
        picture = plain.copy()
        picture[0::2, 8 * number : 8 * number + 24] = 220  # the first field
        picture[1::2, 8 * number + 12 : 8 * number + 36] = 220  # the second, half a picture later
        woven.append(picture)
    how = {"options": {"x264-params": "interlaced=1:tff=1:crf=8", "flags": "+ildct+ilme"}, "pixels": "yuv422p"}
    _made, path = cleaned(tmp_path, video(woven, **how))
    shown = decoded(path)[4].astype(int)
    assert np.abs(np.diff(shown, axis=0)).mean() < 6 < np.abs(np.diff(woven[4].astype(int), axis=0)).mean()


def test_a_clean_file_says_nothing_of_where_it_was_filmed(tmp_path: Path) -> None:
    secret = b"+52.5163+013.3777/"
    data = video(PICTURES).replace(b"Lavf", secret[:4])  # a name of the muxer's length
    _made, path = cleaned(tmp_path, data)
    assert secret[:4] not in path.read_bytes()


def test_cuts_are_found(tmp_path: Path) -> None:
    dark = [(picture // 4) for picture in scene(8, seed=9)]
    made, _path = cleaned(tmp_path, video([*PICTURES, *dark]))
    assert made.cuts == (12,)


def test_what_is_no_video_is_told_what_would_be_one(tmp_path: Path) -> None:
    whole = video(PICTURES, sound=tone(1))
    long_film = video(PICTURES[:3], times=[0, 1, 10 * 3600 * 12])
    for data, code, words in (
        (b"", "type", "MP4, MOV or WebM"),
        (b"GIF89a" + bytes(50), "type", "no video"),
        (whole[: len(whole) // 8], "broken", "whole"),
        (video(PICTURES, codec="mpeg4"), "codec", "mpeg4"),
        (long_film, "seconds", "10.0 hours long. Expected at most 30 s"),
        (video([np.zeros((16, 2000, 3), np.uint8)] * 2), "narrow", "2000 × 16"),
    ):
        found = refused(tmp_path, data)
        assert found.code == code and words in str(found), (found.code, str(found))
    found = refused(tmp_path, whole, pixels=5000)
    assert found.code in ("pixels", "broken", "empty")
    found = refused(tmp_path, whole, seconds=0.1)
    assert found.code == "seconds"


def test_a_film_of_sound_alone_has_no_pictures(tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "in"), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=48_000, layout="stereo")
        frame = av.AudioFrame.from_ndarray(tone(0.1)[:, :1024].copy(), format="fltp", layout="stereo")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert refused(tmp_path, (tmp_path / "in").read_bytes()).code == "no_pictures"


def test_limits_of_time_and_memory_end_the_process(tmp_path: Path) -> None:
    data = video(PICTURES)
    assert refused(tmp_path, data, wall_seconds=0.01).code == "time"
    assert refused(tmp_path, data, memory=64 * 1024**2).code in ("memory", "died")
    assert refused(tmp_path, data, made_bytes=200).code in ("broken", "died")


def test_the_process_has_no_sockets_and_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "linux":
        pytest.fail("sockets are refused on Linux only")
    script = (
        "import socket; from dreamer.film.sandbox import no_sockets\n"
        "assert no_sockets()\n"
        "try: socket.socket()\n"
        "except PermissionError: print('refused')"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "refused"
    socket.socket().close()
    assert no_sockets.__doc__
    seen: dict[str, Any] = {}

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, command: list[str], **how: Any) -> None:
            seen.update(how)
            super().__init__(command, **how)

    monkeypatch.setenv("SECRET_KEY", "do not tell")
    monkeypatch.setattr(sandbox.subprocess, "Popen", Noted)
    with pytest.raises(VideoRefused):
        clean(tmp_path / "in", tmp_path / "out", Limits())
    assert "SECRET_KEY" not in seen["env"] and seen["stdin"] == subprocess.DEVNULL


def test_limits_are_plain_data() -> None:
    assert json.loads(json.dumps(asdict(Limits())))["seconds"] == 30
    assert kind_of(b"\x1a\x45\xdf\xa3" + bytes(8)) == "webm" and kind_of(b"\0\0\0\x18ftypisom") == "mp4"
