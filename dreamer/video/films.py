"""Clean video files (clean.py): their pictures, their sound, and dreamed pictures joined with that sound again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from dreamer.engine.bands import Bytes
from dreamer.film import mux
from dreamsite.core.files import whole_file

RECIPE = "comment"  # the name among a film's words under which it carries its recipe


def pictures(path: Path, size: tuple[int, int], start: int = 0) -> Iterator[Bytes]:
    """The pictures of a clean file from number `start` on, uint8 [H, W, 3] at (height, width)."""
    height, width = size
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        fps = stream.average_rate or Fraction(25)
        if start:
            base = stream.time_base or Fraction(1, 90_000)
            container.seek(int(start / fps / base), stream=stream)
        for frame in container.decode(stream):
            if round((frame.time or 0) * fps) < start:
                continue
            turned = frame.reformat(
                width,
                height,
                format="rgb24",
                src_colorspace=Colorspace.ITU709,
                src_color_range=ColorRange.MPEG,
                interpolation="AREA",
            )
            yield np.ascontiguousarray(turned.to_ndarray())


def sound_of(path: Path) -> Callable[[Any], mux.Sound]:
    """Adds a file's sound to a container that is written: called with it before the first packet, it adds the stream at
    once and answers an iterator of (until which second, packets). They are copied, so nothing is lost or moved."""

    def add(container: Any) -> Iterator[tuple[float, list[Any]]]:
        source = av.open(str(path))
        stream = source.streams.audio[0]
        copy = container.add_stream_from_template(stream)

        def packets() -> Iterator[tuple[float, list[Any]]]:
            with source:
                for packet in source.demux(stream):
                    if packet.dts is None or packet.pts is None:
                        continue
                    until = float(packet.pts * packet.time_base)
                    packet.stream = copy
                    yield until, [packet]

        return packets()

    return add


def join(path: Path, films: Sequence[Path], sound: Callable[[Any], mux.Sound] | None = None, recipe: str = "") -> None:
    """Writes an MP4 with the pictures of some files, one after the other, copied, and the dream's recipe. The files
    have been encoded alike. `sound` adds a stream of it, as `sound_of` does."""
    with (
        whole_file(path) as draft,
        av.open(str(draft), "w", format="mp4", options={"movflags": "+faststart"}) as container,
        av.open(str(films[0])) as first,
    ):
        if recipe:
            container.metadata[RECIPE] = recipe
        stream = container.add_stream_from_template(first.streams.video[0])

        def packets() -> Iterator[tuple[float, Any]]:
            shift = 0
            for film in films:
                with av.open(str(film)) as source:
                    yield from mux.pictures(source, stream, shift)
                    shift += source.streams.video[0].duration or 0

        mux.mux(container, packets(), sound(container) if sound else iter(()))
