"""ONNX Runtime sessions: which device, how many threads, how much memory."""

from __future__ import annotations

import functools
import os
from typing import Any, Literal

import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

Device = Literal["auto", "cpu", "cuda"]


def cores() -> int:
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not every system tells
        return os.cpu_count() or 1


@functools.cache
def cuda_works() -> bool:
    """Whether a session really gets CUDA: a GPU build lists the provider even where no GPU answers."""
    if "CUDAExecutionProvider" not in ort.get_available_providers():
        return False
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "trial", [value],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    ort.set_default_logger_severity(4)  # its failure is an answer here, not an error to print
    try:
        session = ort.InferenceSession(model.SerializeToString(), providers=["CUDAExecutionProvider"])
        return "CUDAExecutionProvider" in session.get_providers()
    except Exception:
        return False
    finally:
        ort.set_default_logger_severity(2)


def choose_device(wanted: Device) -> Literal["cpu", "cuda"]:
    """The device to use. Raises RuntimeError where CUDA is demanded and no session gets it."""
    if wanted not in ("auto", "cpu", "cuda"):
        raise ValueError(f"device must be 'auto', 'cpu' or 'cuda', got {wanted!r}")
    if wanted == "cpu":
        return "cpu"
    if cuda_works():
        return "cuda"
    if wanted == "cuda":
        raise RuntimeError("device 'cuda' was asked for, but ONNX Runtime cannot use it on this machine: check the "
                           "driver, CUDA and cuDNN, or choose device 'auto' or 'cpu'")
    return "cpu"


def cpu_session(model: onnx.ModelProto, threads: int, **config: str) -> ort.InferenceSession:
    """A session on ``threads`` cores."""
    options = _options(threads, config)
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def cuda_session(model: onnx.ModelProto, sizes: dict[str, int], memory: int) -> ort.InferenceSession:
    """A session on the first GPU for fixed ``sizes`` of the symbolic axes; nothing may fall back to the CPU.

    ``memory`` limits the arena, in bytes (0: no limit). Fixed sizes let the runtime fold the shape
    arithmetic away, which would otherwise run on the CPU, and keep cuDNN from searching again and again.
    """
    options = _options(1, {"session.disable_cpu_ep_fallback": "1"})
    for axis, size in sizes.items():
        options.add_free_dimension_override_by_name(axis, size)
    provider: dict[str, Any] = {"cudnn_conv_algo_search": "HEURISTIC", "arena_extend_strategy": "kSameAsRequested"}
    if memory:
        provider |= {"gpu_mem_limit": str(memory)}
    session = ort.InferenceSession(model.SerializeToString(), options, providers=[("CUDAExecutionProvider", provider)])
    if "CUDAExecutionProvider" not in session.get_providers():
        raise RuntimeError("the session did not get CUDA")
    return session


def _options(threads: int, config: dict[str, str]) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # The web server may share the cores: a thread that waits must not spin.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    for key, value in config.items():
        options.add_session_config_entry(key, value)
    return options
