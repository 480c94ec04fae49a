"""ONNX files of every age and habit, brought into normal form: the same scores at the nominal size, any size after."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.backend.test import data as onnx_data

from dreamer.library import LibraryError, Registry
from dreamer.library.importing import Raw, draft
from dreamer.library.normal import normal_form

RANDOM = np.random.default_rng(4)
LIGHT = Path(onnx_data.__path__[0]) / "light"


def weights(*shape: int) -> np.ndarray:
    return RANDOM.normal(0, 1 / np.sqrt(np.prod(shape[1:]) or 1), shape).astype(np.float32)


def node(op: str, inputs: str, outputs: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(op, inputs.split(), outputs.split(), name=outputs.split()[0], **attributes)


def model(
    nodes: list[onnx.NodeProto],
    constants: dict[str, np.ndarray],
    shape: tuple[int | str, ...] = (1, 3, 32, 32),
    opset: int = 17,
    outputs: str = "out",
    listed: bool = False,
) -> onnx.ModelProto:
    """A model on `picture`; `listed` writes constants among the inputs too, as files of before 2019 do."""
    inputs = [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)]
    arrays = [numpy_helper.from_array(v, k) for k, v in constants.items()]
    if listed:
        inputs += [helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in arrays]
    graph = helper.make_graph(nodes, "net", inputs, [onnx.ValueInfoProto(name=n) for n in outputs.split()], arrays)
    for output in graph.output:
        output.type.tensor_type.elem_type = TensorProto.FLOAT
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=3 if listed else 8)


def run(net: onnx.ModelProto, picture: np.ndarray, *names: str) -> list[np.ndarray]:
    net = onnx.ModelProto.FromString(net.SerializeToString())
    known = {o.name for o in net.graph.output}
    net.graph.output.extend(onnx.ValueInfoProto(name=n) for n in names if n not in known)
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(net.SerializeToString(), options, providers=["CPUExecutionProvider"])
    feeds = {
        i.name: np.zeros([d if isinstance(d, int) else 1 for d in i.shape], np.float32) for i in session.get_inputs()
    }
    picture_input = next(i.name for i in session.get_inputs() if len(i.shape) == 4)
    return session.run(list(names) or None, {**feeds, picture_input: picture})


def random_picture(*shape: int) -> np.ndarray:
    return RANDOM.normal(0, 1, shape).astype(np.float32)


def ops(net: onnx.ModelProto) -> list[str]:
    return [n.op_type for n in net.graph.node]


# --- real architectures


def with_random_weights(net: onnx.ModelProto) -> onnx.ModelProto:
    """The `light` files make all their weights one constant; real ones find mistakes that constants hide."""
    shapes = {t.name: numpy_helper.to_array(t) for t in net.graph.initializer}
    kept = []
    for n in net.graph.node:
        if n.op_type != "ConstantOfShape":
            kept.append(n)
            continue
        shape = tuple(int(d) for d in shapes[n.input[0]])
        value = RANDOM.uniform(0.5, 1.5, shape) if len(shape) == 1 else weights(*shape)
        net.graph.initializer.append(numpy_helper.from_array(value.astype(np.float32), n.output[0]))
    del net.graph.node[:]
    net.graph.node.extend(kept)
    net.ir_version = 4  # the new weights are not listed as inputs
    return net


@pytest.mark.parametrize(
    ("name", "gone", "multiple"),
    [
        ("densenet121", {"Unsqueeze", "Mul", "Add"}, 1),  # its batch norms come before their convolutions, and stay
        ("inception_v1", {"Dropout", "Reshape", "AveragePool"}, 1),
        ("inception_v2", {"BatchNormalization", "Unsqueeze", "Mul", "Add", "Reshape"}, 32),
        ("resnet50", {"BatchNormalization", "Reshape", "AveragePool"}, 1),
        ("shufflenet", {"BatchNormalization", "Reshape", "Transpose"}, 1),
        ("squeezenet", {"Dropout", "Reshape"}, 1),
    ],
)
def test_architectures_nobody_here_wrote(name: str, gone: set[str], multiple: int) -> None:
    original = with_random_weights(onnx.load(str(LIGHT / f"light_{name}.onnx")))
    normal = normal_form(original)
    assert not gone & set(ops(normal.model))
    assert (normal.size_multiple, normal.notes) == (multiple, ())
    x = random_picture(1, 3, 224, 224)
    before, after = run(original, x)[0], run(normal.model, x)[0]
    # Logits are in the hundreds with random weights: one rounding of theirs, of 6e-8, is 5e-5 after the softmax.
    np.testing.assert_allclose(after.ravel(), before.ravel(), atol=1e-4 * np.abs(before).max())
    assert normal.logits is not None
    for height, width in ((normal.logits_min_size, normal.logits_min_size), (256, 160 + multiple)):
        assert run(normal.model, random_picture(2, 3, height, width), normal.logits)[0].shape == (2, 1000)


# --- habits of exporters


def conv_net(head: list[onnx.NodeProto], constants: dict[str, np.ndarray], **options: Any) -> onnx.ModelProto:
    """conv (stride 2, 6 channels) -> relu -> head."""
    body = [
        node("Conv", "picture w b", "conv", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        node("Relu", "conv", "relu"),
    ]
    return model([*body, *head], {"w": weights(6, 3, 3, 3), "b": weights(6), **constants}, **options)


def test_an_old_file_with_fully_connected_layers() -> None:
    """Opset 7, weights listed as inputs, a Reshape for batch one, Dropout with a mask, two dense layers."""
    net = model(
        [
            node("Conv", "picture w b", "conv", kernel_shape=[3, 3], strides=[2, 2]),
            node("Relu", "conv", "relu"),
            node("MaxPool", "relu", "pool", kernel_shape=[2, 2], strides=[2, 2]),
            node("Dropout", "pool", "dropped mask", ratio=0.5),
            node("Reshape", "dropped shape", "flat"),
            node("Gemm", "flat w6 b6", "fc6", transB=1),
            node("Relu", "fc6", "relu6"),
            node("Gemm", "relu6 w7 b7", "fc7", transB=1, alpha=0.5, beta=2.0),
            node("Softmax", "fc7", "out"),
        ],
        {
            "w": weights(6, 3, 3, 3),
            "b": weights(6),
            "shape": np.array([1, 294]),
            "w6": weights(20, 294),
            "b6": weights(20),
            "w7": weights(5, 20),
            "b7": weights(5),
        },
        opset=7,
        listed=True,
    )
    normal = normal_form(net)
    assert normal.input == "picture"
    assert [i.name for i in normal.model.graph.input] == ["picture"]
    dims = normal.model.graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_param or d.dim_value for d in dims] == ["n", 3, "h", "w"]
    assert (normal.logits, normal.min_size, normal.logits_min_size) == ("fc7", 32, 32)
    x = random_picture(1, 3, 32, 32)
    np.testing.assert_allclose(run(normal.model, x, "out")[0], run(net, x, "out")[0], rtol=1e-4)
    # Larger pictures: the mean of the scores over every place where the 32 px network fits.
    large = random_picture(1, 3, 36, 40)
    places = [run(net, large[:, :, y : y + 32, x : x + 32], "fc7")[0] for y in (0, 4) for x in (0, 4, 8)]
    np.testing.assert_allclose(run(normal.model, large, "fc7")[0], np.mean(places, 0), rtol=1e-4, atol=1e-5)


def test_reshapes_computed_from_shapes() -> None:
    """How tracing writes x.view(x.size(0), -1) after a pool that is an average over both axes."""
    net = conv_net(
        [
            node("ReduceMean", "relu", "mean", axes=[2, 3], keepdims=1),
            node("Shape", "mean", "size"),
            node("Gather", "size zero", "count", axis=0),
            node("Unsqueeze", "count zeros", "counts"),
            node("Concat", "counts rest", "wanted", axis=0),
            node("Reshape", "mean wanted", "flat"),
            node("MatMul", "flat w6", "product"),
            node("Add", "product b6", "out"),
        ],
        {"zero": np.array(0), "zeros": np.array([0]), "rest": np.array([-1]), "w6": weights(6, 4), "b6": weights(4)},
        shape=(1, 3, 32, 32),
    )
    normal = normal_form(net)
    assert ops(normal.model) == ["Conv", "Relu", "GlobalAveragePool", "Flatten", "MatMul", "Add"]
    assert normal.logits == "out"
    x = random_picture(1, 3, 32, 32)
    np.testing.assert_allclose(run(normal.model, x)[0], run(net, x)[0], rtol=1e-5)
    assert run(normal.model, random_picture(3, 3, 50, 33))[0].shape == (3, 4)


def test_channels_last_input() -> None:
    """A file made for [n, h, w, 3]: its own turn to [n, 3, h, w] disappears."""
    net = model(
        [
            node("Transpose", "picture", "turned", perm=[0, 3, 1, 2]),
            node("Conv", "turned w", "out", kernel_shape=[3, 3]),
        ],
        {"w": weights(4, 3, 3, 3)},
        ("n", 48, 64, 3),
    )
    normal = normal_form(net)
    assert ops(normal.model) == ["Conv"]
    x = random_picture(1, 3, 48, 64)
    np.testing.assert_allclose(run(normal.model, x)[0], run(net, x.transpose(0, 2, 3, 1))[0], rtol=1e-5)


def test_batch_norm_and_channel_scales_fold_into_the_convolution() -> None:
    names = ("scale", "shift", "mean", "var")
    constants = {n: RANDOM.uniform(0.5, 2, 6).astype(np.float32) for n in names}
    constants |= {"by": weights(6, 1, 1), "plus": weights(1, 6, 1, 1)}
    net = conv_net(
        [
            node("BatchNormalization", "conv scale shift mean var", "bn", epsilon=0.01),
            node("Mul", "bn by", "mul"),
            node("Add", "plus mul", "out"),
        ],
        constants,
    )
    del net.graph.node[1]  # nothing between the convolution and its norm
    normal = normal_form(net)
    assert ops(normal.model) == ["Conv"]
    x = random_picture(1, 3, 32, 32)
    np.testing.assert_allclose(run(normal.model, x)[0], run(net, x)[0], rtol=1e-3, atol=1e-5)


def test_a_convolution_with_two_readers_keeps_its_norm() -> None:
    constants = {n: RANDOM.uniform(0.5, 2, 6).astype(np.float32) for n in ("s", "b", "m", "v")}
    net = conv_net(
        [node("BatchNormalization", "conv s b2 m v", "bn"), node("Add", "bn conv", "out")],
        {**constants, "b2": weights(6)},
    )
    normal = normal_form(net)
    assert "BatchNormalization" in ops(normal.model)
    x = random_picture(1, 3, 32, 32)
    np.testing.assert_allclose(run(normal.model, x)[0], run(net, x)[0], rtol=1e-5)


def test_what_fixes_the_size_keeps_it_and_the_rest_is_free() -> None:
    """Embeddings of places, as transformers add them, exist for one size only."""
    net = conv_net(
        [
            node("Conv", "relu w2", "deep", kernel_shape=[1, 1]),
            node("Add", "deep places", "placed"),
            node("Relu", "placed", "out"),
        ],
        {"w2": weights(6, 6, 1, 1), "places": weights(1, 6, 16, 16)},
    )
    normal = normal_form(net)
    assert ops(normal.model) == ["Conv", "Relu", "Conv", "Add", "Relu"]
    assert normal.fixed_by == ("placed",) and normal.size == (32, 32)
    assert "from placed on the whole picture is seen at 32 x 32" in normal.notes[0]
    x = random_picture(1, 3, 32, 32)
    np.testing.assert_allclose(run(normal.model, x)[0], run(net, x)[0], rtol=1e-5)
    normal.model.graph.output.append(helper.make_tensor_value_info("deep", TensorProto.FLOAT, None))
    del normal.model.graph.output[0], normal.model.graph.node[-2:]
    assert run(normal.model, random_picture(1, 3, 50, 40))[0].shape == (1, 6, 25, 20)


@pytest.mark.parametrize(
    ("net", "expected"),
    [
        (lambda: model([node("Relu", "picture", "out")], {}, (1, 3)), "expected one picture input"),
        (lambda: model([node("Relu", "picture", "out")], {}, (1, 5, 8, 8)), "has 5 channels"),
        (
            lambda: model([helper.make_node("Odd", ["picture"], ["out"], domain="my.own")], {}),
            r"operators outside standard ONNX: Odd \(my.own\)",
        ),
        (lambda: model([node("Identity", "picture", "out")], {}), "computes nothing"),
        (
            lambda: model(
                [node("QuantizeLinear", "picture scale", "q"), node("DequantizeLinear", "q scale", "out")],
                {"scale": np.float32(1)},
            ),
            "is quantised .DequantizeLinear, QuantizeLinear.",
        ),
        (
            lambda: model(
                [helper.make_node("If", ["yes"], ["out"], "branch", then_branch=branch(), else_branch=branch())],
                {"yes": np.array(True)},
            ),
            r"node 'branch' \(If\) decides at run time",
        ),
    ],
)
def test_what_cannot_be_brought_into_form_is_said(net: Any, expected: str) -> None:
    with pytest.raises(LibraryError, match=expected):
        normal_form(net())


class Exported(torch.nn.Module):
    """What torchvision's networks make exporters write: planes re-scaled one by one, shuffles, SiLU, dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Conv2d(3, 8, 3, 2, 1)
        self.norm = torch.nn.BatchNorm2d(8)
        self.grouped = torch.nn.Conv2d(8, 8, 3, padding=1, groups=2)
        self.pool = torch.nn.AdaptiveAvgPool2d(1)
        self.drop, self.last = torch.nn.Dropout(), torch.nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.cat([x[:, 0].unsqueeze(1) * 0.5 + 0.1, x[:, 1:2] * 0.7 - 0.2, x[:, 2].unsqueeze(1) * 0.9], 1)
        x = self.norm(self.first(x)).relu()
        y = self.grouped(x)
        n, _, height, width = y.shape
        y = y.view(n, 2, 4, height, width).transpose(1, 2).contiguous().view(n, -1, height, width)
        x = torch.nn.functional.max_pool2d(torch.nn.functional.silu(x + y), 2, ceil_mode=True)
        return self.last(self.drop(self.pool(x).flatten(1)))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("axes", [None, {"picture": {0: "n", 2: "h", 3: "w"}}], ids=["fixed", "dynamic"])
def test_what_torch_exports(axes: dict[str, Any] | None) -> None:
    torch.manual_seed(0)
    net, out = Exported().eval(), io.BytesIO()
    torch.nn.init.uniform_(net.norm.running_var, 0.5, 2)
    torch.onnx.export(
        net,
        (torch.randn(1, 3, 64, 64),),
        out,
        dynamo=False,
        opset_version=17,
        input_names=["picture"],
        output_names=["scores"],
        dynamic_axes=axes,
    )
    normal = normal_form(onnx.load_from_string(out.getvalue()))
    assert ops(normal.model) == [
        "Conv",
        "Conv",
        "Relu",
        "Conv",
        "Conv",
        "Add",
        "Sigmoid",
        "Mul",
        "MaxPool",
        "GlobalAveragePool",
        "Flatten",
        "Gemm",
    ]
    assert (normal.logits, normal.size_multiple, normal.notes) == ("scores", 1, ())
    for size in (64, 91):
        x = random_picture(2, 3, size, size)
        with torch.no_grad():
            want = net(torch.tensor(x)).numpy()
        np.testing.assert_allclose(run(normal.model, x)[0], want, rtol=1e-4, atol=1e-5)


def branch() -> onnx.GraphProto:
    return helper.make_graph([node("Relu", "picture", "out")], "branch", [], [onnx.ValueInfoProto(name="out")])


def test_half_precision_becomes_single() -> None:
    w = weights(4, 3, 3, 3)
    net = model(
        [
            node("Cast", "picture", "half", to=TensorProto.FLOAT16),
            node("Conv", "half w", "conv"),
            node("Cast", "conv", "out", to=TensorProto.FLOAT),
        ],
        {"w": w.astype(np.float16)},
    )
    normal = normal_form(net)
    assert ops(normal.model) == ["Conv"]
    assert {t.data_type for t in normal.model.graph.initializer} == {TensorProto.FLOAT}
    x = random_picture(1, 3, 32, 32)
    np.testing.assert_allclose(run(normal.model, x)[0], run(net, x)[0], atol=0.02)


# --- how it is fed


def tiny() -> onnx.ModelProto:
    return conv_net(
        [
            node("GlobalAveragePool", "relu", "pool"),
            node("Flatten", "pool", "flat"),
            node("Gemm", "flat w6 b6", "logits", transB=1),
            node("Softmax", "logits", "out"),
        ],
        {"w6": weights(5, 6), "b6": weights(5)},
    )


def test_an_unknown_network_must_be_told(tmp_path: Path) -> None:
    onnx.save(tiny(), str(tmp_path / "own.onnx"))
    registry = Registry(tmp_path / "models")
    with pytest.raises(LibraryError, match="--channel-order and --mean"):
        registry.import_file(tmp_path / "own.onnx", "own")
    with pytest.raises(LibraryError, match=r"Give --mean "):
        registry.import_file(tmp_path / "own.onnx", "own", channel_order="RGB")
    with pytest.raises(LibraryError, match="expected RGB or BGR"):
        registry.import_file(tmp_path / "own.onnx", "own", channel_order="RBG", mean=(0, 0, 0))
    with pytest.raises(LibraryError, match="unknown convention 'cafe': did you mean caffe"):
        registry.import_file(tmp_path / "own.onnx", "own", convention="cafe")
    files = registry.import_file(
        tmp_path / "own.onnx",
        "own",
        channel_order="RGB",
        mean=(1, 2, 3),
        scale=0.5,
        labels=["a", "b", "c", "d", "e"],
        title="My own",
    )
    assert (files.info.mean, files.info.scale, files.info.logits, files.info.title, files.labels[4]) == (
        (1, 2, 3),
        0.5,
        "logits",
        "My own",
        "e",
    )
    with pytest.raises(LibraryError, match="6 labels were given, but the network tells 5 classes apart"):
        registry.import_file(tmp_path / "own.onnx", "other", convention="raw", labels=list("abcdef"))


def test_the_file_itself_may_tell() -> None:
    net = tiny()
    for key, value in (("Image.BitmapPixelFormat", "Bgr8"), ("Image.NominalPixelRange", "Normalized_1_1")):
        net.metadata_props.add(key=key, value=value)
    from dreamer.library.conventions import from_metadata

    made = draft(Raw(net, from_metadata(net)))
    assert (made.info.channel_order, made.info.mean) == ("BGR", (127.5, 127.5, 127.5))
    assert made.info.scale == pytest.approx(1 / 127.5)


def test_a_deviation_per_channel_is_folded_into_the_first_layer() -> None:
    """torchvision divides by three different numbers; model.json has one scale."""
    net = tiny()
    made = draft(Raw(net), convention="torchvision")
    rgb = RANDOM.uniform(0, 255, (1, 3, 40, 40)).astype(np.float32)
    mean, std = (np.array(v, np.float32).reshape(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    want = run(net_of_any_size(net), (rgb / 255 - mean) / std, "logits")[0]
    fed = (rgb - np.array(made.info.mean, np.float32).reshape(1, 3, 1, 1)) * made.info.scale
    np.testing.assert_allclose(run(made.model, fed, "logits")[0], want, rtol=1e-3, atol=1e-4)


def net_of_any_size(net: onnx.ModelProto) -> onnx.ModelProto:
    for dim, name in zip(net.graph.input[0].type.tensor_type.shape.dim[2:], "hw", strict=True):
        dim.dim_param = name
    return net
