"""ONNX Runtime sessions: which device, how many threads, how much memory."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import logging
import mmap
import threading
from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper

from ..graph import ours
from . import cuda, openvino
from .bands import cores
from .tiles import Roll, Window, cut, picked

Device = Literal["auto", "cpu", "cuda", "openvino"]

log = logging.getLogger(__name__)

ARENA = min(cores() * 2**29, 2**31 - 2**24)  # bytes for all runs on the CPU; the runtime's limit is 2**31
HUGE_PAGE = 2**21  # bytes
_sharing = threading.Lock()


@functools.cache
def cuda_works() -> bool:
    """Whether a session really gets CUDA: a GPU build lists the provider even where no GPU answers."""
    if "CUDAExecutionProvider" not in ort.get_available_providers():
        return False
    if cuda.driver() is None:
        return False
    cuda.load()
    ort.set_default_logger_severity(4)  # its failure is an answer here, not an error to print
    try:
        session = ort.InferenceSession(_trifle(), providers=["CUDAExecutionProvider"])
        return "CUDAExecutionProvider" in session.get_providers()
    except Exception:
        return False
    finally:
        ort.set_default_logger_severity(2)


def choose_device(wanted: Device) -> Literal["cpu", "cuda", "openvino"]:
    """The device to use. Raises RuntimeError where CUDA or OpenVINO is demanded and cannot be used."""
    if wanted not in get_args(Device):
        raise ValueError(f"device must be {', '.join(map(repr, get_args(Device)))}; got {wanted!r}")
    if wanted == "openvino":
        if why := openvino.obstacle():
            raise RuntimeError(f"device 'openvino' was asked for, but {why}; or choose device 'auto' or 'cpu'")
        return "openvino"
    if wanted == "cpu":
        return "cpu"
    if cuda_works():
        return "cuda"
    if wanted == "cuda":
        why = cuda.obstacle() or "no NVIDIA driver answers, or ONNX Runtime refuses it"
        raise RuntimeError(
            f"device 'cuda' was asked for, but ONNX Runtime cannot use it on this machine ({why}); "
            "put that right, or choose device 'auto' or 'cpu'"
        )
    return "cpu"


Picture = Any  # what ``place`` made of a picture: an array or a value on the device, and its shift
Inputs = dict[str, NDArray[Any]]  # by the names in ``build``, without the prefix of ``ours``


class CpuRunner:
    """A model on ``threads`` cores of the CPU; may be run from several threads at once."""

    def __init__(self, model: onnx.ModelProto, threads: int) -> None:
        _share_arena()
        options = _options(threads)
        self._session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    @staticmethod
    def place(picture: NDArray[np.float32], roll: Roll = (0, 0)) -> Picture:
        """The picture [3,h,w], shifted circularly, where the runner wants it. Here windows are cut around its edges:
        a shifted copy would be as large as the picture."""
        return picture, roll

    def run(self, picture: Picture, window: Window, inputs: Inputs) -> list[NDArray[Any]]:
        """The model's outputs for one window of the picture."""
        whole, roll = picture
        fed = {ours(name): value for name, value in {"image": cut(whole, roll, window)[None], **inputs}.items()}
        return list(self._session.run(None, fed))


class BoundRunner:
    """A model on one device, by I/O binding: pictures, and what is made of them, may stay there. On a GPU nothing may
    fall back to the CPU, which the session refuses to do; models for it compute no sizes, so there is no reason to.

    ``memory`` limits the GPU's arena, in bytes (0: no limit). ``tf32`` allows products of 10 bits, on cards that have
    them: faster, and off where gradients are compared. HEURISTIC, because the exhaustive search of algorithms starts
    again for every new shape.
    """

    def __init__(
        self, model: onnx.ModelProto, device: Literal["cpu", "cuda"], memory: int = 0, *, tf32: bool = True
    ) -> None:
        _share_arena()
        options, provider, settings = _options(1), "CPUExecutionProvider", {}
        if device == "cuda":
            options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
            provider = "CUDAExecutionProvider"
            settings = {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": str(int(tf32)), **_arena(memory)}
        self._session = ort.InferenceSession(model.SerializeToString(), options, providers=[(provider, settings)])
        if provider not in self._session.get_providers():
            raise RuntimeError("the session was refused CUDA: see ONNX Runtime's log for the reason")
        self._device, self._lock = device, threading.Lock()

    def place(self, picture: NDArray[np.float32] | ort.OrtValue, roll: Roll = (0, 0)) -> Picture:
        """The picture, shifted circularly, on the device. An array [3,h,w] is taken there, and gradients asked of it
        come back; those of a picture [1,3,h,w] that lies there already stay there too."""
        stay = isinstance(picture, ort.OrtValue)
        return picture if stay else upload(picture[None], self._device), roll, stay

    def run(self, picture: Picture, window: Window, inputs: Inputs) -> list[Any]:
        """The model's outputs for one window of the picture, which may reach beyond its end (``picked``)."""
        whole, roll, stay = picture
        axes = zip(whole.shape()[2:], roll, window, strict=True)
        rows, columns = (picked(length, shift, span) for length, shift, span in axes)
        return self.answer({"picture": whole, "rows": rows, "columns": columns, **inputs}, stay=stay)

    def answer(self, inputs: Mapping[str, NDArray[Any] | ort.OrtValue], *, stay: bool = True) -> list[Any]:
        """The model's outputs: arrays, except for pictures (four axes) that are to stay on the device."""
        with self._lock:  # one stream; runs follow each other on the device anyway
            binding = self._session.io_binding()
            for name, value in inputs.items():
                if isinstance(value, ort.OrtValue):
                    binding.bind_ortvalue_input(ours(name), value)
                else:
                    binding.bind_cpu_input(ours(name), np.ascontiguousarray(value))
            staying = [stay and len(output.shape) == 4 for output in self._session.get_outputs()]
            for output, stays in zip(self._session.get_outputs(), staying, strict=True):
                binding.bind_output(output.name, self._device if stays else "cpu")
            self._session.run_with_iobinding(binding)
            values = binding.get_outputs()
        return [value if stays else value.numpy() for value, stays in zip(values, staying, strict=True)]


def upload(array: NDArray[Any], device: str) -> ort.OrtValue:
    """The array on a device."""
    return ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(array), device, 0)


@functools.cache
def _arena(memory: int) -> dict[str, str]:
    """One arena for all sessions on the GPU, as on the CPU: each octave's has tiles of another size, and what one
    leaves the next can use. The answer is a session's settings for what it keeps to itself."""
    place = ort.OrtMemoryInfo("Cuda", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    try:
        ort.create_and_register_allocator_v2("CUDAExecutionProvider", place, {}, _sizes(memory))
    except Exception as error:
        log.warning("Sessions on the GPU share no memory, each has an arena of its own: %s", error)
    return {"arena_extend_strategy": "kSameAsRequested", **({"gpu_mem_limit": str(memory)} if memory else {})}


def _share_arena() -> None:
    with _sharing:  # of two that open networks at once, one
        _make_arena()


@functools.cache
def _make_arena() -> None:
    """One arena for all sessions of the process: what a tile leaves, the next one can use, whatever its size.

    It begins as one piece, of which only what is touched takes memory, and in huge pages where Linux gives them: a
    tile goes through hundreds of megabytes, a twentieth slower where they are many pieces and small pages.
    """
    memory = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    ort.create_and_register_allocator(memory, _sizes(first=ARENA))
    session = ort.InferenceSession(_trifle(), _options(1), providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    binding.bind_cpu_input("x", np.zeros(1, np.float32))
    binding.bind_output("y", "cpu")
    session.run_with_iobinding(binding)
    start = -(-binding.get_outputs()[0].data_ptr() // HUGE_PAGE) * HUGE_PAGE  # the first thing that lies there
    with contextlib.suppress(OSError, AttributeError):  # other systems have no such pages
        ctypes.CDLL(None).madvise(ctypes.c_void_p(start), ctypes.c_size_t(ARENA - 2 * HUGE_PAGE), mmap.MADV_HUGEPAGE)


def _sizes(most: int = 0, first: int = 0) -> ort.OrtArenaCfg:
    """How an arena grows, to ``most`` bytes (0: any): by what is asked for (1), or (0) by ``first`` bytes and then by
    ever larger pieces. -1 and 0 are the runtime's own choice."""
    sizes = {"max_mem": most, "arena_extend_strategy": int(not first), "initial_chunk_size_bytes": first or -1}
    return ort.OrtArenaCfg(
        {**sizes, **dict.fromkeys(("max_dead_bytes_per_chunk", "initial_growth_chunk_size_bytes"), -1)}
    )


def _trifle() -> bytes:
    """The smallest model."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y"))
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "trifle", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    data: bytes = model.SerializeToString()
    return data


def _options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.add_session_config_entry("session.use_env_allocators", "1")
    # A pattern for each window size would keep memory for each, gigabytes, and save no time in an arena of one piece.
    options.enable_mem_pattern = False
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # The web server may share the cores: a thread that waits must not spin.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
