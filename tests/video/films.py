"""Small videos for tests: a scene that moves, encoded in every way people's devices do."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Bytes = NDArray[np.uint8]
RATE = 48_000


def scene(count: int, width: int = 96, height: int = 64, *, seed: int = 3, speed: float = 1.5) -> list[Bytes]:
    """A textured ground that passes, a striped ball that crosses it, and a camera's grain. uint8 [height, width, 3]."""
    random = np.random.default_rng(seed)
    wide = (width + round(speed * count) + 4, height)
    coarse = Image.fromarray(random.integers(0, 256, (10, 24, 3), dtype=np.uint8))
    ground = np.asarray(coarse.resize(wide, Image.Resampling.BICUBIC)).astype(float) * 0.7 + 40
    rows, columns = np.mgrid[0:height, 0:width]
    pictures = []
    for number in range(count):
        left = round(speed * number)
        picture = ground[:, left : left + width].copy()
        x = width * (0.2 + 0.6 * number / max(1, count - 1))
        ball = (rows - height / 2) ** 2 + (columns - x) ** 2 < (height / 5) ** 2
        stripes = 40 * np.sin((columns - x) / 3)
        picture[ball] = np.array([220, 110, 50]) + stripes[ball][:, None]
        picture += random.normal(0, 1.5, picture.shape)
        pictures.append(np.clip(picture, 0, 255).astype(np.uint8))
    return pictures


def tone(seconds: float, *, click: float | None = None) -> NDArray[np.float32]:
    """float32 [2, n]: a quiet hum, and a loud tenth of a second at `click`."""
    time = np.arange(round(seconds * RATE)) / RATE
    wave = 0.02 * np.sin(2 * np.pi * 220 * time)
    if click is not None:
        wave += np.where((time >= click) & (time < click + 0.1), 0.8 * np.sin(2 * np.pi * 880 * time), 0)
    return np.stack([wave, wave]).astype(np.float32)


def video(
    pictures: Sequence[Bytes],
    *,
    fps: int = 12,
    codec: str = "libx264",
    kind: str = "mp4",
    pixels: str = "yuv420p",
    sound: NDArray[np.float32] | None = None,
    sound_codec: str = "aac",
    layout: str = "stereo",
    times: Sequence[int] | None = None,
    aspect: Fraction | None = None,
    curve: int | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> bytes:
    """A file's bytes. `times` in units of 1 / fps; `curve` a transfer characteristic of BT.2020 (16 PQ, 18 HLG).

    All channels of the sound have what its first one has.
    """
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=kind, options=container_options or {}) as container:
        stream: Any = container.add_stream(codec, rate=fps, options=options or {})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixels
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if curve:
            context = stream.codec_context
            context.color_trc, context.color_primaries, context.colorspace = curve, 9, 9
        heard: Any = container.add_stream(sound_codec, rate=RATE, layout=layout) if sound is not None else None
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = (times[number] if times else number), Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            size = heard.codec_context.frame_size or 1024
            for at in range(0, sound.shape[1], size):
                mono = sound[:1, at : at + size]
                piece = np.repeat(mono, heard.codec_context.channels, axis=0)
                audio = av.AudioFrame.from_ndarray(piece, format="fltp", layout=layout)
                audio.sample_rate, audio.pts, audio.time_base = RATE, at, Fraction(1, RATE)
                container.mux(heard.encode(audio))
            container.mux(heard.encode(None))
    return buffer.getvalue()


def turned(data: bytes, degrees: int) -> bytes:
    """An MP4 whose track is to be turned when shown, as phones write it: by the matrix in its header (tkhd)."""
    at = data.index(b"tkhd") + 4
    assert data[at] == 0, "a version 0 header"
    matrix = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}[degrees]
    place = at + 40
    a, b, c, d = (value * 65536 for value in matrix)
    rows = [a, b, 0, c, d, 0, 0, 0, 1 << 30]
    return data[:place] + b"".join(int(n).to_bytes(4, "big", signed=True) for n in rows) + data[place + 36 :]


def decoded(path: Path) -> list[Bytes]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def heard(path: Path) -> NDArray[np.float32]:
    """Its first channel, float32, from the first picture on."""
    with av.open(str(path)) as container:
        pieces = [(frame.pts, frame.to_ndarray()) for frame in container.decode(audio=0)]
    first = pieces[0][0] or 0
    return np.concatenate([np.zeros(max(0, first), np.float32), *(piece[0] for _, piece in pieces)])[max(0, -first) :]
