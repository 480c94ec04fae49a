"""Reads one video that nobody vouches for and writes it anew: run by `clean.clean` as a process of its own.

    python -m dreamer.video.child IN OUT LIMITS

LIMITS is JSON (clean.Limits); what is made is a clean.Made. What a decoder may be told by the file is limited, too: one
demuxer, by the file's first bytes; the decoders of a list; no protocol to fetch anything by; no more pixels than
allowed.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from dreamer.film import sandbox
from dreamer.film.child import SOUNDS
from dreamer.film.sandbox import Refused

# What a file begins with, and how the demuxer for it is called. Nothing else is opened.
FORMATS = {"mp4": "mov", "webm": "matroska"}
DECODERS = ("h264", "hevc", "vp8", "vp9", "libvpx", "libvpx-vp9", "libdav1d", "av1")
UNSAID = 2  # matrix coefficients, table 4
CURVES = {16: "pq", 18: "hlg"}  # transfer characteristics, ITU-T H.273 table 3
RATE = 48_000  # of the sound
CHUNK = 1024  # samples of a packet of AAC


def kind_of(begins: bytes) -> str | None:
    """mp4 (and mov) or webm (and mkv), by a file's first 12 bytes; None for anything else."""
    if begins[4:8] in (b"ftyp", b"moov", b"wide", b"mdat", b"free", b"skip"):
        return "mp4"
    return "webm" if begins.startswith(b"\x1a\x45\xdf\xa3") else None


def made_anew(source: Path, target: Path, limits: dict[str, Any]) -> dict[str, Any]:
    """Writes `target`, an MP4 of H.264 and AAC; what clean.Made has. Raises Refused."""
    import av

    with source.open("rb") as file:
        kind = kind_of(file.read(12))
        if kind is None:
            raise Refused("type")
        file.seek(0)
        options = {
            "codec_whitelist": ",".join((*DECODERS, *SOUNDS)),
            "protocol_whitelist": "none",
            "max_pixels": str(limits["pixels"]),
            "enable_drefs": "0",
        }
        if kind == "webm":
            del options["enable_drefs"]
        try:
            with av.open(file, format=FORMATS[kind], options=options) as container:
                return _made(container, target, limits)
        except av.FFmpegError as error:
            raise Refused("broken", what=kind, why=str(error)[:200]) from error


def _made(container: Any, target: Path, limits: dict[str, Any]) -> dict[str, Any]:
    import av

    if not container.streams.video:
        raise Refused("no_pictures")
    # A poster that hangs on the file is a stream, too; the film is the one that has most to say.
    video = container.streams.best("video") or container.streams.video[0]
    if video.codec_context is None or video.codec_context.name not in DECODERS:
        raise Refused("codec", name=video.codec_context.name if video.codec_context else "unknown")
    width, height = video.codec_context.width, video.codec_context.height
    if width * height > limits["pixels"] or max(width, height) > limits["side_in"]:
        raise Refused("pixels", width=width, height=height)
    declared = float(container.duration or 0) / av.time_base
    if declared > limits["seconds"] + 0.5:
        raise Refused("seconds", seconds=declared)
    context = video.codec_context
    context.options = {**context.options, "max_pixels": str(limits["pixels"])}
    context.thread_count, context.thread_type = 1, "SLICE"
    length = min(declared, limits["seconds"]) or limits["seconds"]
    audio = container.streams.best("audio")
    if audio is not None and (audio.codec_context is None or audio.codec_context.name not in SOUNDS):
        audio = None
    return _written(container, video, audio, target, limits, length)


def _written(
    container: Any, video: Any, audio: Any, target: Path, limits: dict[str, Any], length: float
) -> dict[str, Any]:
    import av
    from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

    from .cuts import Cuts
    from .sound import Sound

    rate = video.average_rate or video.guessed_rate or Fraction(25)
    fps = min(limits["fps"], max(1, round(rate)))
    cuts, sound = Cuts(), Sound(RATE)
    begin: float | None = None
    count, size, last = 0, (0, 0), None
    with av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as out:
        stream = out.add_stream(
            "libx264", rate=fps, options={"crf": str(limits["crf"]), "preset": "veryfast", "threads": "1"}
        )
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.gop_size = fps  # a second from one that can be jumped to, to the next
        context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU709
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        heard = out.add_stream("aac", rate=RATE, layout="stereo") if audio is not None else None

        def show(picture: Any) -> None:
            nonlocal count
            cuts.add(picture)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)
            frame.pts, frame.time_base = count, Fraction(1, fps)
            out.mux(stream.encode(frame))
            count += 1

        for frame in _frames(container, video, audio):
            if isinstance(frame, av.AudioFrame):
                sound.add(frame)
                continue
            if frame.time is None:
                continue
            if begin is None:
                begin = frame.time
                size = _size(frame, video, limits["side"])
                stream.width, stream.height = size
            at = frame.time - begin
            if at > limits["seconds"] + 0.5:
                raise Refused("seconds", seconds=at)
            sandbox.tell(at / length)
            # A steady rate: picture n is what is shown at n / fps seconds, by the times in the file. Where it holds
            # more pictures than that, some go; where fewer, one is shown longer.
            while last is not None and count / fps < at - 0.5 / fps:
                show(last)
            last = _picture(frame, size)
        if last is None or begin is None:
            raise Refused("empty")
        show(last)
        # The last picture is shown as long as the file says, at most a second longer than its moment.
        declared = float(video.duration * video.time_base) if video.duration else 0.0
        end = min(declared, count / fps + 1.0, limits["seconds"] + 0.5)
        while count / fps < end - 0.5 / fps:
            show(last)
        out.mux(stream.encode(None))
        if heard is not None:
            pieces = sound.between(begin, begin + count / fps)
            for number, at in enumerate(range(0, pieces.shape[1], CHUNK)):
                piece = av.AudioFrame.from_ndarray(pieces[:, at : at + CHUNK].copy(), format="fltp", layout="stereo")
                piece.sample_rate, piece.pts, piece.time_base = RATE, number * CHUNK, Fraction(1, RATE)
                out.mux(heard.encode(piece))
            out.mux(heard.encode(None))
    silent = heard is None or sound.empty
    return {"width": size[0], "height": size[1], "fps": fps, "frames": count, "cuts": cuts.found, "sound": not silent}


def _frames(container: Any, video: Any, audio: Any) -> Iterator[Any]:
    """All frames in the file's order. A damaged packet is left out; a file of nothing else has no frames."""
    import av

    for packet in container.demux([stream for stream in (video, audio) if stream is not None]):
        try:
            yield from packet.decode()
        except av.InvalidDataError:
            continue


def _size(frame: Any, video: Any, most: int) -> tuple[int, int]:
    """(width, height) as it is to be seen: pixels square, upright, the longer side at most `most`, both even."""
    aspect = video.sample_aspect_ratio or Fraction(1)
    if not Fraction(1, 4) <= aspect <= 4:
        aspect = Fraction(1)
    width, height = frame.width * float(aspect), float(frame.height)
    if frame.rotation % 180:
        width, height = height, width
    shrink = min(1.0, most / max(width, height))
    if min(width, height) * shrink < 16:
        raise Refused("narrow", width=frame.width, height=frame.height)
    return round(width * shrink / 2) * 2, round(height * shrink / 2) * 2


def _picture(frame: Any, size: tuple[int, int]) -> Any:
    """uint8 [H, W, 3]: upright, of one size, in BT.709 whatever it was in."""
    import numpy as np
    from av.video.reformatter import Colorspace
    from PIL import Image

    from . import hdr

    turns = round(frame.rotation / 90) % 4
    width, height = size if turns % 2 == 0 else (size[1], size[0])
    curve = CURVES.get(frame.color_trc)
    how: dict[str, Any] = {"format": "rgb48le" if curve else "rgb24", "interpolation": "AREA"}
    if frame.colorspace == UNSAID and frame.height >= 720:  # what every player takes it for
        how["src_colorspace"] = Colorspace.ITU709
    if frame.interlaced_frame and not curve:  # of two fields, filmed one after the other, the first one is enough
        field = Image.fromarray(frame.reformat(**how).to_ndarray()[::2])
        array = np.asarray(field.resize((width, height), Image.Resampling.BOX))
    else:
        array = frame.reformat(width, height, **how).to_ndarray()
    if curve:
        array = hdr.narrowed(array.view(np.uint16).reshape(height, width, 3), curve)
    return np.ascontiguousarray(np.rot90(array, turns))


if __name__ == "__main__":
    sandbox.serve(made_anew)
