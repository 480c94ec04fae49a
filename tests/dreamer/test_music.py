"""Music under films: read in a process of its own, cut or repeated, credited."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from django.core.management import CommandError

from dreamer.engine.film import film
from dreamer.film import audio, music
from dreamer.film.music import Credit, Limits, MusicRefused
from tests.dreamer.test_dream_command import LAYER, SMALL, here, models, run

__all__ = ["here", "models"]  # fixtures

CREDIT = "Night; Ada Lovelace; CC BY 4.0; https://example.org/night"


def tone(path: Path, seconds: float = 2.0, codec: str = "pcm_s16le") -> Path:
    """Silence in its first half, a tone in its second."""
    rate, count = 44_100, round(44_100 * seconds)
    at = np.arange(count) / rate
    wave = np.where(at < seconds / 2, 0, 0.5 * np.sin(2 * np.pi * 440 * at)).astype(np.float32)
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=rate, layout="mono")
        fifo = av.AudioFifo()
        frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        fifo.write(frame)
        while piece := fifo.read(1024, partial=True):
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(("name", "codec"), [("a.wav", "pcm_s16le"), ("a.flac", "flac"), ("a.mp3", "libmp3lame")])
def test_music_is_made_anew_and_its_loudness_known(tmp_path: Path, name: str, codec: str) -> None:
    made = music.clean(tone(tmp_path / name, codec=codec), tmp_path / "clean.m4a")
    assert made.seconds == pytest.approx(2, abs=0.1) and len(made.loudness) == pytest.approx(20, abs=1)
    at = music.strength(made)
    assert at(0.5) < 0.1 and at(1.5) > 0.9 and at(2 + 1.5) > 0.9, "it begins anew where it ends"
    assert audio.length(tmp_path / "clean.m4a") == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no sound we can read"),
        (b"#EXTM3U\nfile:///etc/passwd", "no sound we can read"),
        (b"ID3" + bytes(400), "cannot be read"),
        (b"OggS" + bytes(range(256)) * 4, "cannot be read"),
        (b"RIFF\xff\xff\xff\xffWAVEfmt " + bytes(60), "cannot be read|no sound|within its limits"),
    ],
)
def test_what_is_no_music_is_told_in_words_and_leaves_nothing(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(MusicRefused, match=said):
        music.clean(tmp_path / "x", tmp_path / "clean.m4a")
    assert not (tmp_path / "clean.m4a").exists()


def test_its_length_and_its_time_are_bounded(tmp_path: Path) -> None:
    for limits, said in ((Limits(seconds=1.0), "too long"), (Limits(wall_seconds=0.01), "within its limits")):
        with pytest.raises(MusicRefused, match=said):
            music.clean(tone(tmp_path / "a.wav"), tmp_path / "clean.m4a", limits)


@pytest.mark.parametrize("seconds", [1.0, 5.0])
def test_under_a_film_it_is_cut_or_repeated_to_its_length(tmp_path: Path, seconds: float) -> None:
    made = music.clean(tone(tmp_path / "a.wav"), tmp_path / "clean.m4a")
    with film(tmp_path / "film.mp4", fps=24, rest=0) as add:
        for _ in range(round(24 * seconds)):
            add(np.full((32, 32, 3), 90, np.uint8))
    audio.under(tmp_path / "film.mp4", tmp_path / "clean.m4a", made.seconds, tmp_path / "film.mp4")
    with av.open(str(tmp_path / "film.mp4")) as container:
        sound = sum(frame.samples for frame in container.decode(audio=0)) / audio.RATE
        container.seek(0)
        assert sum(1 for _ in container.decode(video=0)) == round(24 * seconds)
    assert sound == pytest.approx(seconds, abs=0.06)


@pytest.mark.parametrize("text", ["", "Night", "Night; Ada; CC0", "Night; Ada; ; https://a.b", "N; A; L; ftp://a.b"])
def test_the_credit_is_whole_or_refused(text: str) -> None:
    with pytest.raises(ValueError, match="credit"):
        Credit.parse(text)


def test_the_command_puts_music_under_a_journey_and_its_credit_at_the_end(here: Path) -> None:
    tone(here / "a.wav")
    words = ["photo.png", "last.png", "--journey", "zoom", "--key-frames", "1", "--film", "a.mp4", "--seconds", "0.5"]
    words += [*LAYER, *SMALL, "--frame-side", "160", "--music", "a.wav"]
    with pytest.raises(CommandError, match="--credit"):
        run(*words)
    run(*words, "--credit", CREDIT, "--follow")
    with av.open("a.mp4") as container:
        assert container.streams.audio[0].codec_context.name == "aac"
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(pictures) == 12 + 48 + 96
    card = pictures[-1].astype(int)
    assert np.median(card) < 30 and (card.max(axis=2) > 120).sum() > 20, "text on a dark ground"


def test_music_asks_for_a_journey_with_a_film(here: Path) -> None:
    for words in (["--music", "a.wav"], ["--journey", "zoom", "--follow"], ["--journey", "zoom", "--music", "a.wav"]):
        with pytest.raises(CommandError, match="expected"):
            run("photo.png", "last.png", *LAYER, *words)
