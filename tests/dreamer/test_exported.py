"""Today's architectures in small, as torch exports them: imported whole, and their gradients those of autograd."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dreamer.engine import Network, Target
from dreamer.library import Registry

from .gradients import relative_error


class Gate(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(channels, channels // 2, 1), nn.Conv2d(channels // 2, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * F.hardsigmoid(self.up(F.relu(self.down(F.adaptive_avg_pool2d(x, 1)))))


class Mobile(nn.Module):
    """As MobileNetV3."""

    def __init__(self) -> None:
        super().__init__()
        depthwise = nn.Conv2d(16, 16, 3, 1, 1, groups=16)
        stem = [nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.Hardswish(), depthwise, nn.BatchNorm2d(16), nn.ReLU()]
        self.layers = nn.Sequential(*stem, Gate(16), nn.Conv2d(16, 32, 5, 2, 2), nn.Hardswish())
        self.head = nn.Sequential(nn.Linear(32, 48), nn.Hardswish(), nn.Dropout(), nn.Linear(48, 10))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.flatten(F.adaptive_avg_pool2d(self.layers(x), 1), 1))


class ChannelNorm(nn.LayerNorm):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class WideBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.spread = nn.Conv2d(channels, channels, 7, 1, 3, groups=channels)
        self.norm, self.scale = nn.LayerNorm(channels), nn.Parameter(torch.rand(channels))
        self.up, self.down = nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        y = self.down(F.gelu(self.up(self.norm(self.spread(x).permute(0, 2, 3, 1))))) * self.scale
        return x + y.permute(0, 3, 1, 2)


class Convolved(nn.Module):
    """As ConvNeXt."""

    def __init__(self) -> None:
        super().__init__()
        patches, halves = nn.Conv2d(3, 16, 4, 4), nn.Conv2d(16, 32, 2, 2)
        self.layers = nn.Sequential(patches, ChannelNorm(16), WideBlock(16), ChannelNorm(16), halves, WideBlock(32))
        self.norm, self.head = ChannelNorm(32), nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.norm(F.adaptive_avg_pool2d(self.layers(x), 1)).flatten(1))


class Halves(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        spread = nn.Conv2d(half, half, 3, 1, 1, groups=half)
        self.branch = nn.Sequential(nn.Conv2d(half, half, 1), nn.ReLU(), spread, nn.Conv2d(half, half, 1), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        left, right = x.chunk(2, dim=1)
        y = torch.cat((left, self.branch(right)), 1)
        n, c, h, w = y.size()
        return y.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, c, h, w)


class Shuffled(nn.Module):
    """As ShuffleNetV2."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(), Halves(16), Halves(16), Halves(16))
        self.head = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layers(x).mean([2, 3]))


class Decoded(nn.Module):
    """As a segmenting network: down and up again, by every way there is."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Conv2d(3, 16, 3, 2, 1), nn.Conv2d(16, 32, 3, 2, 1), nn.Conv2d(8, 10, 1)
        self.groups, self.instance = nn.GroupNorm(4, 32), nn.InstanceNorm2d(16, affine=True)
        self.up, self.shuffle = nn.ConvTranspose2d(32, 16, 2, 2), nn.PixelShuffle(2)

    def forward(self, x: Tensor) -> Tensor:
        y = F.silu(self.groups(self.second(F.mish(self.first(x)))))
        up = F.interpolate(y, scale_factor=2, mode="bilinear")
        return self.last(self.shuffle(torch.cat([self.instance(self.up(y)), up[:, :16]], 1)))


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("kind", [Mobile, Convolved, Shuffled, Decoded])
def test_an_exported_network_dreams(kind: type[nn.Module], dynamic: bool, tmp_path: Path) -> None:
    torch.manual_seed(3)
    net = kind().eval()
    axes = {"input": {0: "n", 2: "h", 3: "w"}} if dynamic else None
    file = tmp_path / "net.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net,
            torch.randn(1, 3, 64, 64),
            str(file),
            opset_version=17,
            dynamo=False,
            dynamic_axes=axes,
            input_names=["input"],
            output_names=["scores"],
        )
    options = {"channel_order": "RGB", "mean": (120.0, 120.0, 120.0), "scale": 1 / 60, "size": 64}
    files = Registry(tmp_path / "models").import_file(file, "net", **options)
    assert files.info.notes == ()
    network = Network.open(files.path, device="cpu")
    assert "scores" in network.layers
    for size in ((64, 64), (72, 100)):
        picture = np.random.default_rng(1).uniform(0, 255, (3, *size)).astype(np.float32)
        x = torch.from_numpy(picture)[None].requires_grad_()
        net((x - 120) / 60)[:, 3].sum().backward()
        assert x.grad is not None
        got, _ = network.gradient(picture, Target.layer("scores", 3))
        assert relative_error(got, x.grad[0].numpy()) < 2e-3
