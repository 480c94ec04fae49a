"""Any video file -> one of our own, by a process that may do nothing else (child.py).

What comes out holds the film's pictures and its sound and nothing more: no places, no dates, no device. It is upright,
has square pixels, even sides, a steady whole number of pictures a second, 8 bits and BT.709: whatever reads it later
need not know where it came from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dreamer.film import sandbox


@dataclass(frozen=True, kw_only=True)
class Limits(sandbox.Limits):
    """What is taken, and what comes out."""

    seconds: float = 30.0  # of film
    pixels: int = 3840 * 2160
    side_in: int = 4096
    side: int = 960  # px of the longer side of what comes out
    fps: int = 30  # pictures a second of what comes out, at most
    crf: int = 17  # of x264: visually lossless
    made_bytes: int = 128 * 1024**2
    memory: int = 2 * 1024**3  # of the process' addresses
    cpu_seconds: int = 120
    wall_seconds: float = 150.0


# A person at their own machine, with a file of their own: hours are theirs to spend.
GENEROUS = Limits(
    seconds=3600.0, side=3840, fps=60, crf=12, made_bytes=64 * 1024**3, memory=6 * 1024**3,
    cpu_seconds=24 * 3600, wall_seconds=24 * 3600.0,
)  # fmt: skip


@dataclass(frozen=True)
class Made:
    """A clean file. `cuts` are the numbers of the pictures that begin another shot."""

    width: int
    height: int
    fps: int
    frames: int
    cuts: tuple[int, ...]
    sound: bool

    @property
    def seconds(self) -> float:
        return self.frames / self.fps

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "cuts": list(self.cuts)}

    @classmethod
    def from_json(cls, data: Any) -> Made:
        return cls(**{**data, "cuts": tuple(data["cuts"])})


class VideoRefused(ValueError):
    """No video that we take: the message says what was received and what is possible. `code` is for programs."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


def clean(
    source: Path, target: Path, limits: Limits = Limits(), progress: Callable[[float], None] = lambda part: None
) -> Made:
    """Writes `target`, an MP4. Raises VideoRefused, and leaves nothing then.

    `progress` is called all the time with how far it is, 0 to 1; where it raises, it is the end of it.
    """
    try:
        return Made.from_json(sandbox.run("dreamer.video.child", source, target, limits, progress))
    except sandbox.Refused as refused:
        raise _refused(refused, limits) from None


def _refused(refused: sandbox.Refused, limits: Limits) -> VideoRefused:
    received = refused.received
    width, height = received.get("width", 0), received.get("height", 0)
    seconds = received.get("seconds", 0.0)
    kinds = "MP4, MOV or WebM with H.264, HEVC, VP8, VP9 or AV1"
    words = {
        "type": f"This is no video we can read. Expected {kinds}.",
        "broken": "The file says it is a video, but it cannot be read. Is it whole? Send it again, or save it anew.",
        "no_pictures": "There are no pictures in this file, only sound or text. Expected a video.",
        "empty": "Not one picture can be read from this video. Is the file whole? Send it again, or save it anew.",
        "codec": f"The pictures in it are packed as {received.get('name')}. Expected {kinds}.",
        "pixels": (
            f"The video is {width} × {height}. Expected at most {limits.pixels / 1e6:.1f} million pixels, "
            f"{limits.side_in} a side (4K): save it smaller."
        ),
        "narrow": f"The video is {width} × {height}: too narrow to dream on. Expected sides of more alike lengths.",
        "seconds": (
            f"The video is {_length(seconds)} long. Expected at most {_length(limits.seconds)}: cut a piece out of it."
        ),
        "memory": "This video takes more memory to read than it may. Save it smaller, as MP4 with H.264.",
        "time": "This video takes too long to read. Save it shorter or smaller, as MP4 with H.264 in Full HD.",
        "died": "This video could not be read within its limits. Save it anew, as MP4 with H.264 in Full HD.",
    }
    return VideoRefused(refused.code, words.get(refused.code, words["died"]))


def _length(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
