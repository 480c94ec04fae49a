"""How networks want their pictures: channel order, mean and scale, known by name, by file or by structure.

The value fed is (pixel - mean) * scale, pixels in 0..255. Nothing in a network's weights says which convention it
was trained with, and a wrong one still dreams, only worse; so an unknown file must be told.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import onnx

from ..graph import attributes
from .names import LibraryError, unknown

Triple = tuple[float, float, float]


SCALES = (1e-6, 1e6)  # pixels between 0 and 255 become neither nothing nor infinite


@dataclass(frozen=True)
class Convention:
    """One way to feed pictures. `std` other than ones is folded into the first layer at import."""

    channel_order: str
    mean: Triple
    scale: float = 1.0
    std: Triple = (1.0, 1.0, 1.0)  # in 0..255 units, in `channel_order`; the value is divided by it


CAFFE = Convention("BGR", (104.0, 117.0, 123.0))
CONVENTIONS: dict[str, Convention] = {
    "caffe": CAFFE,
    "caffe-vgg": Convention("BGR", (103.939, 116.779, 123.68)),
    "places365": Convention("BGR", (104.051, 112.514, 116.676)),
    "places205": Convention("BGR", (105.417, 113.753, 116.047)),
    "inception5h": Convention("RGB", (117.0, 117.0, 117.0)),
    "torchvision": Convention("RGB", (123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)),
    "keras-inception": Convention("RGB", (127.5, 127.5, 127.5), scale=1 / 127.5),
    "zero-to-one": Convention("RGB", (0.0, 0.0, 0.0), scale=1 / 255),
    "raw": Convention("RGB", (0.0, 0.0, 0.0)),
}


def convention(name: str) -> Convention:
    """The convention called `name`."""
    if name not in CONVENTIONS:
        raise unknown("convention", name, CONVENTIONS)
    return CONVENTIONS[name]


@dataclass(frozen=True)
class Known:
    """A network we recognise."""

    name: str
    title: str
    convention: Convention
    licence: str
    shelf: str | None = None  # a file under shelves/
    labels: int | None = None  # class names published, where those are fewer than the outputs


UNRESTRICTED = "unrestricted (BVLC: released for unrestricted use)"
GOOGLENET = Known("googlenet", "GoogLeNet (BVLC)", CAFFE, UNRESTRICTED, "googlenet")
PLACES365 = Known(
    "places365",
    "GoogLeNet Places365",
    CONVENTIONS["places365"],
    "CC BY 4.0; cite Zhou et al., Places (2017)",
)
PLACES205 = Known("places205", "GoogLeNet Places205", CONVENTIONS["places205"], "unknown")
# Its shelf holds the 66 pairs that DreamCanvas (2017) picked from, less three that name no layer, one whose channel
# does not exist and one given twice. GoogLeNet's was chosen by looking at what a few hundred channels dream of.
# It has 1008 outputs, and the archive it comes in names 1001; the last seven are nothing.
INCEPTION5H = Known(
    "inception5h", "Inception 5h (TensorFlow, 2015)", CONVENTIONS["inception5h"], "Apache-2.0", "inception5h", 1001
)

# (1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection) of the nine modules: Szegedy et al., "Going deeper
# with convolutions" (2014), table 1.
GOOGLENET_MODULES: dict[str, tuple[int, int, int, int, int, int]] = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
# TensorFlow's inception5h differs from the paper in two numbers.
INCEPTION5H_MODULES = {
    **GOOGLENET_MODULES,
    "4a": (192, 96, 204, 16, 48, 64),
    "5a": (256, 160, 320, 48, 128, 128),
}


def module_convolutions(modules: dict[str, tuple[int, int, int, int, int, int]]) -> Counter[tuple[int, ...]]:
    """The weight shapes of all 57 trunk convolutions of a GoogLeNet, counted."""
    shapes: Counter[tuple[int, ...]] = Counter([(64, 3, 7, 7), (64, 64, 1, 1), (192, 64, 3, 3)])
    depth = 192
    for one, reduce3, three, reduce5, five, pool in modules.values():
        shapes[one, depth, 1, 1] += 1
        shapes[reduce3, depth, 1, 1] += 1
        shapes[three, reduce3, 3, 3] += 1
        shapes[reduce5, depth, 1, 1] += 1
        shapes[five, reduce5, 5, 5] += 1
        shapes[pool, depth, 1, 1] += 1
        depth = one + three + five + pool
    return shapes


def recognise(model: onnx.ModelProto, sha256: str, logits: str | None) -> Known | None:
    """The known network that a normal-form `model` is: by its file's hash, else by its weights' shapes."""
    if sha256 in BY_SHA256:
        return BY_SHA256[sha256]
    weights = {t.name: tuple(t.dims) for t in model.graph.initializer}
    convolutions = Counter(weights.get(n.input[1], ()) for n in model.graph.node if n.op_type == "Conv")
    norms = [attributes(n) for n in model.graph.node if n.op_type == "LRN"]
    # Auxiliary heads add convolutions; the trunk must be there whole, with its two LRNs.
    if len(norms) != 2:
        return None
    if convolutions >= module_convolutions(INCEPTION5H_MODULES) and norms[0].get("bias", 1.0) == 2.0:
        return INCEPTION5H
    if convolutions >= module_convolutions(GOOGLENET_MODULES) and norms[0].get("bias", 1.0) == 1.0:
        return {1000: GOOGLENET, 365: PLACES365, 205: PLACES205}.get(_classes(model, weights, logits) or 0)
    return None


def _classes(model: onnx.ModelProto, weights: dict[str, tuple[int, ...]], logits: str | None) -> int | None:
    node = next((n for n in model.graph.node if logits in n.output), None)
    return weights.get(node.input[-1], (0,))[0] if node is not None and node.op_type == "Gemm" else None


_ZOO_GOOGLENET = Known("googlenet-zoo", "GoogLeNet (ONNX Model Zoo)", CONVENTIONS["caffe-vgg"], "BSD-3-Clause")
_ZOO_INCEPTION = Known("inception-v1-zoo", "Inception v1 (ONNX Model Zoo)", CONVENTIONS["caffe-vgg"], "MIT")
BY_SHA256: dict[str, Known] = {
    "c99c507058eaf41de8723408fdda7db8325cb57f0a89f2ee07a716d6e963e14e": _ZOO_GOOGLENET,
    "bd979d99d10d9acf84c5a67252bcae4992bf4e1afdab046cb0ea370e6f01ee38": _ZOO_GOOGLENET,
    "3d343d459199fbcc8cd43d45264180e3e1ef91d4908f3541b5b308995206362c": _ZOO_GOOGLENET,
    "5725ccfd90845735ce5897faf7843c3f9b13acda3c4f3bff82cb21c9337c9de8": _ZOO_GOOGLENET,
    "814b31a6316873bd03d2d808415ce1f40a7bf48ad88eab5ecc3cdc8dc6cf38ec": _ZOO_INCEPTION,
    "f8b7bb4040377b83089eef98800a15303325ed75ced468a8972a87e0bc23692e": _ZOO_INCEPTION,
    "a39b08b826c9d5a5532ff424c03a3a11a202967544e389aca4b06c2bd8aef63f": INCEPTION5H,
}


# Windows ML's metadata is the one widespread way in which a file tells how it wants its pictures.
_ORDERS = {"rgb8": "RGB", "bgr8": "BGR"}
_RANGES = {
    "nominalrange_0_255": ((0.0, 0.0, 0.0), 1.0),
    "normalized_0_1": ((0.0, 0.0, 0.0), 1 / 255),
    "normalized_1_1": ((127.5, 127.5, 127.5), 1 / 127.5),
}


def from_metadata(model: onnx.ModelProto) -> Convention | None:
    """The convention an ONNX file states in its metadata, if it does."""
    metadata = {p.key.lower(): p.value.lower() for p in model.metadata_props}
    order = _ORDERS.get(metadata.get("image.bitmappixelformat", ""))
    span = _RANGES.get(metadata.get("image.nominalpixelrange", ""))
    return Convention(order, span[0], span[1]) if order and span else None


def choose(
    found: Convention | None,
    *,
    name: str | None,
    channel_order: str | None,
    mean: Triple | None,
    scale: float | None,
) -> Convention:
    """What the caller said over what was `found`; LibraryError lists what is missing."""
    base = convention(name) if name else found
    if base is None and (channel_order is None or mean is None):
        missing = [flag for flag, value in (("--channel-order", channel_order), ("--mean", mean)) if value is None]
        raise LibraryError(
            "nothing in this file says how it wants its pictures, and it is no network known here. Give "
            f"{' and '.join(missing)} (and --scale unless 1), or --convention with one of {', '.join(CONVENTIONS)}"
        )
    if channel_order is not None and channel_order not in ("RGB", "BGR"):
        raise LibraryError(f"the channel order is {channel_order!r}, expected RGB or BGR")
    order = channel_order or (base.channel_order if base else "RGB")
    if base is None:
        return _sound(Convention(order, mean or (0.0, 0.0, 0.0), 1.0 if scale is None else scale))
    turned = order != base.channel_order
    old_mean, old_std = (t[::-1] if turned else t for t in (base.mean, base.std))
    return _sound(Convention(order, mean or old_mean, base.scale if scale is None else scale, old_std))


def _sound(feed: Convention) -> Convention:
    """`feed` itself; LibraryError where it would turn every picture into nothing."""
    # Written so that what is no number (NaN) does not pass.
    if not all(0 <= value <= 255 for value in feed.mean):
        raise LibraryError(f"the mean is ({', '.join(map(str, feed.mean))}), expected numbers from 0 to 255")
    if not SCALES[0] <= feed.scale <= SCALES[1]:
        raise LibraryError(f"the scale is {feed.scale}, expected a number from {SCALES[0]:g} to {SCALES[1]:g}")
    return feed
