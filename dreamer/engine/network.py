"""A registered network, opened to dream with: its layers, and the gradient of any target over a picture."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from ..library import labels
from ..library.files import ModelFiles
from ..library.names import nearest
from .bands import Bytes
from .build import Question
from .forward import Layer, layers, prepare
from .gradient_options import DEFAULT, GradientOptions
from .runners import Runners
from .session import Device, upload
from .target import Floats, Target, Term
from .tiles import Roll, Tile, paste, plan
from .whole import resampled, returned
from .work import Work

GUIDES = 32  # how many guides' features are remembered
GUIDE_POSITIONS = 1024  # of a matching guide: the product with a tile's positions must stay affordable


class Network:
    """Opened by ``Network.open``; safe to use from several threads."""

    def __init__(
        self,
        files: ModelFiles,
        *,
        device: Device = "auto",
        threads: int = 0,
        max_sessions: int | None = None,
        gpu_memory: int = 0,
        resident: bool | None = None,
        tf32: bool = True,
    ) -> None:
        self.name = files.name
        self.labels = files.labels
        self.sha256 = files.info.sha256
        self.logits = files.info.logits
        self.min_size = files.info.min_size
        self.fixed_size = files.info.fixed_size  # of pictures, where a network has one
        self._files = files
        self.forward = prepare(files)
        self.layers = layers(self.forward, files)
        self.runners = Runners(
            self.forward, device, threads=threads, most=max_sessions, memory=gpu_memory, resident=resident, tf32=tf32
        )
        self.device, self.resident = self.runners.device, self.runners.resident
        self.threads, self.gpu_memory = self.runners.threads, gpu_memory
        self._guides: OrderedDict[Any, Any] = OrderedDict()
        self._lock = threading.Lock()

    @classmethod
    def open(cls, folder: str | Path, **options: Any) -> Network:
        """Read a model folder (see ``dreamer.library``). LibraryError and GraphError say what is wrong with it.

        device        auto, cpu, cuda or openvino; ``network.device`` says what it is
        threads       cores to use, 0 for all
        max_sessions  how many ONNX Runtime sessions to keep; the weights are in memory once for each. On the
                      CPU a layer takes two (tiles side by side, a tile on all cores), and 4 are kept; on a GPU one for
                      each octave, whose tiles are of one size, and 12 are kept
        gpu_memory    limit of ONNX Runtime's arena on a GPU in bytes, 0 for none; one arena for all networks
        tf32          whether products may be rounded where that is faster: to 10 bits on a GPU (TF32), to 7 by OpenVINO
                      (bf16)
        resident      whether pictures lie on the device and models are of fixed sizes; None: on a GPU. On the CPU only
                      tests want it: so what a GPU does can be seen where there is none
        """
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
            index = labels.index_of(self.labels, wanted, self.name)
        return Target((Term(self.logits, ((index, 1.0),), weight=weight),))

    def gradient(
        self,
        picture: Floats,
        target: Target,
        options: GradientOptions = DEFAULT,
        *,
        roll: Roll = (0, 0),
        mask: Floats | None = None,
        wanted: Bytes | None = None,
        out: Floats | None = None,
    ) -> tuple[Floats, float]:
        """The gradient of the target's objective (see ``target.py``) with respect to the picture, and its value.

        picture   float32 [3,h,w], RGB, 0..255, each side at least ``min_size``
        options   how it is looked at (``GradientOptions``)
        mask      float32 [h,w], what counts and how much; None: everything
        roll      how far the picture is shifted first, down and right, what leaves at one edge coming in at the other;
                  the mask is shifted along, and the gradient lies as the picture does
        wanted    uint8 [h,w] that lies as the picture does: tiles in which all of it is zero are not computed, and the
                  gradient is zero there
        out       where to write the gradient, float32 [3,h,w]

        Where a layer exists at one size only, the whole picture is seen at that size (``whole.py``), not in tiles.
        With several terms each is divided by the Euclidean norm of its seed over the whole picture, so their
        weights mean what they say; that takes a forward pass before. With several tiles the value is
        estimated: every tile's value counts by the part of its window that it keeps.
        """
        terms = target.terms
        layers = [self.layer(term.layer) for term in terms]
        picture = self._checked(picture, "picture", layers)
        height, width = picture.shape[1:]
        if mask is not None and mask.shape != (height, width):
            raise ValueError(f"mask must have the picture's size {width}x{height}, got shape {mask.shape}")
        if out is None:
            out = np.empty_like(picture)
        elif out.shape != picture.shape or out.dtype != np.float32:
            raise ValueError(f"out must be float32 {picture.shape}, got {out.dtype} {out.shape}")
        mask = mask if mask is None else np.roll(mask, roll, (0, 1))
        if any(layer.fixed for layer in layers):
            if wanted is not None and not wanted.any():
                out[:] = 0
                return out, 0.0
            seen = np.roll(picture, roll, (1, 2))
            gradient, score = self._whole_gradient(seen, target, options, mask)
            out[:] = np.roll(returned(gradient, (height, width)), (-roll[0], -roll[1]), (1, 2))
            return out, score
        seen, shift, size = picture, roll, self._grown(height, width)
        if size != (height, width):
            grow = ((0, size[0] - height), (0, size[1] - width))
            seen, shift = np.pad(np.roll(picture, roll, (1, 2)), ((0, 0), *grow), mode="edge"), (0, 0)
            mask = np.pad(np.ones((height, width), np.float32) if mask is None else mask, grow)
        tiles = _wanted_tiles(self.tiles(size, layers, options.tile, options.halo), wanted, roll)
        if wanted is not None:
            out[:] = 0
        work = Work(self.runners, seen, size, shift, mask, *self._wanted(target, options.guide), tiles, options)
        score = 0.0
        for place, results in work.gradients():
            rows, columns = (slice(s.start, min(s.stop, n)) for s, n in zip(place.core, (height, width), strict=True))
            if results is None:
                core = np.zeros((3, rows.stop - rows.start, columns.stop - columns.start), np.float32)
            else:
                core = results[0][(0, slice(None), *place.inner)]
                score += float(results[1]) * place.share
            paste(core, out, roll, (rows, columns))
        return out, score

    def _whole_gradient(
        self, picture: Floats, target: Target, options: GradientOptions, mask: Floats | None
    ) -> tuple[Floats, float]:
        """The gradient at the one size that the network has, and the objective's value, of a picture of any size."""
        assert self.fixed_size is not None
        small = resampled(picture, self.fixed_size)
        mask = None if mask is None else resampled(mask, self.fixed_size)
        tiles = plan(*self.fixed_size, tile=max(self.fixed_size))
        vectors = self._wanted(target, options.guide)
        work = Work(self.runners, small, self.fixed_size, (0, 0), mask, *vectors, tiles, options)
        ((_, results),) = work.gradients()
        return (np.zeros_like(small), 0.0) if results is None else (results[0][0], float(results[1]))

    def held_gradients(
        self,
        picture: ort.OrtValue,
        target: Target,
        options: GradientOptions = DEFAULT,
        *,
        roll: Roll = (0, 0),
        wanted: Bytes | None = None,
    ) -> Iterator[tuple[Tile, ort.OrtValue | None]]:
        """The windows' gradients of a picture [1,3,h,w] on the device, which stay there: each tile of the shifted
        picture with its window's, float32 [1,3,h,w] (None: zero). Options as for ``gradient``; nothing else comes back.
        """
        layers = [self.layer(term.layer) for term in target.terms]
        height, width = picture.shape()[2:]
        self._check_size(height, width, "picture", layers)
        size = self._grown(height, width)
        tiles = _wanted_tiles(self.tiles(size, layers, options.tile, options.halo), wanted, roll)
        # what lies beyond the picture shows its last row and column again, and counts for nothing
        mask = None
        if size != (height, width):
            mask = np.pad(np.ones((height, width), np.float32), ((0, size[0] - height), (0, size[1] - width)))
        work = Work(self.runners, picture, size, roll, mask, *self._wanted(target, options.guide), tiles, options)
        for place, results in work.gradients():
            yield place, None if results is None else results[0]

    def activations(self, picture: Floats, layer: str) -> Floats:
        """A layer's activations for a picture seen at once, float32 [c,h,w] ([c] for a vector)."""
        return self.activations_of(picture, (layer,))[0]

    def activations_of(self, picture: Floats, layers: Sequence[str]) -> list[Floats]:
        """The same of several layers, in one pass."""
        found = [self.layer(layer) for layer in layers]
        picture = self._checked(picture, "picture", found)
        fixed = self.fixed_size if any(layer.fixed for layer in found) else None
        if fixed is not None:
            picture = resampled(picture, fixed)
        whole = plan(*picture.shape[1:], tile=max(picture.shape))[0]
        runner = self.runners.get(Question("features", tuple(layers), fixed=fixed), whole, self.threads)
        return [values[0] for values in runner.run(runner.place(picture), whole.window, {})]

    def tiles(self, size: tuple[int, ...], layers: list[Layer], tile: int, halo: int) -> list[Tile]:
        """The tiles of a picture (height, width) for these layers, aligned to their positions."""
        stride = math.lcm(self._files.info.size_multiple, *(layer.stride for layer in layers))
        return plan(*size, tile=tile, halo=halo, stride=stride, cores=self.runners.at_once)

    # What the graph is fed

    def _grown(self, height: int, width: int) -> tuple[int, int]:
        """The size that a picture has to be grown to: branches that halve in different ways need multiples."""
        multiple, remainder = self._files.info.size_multiple, self._files.info.size_remainder
        return height + (remainder - height) % multiple, width + (remainder - width) % multiple

    def _checked(self, picture: Floats, what: str, layers: list[Layer]) -> Floats:
        if picture.ndim != 3 or picture.shape[0] != 3:
            raise ValueError(f"{what} must be float32 [3, height, width], got shape {picture.shape}")
        self._check_size(picture.shape[1], picture.shape[2], what, layers)
        return np.ascontiguousarray(picture, np.float32)

    def _check_size(self, height: int, width: int, what: str, layers: list[Layer]) -> None:
        if any(layer.fixed for layer in layers):
            return  # it is brought to the one size
        least = self.min_size
        if not all(layer.spatial for layer in layers):
            least = max(least, self._files.info.logits_min_size)
        if min(height, width) < least:
            raise ValueError(f"{self.name} needs a {what} of at least {least} pixels a side here, got {width}x{height}")

    def _wanted(self, target: Target, guide: Floats | None) -> tuple[list[tuple[Term, Layer]], dict[str, Any]]:
        """The target's terms with their layers, and what they want of those layers' channels, under the names of the
        model's inputs."""
        pairs = [(term, self.layer(term.layer)) for term in target.terms]
        fed: dict[str, Any] = {}
        for i, (term, layer) in enumerate(pairs):
            vector = term.vector(layer.channels)
            if term.guide:
                if guide is None:
                    raise ValueError(f"the term on {term.layer} is guided, but no guide picture was given")
                if term.guide == "match":
                    fed[f"guide{i}"] = self._guided(guide, term)
                else:
                    vector = self._guided(guide, term)
            shape = (1, -1, 1, 1) if layer.spatial else (1, -1)
            vector = vector.reshape(shape).astype(np.float32)
            if len(pairs) == 1:
                vector = vector * np.float32(term.weight)
            zero = np.zeros_like(vector)
            fed[f"linear{i}"], fed[f"squared{i}"] = (zero, vector) if term.wants_squares else (vector, zero)
        return pairs, fed

    def _guided(self, guide: Floats, term: Term) -> Any:
        """What a guide asks for: its features [c, positions], on the device where pictures are, or each channel's
        share of them [c]. Remembered: it is the same for every step of a dream."""
        key = sha256(guide.tobytes()).digest(), guide.shape, term.layer, term.guide
        found = self._guides.get(key)
        if found is None:
            features = self.activations(guide, term.layer)
            features = features.reshape(len(features), -1)
            if term.guide == "match":
                features = np.ascontiguousarray(features[:, :: -(-features.shape[1] // GUIDE_POSITIONS)])
                found = upload(features, self.device) if self.resident else features
            else:
                mean = features.mean(axis=1)
                found = mean / max(float(np.abs(mean).sum()), 1e-12)
            with self._lock:
                self._guides[key] = found
                while len(self._guides) > GUIDES:
                    self._guides.popitem(last=False)
        return found


def _wanted_tiles(tiles: list[Tile], wanted: Bytes | None, roll: Roll) -> list[Tile]:
    """Those in whose core something is wanted, once the picture is shifted."""
    if wanted is None:
        return tiles
    shifted = np.roll(wanted, roll, (0, 1))
    return [tile for tile in tiles if shifted[tile.core].any()]
