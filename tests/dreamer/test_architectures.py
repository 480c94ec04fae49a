"""Whole networks against PyTorch's autograd: the real GoogLeNet, and real architectures nobody here wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx.backend.test
import pytest
import torch
from onnx import numpy_helper

from dreamer.engine import Network, Target
from dreamer.gradient import append_gradient
from dreamer.gradient.fast.lrn import expand_lrn
from dreamer.graph import Graph
from dreamer.graph.fold import fold_constants
from tests.bench.torch_reference import TorchReference, picture_gradient

from .gradients import relative_error, session
from .nets import googlenet_files, register_googlenet, register_tiny, tiny_inception

LIGHT = Path(onnx.backend.test.__file__).parent / "data" / "light"
# what to differentiate: class scores, or, where the dense layers alone weigh hundreds of megabytes, what they get
WANTED = {
    "bvlc_alexnet": "MaxPool",
    "vgg19": "MaxPool",
    "zfnet512": "MaxPool",
    "squeezenet": "GlobalAveragePool",
    "densenet121": "Conv",
}
DEPTHS = [
    "conv1/7x7_s2_pre",
    "pool1/3x3_s2",
    "pool1/norm1",
    "conv2/norm2",
    "inception_3a/pool",
    "inception_3b/output",
    "inception_4a/5x5_pre",
    "inception_4c/output",
    "inception_5b/output",
    "logits",
]


@pytest.fixture(scope="module")
def googlenet(tmp_path_factory: pytest.TempPathFactory) -> tuple[Network, TorchReference]:
    folder = register_googlenet(tmp_path_factory.mktemp("models"))
    return Network.open(folder, device="cpu"), TorchReference(onnx.load(str(googlenet_files() / "googlenet.onnx")))


@pytest.mark.parametrize("size", [(96, 128), (97, 101)])
@pytest.mark.parametrize("layer", DEPTHS)
def test_googlenet_agrees_with_autograd(
    googlenet: tuple[Network, TorchReference], layer: str, size: tuple[int, int]
) -> None:
    network, reference = googlenet
    errors = []
    for seed in (1, 2, 3):
        picture = np.random.default_rng(seed).uniform(0, 255, (3, *size)).astype(np.float32)
        expected = picture_gradient(reference, picture, lambda a: (a * a).sum() / 2, layer, mean=(104, 117, 123))
        got, score = network.gradient(picture, Target.layer(layer, squared=True))
        errors.append(relative_error(got, expected))
    # Two values of a window may differ by less than either library rounds; then both answers are right.
    assert sorted(errors)[1] < 1e-3 and max(errors) < 2e-2, errors
    # a sum over positions is what it says
    with torch.no_grad():
        fed = torch.from_numpy(picture[::-1].copy())[None] - torch.tensor([104.0, 117, 123]).reshape(1, 3, 1, 1)
        assert score == pytest.approx(float((reference(fed, layer) ** 2).sum() / 2), rel=1e-4)


@pytest.mark.parametrize("layer", ["conv1_pre", "pool1", "norm1", "block/3x3_pre", "block/output", "logits"])
@pytest.mark.parametrize("size", [(64, 64), (67, 50)])
def test_the_tiny_network_agrees_with_autograd(tmp_path: Path, layer: str, size: tuple[int, int]) -> None:
    network = Network.open(register_tiny(tmp_path), device="cpu")
    picture = np.random.default_rng(1).uniform(0, 255, (3, *size)).astype(np.float32)
    expected = picture_gradient(
        TorchReference(tiny_inception()), picture, lambda a: a[:, 1].sum(), layer, mean=(104, 117, 123), scale=1 / 64
    )
    got, _ = network.gradient(picture, Target.layer(layer, 1))
    assert relative_error(got, expected) < 1e-3


def with_random_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """The light files keep every weight as ConstantOfShape 0.02: put random numbers of sensible sizes there."""
    random = np.random.default_rng(0)
    positive, around_one = set(), set()
    for n in model.graph.node:
        if n.op_type == "BatchNormalization":
            positive.add(n.input[4])
            around_one.add(n.input[1])
    shapes = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    made = {}
    for n in model.graph.node:
        if n.op_type == "ConstantOfShape":
            made[n.output[0]] = tuple(int(v) for v in shapes[n.input[0]])
    made |= {name: a.shape for name, a in shapes.items() if a.dtype == np.float32}
    weights = {}
    for name, shape in made.items():
        spread = (2 / max(int(np.prod(shape[1:])), 1)) ** 0.5 if len(shape) > 1 else 0.1
        values = random.normal(0, spread, shape)
        if name in positive:
            values = 0.5 + np.abs(values)
        if name in around_one:
            values = 1 + values
        weights[name] = values.astype(np.float32)
    model.ir_version = 8  # older ones want every weight listed as an input too
    graph = model.graph
    kept = [n for n in graph.node if n.op_type != "ConstantOfShape"]
    del graph.node[:]
    graph.node.extend(kept)
    others = [t for t in graph.initializer if t.name not in weights]
    del graph.initializer[:]
    graph.initializer.extend([*others, *(numpy_helper.from_array(v, k) for k, v in weights.items())])
    return model


def up_to(file: Path, wanted: str) -> onnx.ModelProto:
    """The file's network up to a tensor, with random weights (VGG's dense layers would be 500 MB of them)."""
    model = onnx.load(str(file))
    needed = {wanted}
    kept: list[onnx.NodeProto] = []
    for n in reversed(model.graph.node):
        if needed & set(n.output):
            needed.update(n.input)
            kept.insert(0, n)
    initialisers = [t for t in model.graph.initializer if t.name in needed]
    inputs = [i for i in model.graph.input if i.name in needed]
    del model.graph.node[:], model.graph.initializer[:], model.graph.input[:], model.graph.output[:]
    model.graph.node.extend(kept)
    model.graph.initializer.extend(initialisers)
    model.graph.input.extend(inputs)
    model.graph.output.append(onnx.helper.make_tensor_value_info(wanted, onnx.TensorProto.FLOAT, None))
    return with_random_weights(model)


def reference(model: onnx.ModelProto, wanted: str, x: np.ndarray, dtype: torch.dtype) -> list[np.ndarray]:
    """PyTorch's value of ``wanted``, a random projection of it, and that one's gradient."""
    network = TorchReference(model)
    network.values = {k: v.to(dtype) if v.is_floating_point() else v for k, v in network.values.items()}
    leaf = torch.from_numpy(x).to(dtype).requires_grad_()
    y = network(leaf, wanted)
    projection = np.random.default_rng(9).normal(0, 1, y.shape).astype(np.float32)
    y.backward(torch.from_numpy(projection).to(dtype))
    assert leaf.grad is not None
    return [y.detach().numpy(), projection, leaf.grad.numpy()]


def compare(model: onnx.ModelProto, wanted: str, size: int, seed: int) -> tuple[float, float]:
    """Relative errors of the engine's gradient and of PyTorch's, against PyTorch in double precision."""
    x = np.random.default_rng(seed).normal(0, 1, (1, 3, size, size)).astype(np.float32)
    expected, projection, exact = reference(model, wanted, x, torch.float64)
    theirs = reference(model, wanted, x, torch.float32)[2]
    image = TorchReference(model).input
    graph = Graph.read(model)
    graph.inputs = {image: x.shape}
    fold_constants(graph)
    graph.cut([wanted])
    graph.infer_shapes()
    expand_lrn(graph)
    graph.inputs["seed"] = projection.shape
    graph.outputs = [append_gradient(graph, {wanted: "seed"}, image), wanted]
    gradient, value = session(graph.write()).run(None, {image: x, "seed": projection})
    assert relative_error(value, expected) < 1e-4
    return relative_error(gradient, exact), relative_error(theirs, exact)


FILES = {f.stem.removeprefix("light_"): f for f in sorted(LIGHT.glob("*.onnx"))}


def test_the_files_are_there() -> None:
    assert len(FILES) >= 9


@pytest.mark.parametrize("name", FILES)
def test_real_architectures_agree_with_autograd(name: str) -> None:
    """The whole network at its own size. Among ten million ReLUs some lie nearer to 0 than float32 rounds, and
    each of those may pass a gradient or not; so no more is asked for than PyTorch's float32 gives."""
    op = WANTED.get(name, "Gemm")
    wanted = [n.output[0] for n in onnx.load(str(FILES[name])).graph.node if n.op_type == op][-1]
    ours, theirs = compare(up_to(FILES[name], wanted), wanted, 224, 1)
    assert ours < max(1e-3, 3 * theirs)


@pytest.mark.parametrize("name", sorted(set(FILES) - {"shufflenet"}))  # shufflenet's reshapes fix its size
def test_real_architectures_agree_closely_on_small_pictures(name: str) -> None:
    """All but the head at 64 pixels, where pictures without such a ReLU exist: one in three must be one."""
    nodes = onnx.load(str(FILES[name])).graph.node
    head = next(i for i, n in enumerate(nodes) if n.op_type in ("Gemm", "GlobalAveragePool", "Reshape"))
    spatial = [n.output[0] for n in nodes[:head] if n.op_type in ("Relu", "Concat", "MaxPool")]
    wanted = spatial[-1]
    model = up_to(FILES[name], wanted)
    assert any(compare(model, wanted, 64, seed)[0] < 1e-3 for seed in (1, 2, 3))
