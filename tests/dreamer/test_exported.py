"""Today's architectures in small, as torch exports them: imported whole, and their gradients those of autograd."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from dreamer.engine import Network, Recipe, Target, dream
from dreamer.library import Registry
from dreamer.library.files import ModelFiles

from .architectures import FREE, SIDE, SIZED, SMALL, export, made
from .gradients import relative_error


def brought(net: nn.Module, folder: Path, **exporter: bool) -> ModelFiles:
    export(net, folder / "net.onnx", **exporter)
    registry, mean = Registry(folder / "models"), (120.0, 120.0, 120.0)
    return registry.import_file(
        folder / "net.onnx", "net", size=SIDE, channel_order="RGB", mean=mean, scale=1 / 60, replace=True
    )


def picture(*size: int) -> np.ndarray:
    return np.random.default_rng(1).uniform(0, 255, (3, *size)).astype(np.float32)


def error(net: nn.Module, network: Network, size: tuple[int, int]) -> float:
    """Of one class' gradient, against autograd's."""
    x = torch.from_numpy(picture(*size))[None].requires_grad_()
    net((x - 120) / 60)[:, 3].sum().backward()
    assert x.grad is not None
    got, _ = network.gradient(picture(*size), Target.layer("scores", 3))
    return relative_error(got, x.grad[0].numpy())


@pytest.mark.parametrize(("name", "dynamic"), [(name, number % 2 == 0) for number, name in enumerate(FREE)])
def test_an_exported_network_dreams_at_every_size(name: str, dynamic: bool, tmp_path: Path) -> None:
    net = made(FREE[name])
    files = brought(net, tmp_path, dynamic=dynamic)
    assert files.info.notes == () and files.info.fixed_size is None
    network = Network.open(files.path, device="cpu")
    sizes = [(SIDE, SIDE)] if name == "VGG" else [(SIDE, SIDE), (72, 100)]  # VGG's own code knows one size only
    assert all(error(net, network, size) < 2e-3 for size in sizes)


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("name", [name for name in SIZED if name != "DINOv2"])
def test_a_network_of_one_size_is_whole(name: str, dynamic: bool, tmp_path: Path) -> None:
    net = made(SIZED[name])
    files = brought(net, tmp_path, dynamic=dynamic)
    network = Network.open(files.path, device="cpu")
    assert error(net, network, (SIDE, SIDE)) < 2e-3
    if name == "Swin" and dynamic:  # its windows fit into every multiple
        assert files.info.fixed_size is None and files.info.size_multiple == 32
        assert network.gradient(picture(96, 128), Target.layer("scores", 3))[0].any()
        return
    assert files.info.fixed_size == (SIDE, SIDE) and "64 x 64" in files.info.notes[-1]
    layers = list(network.layers.values())
    assert layers[0].fixed is False and any(layer.spatial and layer.fixed for layer in layers)
    assert [layer.name for layer in layers] == list(Registry(files.path.parent).layers("net"))


def test_it_sees_the_whole_picture_whatever_its_size(tmp_path: Path) -> None:
    """The gradient is that of the picture as it is, by finite differences: through the resampling, shifted, masked."""
    network = Network.open(brought(made(SIZED["DINOv2"]), tmp_path).path, device="cpu")
    tokens = [layer for layer in network.layers.values() if layer.axes == 3 and layer.fixed]
    assert {layer.grid for layer in tokens} == {(5, 4, 4)} and {layer.stride for layer in tokens} == {16}
    assert network.activations(picture(90, 50), tokens[-1].name).shape == (tokens[-1].channels, 4, 4)
    random = np.random.default_rng(4)
    mask = random.uniform(0, 1, (90, 50)).astype(np.float32)
    for target in (Target.layer(tokens[-1].name, 2), Target.layer(tokens[5].name, position=(0.3, 0.7))):
        given = {"roll": (17, 30), "mask": mask}
        got, value = network.gradient(picture(90, 50), target, **given)
        direction = network.gradient(picture(90, 50), target, **given)[0]
        direction = direction * 4 / np.abs(direction).max() + random.normal(0, 0.1, direction.shape)
        moved = [
            network.gradient((picture(90, 50) + sign * direction).astype(np.float32), target, **given)[1]
            for sign in (1, -1)
        ]
        assert value and (moved[0] - moved[1]) / 2 == pytest.approx(float((got * direction).sum()), rel=0.03)
    nothing = np.zeros((90, 50), np.uint8)
    assert not network.gradient(picture(90, 50), Target.layer("scores", 1), wanted=nothing)[0].any()


def test_it_dreams_and_says_what_it_cannot(tmp_path: Path) -> None:
    files = brought(made(SIZED["Swin"]), tmp_path)
    layer = next(layer for layer in Network.open(files.path).layers.values() if layer.fixed and layer.spatial)
    photo = np.random.default_rng(2).integers(0, 255, (70, 120, 3)).astype(np.uint8)
    recipe = Recipe(target=Target.layer(layer.name), model="net", octaves=2, iterations=2, seed=1)
    dreams = [
        dream(photo, Network.open(files.path, device="cpu", resident=resident), recipe) for resident in (None, True)
    ]
    assert np.abs(dreams[0].astype(int) - photo).mean() > 2
    assert np.abs(dreams[0].astype(int) - dreams[1]).max() <= 2  # as a GPU does it


@pytest.mark.parametrize("name", ["MobileNetV3", "ViT"])
def test_the_newer_exporter_writes_the_same(name: str, tmp_path: Path) -> None:
    net = made(SMALL[name])
    files = brought(net, tmp_path, new=True)
    assert error(net, Network.open(files.path, device="cpu"), (SIDE, SIDE)) < 2e-3
