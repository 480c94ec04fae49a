"""Encoding with PyAV, in segments that survive a killed process.

Every segment is a small MP4 of its own in a folder on disk; `manifest.json` there lists those that are finished. It and
they appear under their names only when they are whole, so a process that is killed at any instant goes on after the
last one listed. At the end the segments' packets are copied, not encoded again, into one file for each codec.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from PIL import Image

from dreamer.film import mux
from dreamsite.core.files import whole_file
from gallery.films.chapters import Chapter
from gallery.films.plan import Plan, Segment

os.environ.setdefault("SVT_LOG", "1")  # the AV1 encoder would write forty lines to the log for each segment

MANIFEST = "manifest.json"
KEY_FRAMES = 48  # video frames from one that can be jumped to, to the next: two seconds


@dataclass(frozen=True)
class Output:
    """One of the files to make: the encoder and its options."""

    name: str
    encoder: str
    options: dict[str, str]


def outputs(*, av1: bool, lossless: bool, threads: int = 0) -> list[Output]:
    """H.264 for every player; AV1 at about half its size; and one to keep, whose losses the eye cannot find."""
    found = [Output("h264", "libx264", {"crf": "20", "preset": "medium", "threads": str(threads)})]
    if av1:
        lanes = f":lp={threads}" if threads else ""
        # A short look ahead: with the longest SVT-AV1 would hold a gigabyte of a canvas of 1536 px.
        params = f"tune=0:lookahead=16{lanes}"
        found.append(Output("av1", "libsvtav1", {"crf": "34", "preset": "9", "svtav1-params": params}))
    if lossless:
        found.append(Output("lossless", "libx264", {"crf": "12", "preset": "medium", "threads": str(threads)}))
    return found


def to_post(*, threads: int = 0) -> Output:
    """H.264 of at most 4 Mbit/s: fifteen seconds are 7.5 MB, which every place takes that people post to."""
    options = {"crf": "22", "preset": "medium", "maxrate": "4M", "bufsize": "4M", "threads": str(threads)}
    return Output("h264", "libx264", options)


class WorkDirectory:
    """The folder of one film's segments. `fingerprint` is all that the pictures depend on; another one begins anew."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder = folder
        self._finished: dict[int, dict[str, int]] = {}  # segment -> file name -> bytes
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            read = json.loads((folder / MANIFEST).read_text())
            if read["fingerprint"] == fingerprint:
                self._finished = {int(index): files for index, files in read["segments"].items()}
        self._fingerprint = fingerprint
        for path in folder.iterdir():
            if not any(path.name in files for files in self._finished.values()) and path.name != MANIFEST:
                path.unlink()

    def has(self, segment: Segment) -> bool:
        files = self._finished.get(segment.index)
        return files is not None and all(_size(self.folder / name) == size for name, size in files.items())

    def files(self, segment: Segment) -> list[Path]:
        """Those of a segment that is listed."""
        return [self.folder / name for name in self._finished.get(segment.index, {})]

    def path(self, segment: Segment, output: Output) -> Path:
        return self.folder / f"{segment.index:05}-{output.name}.mp4"

    def finish(self, segment: Segment, made: Iterable[Path]) -> None:
        """Lists a segment whose files are whole."""
        self._finished[segment.index] = {path.name: path.stat().st_size for path in made}
        with whole_file(self.folder / MANIFEST) as draft:
            draft.write_text(json.dumps({"fingerprint": self._fingerprint, "segments": self._finished}))


def segment(
    work: WorkDirectory,
    part: Segment,
    pictures: Iterator[Image.Image],
    outputs: Sequence[Output],
    fps: int,
    progress: Callable[[int], None] = lambda done: None,
    beside: Sequence[Path] = (),
) -> None:
    """Encodes one segment into all its files; each picture is made once. `progress` gets the video frames done.

    `beside` are other files in the folder that belong to the segment, and are whole by then.
    """
    paths = [work.path(part, output) for output in outputs]
    with contextlib.ExitStack() as open_files:
        drafts = [open_files.enter_context(whole_file(path)) for path in paths]
        writers = [
            open_files.enter_context(_Writer(draft, output, fps)) for draft, output in zip(drafts, outputs, strict=True)
        ]
        for done, picture in enumerate(pictures, 1):
            frame = _yuv(picture)
            for writer in writers:
                writer.add(frame, done - 1)
            progress(done)
    work.finish(part, [*paths, *beside])


class _Writer:
    def __init__(self, path: Path, output: Output, fps: int) -> None:
        self._container = av.open(str(path), "w", format="mp4")
        self._stream: Any = self._container.add_stream(output.encoder, rate=fps, options=output.options)
        self._rate = Fraction(1, fps)

    def __enter__(self) -> _Writer:
        return self

    def add(self, frame: Any, number: int) -> None:
        stream = self._stream
        if number == 0:
            context = stream.codec_context
            stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuv420p"
            context.gop_size = KEY_FRAMES
            context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU709
            context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        frame.pts, frame.time_base = number, self._rate
        self._container.mux(stream.encode(frame))

    def __exit__(self, kind: Any, *rest: Any) -> None:
        try:
            if kind is None:
                self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()


def _yuv(picture: Image.Image) -> Any:
    frame = av.VideoFrame.from_image(picture)
    return frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)


def join(
    path: Path,
    work: WorkDirectory,
    plan: Plan,
    output: Output,
    *,
    chapters: Sequence[Chapter] = (),
    metadata: dict[str, str] | None = None,
    sound: Callable[[Any], Iterator[tuple[float, list[Any]]]] | None = None,
    pause: Callable[[], None] = lambda: None,
) -> str:
    """Copies the segments' packets into one MP4, its index in front (faststart); the codecs, as MIME types name them.

    `sound(container)` adds an audio stream at once, before the first packet is written, and gives an iterator of
    (until which second, packets).
    """
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        container.metadata.update(metadata or {})
        if chapters:
            container.set_chapters(_chapters(chapters, plan.seconds))
        with av.open(str(work.path(plan.segments[0], output))) as first:
            stream: Any = container.add_stream_from_template(first.streams.video[0], opaque=True)
            codecs = [_mime(output.encoder, bytes(first.streams.video[0].codec_context.extradata or b""))]
        heard = sound(container) if sound else iter(())
        if sound:
            codecs.append("mp4a.40.2")

        def packets() -> Iterator[tuple[float, Any]]:
            for part in plan.segments:
                pause()
                with av.open(str(work.path(part, output))) as source:
                    shift = round(Fraction(part.start, plan.fps) / source.streams.video[0].time_base)
                    yield from mux.pictures(source, stream, shift)

        mux.mux(container, packets(), heard)
    return ", ".join(codecs)


def _chapters(chapters: Sequence[Chapter], seconds: float) -> list[Any]:
    ends = [*(chapter.at for chapter in chapters[1:]), seconds]
    return [
        {
            "id": index,
            "start": round(chapter.at * 1000),
            "end": round(end * 1000),
            "time_base": Fraction(1, 1000),
            "metadata": {"title": chapter.title},
        }
        for index, (chapter, end) in enumerate(zip(chapters, ends, strict=True))
    ]


def _mime(encoder: str, header: bytes) -> str:
    """The codec as RFC 6381 names it, from its header: avcC (ISO/IEC 14496-15) or av1C (AV1 in ISOBMFF, 2.3)."""
    if encoder == "libx264" and len(header) > 3:
        return f"avc1.{header[1:4].hex()}"
    if encoder == "libsvtav1" and len(header) > 3:
        profile, level = header[1] >> 5, header[1] & 31
        tier, ten_bit = "H" if header[2] & 0x80 else "M", bool(header[2] & 0x40)
        return f"av01.{profile}.{level:02}{tier}.{10 if ten_bit else 8:02}"
    return ""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
