"""From a checkpoint to the registered folder that ships: model.onnx, model.json, labels.txt.

Batch norm is folded into the convolutions, and the layers get GoogLeNet's names (`inception_3a/3x3_pre` before its
ReLU, `inception_3a/3x3` after it). After the last module come

    classes      class scores at each place (logits)
    likeness     the same as likelihood * score, see below: what "static into bananas" maximises
    creatures, garden, feast, town, wonders, textures
                 what each place resembles among these: likelihood * score. Maximising it (or its squares) strengthens
                 at each place the few classes it looks like most, in proportion, until one of them is there. Plain
                 sums or squares of `classes` would push scores below zero as well, towards being unlike things.
                 And one channel alone works where its class is likely already and lets the other places be: whole
                 owls here and there, where the same channel of `classes` wants a shred of an owl everywhere.

    inception_4b/forms, 4c/forms, 5a/forms
                 the same of a module's channels. A whole module's squares are climbed fastest by contrast, whatever is
                 seen: black discs. Here each place becomes what its loudest few channels see.

Some classes score higher than others everywhere, and some channels. So that each has its chance, scores are measured
against what is usual on all sorts of samples: `SHARPNESS` * (score - mean) / deviation + `LIFT`, for channels
`FORMS_SHARPNESS` and no lift.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from ..library.files import LABELS as LABELS_FILE
from ..library.files import MODEL, ModelInfo, write_files
from . import BUILTIN
from .classes import GROUPS
from .network import MODULES, POOL_AFTER, House, Inception, Unit
from .samples import render

OPSET, IR = 18, 10

FOLDER = BUILTIN / "house"
SHARPNESS, LIFT = 2.0, 8.0
FORMS, FORMS_SHARPNESS = ("4b", "4c", "5a"), 3.0
QUIETEST = 0.1  # of the median channel's deviation: what varies less is not brought up further
CALIBRATION = 256  # samples, of a seed of their own
IMAGE, CLASSES, LIKENESS = "data", "classes", "likeness"


class _Writer:
    """The ONNX graph as it grows."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[np.floating]) -> str:
        self.weights.append(numpy_helper.from_array(np.asarray(value, np.float32), name))
        return name

    def node(self, op: str, inputs: list[str], output: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def unit(self, unit: Unit, x: str, name: str) -> str:
        """A convolution with its norm folded in, and its ReLU."""
        weight, bias = folded(unit)
        conv = unit.convolution
        pre = self.node(
            "Conv",
            [x, self.constant(f"{name}_w", weight), self.constant(f"{name}_b", bias)],
            f"{name}_pre",
            kernel_shape=list(conv.kernel_size),
            strides=list(conv.stride),
            pads=[int(p) for p in conv.padding] * 2,
        )
        return self.node("Relu", [pre], name)

    def mean_pool(self, x: str, name: str, size: int, stride: int, pad: int = 0) -> str:
        return self.node(
            "AveragePool", [x], name, kernel_shape=[size] * 2, strides=[stride] * 2, pads=[pad] * 4, count_include_pad=0
        )

    def resemblance(self, x: str, name: str, gain: NDArray[np.floating], lift: NDArray[np.floating]) -> str:
        """likelihood * score, the scores being gain * x + lift."""
        gained = self.node("Mul", [x, self.constant(f"{name}_gain", gain[:, None, None])], f"{name}/gained")
        return self.likely(
            self.node("Add", [gained, self.constant(f"{name}_lift", lift[:, None, None])], f"{name}/score"), name
        )

    def likely(self, score: str, name: str) -> str:
        """Scores weighed by how likely each is among them."""
        return self.node("Mul", [score, self.node("Softmax", [score], f"{name}/likelihood", axis=1)], name)

    def inception(self, module: Inception, x: str, name: str) -> str:
        return self.node(
            "Concat",
            [
                self.unit(module.one, x, f"{name}/1x1"),
                self.unit(module.three, self.unit(module.reduce3, x, f"{name}/3x3_reduce"), f"{name}/3x3"),
                self.unit(
                    module.five,
                    self.unit(module.five_a, self.unit(module.reduce5, x, f"{name}/5x5_reduce"), f"{name}/5x5_first"),
                    f"{name}/5x5",
                ),
                self.unit(module.project, self.mean_pool(x, f"{name}/pool", 3, 1, 1), f"{name}/pool_proj"),
            ],
            f"{name}/output",
            axis=1,
        )


def folded(unit: Unit) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weight and bias of the one convolution that equals convolution and norm."""
    norm = unit.norm
    assert norm.running_mean is not None and norm.running_var is not None
    gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    weight = unit.convolution.weight * gain[:, None, None, None]
    bias = norm.bias - norm.running_mean * gain
    return weight.detach().numpy(), bias.detach().numpy()


@dataclass(frozen=True)
class Usual:
    """What the channels of a layer are on all sorts of samples, float32 [channels]."""

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]

    @classmethod
    def of(cls, found: Tensor) -> Usual:
        return cls(found.mean(dim=(0, 2, 3)).numpy(), found.std(dim=(0, 2, 3)).numpy())

    def measure(self, sharpness: float, lift: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Gain and lift that make values of this layer into scores: sharpness * (value - mean) / deviation + lift."""
        gain = sharpness / np.maximum(self.deviation, QUIETEST * np.median(self.deviation))
        return gain.astype(np.float32), (lift - self.mean * gain).astype(np.float32)


def usual(network: House) -> dict[str, Usual]:
    """By layer: `classes`, and the modules of FORMS."""
    pictures = torch.from_numpy(render(CALIBRATION, 0, CALIBRATION).pictures).permute(0, 3, 1, 2)
    listened = {name: network.modules_by_name[name] for name in FORMS} | {CLASSES: network.classes}
    heard: dict[str, list[Tensor]] = {name: [] for name in listened}
    ears = [
        module.register_forward_hook(lambda _module, _inputs, output, name=name: heard[name].append(output))
        for name, module in listened.items()
    ]
    with torch.no_grad():
        for part in pictures.split(32):
            network((part.float() - 127.5) / 127.5)
    for ear in ears:
        ear.remove()
    return {name: Usual.of(torch.cat(parts)) for name, parts in heard.items()}


def to_onnx(network: House, labels: tuple[str, ...], known: dict[str, Usual]) -> onnx.ModelProto:
    """The network as a checked ONNX model. Input `data` float32 [n, 3, h, w] in -1..1, RGB."""
    out = _Writer()
    x = out.unit(network.conv1, IMAGE, "conv1/6x6_s2")
    x = out.mean_pool(x, "pool1/2x2_s2", 2, 2)
    x = out.unit(network.conv2, x, "conv2/3x3")
    x = out.mean_pool(x, "pool2/2x2_s2", 2, 2)
    for name in MODULES:
        module = network.modules_by_name[name]
        assert isinstance(module, Inception)
        x = out.inception(module, x, f"inception_{name}")
        if name in FORMS:
            out.resemblance(x, f"inception_{name}/forms", *known[name].measure(FORMS_SHARPNESS, 0.0))
        if name in POOL_AFTER:
            x = out.mean_pool(x, f"pool{name[0]}/2x2_s2", 2, 2)
    head = network.classes
    assert head.bias is not None
    weight, bias = head.weight.detach().numpy(), head.bias.detach().numpy()
    out.node("Conv", [x, out.constant("classes_w", weight), out.constant("classes_b", bias)], CLASSES)
    gain, lift = known[CLASSES].measure(SHARPNESS, LIFT)
    out.resemblance(CLASSES, LIKENESS, gain, lift)
    for group, members in GROUPS.items():
        rows = [labels.index(label) for label in members]
        group_weight = weight[rows] * gain[rows, None, None, None]
        group_bias = bias[rows] * gain[rows] + lift[rows]
        names = [x, out.constant(f"{group}_w", group_weight), out.constant(f"{group}_b", group_bias)]
        out.likely(out.node("Conv", names, f"{group}/score"), group)
    image = helper.make_tensor_value_info(IMAGE, TensorProto.FLOAT, ["n", 3, "h", "w"])
    sizes = {CLASSES: len(labels), LIKENESS: len(labels)} | {group: len(members) for group, members in GROUPS.items()}
    sizes |= {f"inception_{name}/forms": len(known[name].mean) for name in FORMS}
    results = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", channels, "y", "x"])
        for name, channels in sizes.items()
    ]
    graph = helper.make_graph(out.nodes, "house", [image], results, out.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="dreamsite")
    model.ir_version = IR
    onnx.checker.check_model(model, full_check=True)
    return model


def read(checkpoint: Path) -> tuple[House, tuple[str, ...], int]:
    """A checkpoint's averaged network, its labels, and how many steps it was trained."""
    saved = torch.load(checkpoint, weights_only=True, map_location="cpu")
    labels = tuple(saved["labels"])
    network = House(len(labels))
    network.load_state_dict(own_part(saved["mean"]))
    return network.eval(), labels, int(saved["step"])


def own_part(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Of a student's weights those of the network itself; its projections and its other head are left behind."""
    mark = "house."
    return {name.removeprefix(mark): value for name, value in state.items() if name.startswith(mark)}


def export(checkpoint: Path, folder: Path = FOLDER) -> None:
    """Write the model's folder from a checkpoint; a shelf that is there stays."""
    network, labels, steps = read(checkpoint)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(to_onnx(network, labels, usual(network)), str(folder / MODEL))
    info = ModelInfo(
        name="house",
        title="House model",
        input=IMAGE,
        channel_order="RGB",
        mean=(127.5, 127.5, 127.5),
        scale=1 / 127.5,
        logits=LIKENESS,
        licence="BSD-3-Clause; trained on drawings of Noto Color Emoji (SIL OFL 1.1) and on textures of our own",
        source=f"dreamer/house, {steps} steps",
        sha256=hashlib.sha256((folder / MODEL).read_bytes()).hexdigest(),
        min_size=32,
        logits_min_size=32,
    )
    write_files(folder, info, labels)
    assert (folder / LABELS_FILE).is_file()
