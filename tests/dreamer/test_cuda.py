"""A graphics card that cannot be used is said in words: which library, or which version of the driver."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import onnxruntime as ort
import pytest
from django.conf import settings
from django.core import checks

from dreamer.engine import cuda, session
from dreamsite.checks import check_device


class Driver:
    """NVIDIA's library of the driver, as far as it is asked."""

    def __init__(self, version: int, answer: int = 0) -> None:
        self.version, self.answer = version, answer

    def cuInit(self, flags: int) -> int:
        return self.answer

    def cuDriverGetVersion(self, where: Any) -> int:
        where._obj.value = self.version
        return 0


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A machine with these libraries and, perhaps, a card."""
    monkeypatch.setattr(ort, "preload_dlls", lambda: None)

    def made(libraries: dict[str, Any], card: bool = True) -> None:
        trace = tmp_path / "card"
        if card:
            trace.touch()
        monkeypatch.setattr(cuda, "TRACES", (trace,))
        monkeypatch.setattr(cuda, "_loaded", libraries.get)

    cuda.load.cache_clear()
    session.cuda_works.cache_clear()
    yield made
    cuda.load.cache_clear()
    session.cuda_works.cache_clear()


ALL = dict.fromkeys(cuda.LIBRARIES, ctypes.CDLL(None))


@pytest.mark.parametrize(
    ("libraries", "card", "words"),
    [
        ({}, False, ""),
        ({}, True, "its driver does not answer"),
        ({"libcuda.so.1": Driver(13000, answer=999)}, True, "its driver does not answer"),
        ({"libcuda.so.1": Driver(12040), **ALL}, True, "knows CUDA 12.4 and CUDA 13.0 is needed: install driver 580"),
        (
            {"libcuda.so.1": Driver(13000), **ALL, "libcudnn.so.9": None},
            True,
            "NVIDIA's libcudnn.so.9 cannot be loaded",
        ),
        ({"libcuda.so.1": Driver(13010), **ALL}, True, ""),
    ],
)
def test_what_stands_in_the_way_is_said(machine: Any, libraries: dict[str, Any], card: bool, words: str) -> None:
    machine(libraries, card)
    why = cuda.obstacle()
    assert words in why if words else why == ""
    found = check_device(None)
    assert [message.id for message in found] == (["dreamsite.W014"] if words else [])
    assert all(isinstance(message, checks.Warning) and words in message.msg for message in found)


def test_a_card_that_is_not_wanted_is_not_missed(machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    machine({})
    monkeypatch.setattr(settings, "DREAM_DEVICE", "cpu")
    assert check_device(None) == []


def test_whoever_demands_the_card_reads_why_not(machine: Any) -> None:
    machine({"libcuda.so.1": Driver(12040)})
    with pytest.raises(RuntimeError, match=r"cannot use it on this machine \(the NVIDIA driver knows CUDA 12\.4"):
        session.choose_device("cuda")
    assert session.choose_device("auto") == "cpu"


def test_the_libraries_are_fetched_only_where_a_driver_answers(machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    machine({}, card=True)
    assert not cuda.wanted()
    machine({"libcuda.so.1": Driver(13000)})
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert cuda.wanted()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    assert not cuda.wanted()


def test_they_are_what_the_provider_asks_for() -> None:
    """Every library of NVIDIA's that the provider's file names is known here, and pinned by the lock."""
    file = Path(ort.__file__).parent / "capi" / "libonnxruntime_providers_cuda.so"
    if file.exists():  # the wheel of this machine
        data = file.read_bytes()
        named = [name for name in cuda.LIBRARIES if name.encode() + b"\0" in data]
        assert {"libcudart.so.13", "libcublas.so.13", "libcublasLt.so.13", "libcurand.so.10"} <= set(named)
    lock = (Path(settings.BASE_DIR) / "requirements-cuda.lock").read_text()
    assert all(f"\nnvidia-{name}" in lock for name in ("cuda-runtime", "cublas", "curand", "cufft", "cudnn-cu13"))
