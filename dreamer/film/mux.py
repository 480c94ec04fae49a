"""Packets of pictures and of sound, brought into one file as they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

Sound = Iterator[tuple[float, list[Any]]]  # (until which second, packets)


def pictures(source: Any, stream: Any, shift: int = 0) -> Iterator[tuple[float, Any]]:
    """(second, packet) of the pictures of an open container, for a stream of another one, `shift` time units later."""
    video = source.streams.video[0]
    for packet in source.demux(video):
        if packet.dts is None or packet.pts is None:
            continue  # how the demuxer says that it is at the end
        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
        now = float(packet.pts * video.time_base)
        packet.stream = stream
        yield now, packet


def mux(container: Any, packets: Iterable[tuple[float, Any]], sound: Sound) -> None:
    """Writes pictures with their sound beside them in the file: a player reads both in one go."""
    heard, before = 0.0, None
    for now, packet in packets:
        # A piece of one or two pictures has none out of order, so it is decoded without the delay of those around it:
        # the next one, which has it, would begin before the last one ends.
        if before is not None and packet.dts <= before:
            packet.dts = before + 1
        before = packet.dts
        while heard <= now and (more := next(sound, None)) is not None:
            heard, pieces = more
            container.mux(pieces)
        container.mux(packet)
    for _, pieces in sound:
        container.mux(pieces)
