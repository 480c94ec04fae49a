"""From a network's file, of whatever kind, to a draft that a registry can keep."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, Unpack

import numpy as np
import onnx
from onnx import helper, numpy_helper

from ..graph import Graph
from .checks import SIZE, check_labels, check_size, check_weights
from .conventions import Convention, Known, Triple, choose, from_metadata, recognise
from .files import ModelInfo, ShelfStyle, read_labels
from .layers import find_layers
from .names import LibraryError
from .normal import LEAST_KEPT, Normal, normal_form
from .trial import check_ends, try_out


@dataclass(frozen=True)
class Raw:
    """What a reader of one file format hands over: any ONNX model and what the file says about pictures."""

    model: onnx.ModelProto
    convention: Convention | None = None
    input: str | None = None  # the picture's tensor, where the reader had to settle it
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Draft:
    """A network in normal form with everything `model.json` needs except its name."""

    model: onnx.ModelProto
    info: ModelInfo
    labels: tuple[str, ...]
    known: Known | None


def read_onnx(path: Path) -> Raw:
    """An ONNX file, with its external data where it has some."""
    try:
        model = onnx.load(str(path))
    except Exception as error:
        raise LibraryError(f"{path} is not an ONNX file ({error})") from None
    if not model.graph.node:
        raise LibraryError(f"{path} is not an ONNX file: it holds no nodes")
    check_ends(model)
    return Raw(model, from_metadata(model))


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Options(TypedDict, total=False):
    """What a caller may say about a file; everything is optional for networks known here."""

    input: str | None  # the picture's tensor, where a file has several inputs
    size: int | None  # px, the side the network was made for, where the file leaves it open
    convention: str | None  # a name of `conventions.CONVENTIONS`
    channel_order: str | None  # RGB or BGR
    mean: Triple | None  # per channel in that order, 0..255
    scale: float | None  # value fed = (pixel - mean) * scale
    labels: Path | str | Sequence[str] | None  # a file with one class name a line, or the names themselves
    title: str | None
    licence: str | None
    source: str | None  # where the file came from


def draft(raw: Raw, sha256: str = "", **options: Unpack[Options]) -> Draft:
    """Normalise `raw`, recognise it, and settle how it is fed. What the caller gives goes before what was found."""
    size = options.get("size")
    size = SIZE if size is None else check_size(size)
    normal = normal_form(raw.model, raw.input or options.get("input"), size)
    check_weights(normal.model, normal.input)
    known = recognise(normal.model, sha256, normal.logits)
    # A known network's own convention is exact; a file's own words (Caffe's training layers) come next.
    found = known.convention if known else raw.convention
    feed = choose(
        found,
        name=options.get("convention"),
        channel_order=options.get("channel_order"),
        mean=options.get("mean"),
        scale=options.get("scale"),
    )
    model = normal.model
    if feed.std != (1.0, 1.0, 1.0):
        _divide_input(model, normal.input, feed.std)
    skipped, lost = _undreamable(normal, feed)
    logits = None if normal.logits in skipped else normal.logits
    labels = options.get("labels")
    names = read_labels(Path(labels)) if isinstance(labels, (str, Path)) else tuple(labels or ())
    if isinstance(labels, (str, Path)) and not names:
        raise LibraryError(f"{labels} holds no class names; expected one a line, in output order")
    if names:
        check_labels(names, normal.model, normal.logits, known.labels if known else None)
    info = ModelInfo(
        name="draft",
        title=options.get("title") or (known.title if known else ""),
        input=normal.input,
        channel_order=feed.channel_order,
        mean=feed.mean,
        scale=feed.scale,
        logits=logits,
        licence=options.get("licence") or (known.licence if known else "unknown"),
        source=options.get("source") or "",
        source_sha256=sha256,
        min_size=normal.min_size,
        logits_min_size=normal.logits_min_size if logits else 0,
        size_multiple=normal.size_multiple,
        size_remainder=normal.size_remainder,
        fixed_size=normal.size if normal.fixed_by else None,
        fixed_by=normal.fixed_by,
        skipped=skipped,
        notes=(*raw.notes, *normal.notes, *lost),
    )
    return Draft(model, info, names if logits or not normal.logits else (), known)


def _undreamable(normal: Normal, feed: Convention) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The layers that cannot be dreamed of, and a note that says so; LibraryError where next to none is left."""
    size = normal.size if normal.fixed_by else None
    count = len(find_layers(Graph.read(normal.model), size, normal.fixed_by))
    useless = try_out(
        normal.model, normal.input, normal.size, normal.logits, normal.fixed_by, mean=feed.mean, scale=feed.scale
    )
    if not useless:
        return (), ()
    first, why = next(iter(useless.items()))
    if len(useless) > (1 - LEAST_KEPT) * count:
        raise LibraryError(f"{len(useless)} of its {count} layers cannot be dreamed of; the first is {first!r}: {why}")
    return tuple(useless), (f"{len(useless)} of {count} layers left out; the first is {first!r}: {why}",)


def _divide_input(model: onnx.ModelProto, name: str, std: Triple) -> None:
    """Fold a division per channel into the layers that read the input; padding with zeros stays zero."""
    weights = {t.name: t for t in model.graph.initializer}
    readers = [n for n in model.graph.node if name in n.input]
    factor = 1 / np.asarray(std, np.float64).reshape(1, 3, 1, 1)
    plain = all(n.op_type == "Conv" and n.input[1] in weights and weights[n.input[1]].dims[1] == 3 for n in readers)
    if not plain:
        scaled = f"{name}_scaled"
        for node in readers:
            node.input[:] = [scaled if i == name else i for i in node.input]
        factor_name = f"{name}_factor"
        model.graph.initializer.append(numpy_helper.from_array(factor.astype(np.float32), factor_name))
        model.graph.node.insert(0, helper.make_node("Mul", [name, factor_name], [scaled]))
        return
    for node in readers:
        old = weights[node.input[1]]
        value = numpy_helper.to_array(old).astype(np.float64) * factor
        new = f"{old.name}_per_std"
        model.graph.initializer.append(numpy_helper.from_array(value.astype(np.float32), new))
        node.input[1] = new
    used = {i for n in model.graph.node for i in n.input}
    kept = [t for t in model.graph.initializer if t.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)


def layers(model: onnx.ModelProto, info: ModelInfo) -> dict[str, int]:
    """Every tensor one can dream of, in graph order, with its number of channels (classes for class scores)."""
    found = find_layers(Graph.read(model), info.fixed_size, info.fixed_by, info.skipped)
    return {name: layer.channels for name, layer in found.items()}


def misfit(style: ShelfStyle, known: Mapping[str, int]) -> str:
    """Why a style does not fit a network with these layers (as from `layers`); empty when it does."""
    if style.layer not in known:
        return f"{style.layer} is no layer of the network"
    if style.channel is not None and style.channel >= known[style.layer]:
        return f"{style.layer} has {known[style.layer]} channels, so no channel {style.channel}"
    return ""
