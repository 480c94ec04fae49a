"""A network's models run by OpenVINO: an optional package that multiplies in bf16 on processors that have the means.

On processors with AMX a dream takes about half the time of ONNX Runtime's in float32; elsewhere it is no faster. bf16
has float32's exponents, so the pools' comparisons (``fast.workbench.HUGE``) hold; in float16 they would overflow.
Rounded values let some Relus and pools decide otherwise: another dream in detail, of the same kind.

OpenVINO wants models of fixed sizes and compiles each for seconds, so what it compiled is kept in files
(``keep_compiled``).
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import threading
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray

from ..graph import ours
from .tiles import Roll, Window, cut

WEIGHED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
MOST_KEPT = 2_000_000_000  # bytes of compiled models; those that are oldest go first

_kept: Path | None = None


def obstacle() -> str:
    """Why OpenVINO cannot be used here, in words; empty where nothing stands in the way."""
    if importlib.util.find_spec("openvino") is None:
        return "the package openvino is not installed: pip install -r requirements-openvino.lock brings it"
    try:
        devices = _core().available_devices
    except Exception as error:
        return f"the package openvino cannot be loaded ({error})"
    return "" if "CPU" in devices else "OpenVINO knows no way to use this processor"


def has_bf16() -> bool:
    """Whether this processor multiplies in bf16; without that OpenVINO is no gain."""
    return not obstacle() and "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def keep_compiled(folder: Path) -> None:
    """Keep compiled models in a folder, for this process and the next; to be called before the first is compiled."""
    global _kept
    _kept = folder


@functools.cache
def _core() -> Any:
    return importlib.import_module("openvino").Core()


class OpenVinoRunner:
    """A model of fixed sizes on ``threads`` cores, in float32 if ``exact``. Runs from several threads follow each
    other."""

    def __init__(self, model: onnx.ModelProto, threads: int, *, exact: bool = False) -> None:
        core = _core()
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": "bf16" if has_bf16() and not exact else "f32",
            "ENABLE_CPU_PINNING": False,  # the web server may share the cores
        }
        if _kept is not None:
            _kept.mkdir(parents=True, exist_ok=True)
            settings["CACHE_DIR"] = str(_kept)
        compiled = core.compile_model(core.read_model(_apart(_settled(model)).SerializeToString()), "CPU", settings)
        if _kept is not None:
            _forget_oldest(_kept)
        self._shapes = {
            port.any_name: tuple(port.get_shape()) if port.get_partial_shape().is_static else None
            for port in compiled.inputs
        }
        self._request, self._lock = compiled.create_infer_request(), threading.Lock()

    def place(self, picture: NDArray[np.float32], roll: Roll = (0, 0)) -> Any:
        """The picture [3,h,w], shifted circularly; windows are cut around its edges (as ``CpuRunner`` does)."""
        return picture, roll

    def run(self, picture: Any, window: Window, inputs: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """The model's outputs for one window of the picture."""
        whole, roll = picture
        fed = {ours(name): value for name, value in {"image": cut(whole, roll, window)[None], **inputs}.items()}
        for name, value in fed.items():
            shape = self._shapes[name]
            if shape is not None and shape != value.shape:  # one number for all places
                fed[name] = np.ascontiguousarray(np.broadcast_to(value, shape))
        with self._lock:
            return list(self._request.infer(fed).values())


def _apart(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with weights of its own for each product.

    OpenVINO remembers weights it has arranged by where they lie and by their sizes alone: a square matrix that one
    product takes as it is and another transposed, as a layer and its gradient do, would be the same in both (2026.4).
    """
    weights, taken = {tensor.name: tensor for tensor in model.graph.initializer}, set[str]()
    for number, node in enumerate(model.graph.node):
        for index, name in enumerate(node.input[:2] if node.op_type in WEIGHED else ()):
            if name in taken:
                again = onnx.TensorProto()
                again.CopyFrom(weights[name])
                again.name = node.input[index] = f"{name}, again for {number}"
                model.graph.initializer.append(again)
            elif name in weights:
                taken.add(name)
    return model


def _settled(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with everything computed that follows from constants, by ONNX Runtime: OpenVINO leaves a transposed
    matrix to its plug-in (see ``_apart``), and in bf16 it has no pool of constants (2026.4)."""
    constant, varying = onnx.ModelProto(), onnx.ModelProto()
    known = {"", *(tensor.name for tensor in model.graph.initializer)}
    for part in (constant, varying):
        part.CopyFrom(model)
        del part.graph.node[:]
    for node in model.graph.node:
        part = constant if known.issuperset(node.input) else varying
        part.graph.node.append(node)
        known.update(node.output if part is constant else ())
    made = {name for node in constant.graph.node for name in node.output}
    used = sorted(made & {name for node in varying.graph.node for name in node.input})
    if not used:
        return model
    del constant.graph.input[:], constant.graph.output[:]
    constant.graph.output.extend(onnx.ValueInfoProto(name=name) for name in used)
    options = ort.SessionOptions()
    options.log_severity_level = 3
    run = ort.InferenceSession(constant.SerializeToString(), options, providers=["CPUExecutionProvider"]).run
    values = (onnx.numpy_helper.from_array(value, name) for name, value in zip(used, run(None, {}), strict=True))
    varying.graph.initializer.extend(values)
    return varying


def _forget_oldest(folder: Path) -> None:
    """Remove the oldest compiled models beyond MOST_KEPT bytes; another process may do the same."""
    with contextlib.suppress(FileNotFoundError):
        found = sorted(((s.st_mtime, s.st_size, p) for p in folder.glob("*.blob") for s in [p.stat()]), reverse=True)
        total = 0
        for _, size, path in found:
            total += size
            if total > MOST_KEPT:
                path.unlink(missing_ok=True)
