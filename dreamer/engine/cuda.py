"""The machine's NVIDIA card, asked before anything large is loaded: does a driver answer, and what is missing?

Only the standard library: ``python dreamer/engine/cuda.py`` ends with 0 where a driver answers and NVIDIA's libraries
are not here yet, and `make run` fetches them then.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import sys
from pathlib import Path

NEEDED = (13, 0)  # CUDA, by the provider of the pinned ONNX Runtime
DRIVER = 580  # the first driver that knows it
TRACES = (Path("/proc/driver/nvidia/version"), Path("/dev/nvidia0"), Path("/dev/nvidiactl"))
LIBRARIES = (  # what the provider loads
    "libcudart.so.13",
    "libcublasLt.so.13",
    "libcublas.so.13",
    "libcurand.so.10",
    "libcufft.so.12",
    "libcudnn.so.9",
)


def _loaded(name: str) -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(name)
    except OSError:
        return None


def driver() -> tuple[int, int] | None:
    """The newest CUDA that the NVIDIA driver knows, as (13, 0); None where none answers."""
    cuda, version = _loaded("libcuda.so.1"), ctypes.c_int()
    if cuda is None or cuda.cuInit(0) or cuda.cuDriverGetVersion(ctypes.byref(version)):
        return None
    return version.value // 1000, version.value % 1000 // 10


@functools.cache
def load() -> None:
    """Load NVIDIA's libraries from their packages, so that ONNX Runtime finds them; nothing where no driver answers."""
    if driver() is None:
        return
    import onnxruntime as ort

    if hasattr(ort, "preload_dlls"):
        ort.preload_dlls()


def missing_libraries() -> list[str]:
    """Those of NVIDIA's that cannot be loaded."""
    load()
    return [name for name in LIBRARIES if _loaded(name) is None]


def obstacle() -> str:
    """Why a card that is there cannot be used, in words; empty where there is none, or nothing stands in the way."""
    known = driver()
    if known is None:
        if not any(path.exists() for path in TRACES):
            return ""
        return "there is an NVIDIA card, but its driver does not answer: its library libcuda.so.1 is missing or refuses"
    if known < NEEDED:
        has, needs = (".".join(map(str, version)) for version in (known, NEEDED))
        return f"the NVIDIA driver knows CUDA {has} and CUDA {needs} is needed: install driver {DRIVER} or a newer one"
    missing = missing_libraries()
    if missing:
        return f"NVIDIA's {', '.join(missing)} cannot be loaded: pip install -r requirements-cuda.lock brings them"
    return ""


def wanted() -> bool:
    """Whether a driver answers and the packages with NVIDIA's libraries are not installed."""
    return driver() is not None and importlib.util.find_spec("nvidia") is None


if __name__ == "__main__":
    sys.exit(not wanted())
