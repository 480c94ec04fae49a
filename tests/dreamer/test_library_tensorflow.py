"""TensorFlow graphs: the published inception graph, node for node, against torch in TensorFlow's own rules."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from torch.nn import functional as F

from dreamer.engine import Network, Target
from dreamer.engine.target import Term
from dreamer.library import LibraryError, ModelFiles, Registry
from dreamer.library.normal import normal_form
from dreamer.library.tensorflow import read_graphdef
from dreamer.library.tensorflow_ops import LEFT_OUT, OPS

from .graphdef import GraphDef, Kind, Torch, Writer, inception, random_weights
from .protobuf import field, message

RANDOM = np.random.default_rng(8)


def run(model: onnx.ModelProto, picture: np.ndarray, names: list[str]) -> list[np.ndarray]:
    """The named tensors for a picture, computing nothing else."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    needed, kept = set(names), []
    for node in reversed(model.graph.node):
        if needed & set(node.output):
            needed |= set(node.input)
            kept.append(node)
    del model.graph.node[:], model.graph.output[:]
    model.graph.node.extend(reversed(kept))
    model.graph.output.extend(onnx.ValueInfoProto(name=n) for n in names)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(names, {model.graph.input[0].name: picture})


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    return random_weights()


@pytest.fixture(scope="module")
def imported(weights: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    folder = tmp_path_factory.mktemp("inception")
    writer = Writer(weights)
    inception(writer)
    (folder / "graph.pb").write_bytes(writer.graph.data())
    return Registry(folder / "models").import_file(folder / "graph.pb", "inception5h")


def test_inception_is_recognised_and_fed_as_published(imported: ModelFiles) -> None:
    info = imported.info
    assert (info.input, info.channel_order, info.mean, info.scale) == ("input", "RGB", (117.0, 117.0, 117.0), 1.0)
    assert (info.logits, info.licence, info.min_size) == ("softmax2_pre_activation", "Apache-2.0", 32)
    assert info.logits_min_size == 32
    norms = [n for n in onnx.load(str(imported.model)).graph.node if n.op_type == "LRN"]
    for norm in norms:
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in norm.attribute}
        assert attributes == pytest.approx({"size": 11, "alpha": 0.0011, "beta": 0.5, "bias": 2.0})


@pytest.mark.parametrize(("height", "width"), [(96, 64), (97, 75)])
def test_layers_agree_at_even_and_odd_sizes(
    imported: ModelFiles, weights: dict[str, np.ndarray], height: int, width: int
) -> None:
    picture = RANDOM.uniform(-117, 138, (1, 3, height, width)).astype(np.float32)
    net = Torch(weights, picture)
    with torch.no_grad():
        inception(net, head=False)
    names = [
        "conv2d0_pre_relu",
        "localresponsenorm0",
        "maxpool1",
        "mixed3b",
        "mixed4d_3x3_bottleneck_pre_relu",
        "mixed4e_pool",
        "mixed5b",
    ]
    for name, ours in zip(names, run(onnx.load(str(imported.model)), picture, names), strict=True):
        theirs = net.tensors[name].numpy()
        assert ours.shape == theirs.shape, name
        np.testing.assert_allclose(ours, theirs, atol=1e-4 * np.abs(theirs).max(), err_msg=name)


@pytest.mark.parametrize("size", [(65, 82), (96, 82), (96, 112)], ids=["odd", "odd one way", "multiples"])
def test_the_engine_dreams_of_it_as_autograd_would(
    imported: ModelFiles, weights: dict[str, np.ndarray], size: tuple[int, int]
) -> None:
    """From pixels: the mean, the padding that depends on parity, LRN and overlapping pools, there and back."""
    picture = RANDOM.uniform(0, 255, (3, *size)).astype(np.float32)
    ours, _ = Network.open(imported.path, device="cpu").gradient(picture, Target((Term("mixed4c"),)))
    net = Torch(weights, picture[None] - np.float32(117))
    net.tensors["input"].requires_grad_(True)
    inception(net, head=False)
    (net.tensors["mixed4c"] ** 2).sum().mul(0.5).backward()
    theirs = net.tensors["input"].grad[0].numpy()
    theirs = theirs * (ours * theirs).sum() / (theirs * theirs).sum()  # the engine's own scale of a whole layer
    assert np.linalg.norm(ours - theirs) < 1e-3 * np.linalg.norm(theirs)


def test_all_three_heads_at_the_nominal_size(imported: ModelFiles, weights: dict[str, np.ndarray]) -> None:
    """The auxiliary heads flatten a 4 x 4 map in [h, w, c] order: made convolutions, they still say the same."""
    picture = RANDOM.uniform(-117, 138, (1, 3, 224, 224)).astype(np.float32)
    net = Torch(weights, picture)
    with torch.no_grad():
        inception(net)
    names = ["head1_bottleneck", "softmax0_pre_activation", "softmax1", "softmax2_pre_activation"]
    model = onnx.load(str(imported.model))
    for name, ours in zip(names, run(model, picture, names), strict=True):
        theirs = net.tensors[name].numpy()
        np.testing.assert_allclose(ours, theirs, atol=1e-4 * np.abs(theirs).max(), err_msg=name)
    assert run(model, RANDOM.uniform(-117, 138, (2, 3, 130, 300)).astype(np.float32), names[3:])[0].shape == (2, 1008)


def test_every_feature_layer_is_there(imported: ModelFiles) -> None:
    layers = Registry(imported.path.parent).layers("inception5h")
    trunk = {n: c for n, c in layers.items() if n.endswith("_pre_relu") and n.startswith(("conv", "mixed"))}
    assert len(trunk) == 57
    assert sum(trunk.values()) + 2 * 128 == 7548  # as published, with the two heads' bottlenecks
    assert layers["mixed4a"] == 508
    assert layers["mixed5a_5x5_bottleneck"] == 48
    assert layers["softmax2_pre_activation"] == 1008


def test_the_shelf_names_layers_and_channels_that_exist(imported: ModelFiles) -> None:
    layers = Registry(imported.path.parent).layers("inception5h")
    assert len(imported.shelf) >= 60
    for style in imported.shelf:
        assert style.layer in layers, style
        assert style.channel is None or style.channel < layers[style.layer], style
    assert len({(s.layer, s.channel) for s in imported.shelf}) == len(imported.shelf)


# --- single nodes


def translate(graph: GraphDef, tmp_path: Path, picture: str | None = None) -> onnx.ModelProto:
    (tmp_path / "graph.pb").write_bytes(graph.data())
    raw = read_graphdef(tmp_path / "graph.pb", picture)
    return normal_form(raw.model, raw.input).model


def test_batch_norm_relu6_depthwise_mean_and_squeeze(tmp_path: Path) -> None:
    w = RANDOM.normal(0, 0.5, (3, 3, 3, 2)).astype(np.float32)
    scale, shift, mean, var = (RANDOM.uniform(0.5, 1.5, 6).astype(np.float32) for _ in range(4))
    g = GraphDef()
    g.node("Placeholder", "image")
    g.const("w", w)
    g.node("Identity", "w/read", "w", "^image")
    g.node("DepthwiseConv2dNative", "conv", "image", "w/read", padding="SAME", strides=[1, 2, 2, 1])
    for name, value in (("scale", scale), ("shift", shift), ("mean", mean), ("var", var)):
        g.const(name, value)
    g.node("FusedBatchNorm", "bn", "conv", "scale", "shift", "mean", "var", epsilon=0.01, is_training=False)
    g.node("Relu6", "relu", "bn:0")
    g.node("Mean", "pooled", "relu", g.const("axes", np.array([1, 2])), keep_dims=True)
    g.node(
        "Conv2D",
        "scores",
        "pooled",
        g.const("fc", RANDOM.normal(0, 1, (1, 1, 6, 5)).astype(np.float32)),
        padding="SAME",
        strides=[1, 1, 1, 1],
    )
    g.node("Squeeze", "flat", "scores", squeeze_dims=[1, 2])
    g.node("Softmax", "prob", "flat")
    model = translate(g, tmp_path)
    assert [n.op_type for n in model.graph.node] == ["Conv", "Clip", "GlobalAveragePool", "Conv", "Flatten", "Softmax"]
    x = RANDOM.normal(0, 20, (1, 3, 33, 40)).astype(np.float32)
    source = F.pad(torch.tensor(x), (0, 1, 1, 1))  # SAME: 40 is even, 33 odd
    want = F.conv2d(source, torch.tensor(w.transpose(2, 3, 0, 1).reshape(6, 1, 3, 3)), stride=2, groups=3)
    want = F.batch_norm(want, *(torch.tensor(v) for v in (mean, var, scale, shift)), eps=0.01).clamp(0, 6)
    np.testing.assert_allclose(run(model, x, ["relu"])[0], want.numpy(), atol=1e-4)


def test_a_constant_may_be_one_value_for_all(tmp_path: Path) -> None:
    g = GraphDef()
    g.node("Placeholder", "image")
    g.node(
        "Conv2D",
        "conv",
        "image",
        g.const("w", np.full((3, 3, 3, 4), 0.25, np.float32), splat=True),
        padding="VALID",
        strides=[1, 1, 1, 1],
    )
    x = np.ones((1, 3, 32, 32), np.float32)
    np.testing.assert_allclose(run(translate(g, tmp_path), x, ["conv"])[0], np.full((1, 4, 30, 30), 6.75))


def test_feeding_a_tensor_in_the_middle(tmp_path: Path) -> None:
    """Published classifiers decode a JPEG first; the picture is fed where the decoding ends."""
    g = GraphDef()
    g.node("Placeholder", "jpeg")
    g.node("DecodeJpeg", "decoded", "jpeg")
    g.node("ResizeBilinear", "resized", "decoded")
    g.node(
        "Conv2D",
        "conv",
        "resized",
        g.const("w", np.ones((1, 1, 3, 2), np.float32)),
        padding="SAME",
        strides=[1, 1, 1, 1],
    )
    g.node("Strange", "strange", "conv")
    g.node("Relu", "after", "strange")
    g.node("Relu", "relu", "conv")
    model = translate(g, tmp_path, "resized")
    assert [n.output[0] for n in model.graph.node] == ["conv", "relu"]
    with pytest.raises(LibraryError, match=r"nothing after 'jpeg' can be imported .left out decoded .DecodeJpeg."):
        translate(g, tmp_path)
    with pytest.raises(LibraryError, match="unknown tensor 'resize': did you mean resized"):
        translate(g, tmp_path, "resize")


def test_damaged_graphs_are_named(tmp_path: Path) -> None:
    g = GraphDef()
    g.node("Placeholder", "image")
    g.const("w", np.zeros((2, 2), np.float32))
    path = tmp_path / "cut.pb"
    path.write_bytes(g.data()[:-3])
    with pytest.raises(LibraryError, match=r"cut\.pb is not a TensorFlow graph, or it is cut short"):
        read_graphdef(path)
    path.write_bytes(b"")
    with pytest.raises(LibraryError, match="holds no nodes"):
        read_graphdef(path)


def conv(g: GraphDef, name: str, source: str, channels: int, depth: int = 3) -> str:
    w = g.const(f"{name}_w", np.random.default_rng(depth).normal(0, 1, (1, 1, depth, channels)).astype(np.float32))
    return g.node("Conv2D", name, source, w, padding="SAME", strides=[1, 1, 1, 1])


def kernel(name: str, channels: int, depth: int = 3) -> np.ndarray:
    return np.random.default_rng(depth).normal(0, 1, (1, 1, depth, channels)).astype(np.float32)[0, 0]


def test_arithmetic_on_constants_is_constant(tmp_path: Path) -> None:
    """Keras writes batch norms so: every number goes through a Reshape, and their root is taken in the graph."""
    g = GraphDef()
    g.node("Placeholder", "image")
    x = conv(g, "conv", "image", 4)
    mean, var, gamma, beta = (
        np.array(v, np.float32) for v in ([1, 2, 3, 4], [1, 4, 9, 16], [2, 2, 2, 2], [0, 1, 0, 1])
    )
    for name, value in (("mean", mean), ("var", var), ("gamma", gamma), ("beta", beta)):
        shape = g.const(f"{name}/shape", np.array([1, 1, 1, 4]))
        g.node("Reshape", f"{name}/r", g.const(name, value), shape)
    g.node("Rsqrt", "root", g.node("AddV2", "safe", "var/r", g.const("eps", np.float32(1e-3))))
    g.node("Mul", "factor", "root", "gamma/r")
    g.node("Mul", "scaled", x, "factor")
    g.node("Sub", "offset", "beta/r", g.node("Mul", "shifted", "mean/r", "factor"))
    g.node("AddV2", "normed", "scaled", "offset")
    raw = read_graphdef(written(g, tmp_path))
    assert raw.notes == ()
    picture = np.random.default_rng(0).normal(0, 1, (1, 3, 5, 6)).astype(np.float32)
    maps = np.einsum("nchw,cd->ndhw", picture, kernel("conv", 4))
    factor, offset = gamma / np.sqrt(var + 1e-3), beta - mean * gamma / np.sqrt(var + 1e-3)
    expected = maps * factor.reshape(-1, 1, 1) + offset.reshape(-1, 1, 1)
    np.testing.assert_allclose(run(raw.model, picture, ["normed"])[0], expected, rtol=1e-4, atol=1e-4)


def written(g: GraphDef, tmp_path: Path) -> Path:
    path = tmp_path / "made.pb"
    path.write_bytes(g.data())
    return path


def softmax(x: np.ndarray) -> np.ndarray:
    return np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)


erf = np.vectorize(math.erf)
OF_ONE: dict[str, tuple[dict[str, Any], Any]] = {  # what each does to values above 0 and, but for roots, below
    "Abs": ({}, np.abs),
    "Cast": ({}, lambda x: x),
    "CheckNumerics": ({}, lambda x: x),
    "Elu": ({}, lambda x: np.where(x > 0, x, np.expm1(x))),
    "Erf": ({}, erf),
    "Exp": ({}, np.exp),
    "Identity": ({}, lambda x: x),
    "LeakyRelu": ({"alpha": 0.3}, lambda x: np.where(x > 0, x, 0.3 * x)),
    "Log": ({}, np.log),
    "LogSoftmax": ({}, lambda x: np.log(softmax(x))),
    "Neg": ({}, np.negative),
    "Reciprocal": ({}, np.reciprocal),
    "Relu": ({}, lambda x: np.maximum(x, 0)),
    "Relu6": ({}, lambda x: np.clip(x, 0, 6)),
    "Rsqrt": ({}, lambda x: 1 / np.sqrt(x)),
    "Selu": ({}, lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x))),
    "Sigmoid": ({}, lambda x: 1 / (1 + np.exp(-x))),
    "Softmax": ({}, softmax),
    "Softplus": ({}, lambda x: np.log1p(np.exp(x))),
    "Softsign": ({}, lambda x: x / (1 + np.abs(x))),
    "Sqrt": ({}, np.sqrt),
    "Square": ({}, np.square),
    "StopGradient": ({}, lambda x: x),
    "Tanh": ({}, np.tanh),
}
OF_TWO: dict[str, Any] = {
    **dict.fromkeys(("Add", "AddV2", "AddN", "BiasAdd"), np.add),
    "Maximum": np.maximum,
    "Minimum": np.minimum,
    "Mul": np.multiply,
    "Pow": np.power,
    **dict.fromkeys(("Div", "RealDiv"), np.divide),
    "Sub": np.subtract,
}
OTHERS = {  # which the tests above and below show one by one
    *("AvgPool", "BatchNormWithGlobalNormalization", "Concat", "ConcatV2", "Conv2D", "DepthwiseConv2dNative"),
    *("DepthToSpace", "SpaceToDepth"),
    *(
        "ExpandDims",
        "FusedBatchNorm",
        "FusedBatchNormV2",
        "FusedBatchNormV3",
        "IdentityN",
        "LRN",
        "MatMul",
        "Max",
        "MaxPool",
        "Mean",
    ),
    *("MirrorPad", "Pad", "PadV2", "Reshape", "Split", "SplitV", "Squeeze", "StridedSlice"),
}


def test_every_op_has_a_case() -> None:
    assert {*OF_ONE, *OF_TWO, *OTHERS} == set(OPS)


@pytest.mark.parametrize("op", OF_ONE)
def test_ops_of_one_value(tmp_path: Path, op: str) -> None:
    attrs, reference = OF_ONE[op]
    g = GraphDef()
    g.node("Relu", "end", g.node(op, "y", g.node("Placeholder", "image", dtype=Kind(1)), **attrs))
    low = 0.1 if op in ("Log", "Rsqrt", "Sqrt", "Reciprocal") else -8
    x = np.random.default_rng(0).uniform(low, 8, (1, 3, 5, 6)).astype(np.float32)
    (y,) = run(read_graphdef(written(g, tmp_path)).model, x, ["y"])
    np.testing.assert_allclose(y, reference(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("op", "channels"), [("SpaceToDepth", 3), ("DepthToSpace", 12)])
def test_pixels_become_channels_and_back(tmp_path: Path, op: str, channels: int) -> None:
    """As TensorFlow defines them on [n, h, w, c]."""
    g = GraphDef()
    g.node("Exp", "maps", conv(g, "conv", g.node("Placeholder", "image"), channels))
    g.node(op, "y", "maps", block_size=2)
    x = np.random.default_rng(0).uniform(-1, 1, (1, 3, 4, 6)).astype(np.float32)
    y, maps = run(read_graphdef(written(g, tmp_path)).model, x, ["y", "maps"])
    last = maps.transpose(0, 2, 3, 1)
    if op == "SpaceToDepth":
        want = last.reshape(1, 2, 2, 3, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(1, 2, 3, 12)
    else:
        want = last.reshape(1, 4, 6, 2, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(1, 8, 12, 3)
    np.testing.assert_allclose(y, want.transpose(0, 3, 1, 2), rtol=1e-6)


@pytest.mark.parametrize("size", [0, -2, 1, 2**31])
def test_blocks_of_no_size_are_refused(tmp_path: Path, size: int) -> None:
    g = GraphDef()
    kept = conv(g, "conv", g.node("Placeholder", "image", dtype=Kind(1)), 4)
    g.node("Relu", "kept", kept)
    g.node("Relu", "rest", g.node("SpaceToDepth", "blocks", kept, block_size=size))
    with pytest.raises(LibraryError, match=f"'blocks' has blocks of {size}, expected 2 to 64"):
        read_graphdef(written(g, tmp_path))


@pytest.mark.parametrize("op", sorted(LEFT_OUT))
def test_what_is_left_out_says_why(tmp_path: Path, op: str) -> None:
    assert op not in OPS
    g = GraphDef()
    kept = conv(g, "conv", g.node("Placeholder", "image", dtype=Kind(1)), 4)
    g.node("Relu", "kept", kept)
    g.node("Relu", "rest", g.node(op, "strange", kept))
    assert f"left out strange ({op}: {LEFT_OUT[op]}) and what rests on it" in read_graphdef(written(g, tmp_path)).notes


@pytest.mark.parametrize("op", OF_TWO)
@pytest.mark.parametrize("constant", [False, True])
def test_ops_of_two_values(tmp_path: Path, op: str, constant: bool) -> None:
    """Of two maps, and of a map and a number for each channel, which lie last in TensorFlow."""
    g = GraphDef()
    four = conv(g, "conv", g.node("Placeholder", "image"), 4)
    g.node("Exp", "maps", four)
    numbers = np.array([0.5, 1, 2, 3], np.float32)
    other = g.const("numbers", numbers) if constant else g.node("Sigmoid", "other", four)
    g.node(op, "y", "maps", other)
    x = np.random.default_rng(0).uniform(-1, 1, (1, 3, 5, 6)).astype(np.float32)
    y, *values = run(read_graphdef(written(g, tmp_path)).model, x, ["y", "maps", *([] if constant else [other])])
    expected = OF_TWO[op](values[0], numbers.reshape(1, 4, 1, 1) if constant else values[1])
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)


def test_parts_sizes_and_pads(tmp_path: Path) -> None:
    """SplitV by sizes, Concat with its axis first, PadV2 by a number, the maximum of the whole map, ExpandDims."""
    g = GraphDef()
    four = conv(g, "conv", g.node("Placeholder", "image"), 4)
    g.node("SplitV", "parts", four, g.const("sizes", np.array([1, 3])), g.const("last", np.array(-1)), num_split=2)
    g.node("Concat", "turned", g.const("axis", np.array(3)), "parts:1", "parts")
    pads = g.const("p", np.array([[0, 0], [1, 0], [0, 2], [0, 0]]))
    g.node("PadV2", "padded", "turned", pads, g.const("seven", np.float32(7)))
    g.node("Max", "most", "padded", g.const("axes", np.array([1, 2])))
    one, two = g.const("one", np.array(1)), g.const("two", np.array(2))
    g.node("ExpandDims", "pixel", g.node("ExpandDims", "row", "most", one), two)
    g.node("Mul", "y", "padded", "pixel")
    x = np.random.default_rng(0).normal(0, 1, (1, 3, 5, 6)).astype(np.float32)
    maps = np.einsum("nchw,cd->ndhw", x, kernel("conv", 4))[:, [1, 2, 3, 0]]
    padded = np.pad(maps, ((0, 0), (0, 0), (1, 0), (0, 2)), constant_values=7)
    (y,) = run(read_graphdef(written(g, tmp_path)).model, x, ["y"])
    np.testing.assert_allclose(y, padded * padded.max(axis=(2, 3), keepdims=True), rtol=1e-4, atol=1e-4)


def test_names_that_count_on(tmp_path: Path) -> None:
    """Nodes m and m_1, m's second input a constant, as in Keras' MobileNetV3."""
    g = GraphDef()
    four = conv(g, "conv", g.node("Placeholder", "image"), 4)
    g.node("Mul", "m", four, g.const("half", np.float32(0.5)))
    g.node("Mul", "m_1", "m", g.const("three", np.float32(3)))
    x = np.random.default_rng(0).normal(0, 1, (1, 3, 5, 6)).astype(np.float32)
    before, m, last = run(read_graphdef(written(g, tmp_path)).model, x, ["conv", "m", "m_1"])
    np.testing.assert_allclose(m, before * 0.5, rtol=1e-5)
    np.testing.assert_allclose(last, before * 1.5, rtol=1e-5)


def test_functions_that_bring_their_gradients(tmp_path: Path) -> None:
    """Keras' SiLU: its value and what its gradient needs, handed on side by side."""
    g = GraphDef()
    four = conv(g, "conv", g.node("Placeholder", "image"), 4)
    g.node("Mul", "silu", four, g.node("Sigmoid", "s", four))
    g.node("IdentityN", "both", "silu", four, g.const("beta", np.float32(1)))
    g.node("Relu", "y", g.node("Sub", "less", "both", "both:1"))
    raw = read_graphdef(written(g, tmp_path))
    assert raw.notes == ()
    x = np.random.default_rng(0).normal(0, 1, (1, 3, 5, 6)).astype(np.float32)
    y, before, s = run(raw.model, x, ["y", "conv", "s"])
    np.testing.assert_allclose(y, np.maximum(before * s - before, 0), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("op", ["FusedBatchNormV2", "FusedBatchNormV3", "BatchNormWithGlobalNormalization"])
def test_norms_of_every_edition(tmp_path: Path, op: str) -> None:
    """The oldest has its parameters in another order."""
    values = {name: np.random.default_rng(i).uniform(0.5, 2, 3).astype(np.float32) for i, name in enumerate("smvb")}
    g = GraphDef()
    names = {name: g.const(name, value) for name, value in values.items()}
    oldest = op.startswith("BatchNorm")
    attrs: dict[str, Any] = (
        {"variance_epsilon": 0.01, "scale_after_normalization": True} if oldest else {"epsilon": 0.01}
    )
    order = "mvbs" if oldest else "sbmv"
    g.node(op, "y", g.node("Placeholder", "image"), *(names[n] for n in order), **attrs)
    x = np.random.default_rng(9).normal(0, 1, (1, 3, 5, 6)).astype(np.float32)
    scale, mean, var, shift = (values[name].reshape(1, 3, 1, 1) for name in "smvb")
    (y,) = run(read_graphdef(written(g, tmp_path)).model, x, ["y"])
    np.testing.assert_allclose(y, (x - mean) / np.sqrt(var + 0.01) * scale + shift, rtol=1e-4, atol=1e-4)


def test_splits_crops_and_mirrors(tmp_path: Path) -> None:
    g = GraphDef()
    x = g.node("Placeholder", "image")
    four = conv(g, "conv", x, 4)
    g.node("Split", "halves", g.const("axis", np.array(3)), four, num_split=2)
    g.node("Maximum", "most", "halves", "halves:1")
    bounds = [g.const(k, np.array(v)) for k, v in (("b", [0, 1, 1, 0]), ("e", [0, 0, 0, 0]), ("s", [1, 1, 1, 1]))]
    g.node("StridedSlice", "cropped", "most", *bounds, begin_mask=9, end_mask=15)
    g.node("MirrorPad", "mirrored", "cropped", g.const("p", np.array([[0, 0], [1, 1], [2, 0], [0, 0]])), mode="REFLECT")
    picture = np.random.default_rng(0).normal(0, 1, (1, 3, 5, 6)).astype(np.float32)
    maps = np.einsum("nchw,cd->ndhw", picture, kernel("conv", 4))
    most = np.maximum(maps[:, :2], maps[:, 2:])[:, :, 1:, 1:]
    expected = np.pad(most, ((0, 0), (0, 0), (1, 1), (2, 0)), mode="reflect")
    np.testing.assert_allclose(run(translate(g, tmp_path), picture, ["mirrored"])[0], expected, rtol=1e-4, atol=1e-4)


def test_channels_weighed_by_their_mean(tmp_path: Path) -> None:
    """Squeeze and excitation, its shape packed of the batch's size and constants as Keras does."""
    g = GraphDef()
    four = conv(g, "conv", g.node("Placeholder", "image"), 4)
    mean = g.node("Mean", "mean", four, g.const("axes", np.array([1, 2])))
    one, none = g.const("one", np.array([1])), g.const("none", np.array([0]))
    batch = g.node("StridedSlice", "batch", g.node("Shape", "size", mean), none, one, one, shrink_axis_mask=1)
    numbers = [g.const(f"n{i}", np.array(n)) for i, n in enumerate((1, 1, 4))]
    wanted = g.node("Pack", "wanted", batch, *numbers)
    gate = g.node("Sigmoid", "gate", conv(g, "fc", g.node("Reshape", "pixel", mean, wanted), 4, 4))
    g.node("Mul", "weighed", four, gate)
    raw = read_graphdef(written(g, tmp_path))
    assert raw.notes == ()
    picture = np.random.default_rng(0).normal(0, 1, (1, 3, 5, 6)).astype(np.float32)
    maps = np.einsum("nchw,cd->ndhw", picture, kernel("conv", 4))
    share = 1 / (1 + np.exp(-np.einsum("nc,cd->nd", maps.mean((2, 3)), kernel("fc", 4, 4))))
    (weighed,) = run(raw.model, picture, ["weighed"])
    np.testing.assert_allclose(weighed, maps * share[..., None, None], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("training", [False, True])
def test_what_is_done_in_training_is_left_out(tmp_path: Path, training: bool) -> None:
    """A flag that is fed is false; a Switch sends the data one way, a Merge takes what came."""
    g = GraphDef()
    flag = g.node("Placeholder", "learning", dtype=Kind(10))
    if training:  # the other way round
        flag = g.node("LogicalNot", "not", flag)
    four = conv(g, "conv", g.node("Placeholder", "image", dtype=Kind(1)), 4)
    g.node("Switch", "switch", four, flag)
    g.node("Merge", "merged", g.node("Tanh", "quiet", "switch"), g.node("Relu", "loud", "switch:1"))
    g.node("Identity", "end", "merged")
    raw = read_graphdef(written(g, tmp_path))
    assert [n.op_type for n in raw.model.graph.node] == ["Conv", "Relu" if training else "Tanh", "Identity"]
    assert raw.notes == ()


def test_graphs_that_go_round_end_at_once(tmp_path: Path) -> None:
    g = GraphDef()
    four = conv(g, "conv", g.node("Placeholder", "image"), 4)
    g.node("Merge", "round", four, "next")
    for i in range(12):  # every second way leads back
        g.node("Add", f"a{i}", "round" if i == 0 else f"a{i - 1}", "next")
    g.node("NextIteration", "next", "a11")
    g.node("Relu", "relu", four)
    raw = read_graphdef(written(g, tmp_path))
    assert [n.op_type for n in raw.model.graph.node] == ["Conv", "Relu"]
    assert [n for n in raw.notes if "round (the first of 14 operations in a loop)" in n] == list(raw.notes)


def test_a_constant_without_values_is_zeros(tmp_path: Path) -> None:
    g = GraphDef()
    shape = field(2, message(field(2, field(1, 4))))
    g.node("Const", "zeros", value=message(field(1, 1), shape))
    g.node("BiasAdd", "y", conv(g, "conv", g.node("Placeholder", "image"), 4), "zeros")
    x = np.ones((1, 3, 4, 4), np.float32)
    y, before = run(read_graphdef(written(g, tmp_path)).model, x, ["y", "conv"])
    np.testing.assert_array_equal(y, before)


def test_an_import_of_next_to_nothing_is_refused(tmp_path: Path) -> None:
    g = GraphDef()
    conv(g, "conv", g.node("Placeholder", "image"), 4)
    before = g.node("Strange", "strange", "conv")
    for i in range(20):
        before = g.node("Relu", f"relu{i}", before)
    with pytest.raises(LibraryError, match=r"only 1 of 22 operations after 'image'.*left out strange"):
        read_graphdef(written(g, tmp_path))
