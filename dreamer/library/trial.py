"""What an import says is sound has been run once: forward at its own size, and back from its last layers."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper

from ..gradient import append_gradient
from ..graph import Graph, ours
from ..graph.fold import fold_sizes
from .layers import descendants, find_layers
from .names import LibraryError

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
    logits: str | None,
    fixed_by: tuple[str, ...] = (),
) -> None:
    """Run a network in normal form at its own size (height, width), and the gradient of its last layers and of its
    scores; LibraryError where that fails, or comes out other than was inferred. What does not fix that size is run at
    another one, too."""
    graph = Graph.read(model)
    graph.inputs = {picture: (1, 3, *size)}
    fixed = descendants(graph, fixed_by)
    if fixed:
        free = graph.copy()
        free.outputs = [o for n in graph.nodes for o in n.outputs[:1] if o not in fixed and "Shape" not in n.op]
        other = (size[0] + 64, size[1] + 96)
        free.inputs = {picture: (1, 3, *other)}
        if free.outputs:
            _run(free, picture, other)
    if fixed:
        fold_sizes(graph)
    inferred = graph.infer_shapes()
    listed = find_layers(graph, size if fixed else None, fixed_by)
    maps, tokens = ([layer.name for layer in listed.values() if layer.axes == axes] for axes in (4, 3))
    layers = [o for n in graph.nodes for o in n.outputs[:1] if len(inferred.get(o, ())) in (2, 3, 4)]
    gradients = []
    for layer in dict.fromkeys([*maps[-1:], *tokens[-1:], *([logits] if logits else [])]):
        trial = graph.copy()
        one = helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0])
        seed = trial.emit("ConstantOfShape", trial.emit("Shape", layer), value=one)
        trial.outputs = [append_gradient(trial, {layer: seed}, picture)]
        (gradient,) = _run(trial, picture, size)
        gradients.append((layer, gradient))
    graph.outputs = layers
    for name, value in zip(layers, _run(graph, picture, size), strict=True):
        expected = inferred[name]
        known = [m if n is None else n for n, m in zip(expected, value.shape, strict=False)]
        if len(expected) != value.ndim or known != list(value.shape):
            raise LibraryError(f"layer {name!r} comes out as {value.shape}, where its shape should be {expected}")
    for layer, gradient in gradients:
        if gradient.shape != (1, 3, *size) or not np.isfinite(gradient).all():
            raise LibraryError(f"the gradient of layer {layer!r} is not one number for each of the picture's")


def _run(graph: Graph, picture: str, size: tuple[int, int]) -> list[np.ndarray]:
    import onnxruntime as ort  # late: whoever only lists models does without it

    options = ort.SessionOptions()
    options.log_severity_level = 4
    fed = np.random.default_rng(0).uniform(-1, 1, (1, 3, *size)).astype(np.float32)
    try:
        session = ort.InferenceSession(graph.write().SerializeToString(), options, providers=["CPUExecutionProvider"])
        return list(session.run(None, {picture: fed}))
    except Exception as error:  # its words are about the runtime's own code
        named = re.search(r"[Nn]ame:? ?'([^']+)'", str(error)) or re.search(r"[Nn]ode \(([^)]+)\)", str(error))
        at = f", at {named[1]!r}" if named and not named[1].startswith(ours("")) else ""
        raise LibraryError(f"the network does not run at its own size of {size[1]} x {size[0]}{at}") from error
