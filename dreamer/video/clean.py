"""Any video file -> one of our own, by a process that may do nothing else (child.py).

What comes out holds the film's pictures and its sound and nothing more: no places, no dates, no device. It is upright,
has square pixels, even sides, a steady whole number of pictures a second, 8 bits and BT.709: whatever reads it later
need not know where it came from.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Limits:
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


def clean(source: Path, target: Path, limits: Limits = Limits()) -> Made:
    """Writes `target`, an MP4. Raises VideoRefused, and leaves nothing then.

    The process has the limits' memory and seconds, no sockets, no settings of this one, and is killed when its time is
    over.
    """
    command = [sys.executable, "-m", "dreamer.video.child", str(source), str(target), json.dumps(asdict(limits))]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limits.wall_seconds,
            check=False,
        )
        answer = _answer(done.stdout)
        if "made" in answer:
            return Made.from_json(answer["made"])
        raise _refused(answer, limits)
    except subprocess.TimeoutExpired:
        raise _refused({"refused": "time"}, limits) from None
    finally:
        if sys.exc_info()[0] is not None:
            with contextlib.suppress(FileNotFoundError):
                target.unlink()


def _answer(output: bytes) -> dict[str, Any]:
    """What the process said; one that was killed by a limit or by the file said nothing."""
    with contextlib.suppress(ValueError):
        answer = json.loads(output.splitlines()[-1] if output.strip() else b"")
        if isinstance(answer, dict):
            return answer
    return {"refused": "died"}


def _refused(answer: dict[str, Any], limits: Limits) -> VideoRefused:
    width, height = answer.get("width", 0), answer.get("height", 0)
    seconds = answer.get("seconds", 0.0)
    kinds = "MP4, MOV or WebM with H.264, HEVC, VP8, VP9 or AV1"
    words = {
        "type": f"This is no video we can read. Expected {kinds}.",
        "broken": "The file says it is a video, but it cannot be read. Is it whole? Send it again, or save it anew.",
        "no_pictures": "There are no pictures in this file, only sound or text. Expected a video.",
        "empty": "Not one picture can be read from this video. Is the file whole? Send it again, or save it anew.",
        "codec": f"The pictures in it are packed as {answer.get('name')}. Expected {kinds}.",
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
    code = answer.get("refused", "died")
    return VideoRefused(code, words.get(code, words["died"]))


def _length(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
