"""Tiny random networks, made in the test, as ONNX models and as registered model folders."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

INPUT = "data"


def node(op: str, inputs: list[str], output: str, **attrs: Any) -> onnx.NodeProto:
    """A node with one output, named after it."""
    return helper.make_node(op, inputs, [output], name=output, **attrs)


def model(
    nodes: list[onnx.NodeProto],
    constants: dict[str, Any],
    outputs: list[str],
    *,
    opset: int = 17,
    shape: tuple[int | str, ...] = ("n", 3, "h", "w"),
) -> onnx.ModelProto:
    """A model with the input INPUT; float constants become float32."""
    arrays = {k: np.asarray(v) for k, v in constants.items()}
    arrays = {k: v.astype(np.float32) if v.dtype.kind == "f" else v for k, v in arrays.items()}
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, list(shape))],
        [onnx.ValueInfoProto(name=name) for name in outputs],
        [numpy_helper.from_array(np.asarray(v, order="C"), k) for k, v in arrays.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def tiny_inception(seed: int = 0, channels: int = 16) -> onnx.ModelProto:
    """GoogLeNet in small: stride-2 stem, LRN, overlapping pools, one block of four branches, a classifier of 10.

    Layers: conv1, pool1, norm1, conv2, pool2, block/1x1, block/3x3, block/output, ..., logits; total stride 8.
    """
    random = np.random.default_rng(seed)
    c = channels
    constants: dict[str, Any] = {}
    nodes: list[onnx.NodeProto] = []

    def conv(name: str, source: str, filters: int, depth: int, kernel: int, stride: int = 1) -> str:
        scale = (2 / (depth * kernel * kernel)) ** 0.5
        constants[f"{name}_w"] = random.normal(0, scale, (filters, depth, kernel, kernel))
        constants[f"{name}_b"] = random.normal(0, 0.1, filters)
        nodes.append(
            node(
                "Conv",
                [source, f"{name}_w", f"{name}_b"],
                f"{name}_pre",
                kernel_shape=[kernel, kernel],
                strides=[stride, stride],
                pads=[kernel // 2] * 4,
            )
        )
        nodes.append(node("Relu", [f"{name}_pre"], name))
        return name

    def pool(name: str, source: str, stride: int) -> str:
        nodes.append(
            node(
                "MaxPool",
                [source],
                name,
                kernel_shape=[3, 3],
                strides=[stride, stride],
                pads=[int(stride == 1)] * 4,
                ceil_mode=int(stride == 2),
            )
        )
        return name

    conv("conv1", INPUT, c, 3, 7, 2)
    nodes.append(node("LRN", [pool("pool1", "conv1", 2)], "norm1", size=5, alpha=1e-3, beta=0.75, bias=1.0))
    conv("conv2", "norm1", 2 * c, c, 3)
    pool("pool2", "conv2", 2)
    conv("block/1x1", "pool2", c, 2 * c, 1)
    conv("block/3x3", conv("block/3x3_reduce", "pool2", c, 2 * c, 1), 2 * c, c, 3)
    conv("block/5x5", conv("block/5x5_reduce", "pool2", c, 2 * c, 1), c, c, 5)
    conv("block/pool_proj", pool("block/pool", "pool2", 1), c, 2 * c, 1)
    nodes.append(node("Concat", ["block/1x1", "block/3x3", "block/5x5", "block/pool_proj"], "block/output", axis=1))
    nodes.append(node("GlobalAveragePool", ["block/output"], "pooled"))
    nodes.append(node("Flatten", ["pooled"], "flat"))
    constants["fc_w"] = random.normal(0, 0.3, (10, 5 * c))
    constants["fc_b"] = random.normal(0, 0.1, 10)
    nodes.append(node("Gemm", ["flat", "fc_w", "fc_b"], "logits", transB=1))
    nodes.append(node("Softmax", ["logits"], "prob", axis=1))
    return model(nodes, constants, ["prob"])


def register(folder: Path, network: onnx.ModelProto, **info: Any) -> Path:
    """Write a model folder as the library does; ``info`` overrides fields of model.json."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(network, str(folder / "model.onnx"))
    labels = info.pop("labels", [f"thing {i}" for i in range(10)])
    data = {
        "name": folder.name,
        "title": folder.name,
        "input": INPUT,
        "channel_order": "BGR",
        "mean": [104.0, 117.0, 123.0],
        "scale": 1.0,
        "layout": "NCHW",
        "logits": "logits",
        "licence": "none",
        "source": "made in a test",
        "sha256": "",
        "min_size": 32,
    } | info
    (folder / "model.json").write_text(json.dumps(data))
    (folder / "labels.txt").write_text("\n".join(labels) + "\n")
    return folder


def register_tiny(root: Path, name: str = "tiny", **info: Any) -> Path:
    """The folder of a registered ``tiny_inception``, its input scaled so that activations are around 1."""
    return register(root / name, tiny_inception(), scale=1 / 64, **info)


def googlenet_files() -> Path:
    """The folder with the real GoogLeNet, or skip."""
    folder = os.environ.get("DREAMSITE_TEST_GOOGLENET", "")
    if not folder:
        pytest.skip("DREAMSITE_TEST_GOOGLENET is not set: it names the folder with googlenet.onnx and labels.txt")
    return Path(folder)


def register_googlenet(root: Path) -> Path:
    """The folder of a registered real GoogLeNet, or skip."""
    files = googlenet_files()
    folder = root / "googlenet"
    folder.mkdir(parents=True, exist_ok=True)
    labels = (files / "labels.txt").read_text().splitlines()
    return register(folder, onnx.load(str(files / "googlenet.onnx")), title="BVLC GoogLeNet", labels=labels)
