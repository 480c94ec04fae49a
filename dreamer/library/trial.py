"""What an import says is sound has been run once: forward at its own size, and back from its last layers."""

from __future__ import annotations

import re
import subprocess
import sys
import zlib
from collections.abc import Collection, Iterator

import numpy as np
import onnx

from ..gradient import append_gradient, differentiable
from ..gradient.fast.lrn import expand_lrn
from ..gradient.fast.padding import even_out, fix_padding
from ..graph import Graph, ours
from ..graph.fold import fold_sizes
from .layers import descendants, find_layers
from .names import LibraryError

LEAST, MOST = 1e-12, 1e12  # beyond which the largest value of a layer makes one doubt that its gradient is a number
LIMIT = 180  # seconds for ONNX to infer the shapes of a file from elsewhere; seconds do for the largest

INFER = "import onnx, sys; onnx.shape_inference.infer_shapes(onnx.load_from_string(sys.stdin.buffer.read()))"


def check_ends(model: onnx.ModelProto, limit: float = LIMIT) -> None:
    """LibraryError where inferring the shapes of a file does not end, as files can be made to. In a process of its own:
    nothing else could stop it."""
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    for tensor in bare.graph.initializer:
        if len(tensor.raw_data) > 4096:
            tensor.ClearField("raw_data")
    try:
        # What it says is asked again later, in words; here only that it ends.
        command = [sys.executable, "-c", INFER]
        subprocess.run(command, input=bare.SerializeToString(), timeout=limit, capture_output=True, check=False)
    except subprocess.TimeoutExpired:
        raise LibraryError(f"the shapes of this network cannot be inferred within {limit:g} seconds") from None


def try_out(
    model: onnx.ModelProto,
    picture: str,
    size: tuple[int, int],
    logits: str | None = None,
    fixed_by: tuple[str, ...] = (),
    mean: tuple[float, float, float] = (127.5, 127.5, 127.5),
    scale: float = 1 / 127.5,
) -> dict[str, str]:
    """Run a network in normal form at its own size (height, width), fed (pixel - mean) * scale; LibraryError where that
    fails, or comes out other than was inferred. What does not fix that size is run at another one, too.

    The answer says of the layers that cannot be dreamed of why not: what they hold is no number, or is the same
    whatever the picture; or the gradient of the layer as a whole, which a dream asks for first, is no number or 0.
    """
    graph = Graph.read(model)
    graph.inputs = {picture: (1, 3, *size)}
    fixed = descendants(graph, fixed_by)
    if fixed:
        free = graph.copy()
        free.outputs = [o for n in graph.nodes for o in n.outputs[:1] if o not in fixed and "Shape" not in n.op]
        other = (size[0] + 64, size[1] + 96)
        free.inputs = {picture: (1, 3, *other)}
        if free.outputs:
            list(_runs(free, picture, _pictures(other, mean, scale)[:1]))
    if fixed:
        fold_sizes(graph)
    inferred = graph.infer_shapes()
    listed = find_layers(graph, size if fixed else None, fixed_by)
    names = [o for n in graph.nodes for o in n.outputs[:1] if len(inferred.get(o, ())) in (2, 3, 4)]
    graph.outputs = names
    pictures = _pictures(size, mean, scale)
    useless, extreme = _values(graph, names, picture, pictures)
    able = differentiable(graph, picture)
    useless |= {name: "nothing that has a gradient leads to it" for name in listed if name not in able}
    useless = {name: why for name, why in useless.items() if name in listed}
    maps, tokens = ([name for name, layer in listed.items() if layer.axes == axes] for axes in (4, 3))
    tried: set[str] = set()
    wanted = {*maps[-1:], *tokens[-1:], *extreme, *([logits] if logits else [])} & listed.keys()
    # Where the gradient of what comes last is a number, so is that of all on the way to it. Where it is not, what came
    # before is the last.
    while True:
        last = wanted | _ends(graph, listed.keys() - useless.keys())
        untried = last - tried - useless.keys()
        if not untried:
            return {name: useless[name] for name in listed if name in useless}
        tried |= untried
        reasons = {name: _no_gradient(graph, name, picture, pictures) for name in untried}
        useless |= {name: why for name, why in reasons.items() if why}


def _pictures(size: tuple[int, int], mean: tuple[float, float, float], scale: float) -> list[np.ndarray]:
    """Two as the network is fed: of fine noise, and of coarse."""
    random, shift = np.random.default_rng(0), np.array(mean).reshape(1, 3, 1, 1)
    fine = random.uniform(0, 255, (1, 3, *size))
    blocks = random.uniform(0, 255, (1, 3, *(-(-n // 16) for n in size)))
    coarse = blocks.repeat(16, 2).repeat(16, 3)[:, :, : size[0], : size[1]]
    return [((pixels - shift) * scale).astype(np.float32) for pixels in (fine, coarse)]


def _values(
    graph: Graph, names: list[str], picture: str, pictures: list[np.ndarray]
) -> tuple[dict[str, str], list[str]]:
    """Why the values of some tensors are of no use; and those so large or so small that their gradients may not be."""
    useless: dict[str, str] = {}
    extreme, seen = [], dict[str, int]()
    for values in _runs(graph, picture, pictures):
        for name, value in zip(names, values, strict=True):
            expected = graph.shapes[name]
            known = [m if n is None else n for n, m in zip(expected, value.shape, strict=False)]
            if len(expected) != value.ndim or known != list(value.shape):
                raise LibraryError(f"layer {name!r} comes out as {value.shape}, where its shape should be {expected}")
            check = zlib.crc32(value.tobytes())
            if not np.isfinite(value).all():
                useless[name] = "its values are too large for numbers"
            elif seen.get(name) == check:
                useless[name] = "it is the same whatever the picture"
            elif not LEAST < np.abs(value).max(initial=0) < MOST:
                extreme.append(name)
            seen[name] = check
    return useless, extreme


def _ends(graph: Graph, names: Collection[str]) -> set[str]:
    """Those of the names from which no other is computed."""
    ends, before = set[str](), set[str]()
    for node in reversed(graph.nodes):
        if any(o in before for o in node.outputs):
            before.update(node.inputs)
        for name in node.outputs:
            if name in names:
                ends |= {name} - before
                before.update(node.inputs)
    return ends


def _no_gradient(graph: Graph, layer: str, picture: str, pictures: list[np.ndarray]) -> str:
    """Why a layer as a whole cannot be dreamed of, by the same ways as a dream goes; empty where it can."""
    trial = graph.copy()
    trial.cut([layer])
    fix_padding(trial)
    expand_lrn(trial)
    even_out(trial)
    trial.outputs = [append_gradient(trial, {layer: layer}, picture)]
    for (gradient,) in _runs(trial, picture, pictures):
        if gradient.shape != pictures[0].shape or not np.isfinite(gradient).all():
            return "its gradient is too large for numbers"
        if gradient.any():
            return ""
    return "its gradient is 0 everywhere"


def _runs(graph: Graph, picture: str, pictures: list[np.ndarray]) -> Iterator[list[np.ndarray]]:
    """What comes out for each picture, one after the other."""
    import onnxruntime as ort  # late: whoever only lists models does without it

    options = ort.SessionOptions()
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(graph.write().SerializeToString(), options, providers=["CPUExecutionProvider"])
        for fed in pictures:
            yield list(session.run(None, {picture: fed}))
    except Exception as error:  # its words are about the runtime's own code
        named = re.search(r"[Nn]ame:? ?'([^']+)'", str(error)) or re.search(r"[Nn]ode \(([^)]+)\)", str(error))
        at = f", at {named[1]!r}" if named and not named[1].startswith(ours("")) else ""
        height, width = pictures[0].shape[2:]
        hint = "if the file leaves its size open, give the one it was made for with --size"
        raise LibraryError(f"the network does not run at its own size of {width} x {height}{at}; {hint}") from error
