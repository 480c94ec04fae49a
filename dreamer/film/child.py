"""Reads one file of sound that nobody vouches for and writes it anew: run by `music.clean` as a process of its own.

    python -m dreamer.film.child IN OUT LIMITS

One demuxer by the file's first bytes, the decoders of a list, no protocol to fetch anything by. What is made is
{"seconds", "loudness"}.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from dreamer.film import sandbox
from dreamer.film.sandbox import Refused

RATE = 48_000
EVERY = 0.1  # seconds of one value of loudness
# Of sound, in videos too.
SOUNDS = ("aac", "mp3", "mp3float", "opus", "libopus", "vorbis", "pcm_s16le", "pcm_s16be", "pcm_s24le", "alac", "flac")
DECODERS = (*SOUNDS, "pcm_f32le", "pcm_u8", "pcm_s32le", "mp2")


def kind_of(begins: bytes) -> str | None:
    """FFmpeg's name of the demuxer, by a file's first 12 bytes; None for what is not opened."""
    if begins.startswith(b"ID3") or (begins[:1] == b"\xff" and begins[1:2] >= b"\xe0"):
        return "mp3"
    for start, name in ((b"OggS", "ogg"), (b"fLaC", "flac"), (b"\x1a\x45\xdf\xa3", "matroska")):
        if begins.startswith(start):
            return name
    if begins.startswith(b"RIFF") and begins[8:12] == b"WAVE":
        return "wav"
    return "mov" if begins[4:8] == b"ftyp" else None


def made_anew(source: Path, target: Path, limits: dict[str, Any]) -> dict[str, Any]:
    """Writes `target`, AAC in MP4, without covers and words. Raises Refused."""
    import av

    with source.open("rb") as file:
        kind = kind_of(file.read(12))
        if kind is None:
            raise Refused("type")
        file.seek(0)
        options = {"codec_whitelist": ",".join(DECODERS), "protocol_whitelist": "none"}
        try:
            with av.open(file, format=kind, options=options) as container:
                return _made(container, target, limits)
        except av.FFmpegError as error:
            raise Refused("broken", why=str(error)[:200]) from error


def _made(container: Any, target: Path, limits: dict[str, Any]) -> dict[str, Any]:
    import av
    import numpy as np

    if not container.streams.audio:
        raise Refused("silent")
    stream = container.streams.audio[0]
    if stream.codec_context is None or stream.codec_context.name not in DECODERS:
        raise Refused("codec", name=stream.codec_context.name if stream.codec_context else "unknown")
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE, frame_size=1024)
    window, powers, rest, count = round(EVERY * RATE), [], np.zeros(0, np.float32), 0
    with av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as out:
        made = out.add_stream("aac", rate=RATE, layout="stereo")
        made.bit_rate = 192_000

        def write(frames: Any) -> None:
            nonlocal rest, count
            for piece in frames:
                samples = np.clip(np.nan_to_num(piece.to_ndarray()), -1, 1).astype(np.float32)
                frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout="stereo")
                frame.sample_rate, frame.pts, frame.time_base = RATE, count, Fraction(1, RATE)
                count += samples.shape[1]
                if count > limits["seconds"] * RATE:
                    raise Refused("seconds", most=limits["seconds"])
                out.mux(made.encode(frame))
                rest = np.concatenate([rest, samples.mean(axis=0)])
                while len(rest) >= window:
                    powers.append(float(np.sqrt(np.mean(rest[:window] ** 2))))
                    rest = rest[window:]

        for frame in container.decode(stream):
            frame.pts = None
            write(resampler.resample(frame))
        write(resampler.resample(None))
        out.mux(made.encode(None))
    if count < RATE:
        raise Refused("short", seconds=count / RATE)
    full = float(np.quantile(powers, 0.95)) or 1.0
    return {"seconds": count / RATE, "loudness": [round(min(1.0, power / full), 3) for power in powers]}


if __name__ == "__main__":
    sandbox.serve(made_anew)
