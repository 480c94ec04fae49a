"""Gradients by OpenVINO: ONNX Runtime's in float32, nearly so in bf16; compiled once; in words where it lacks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.core import checks

from dreamer.engine import Network, Recipe, Target, Term, dream, openvino
from dreamer.engine.gradient_options import GradientOptions
from dreamer.engine.session import choose_device
from dreamer.library import Registry
from dreamsite.checks import check_device

from .architectures import SIDE, SMALL, export, made
from .gradients import relative_error
from .nets import register_tiny

LAYER = "block/output"


@pytest.fixture(autouse=True)
def kept(tmp_path: Path) -> Iterator[Path]:
    """Where compiled models are kept in these tests."""
    before = openvino._kept
    openvino.keep_compiled(tmp_path / "compiled")
    yield tmp_path / "compiled"
    openvino._kept = before


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height).uniform(0, 255, (3, height, width)).astype(np.float32)


def both(folder: Path, *, exact: bool) -> list[Network]:
    """By ONNX Runtime and by OpenVINO, with the same tiles."""
    assert openvino.obstacle() == "", "it is in requirements-dev.txt"
    return [Network.open(folder, device=device, threads=1, tf32=not exact) for device in ("cpu", "openvino")]


@pytest.mark.parametrize(
    "target",
    [
        Target.layer(LAYER),
        Target.layer("pool1", 3),
        Target.layer("logits", 2),
        Target((Term(LAYER), Term("norm1", ((5, 1.0),), weight=-0.5))),
        Target.layer(LAYER, guide="match"),
        Target.layer(LAYER, 4, position=(0.3, 0.6)),
    ],
    ids=str,
)
def test_in_float32_it_computes_the_same_gradient(tmp_path: Path, target: Target) -> None:
    networks = both(register_tiny(tmp_path), exact=True)
    options = GradientOptions(tile=96, halo=24, border=8, guide=noise(80, 72))
    for mask in (None, np.linspace(0, 1, 203 * 168, dtype=np.float32).reshape(203, 168)):
        (expected, value), (got, score) = (
            network.gradient(noise(203, 168), target, options, roll=(17, 40), mask=mask) for network in networks
        )
        assert relative_error(got, expected) < 5e-3 and score == pytest.approx(value, rel=1e-3)


@pytest.mark.parametrize("smooth", [False, True])
def test_in_bf16_it_is_nearly_the_same(tmp_path: Path, smooth: bool) -> None:
    networks = both(register_tiny(tmp_path), exact=False)
    options = GradientOptions(smooth_pool=smooth)
    ours, theirs = (network.gradient(noise(160, 160), Target.layer(LAYER), options)[0] for network in networks)
    cosine = float((ours * theirs).sum() / np.linalg.norm(ours) / np.linalg.norm(theirs))
    assert cosine > 0.95
    assert (relative_error(theirs, ours) > 1e-3) == openvino.has_bf16(), "it rounds where that is faster"


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("name", ["Inception v3", "Swin"])
def test_what_the_plug_in_alone_gets_wrong_is_right(name: str, exact: bool, tmp_path: Path) -> None:
    """Square matrices taken both ways, and pools of constants in bf16."""
    networks = both(brought(name, tmp_path), exact=exact)
    for layer in list(networks[0].layers.values())[-6:]:
        ours, theirs = (network.gradient(noise(64, 64), Target.layer(layer.name, 1))[0] for network in networks)
        assert relative_error(theirs, ours) < (1e-4 if exact else 0.3), layer


def brought(name: str, folder: Path) -> Path:
    export(made(SMALL[name]), folder / "net.onnx")
    registry, mean = Registry(folder / "models"), (120.0, 120.0, 120.0)
    return registry.import_file(
        folder / "net.onnx", "net", size=SIDE, channel_order="RGB", mean=mean, scale=1 / 60
    ).path


def test_what_it_cannot_compile_is_computed_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = both(register_tiny(tmp_path), exact=True)

    def refuse(*arguments: Any, **options: Any) -> None:
        raise RuntimeError("no such primitive")

    monkeypatch.setattr("dreamer.engine.runners.OpenVinoRunner", refuse)
    expected, got = (network.gradient(noise(90, 70), Target.layer(LAYER))[0] for network in (ours, theirs))
    assert np.array_equal(expected, got)


def test_networks_of_one_size_and_whole_dreams(tmp_path: Path) -> None:
    networks = both(brought("Swin", tmp_path), exact=True)
    layer = next(layer for layer in networks[0].layers.values() if layer.fixed and layer.spatial)
    photo = noise(70, 120).astype(np.uint8).transpose(1, 2, 0).copy()
    recipe = Recipe(target=Target.layer(layer.name), model="net", octaves=2, iterations=2, seed=1)
    ours, theirs = (dream(photo, network, recipe) for network in networks)
    assert np.abs(ours.astype(int) - photo).mean() > 2
    assert np.abs(ours.astype(int) - theirs).mean() < 0.5
    assert networks[1].activations(noise(64, 64), layer.name).shape[0] == layer.channels


def test_what_is_compiled_is_kept(tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = register_tiny(tmp_path)

    def gradient(side: int) -> np.ndarray:
        network = Network.open(folder, device="openvino", tf32=False)
        return network.gradient(noise(side, side), Target.layer(LAYER))[0]

    first = gradient(96)
    (file,) = kept.glob("*.blob")
    os.utime(file, (1, 1))
    assert relative_error(gradient(96), first) < 1e-6
    assert [*kept.glob("*.blob")] == [file] and file.stat().st_mtime == 1, "it was read, not written again"
    monkeypatch.setattr(openvino, "MOST_KEPT", file.stat().st_size * 1.5)
    gradient(104)
    (newer,) = kept.glob("*.blob")
    assert newer != file, "the oldest goes"


def test_where_it_is_not_installed_that_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(settings, "DREAM_DEVICE", "openvino")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match=r"'openvino' was asked for, but the package openvino is not installed: pip"):
        choose_device("openvino")
    (message,) = check_device(None)
    assert isinstance(message, checks.Error) and "requirements-openvino.lock" in message.msg


def test_where_it_is_no_gain_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DREAM_DEVICE", "openvino")
    has: list[str] = []

    class Core:
        available_devices = ("CPU",)

        def get_property(self, device: str, name: str) -> Any:
            return has

    monkeypatch.setattr(openvino, "_core", Core)
    assert [message.id for message in check_device(None)] == ["dreamsite.W016"]
    has.append("BF16")
    assert check_device(None) == []


def test_it_is_never_chosen_by_itself() -> None:
    assert choose_device("auto") != "openvino"
