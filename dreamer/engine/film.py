"""Strings of pictures: an animated GIF, or an H.264 film through PyAV.

    with film(path, fps=12) as add:
        add(picture)

The file is there, whole, when the block ends well, and not at all when it raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from .bands import Bytes
from .octaves import Size
from .pictures import PictureError, whole_file

Add = Callable[[Bytes], None]  # takes uint8 [H, W, 3], always of one size

GIF_FRAMES = 150  # at most; beyond, every second frame goes


def film(path: Path, *, fps: float, rest: float = 2.0) -> AbstractContextManager[Add]:
    """A .gif or .mp4 at `fps` pictures a second whose last picture rests for `rest` seconds.

    PictureError for any other ending, and where no picture was added.
    """
    makers = {".gif": gif, ".mp4": mp4}
    maker = makers.get(path.suffix.lower())
    if maker is None:
        raise PictureError(f"{path}: received the ending {path.suffix or 'nothing'!r}, expected {' or '.join(makers)}")
    return maker(path, fps, rest)


def fit(height: int, width: int, longest: int) -> Size:
    """(height, width) with the longer side at most `longest` and both even, as H.264's 4:2:0 asks; at least 2."""
    shrink = min(1.0, longest / max(height, width))
    return max(2, round(height * shrink) // 2 * 2), max(2, round(width * shrink) // 2 * 2)


@contextmanager
def gif(path: Path, fps: float, rest: float) -> Iterator[Add]:
    """One palette for all frames (one for each would flicker), and a bounded number of them.

    When there are more than GIF_FRAMES every second one is dropped and from then on only every second one kept, each
    shown for longer: memory and file stay bounded and the animation takes as long as it would have. The last picture
    given is always the last one shown.
    """
    frames: list[tuple[int, Bytes]] = []  # with its number
    last: list[tuple[int, Bytes]] = []
    every, count = 1, 0

    def add(picture: Bytes) -> None:
        nonlocal every, count
        last[:] = [(count, picture)]
        if count % every == 0:
            frames.extend(last)
            if len(frames) > GIF_FRAMES:
                del frames[1::2]
                every *= 2
        count += 1

    yield add
    if not last:
        raise PictureError(f"{path}: received no pictures to make an animation of")
    if frames[-1][0] != last[0][0]:
        frames.append(last[0])
    starts = [number for number, _ in frames] + [count]
    pace = max(20.0, 1000 / fps)  # ms; players slow down anything faster
    durations = [round(pace * (after - before)) for before, after in pairwise(starts)]
    durations[-1] += round(1000 * rest)
    pictures = [picture for _, picture in frames]
    palette = _palette(pictures)
    images = (Image.fromarray(p).quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG) for p in pictures)
    with whole_file(path) as temporary:
        next(images).save(temporary, "GIF", save_all=True, append_images=images, duration=durations, loop=0)


def _palette(frames: list[Bytes], samples: int = 16) -> Image.Image:
    """256 colours for all frames, chosen on small copies of some of them, the first and the last included."""
    small = []
    for index in sorted({round(i) for i in np.linspace(0, len(frames) - 1, samples)}):
        image = Image.fromarray(frames[index])
        image.thumbnail((128, 128))
        small.append(np.asarray(image).reshape(-1, 3))
    return Image.fromarray(np.concatenate(small)[None]).quantize(256, Image.Quantize.MEDIANCUT)


@contextmanager
def mp4(path: Path, fps: float, rest: float, crf: int = 17) -> Iterator[Add]:
    """H.264 in MP4, yuv420p in BT.709, the index in front (faststart): every browser plays it while it loads.

    A picture with an odd side loses its last row or column. `crf` 17 is visually lossless.
    """
    try:
        import av
        from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
    except ImportError:
        raise PictureError(f"{path}: films need PyAV; `pip install av`, or write a .gif") from None
    rate = Fraction(fps).limit_denominator(1001)
    with (
        whole_file(path) as temporary,
        av.open(str(temporary), "w", format="mp4", options={"movflags": "+faststart"}) as container,
    ):
        stream = container.add_stream("libx264", rate=rate, options={"crf": str(crf), "preset": "medium"})
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU709
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        last: list[Bytes] = []
        count = 0

        def add(picture: Bytes) -> None:
            nonlocal count
            height, width = picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2
            if not last:
                stream.height, stream.width = height, width
            if not (height, width) == (stream.height, stream.width) != (0, 0):
                raise PictureError(
                    f"{path}: received a picture of {picture.shape[1]} x {picture.shape[0]}, "
                    f"expected {stream.width} x {stream.height} like the first"
                )
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:height, :width]), format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)
            frame.pts, frame.time_base = count, 1 / rate
            container.mux(stream.encode(frame))
            last[:] = [picture]
            count += 1

        yield add
        if not last:
            raise PictureError(f"{path}: received no pictures to make a film of")
        for _ in range(round(rest * rate)):
            add(last[0])
        container.mux(stream.encode(None))
