"""From a checkpoint to the registered folder that ships: model.onnx, model.json, labels.txt.

Batch norm is folded into the convolutions, and the layers get GoogLeNet's names (`inception_3a/3x3_pre` before its
ReLU, `inception_3a/3x3` after it). Two layers follow the last module:

    classes      class scores at each place (logits)
    resemblance  what each place resembles: the scores above MARGIN, and nothing for `plain`. Maximising its squares
                 strengthens at each place the few classes it looks like most, in proportion.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from ..library.files import LABELS as LABELS_FILE
from ..library.files import MODEL, ModelInfo, write_files
from . import BUILTIN
from .classes import NUMBER, PLAIN
from .network import MODULES, POOL_AFTER, House, Inception, Unit

OPSET, IR = 18, 10

FOLDER = BUILTIN / "house"
MARGIN = 2.0
IMAGE, CLASSES, RESEMBLANCE = "data", "classes", "resemblance"


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


def to_onnx(network: House, labels: tuple[str, ...]) -> onnx.ModelProto:
    """The network as a checked ONNX model. Input `data` float32 [n, 3, h, w] in -1..1, RGB."""
    out = _Writer()
    x = out.unit(network.conv1, IMAGE, "conv1/6x6_s2")
    x = out.mean_pool(x, "pool1/2x2_s2", 2, 2)
    x = out.unit(network.conv2_reduce, x, "conv2/3x3_reduce")
    x = out.unit(network.conv2, x, "conv2/3x3")
    for name in MODULES:
        module = network.modules_by_name[name]
        assert isinstance(module, Inception)
        x = out.inception(module, x, f"inception_{name}")
        if name in POOL_AFTER:
            x = out.mean_pool(x, f"pool{name[0]}/2x2_s2", 2, 2)
    head = network.classes
    assert head.bias is not None
    weight, bias = head.weight.detach().numpy(), head.bias.detach().numpy()
    out.node("Conv", [x, out.constant("classes_w", weight), out.constant("classes_b", bias)], CLASSES)
    threshold = np.full((1, len(labels), 1, 1), MARGIN)
    threshold[0, NUMBER[PLAIN]] = 30.0
    out.node("Relu", [out.node("Sub", [CLASSES, out.constant("margin", threshold)], f"{RESEMBLANCE}_pre")], RESEMBLANCE)
    image = helper.make_tensor_value_info(IMAGE, TensorProto.FLOAT, ["n", 3, "h", "w"])
    result = helper.make_tensor_value_info(RESEMBLANCE, TensorProto.FLOAT, ["n", len(labels), "y", "x"])
    scores = helper.make_tensor_value_info(CLASSES, TensorProto.FLOAT, ["n", len(labels), "y", "x"])
    graph = helper.make_graph(out.nodes, "house", [image], [scores, result], out.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="dreamsite")
    model.ir_version = IR
    onnx.checker.check_model(model, full_check=True)
    return model


def read(checkpoint: Path) -> tuple[House, tuple[str, ...], int]:
    """A checkpoint's averaged network, its labels, and how many steps it was trained."""
    saved = torch.load(checkpoint, weights_only=True)
    labels = tuple(saved["labels"])
    network = House(len(labels))
    network.load_state_dict(saved["mean"])
    return network.eval(), labels, int(saved["step"])


def export(checkpoint: Path, folder: Path = FOLDER) -> None:
    """Write the model's folder from a checkpoint; a shelf that is there stays."""
    network, labels, steps = read(checkpoint)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(to_onnx(network, labels), str(folder / MODEL))
    info = ModelInfo(
        name="house",
        title="House model",
        input=IMAGE,
        channel_order="RGB",
        mean=(127.5, 127.5, 127.5),
        scale=1 / 127.5,
        logits=CLASSES,
        licence="MIT; trained on drawings of the Noto Color Emoji font (SIL OFL 1.1) and on textures of our own",
        source=f"dreamer/house, {steps} steps",
        sha256=hashlib.sha256((folder / MODEL).read_bytes()).hexdigest(),
        min_size=32,
        logits_min_size=32,
    )
    write_files(folder, info, labels)
    assert (folder / LABELS_FILE).is_file()
