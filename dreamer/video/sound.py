"""The sound of a video as its own file times it: pieces are placed by their times, gaps are silent, nothing is
re-timed."""

from __future__ import annotations

from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]  # [2, n], -1..1
SLACK = 0.05  # seconds by which a file's times may jitter without a gap
MOST = 3600.0  # seconds from the first piece beyond which a time is nonsense


class Sound:
    """Gathers decoded frames, stereo at `rate`; a minute takes 23 MB."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._resampler = av.AudioResampler(format="fltp", layout="stereo", rate=rate)
        self._pieces: list[tuple[int, Samples]] = []  # the number of the first sample, on the file's clock
        self._next: int | None = None

    @property
    def empty(self) -> bool:
        return not self._pieces

    def add(self, frame: Any) -> None:
        at = None if frame.time is None else round(frame.time * self._rate)
        if at is not None and (self._next is None or abs(at - self._next) > SLACK * self._rate):
            if self._pieces and abs(at - self._pieces[0][0]) > MOST * self._rate:
                return
            self._next = at
        if self._next is None:
            self._next = 0
        frame.pts = None
        try:
            resampled = self._resampler.resample(frame)
        except (ValueError, av.FFmpegError):  # it changed its layout midway
            self._resampler = av.AudioResampler(format="fltp", layout="stereo", rate=self._rate)
            resampled = self._resampler.resample(frame)
        for out in resampled:
            piece = out.to_ndarray()
            self._pieces.append((self._next, piece))
            self._next += piece.shape[1]

    def between(self, start: float, end: float) -> Samples:
        """What is heard from one second of the file's clock to another; silent where there is nothing."""
        first = round(start * self._rate)
        whole = np.zeros((2, round((end - start) * self._rate)), np.float32)
        for at, piece in self._pieces:
            skip = max(0, first - at)
            place = max(0, at - first)
            part = piece[:, skip : skip + max(0, whole.shape[1] - place)]
            whole[:, place : place + part.shape[1]] = part
        return np.clip(whole, -1, 1)
