"""A registered network, opened to dream with: its layers, and the gradient of any target over a picture."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from ..library.files import ModelFiles
from ..library.names import nearest
from . import session as sessions
from .graph import Graph, Node, append_gradient
from .lrn import expand_lrn
from .rewrite import CENTRED, fold_constants, fold_picture
from .target import Floats, Target, Term, append_seed
from .tiles import Tile, plan

IMAGE = "image"
GUIDE_POSITIONS = 1024  # of a matching guide: the product with a tile's positions must stay affordable


class Cancelled(Exception):
    """The caller asked to stop; nothing is returned."""


@dataclass(frozen=True)
class Layer:
    """A tensor one can dream of. ``stride`` is how many picture pixels lie between its positions."""

    name: str
    channels: int
    stride: int
    spatial: bool  # False for class scores and other vectors


@dataclass(frozen=True)
class _Key:
    """What needs a session of its own; channels, modes, weights and masks do not."""

    purpose: str  # gradient, norms or features
    layers: tuple[str, ...]
    match: tuple[bool, ...] = ()
    smooth_pool: bool = False


class Network:
    """Opened by ``Network.open``; safe to use from several threads."""

    def __init__(
        self, files: ModelFiles, *, device: sessions.Device = "auto", threads: int = 0, max_sessions: int = 4
    ) -> None:
        if max_sessions < 1:
            raise ValueError(f"max_sessions must be at least 1, got {max_sessions}")
        self.name = files.name
        self.labels = files.labels
        self.logits = files.info.logits
        self.min_size = files.info.min_size
        self.device = sessions.choose_device(device)
        self.threads = threads or sessions.cores()
        self._info = files.info
        self._forward = _prepare(Graph.read(onnx.load(str(files.model))), files)
        self.layers = _layers(self._forward, files.info.input)
        self._sessions: OrderedDict[tuple[_Key, int], Any] = OrderedDict()
        self._max_sessions = max_sessions
        self._lock = threading.Lock()
        self._layer_size = lru_cache(maxsize=256)(self._infer_layer_size)

    @classmethod
    def open(cls, folder: str | Path, **options: Any) -> Network:
        """Read a model folder (see ``dreamer.library``). LibraryError and GraphError say what is wrong with it."""
        return cls(ModelFiles.read(Path(folder)), **options)

    def layer(self, name: str) -> Layer:
        """The layer of this name. Raises ValueError with the nearest names for any other."""
        if name not in self.layers:
            close = nearest(name, self.layers) or list(self.layers)[:8]
            raise ValueError(f"{self.name} has no layer {name!r}; the nearest are {', '.join(close)}")
        return self.layers[name]

    def class_target(self, wanted: str | int, weight: float = 1.0) -> Target:
        """The target that maximises one class score, given its label or its number."""
        if self.logits is None:
            raise ValueError(f"{self.name} has no classifier: choose a layer instead")
        count = self.layer(self.logits).channels
        if isinstance(wanted, int) or (wanted.isdigit() and wanted not in self.labels):
            index = int(wanted)
            if not 0 <= index < count:
                raise ValueError(f"{self.name} knows classes 0 to {count - 1}, got {index}")
        else:
            # labels may list synonyms: 'great grey owl, great gray owl, Strix nebulosa'
            names = {
                part.strip().lower(): i
                for i, label in reversed(list(enumerate(self.labels)))
                for part in [*label.split(","), label]
            }
            if wanted.strip().lower() not in names:
                close = nearest(wanted, names) or list(names)[:8]
                raise ValueError(f"{self.name} knows no class {wanted!r}; the nearest are {', '.join(close)}")
            index = names[wanted.strip().lower()]
        return Target((Term(self.logits, ((index, 1.0),), weight=weight),))

    def gradient(
        self,
        picture: Floats,
        target: Target,
        *,
        tile: int = 512,
        halo: int = 32,
        smooth_pool: bool = False,
        mask: Floats | None = None,
        guide: Floats | None = None,
        on_tile: Callable[[int, int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        out: Floats | None = None,
    ) -> tuple[Floats, float]:
        """The gradient of the target's objective (see ``target.py``) with respect to the picture, and its value.

        picture   float32 [3,h,w], RGB, 0..255, each side at least ``min_size``
        mask      float32 [h,w], what counts and how much; None: everything
        guide     float32 [3,h,w], RGB, 0..255, needed by terms with a guide
        tile      how many pixels of a side to compute at once, without the halo: bounds the memory
        out       where to write the gradient, float32 [3,h,w]
        on_tile   called with (tiles done, tiles) from this thread
        cancelled asked before each tile; when true, raises Cancelled

        With several terms each is divided by the Euclidean norm of its seed over the whole picture, so their
        weights mean what they say; that takes a forward pass before. With several tiles the value is
        estimated: every tile's value counts by the part of its window that it keeps.
        """
        picture = self._checked(picture, "picture")
        height, width = picture.shape[1:]
        if mask is not None and mask.shape != (height, width):
            raise ValueError(f"mask must have the picture's size {width}x{height}, got shape {mask.shape}")
        terms = target.terms
        layers = [self.layer(term.layer) for term in terms]
        tiles = plan(height, width, tile=tile, halo=halo, stride=max(layer.stride for layer in layers))
        vectors = self._vectors(terms, layers, guide, tile, halo)
        match = tuple(term.guide == "match" for term in terms)
        names = tuple(term.layer for term in terms)
        if out is None:
            out = np.empty_like(picture)
        elif out.shape != picture.shape or out.dtype != np.float32:
            raise ValueError(f"out must be float32 {picture.shape}, got {out.dtype} {out.shape}")
        report, stop = on_tile or (lambda done, total: None), cancelled or (lambda: False)

        def feeds(place: Tile) -> dict[str, Any] | None:
            masks = [
                self._mask(term, layer, place, mask, (height, width)) for term, layer in zip(terms, layers, strict=True)
            ]
            if not any(m.any() for m in masks):
                return None  # nothing is wanted here
            window = np.ascontiguousarray(picture[(slice(None), *place.window)])[None]
            return {IMAGE: window, **vectors, **{f"mask{i}": m for i, m in enumerate(masks)}}

        def run(key: _Key, keep: Callable[[Tile, list[Any] | None], None], first: int, total: int) -> None:
            """Run every tile; ``keep`` gets its results in any order of tiles, one at a time."""

            def one(place: Tile, threads: int) -> tuple[Tile, list[Any] | None]:
                if stop():
                    raise Cancelled
                fed = feeds(place)
                return place, None if fed is None else self._session(key, threads).run(None, fed)

            # One tile on each core is faster than each tile on all cores; what is left over takes them all.
            rest = len(tiles) % self.threads
            side_by_side, alone = tiles[: len(tiles) - rest], tiles[len(tiles) - rest :]
            with ThreadPoolExecutor(self.threads) as pool:
                results = chain(pool.map(one, side_by_side, repeat(1)), map(one, alone, repeat(self.threads)))
                for done, (place, result) in enumerate(results, start=1):
                    keep(place, result)
                    report(first + done, total)

        passes = 2 if len(terms) > 1 else 1
        if len(terms) > 1:
            squares = np.zeros(len(terms))

            def add_squares(place: Tile, results: list[Any] | None) -> None:
                if results is not None:
                    squares[:] += np.array([float(r) for r in results]) * place.share

            run(_Key("norms", names, match), add_squares, 0, passes * len(tiles))
            for i, (term, square) in enumerate(zip(terms, squares, strict=True)):
                for name in (f"linear{i}", f"squared{i}"):
                    vectors[name] = vectors[name] * np.float32(term.weight / (np.sqrt(square) + 1e-12))
        score = 0.0

        def keep_gradient(place: Tile, results: list[Any] | None) -> None:
            nonlocal score
            core = (slice(None), *place.core)
            if results is None:
                out[core] = 0
            else:
                out[core] = results[0][(0, slice(None), *place.inner)]
                score += float(results[1]) * place.share

        run(_Key("gradient", names, match, smooth_pool), keep_gradient, (passes - 1) * len(tiles), passes * len(tiles))
        return out, score

    def activations(self, picture: Floats, layer: str) -> Floats:
        """A layer's activations for a picture seen at once, float32 [c,h,w] ([c] for a vector)."""
        self.layer(layer)
        picture = self._checked(picture, "picture")
        return self._session(_Key("features", (layer,)), self.threads).run(None, {IMAGE: picture[None]})[0][0]

    # What the graph is fed

    def _checked(self, picture: Floats, what: str) -> Floats:
        if picture.ndim != 3 or picture.shape[0] != 3:
            raise ValueError(f"{what} must be float32 [3, height, width], got shape {picture.shape}")
        if min(picture.shape[1:]) < self.min_size:
            raise ValueError(
                f"{self.name} needs a {what} of at least {self.min_size} pixels a side, "
                f"got {picture.shape[2]}x{picture.shape[1]}"
            )
        return np.ascontiguousarray(picture, np.float32)

    def _vectors(
        self, terms: tuple[Term, ...], layers: list[Layer], guide: Floats | None, tile: int, halo: int
    ) -> dict[str, Any]:
        fed: dict[str, Any] = {}
        for i, (term, layer) in enumerate(zip(terms, layers, strict=True)):
            vector = term.vector(layer.channels)
            if term.guide:
                if guide is None:
                    raise ValueError(f"the term on {term.layer} is guided, but no guide picture was given")
                features = self.activations(guide, term.layer).reshape(layer.channels, -1)
                if term.guide == "match":
                    step = -(-features.shape[1] // GUIDE_POSITIONS)
                    fed[f"guide{i}"] = np.ascontiguousarray(features[:, ::step])
                else:
                    mean = features.mean(axis=1)
                    vector = mean / max(float(np.abs(mean).sum()), 1e-12)
            shape = (1, -1, 1, 1) if layer.spatial else (1, -1)
            vector = vector.reshape(shape).astype(np.float32)
            if len(terms) == 1:
                vector = vector * np.float32(term.weight)
            zero = np.zeros_like(vector)
            fed[f"linear{i}"], fed[f"squared{i}"] = (zero, vector) if term.wants_squares else (vector, zero)
        return fed

    def _mask(self, term: Term, layer: Layer, place: Tile, mask: Floats | None, size: tuple[int, int]) -> Floats:
        """A term's mask for one window, at the layer's resolution ([1,1,1,1] of ones where nothing is masked)."""
        if not layer.spatial:
            inside = 1.0 if mask is None else float(mask[place.core].mean())
            return np.full((1, 1), inside, np.float32)
        if mask is None and term.place is None:
            return np.ones((1, 1, 1, 1), np.float32)
        rows, columns = place.window
        height, width = rows.stop - rows.start, columns.stop - columns.start
        h, w = self._layer_size(layer.name, height, width)
        result = np.ones((h, w), np.float32) if mask is None else _shrink(mask[place.window], h, w)
        if term.place is not None:
            x, y = (round(p * (n - 1)) for p, n in zip(term.place, reversed(size), strict=True))
            unit = np.zeros_like(result)
            if rows.start <= y < rows.stop and columns.start <= x < columns.stop:
                unit[(y - rows.start) * h // height, (x - columns.start) * w // width] = 1
            result = result * unit
        return result[None, None]

    def _infer_layer_size(self, layer: str, height: int, width: int) -> tuple[int, int]:
        graph = _copy(self._forward)
        graph.cut([layer])
        h, w = graph.infer_shapes({IMAGE: (1, 3, height, width)})[layer][2:]
        assert h is not None and w is not None
        return h, w

    # Sessions

    def _session(self, key: _Key, threads: int) -> Any:
        with self._lock:
            if (key, threads) not in self._sessions:
                self._sessions[key, threads] = sessions.cpu_session(build(self._forward, key), threads)
                while len(self._sessions) > self._max_sessions:
                    self._sessions.popitem(last=False)
            self._sessions.move_to_end((key, threads))
            return self._sessions[key, threads]


def build(forward: Graph, key: _Key) -> onnx.ModelProto:
    """The ONNX model that answers ``key``: its inputs are the picture and the terms' vectors and masks."""
    graph = _copy(forward)
    graph.cut(list(dict.fromkeys(key.layers)))
    graph.infer_shapes()
    expand_lrn(graph)
    if key.purpose == "features":
        return graph.write()
    seeds: dict[str, list[str]] = {}
    scores, norms = [], []
    for i, (layer, match) in enumerate(zip(key.layers, key.match, strict=True)):
        seed, score = append_seed(graph, i, layer, match=match)
        seeds.setdefault(layer, []).append(seed)
        scores.append(score)
        norms.append(graph.emit("ReduceSumSquare", seed, keepdims=0))
    if key.purpose == "norms":
        graph.outputs = norms
        return graph.write()
    summed = {layer: s[0] if len(s) == 1 else graph.emit("Sum", *s) for layer, s in seeds.items()}
    gradient = append_gradient(graph, summed, IMAGE, smooth_pool=key.smooth_pool)
    graph.outputs = [gradient, graph.emit("Sum", *scores, hint="score")]
    return graph.write()


def _prepare(graph: Graph, files: ModelFiles) -> Graph:
    """The forward graph with everything constant folded, taking RGB pictures in 0..255."""
    info = files.info
    if info.input not in graph.inputs:
        raise ValueError(
            f"{info.name}: model.json names the input {info.input!r}, the network has {', '.join(graph.inputs)}"
        )
    fold_constants(graph)
    # value = (pixel - mean) * scale in the network's channel order: one 1x1 convolution
    order = np.eye(3, dtype=np.float32)[:, :: 1 if info.channel_order == "RGB" else -1] * info.scale
    graph.constants |= {
        "image_order": order[:, :, None, None],
        "image_offset": -np.asarray(info.mean, np.float32) * np.float32(info.scale),
    }
    graph.nodes.insert(0, Node("Conv", [IMAGE, "image_order", "image_offset"], [info.input], name="image_to_input"))
    graph.inputs = {IMAGE: (1, 3, "height", "width")}
    fold_picture(graph, graph.nodes[0], np.asarray(info.mean, np.float32))
    graph.infer_shapes()
    return graph


def _copy(graph: Graph) -> Graph:
    """A graph whose nodes can be changed; constants, which nobody changes, are shared."""
    copy = Graph()
    copy.nodes = [Node(n.op, list(n.inputs), list(n.outputs), dict(n.attrs), n.name, n.domain, n.rule, n.saved)
                  for n in graph.nodes]
    copy.constants, copy.inputs, copy.outputs = dict(graph.constants), dict(graph.inputs), list(graph.outputs)
    copy.shapes, copy._count = dict(graph.shapes), graph._count
    return copy


def _layers(graph: Graph, picture: str) -> dict[str, Layer]:
    """Every tensor one can dream of, in graph order: those with a known number of channels, up to the logits."""
    strides, pictures = {IMAGE: 1}, {picture, CENTRED}
    found: dict[str, Layer] = {}
    for node in graph.nodes:
        before = [strides[i] for i in node.inputs if i in strides]
        if not before:
            continue
        step = max(node.attrs.get("strides", [1])) if "Pool" in node.op or node.op == "Conv" else 1
        name = node.outputs[0]
        strides[name] = max(before) * step
        shape = graph.shapes.get(name, ())
        if len(shape) in (2, 4) and shape[1] is not None and node.op != "Softmax" and name not in pictures:
            found[name] = Layer(name, shape[1], strides[name], len(shape) == 4)
    return found


def _shrink(mask: Floats, h: int, w: int) -> Floats:
    """Mean of the mask over each of h x w equal areas."""
    rows, columns = (np.arange(n) * size // n for n, size in zip((h, w), mask.shape, strict=True))
    sums = np.add.reduceat(np.add.reduceat(mask, rows, axis=0), columns, axis=1)
    counts = np.outer(np.diff([*rows, mask.shape[0]]), np.diff([*columns, mask.shape[1]]))
    return (sums / counts).astype(np.float32)
