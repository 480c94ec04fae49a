"""The music of a film: cut to its length or repeated, with a fade at every seam."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from dreamer.film.mux import mux, pictures
from dreamsite.core.files import whole_file

RATE = 48_000
BIT_RATE = 160_000
FADE_IN, FADE_OUT = 0.6, 4.0  # seconds, at the film's ends
SEAM = 2.0  # seconds, where the track ends and begins again
CHUNK = 1024  # samples in a packet of AAC

Samples = NDArray[np.float32]  # [2, n], -1..1


def length(path: Path) -> float:
    """Seconds of a sound file. Raises ValueError for anything else."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise ValueError("received a file without sound, expected music")
            seconds: float = sum(piece.shape[1] for piece in _decoded(container)) / RATE
    except (av.FFmpegError, OSError, ValueError) as error:
        raise ValueError(f"received no readable sound file: {error}") from error
    if seconds < 1:
        raise ValueError(f"received {seconds:.2f} s of sound, expected at least one second")
    return seconds


def samples(path: Path, track_seconds: float, seconds: float) -> Iterator[Samples]:
    """Exactly `seconds` of stereo sound at RATE in pieces; memory is that of a piece."""
    length, done = round(seconds * RATE), 0
    once = round(track_seconds * RATE)
    seam = min(SEAM, track_seconds / 4)
    while done < length:
        begun = done
        with av.open(str(path)) as container:
            for piece in _decoded(container):
                piece = piece[:, : length - done]
                at = np.arange(done, done + piece.shape[1], dtype=np.float32)
                gain = np.clip(at / (FADE_IN * RATE), 0, 1) * np.clip((length - at) / (FADE_OUT * RATE), 0, 1)
                within = at - begun
                if begun > 0:
                    gain *= np.clip(within / (seam * RATE), 0, 1)
                if begun + once < length:
                    gain *= np.clip((once - within) / (seam * RATE), 0, 1)
                done += piece.shape[1]
                if piece.shape[1]:
                    yield (piece * gain).astype(np.float32)
                if done >= length:
                    return
        if done == begun:  # a file that was whole when it was uploaded
            raise ValueError(f"{path.name} gave no sound")


def stream(path: Path, track_seconds: float, seconds: float, container: Any) -> Iterator[tuple[float, list[Any]]]:
    """Adds an AAC stream to a container at once; then yields (seconds encoded so far, packets)."""
    out = container.add_stream("aac", rate=RATE, layout="stereo")
    out.bit_rate = BIT_RATE
    return _packets(out, samples(path, track_seconds, seconds))


def _packets(out: Any, pieces: Iterator[Samples]) -> Iterator[tuple[float, list[Any]]]:
    done, rest = 0, np.zeros((2, 0), np.float32)
    for piece in pieces:
        rest = np.concatenate([rest, piece], axis=1)
        while rest.shape[1] >= CHUNK:
            yield (done + CHUNK) / RATE, _encode(out, rest[:, :CHUNK], done)
            done, rest = done + CHUNK, rest[:, CHUNK:]
    if rest.shape[1]:
        yield (done + rest.shape[1]) / RATE, _encode(out, rest, done)
        done += rest.shape[1]
    yield done / RATE, list(out.encode(None))


def _encode(out: Any, piece: Samples, at: int) -> list[Any]:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece), format="fltp", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = RATE, at, Fraction(1, RATE)
    return list(out.encode(frame))


def _decoded(container: Any) -> Iterator[Samples]:
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE)
    for frame in container.decode(audio=0):
        frame.pts = None
        for out in resampler.resample(frame):
            yield out.to_ndarray()
    for out in resampler.resample(None):
        yield out.to_ndarray()


def under(film: Path, track: Path, track_seconds: float, target: Path) -> None:
    """Writes `target`, an MP4 with the pictures of one file, copied, and a track under them, cut or repeated to their
    length, with fades."""
    with (
        whole_file(target) as draft,
        av.open(str(film)) as source,
        av.open(str(draft), "w", format="mp4", options={"movflags": "+faststart"}) as container,
    ):
        container.metadata.update(dict(source.metadata))
        video = source.streams.video[0]
        seconds = float((video.duration or 0) * (video.time_base or 0)) or float(source.duration or 0) / av.time_base
        copy = container.add_stream_from_template(video, opaque=True)
        mux(container, pictures(source, copy), stream(track, track_seconds, seconds, container))
