"""An import that says ok is ok: what is registered runs, and every layer of it can be dreamed of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from dreamer.engine import Network, Target
from dreamer.library import LibraryError, Registry
from dreamer.library.normal import normal_form
from dreamer.library.trial import check_ends, try_out

from .gradients import relative_error
from .nets import INPUT, model, node


def weights(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(0, 0.5, shape)


def conv(name: str, source: str, **attrs: Any) -> onnx.NodeProto:
    return node("Conv", [source, f"{name}_w"], name, **attrs)


def imported(tmp_path: Path, net: onnx.ModelProto, **options: Any) -> Any:
    onnx.save(net, str(tmp_path / "net.onnx"))
    return Registry(tmp_path / "models").import_file(tmp_path / "net.onnx", "net", convention="raw", **options)


def meeting(size: int) -> onnx.ModelProto:
    """A pool that rounds up beside a convolution that rounds down, as in Caffe's Inceptions: they meet at odd sides."""
    window: dict[str, Any] = {"kernel_shape": [3, 3], "strides": [2, 2]}
    nodes = [
        conv("c", INPUT, **window),
        node("MaxPool", [INPUT], "p", ceil_mode=1, **window),
        node("Concat", ["c", "p"], "both", axis=1),
        conv("last", "both", kernel_shape=[1, 1]),
    ]
    constants = {"c_w": weights(4, 3, 3, 3), "last_w": weights(5, 7, 1, 1)}
    return model(nodes, constants, ["last"], shape=(1, 3, size, size))


def test_sides_like_the_one_it_was_made_for(tmp_path: Path) -> None:
    """Of 299 = 1 mod 2; not refused as damaged, and pictures of every size can be dreamed on."""
    files = imported(tmp_path, meeting(299))
    assert (files.info.size_multiple, files.info.size_remainder) == (2, 1)
    network = Network.open(files.path, device="cpu")
    picture = np.random.default_rng(0).uniform(0, 255, (3, 130, 145)).astype(np.float32)
    gradient, _ = network.gradient(picture, Target.layer("last"))
    step = np.float32(0.5) * gradient / np.abs(gradient).max()
    before, after = (network.gradient(p, Target.layer("last"))[1] for p in (picture, picture + step))
    assert after > before


@pytest.mark.parametrize("size", [12, 24, 32, 48])
def test_small_networks_take_every_size(size: int) -> None:
    nodes = [conv("c", INPUT, kernel_shape=[3, 3]), node("Relu", ["c"], "r")]
    normal = normal_form(model(nodes, {"c_w": weights(4, 3, 3, 3)}, ["r"], shape=(1, 3, size, size)))
    assert (normal.size_multiple, normal.min_size) == (1, min(size, 32))


def test_a_head_that_turns_a_single_pixel_is_kept(tmp_path: Path) -> None:
    """As ConvNeXt's: the channels of one pixel, normalised as the last axis."""
    nodes = [
        conv("c", INPUT, kernel_shape=[4, 4], strides=[4, 4]),
        node("GlobalAveragePool", ["c"], "pool"),
        node("Transpose", ["pool"], "turned", perm=[0, 2, 3, 1]),
        node("LayerNormalization", ["turned", "scale", "bias"], "even", axis=-1),
        node("Transpose", ["even"], "back", perm=[0, 3, 1, 2]),
        node("Flatten", ["back"], "flat"),
        node("Gemm", ["flat", "fc"], "scores"),
    ]
    constants = {"c_w": weights(8, 3, 4, 4), "scale": weights(8), "bias": weights(8), "fc": weights(8, 5)}
    files = imported(tmp_path, model(nodes, constants, ["scores"], shape=(1, 3, 64, 64)))
    assert (files.info.logits, files.info.notes) == ("scores", ())
    network = Network.open(files.path, device="cpu")
    picture = np.random.default_rng(0).uniform(0, 255, (3, 70, 91)).astype(np.float32)
    network.gradient(picture, network.class_target(3))


def chain(*ops: str) -> onnx.ModelProto:
    """A convolution and then these ops, one after the other."""
    nodes = [conv("first", INPUT, kernel_shape=[3, 3])]
    for i, op in enumerate(ops):
        nodes.append(node(op, [nodes[-1].output[0]], f"{op.lower()}{i}"))
    return model(nodes, {"first_w": weights(4, 3, 3, 3)}, [nodes[-1].output[0]], shape=(1, 3, 32, 32))


def test_only_what_can_be_dreamed_of_is_listed(tmp_path: Path) -> None:
    files = imported(tmp_path, chain("Relu", "Tanh", "Asinh", "Relu"))
    (note,) = files.info.notes
    assert "cut where no gradient comes back, 2 of 5 layers lost" in note and "no gradient rule for op 'Asinh'" in note
    assert list(Registry(tmp_path / "models").layers("net")) == ["first", "relu0", "tanh1"]
    network = Network.open(files.path, device="cpu")
    picture = np.zeros((3, 40, 40), np.float32)
    for layer in network.layers:
        network.gradient(picture, Target.layer(layer))


def test_a_network_of_which_next_to_nothing_is_left_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match=r"of 12 operations 1 would be left: .*no gradient rule for op 'Asinh'"):
        imported(tmp_path, chain("Asinh", *["Relu"] * 10))
    nothing = model([node("Asinh", [INPUT], "a")], {}, ["a"], shape=(1, 3, 32, 32))
    with pytest.raises(LibraryError, match=r"nothing to dream of: .*Asinh"):
        imported(tmp_path, nothing)
    assert not Registry(tmp_path / "models").names()


def loud(*factors: float) -> onnx.ModelProto:
    """Convolutions of a picture by so much each, with a Relu after each."""
    nodes, constants = [], {}
    for i, factor in enumerate(factors):
        nodes += [conv(f"c{i}", nodes[-1].output[0] if nodes else INPUT, kernel_shape=[1, 1])]
        nodes += [node("Relu", [f"c{i}"], f"r{i}")]
        constants[f"c{i}_w"] = np.full((3, 3, 1, 1), float(factor))
    return model(nodes, constants, [nodes[-1].output[0]], shape=(1, 3, 32, 32))


def test_layers_whose_gradient_is_no_number_are_not_listed(tmp_path: Path) -> None:
    """What they hold is one, but its square's gradient is not; or not even that."""
    files = imported(tmp_path, loud(1, 1, 1e9, 1e9, 1e9, 1e9, 1e9))
    listed = list(Registry(tmp_path / "models").layers("net"))
    assert listed == ["c0", "r0", "c1", "r1", "c2", "r2"]
    (note,) = files.info.notes
    assert "8 of 14 layers left out; the first is 'c3': its gradient is too large for numbers" in note
    network = Network.open(files.path, device="cpu")
    assert list(network.layers) == listed
    picture = np.random.default_rng(0).uniform(0, 255, (3, 40, 40)).astype(np.float32)
    for layer in listed:
        gradient, _ = network.gradient(picture, Target.layer(layer))
        assert np.isfinite(gradient).all() and gradient.any(), layer
    with pytest.raises(ValueError, match="has no layer 'c3'"):
        network.gradient(picture, Target.layer("c3"))


def test_layers_that_are_the_same_whatever_the_picture_are_not_listed(tmp_path: Path) -> None:
    """A branch that is shut for every picture, beside one that is not."""
    nodes = [
        conv("open", INPUT, kernel_shape=[3, 3]),
        node("Conv", [INPUT, "open_w", "low"], "shut", kernel_shape=[3, 3]),
        node("Relu", ["shut"], "dark"),
        conv("constant", "dark", kernel_shape=[1, 1]),
        node("Concat", ["open", "constant"], "both", axis=1),
        conv("last", "both", kernel_shape=[1, 1]),
    ]
    constants = {
        "open_w": weights(4, 3, 3, 3),
        "low": np.full(4, -1e6),
        "constant_w": weights(4, 4, 1, 1),
        "last_w": weights(2, 8, 1, 1),
    }
    files = imported(tmp_path, model(nodes, constants, ["last"], shape=(1, 3, 32, 32)))
    assert list(Network.open(files.path, device="cpu").layers) == ["open", "shut", "both", "last"]
    assert "2 of 6 layers left out; the first is 'dark': it is the same whatever the picture" in files.info.notes[0]


def test_layers_that_nothing_with_a_gradient_leads_to_are_not_listed(tmp_path: Path) -> None:
    nodes = [
        conv("c", INPUT, kernel_shape=[3, 3]),
        node("Floor", ["c"], "steps"),
        node("Add", ["c", "steps"], "both"),
    ]
    files = imported(tmp_path, model(nodes, {"c_w": weights(4, 3, 3, 3)}, ["both"], shape=(1, 3, 32, 32)))
    assert list(Network.open(files.path, device="cpu").layers) == ["c", "both"]


def test_a_network_whose_every_layer_is_too_loud_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match=r"6 of its 6 layers cannot be dreamed of; the first is 'c0': its gradient"):
        imported(tmp_path, loud(1e22, 1, 1))


def test_scores_that_cannot_be_dreamed_of_are_none(tmp_path: Path) -> None:
    """The classes of a head that is shut."""
    nodes = [
        conv("c", INPUT, kernel_shape=[4, 4], strides=[4, 4]),
        node("GlobalAveragePool", ["c"], "pool"),
        node("Flatten", ["pool"], "flat"),
        node("Gemm", ["flat", "fc"], "scores"),
    ]
    constants = {"c_w": weights(8, 3, 4, 4), "fc": np.zeros((8, 5))}
    files = imported(tmp_path, model(nodes, constants, ["scores"], shape=(1, 3, 64, 64)))
    assert files.info.logits is None and files.info.skipped[-1].startswith("scores")
    with pytest.raises(ValueError, match="has no classifier"):
        Network.open(files.path, device="cpu").class_target(3)


def test_what_does_not_run_is_refused_in_words() -> None:
    """A shape that inference believes: the runtime counts the values."""
    net = model([node("Reshape", [INPUT, "s"], "wide")], {"s": np.array([0, 3, 9, 9])}, ["wide"], opset=18)
    with pytest.raises(LibraryError, match=r"does not run at its own size of 8 x 8") as caught:
        try_out(net, INPUT, (8, 8), None)
    assert "onnxruntime" not in str(caught.value)


def test_inference_that_does_not_end_is_stopped() -> None:
    """Two ellipses in one factor, as in a file that went round."""
    factors = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [3, 3]) for n in ("a", "b")]
    product = onnx.helper.make_node("Einsum", ["a", "b"], ["y"], equation="......ii,...jj->...ij")
    result = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)
    net = onnx.helper.make_model(onnx.helper.make_graph([product], "g", factors, [result]))
    with pytest.raises(LibraryError, match="cannot be inferred within 5 seconds"):
        check_ends(net, 5)


def test_scores_of_a_fully_convolutional_network_are_averaged(tmp_path: Path) -> None:
    """One place at its own size, many on a larger picture."""
    nodes = [conv("c", INPUT, kernel_shape=[3, 3], strides=[2, 2]), conv("scores", "c", kernel_shape=[5, 5])]
    constants = {"c_w": weights(4, 3, 3, 3), "scores_w": weights(2, 4, 5, 5)}
    files = imported(tmp_path, model(nodes, constants, ["scores"], shape=(1, 3, 12, 12)))
    network = Network.open(files.path, device="cpu")
    assert files.info.logits == "scores_flat"
    picture = np.random.default_rng(0).uniform(0, 255, (3, 40, 53)).astype(np.float32)
    values = network.activations(picture, "scores_flat")
    assert relative_error(values, network.activations(picture, "scores").mean(axis=(1, 2))) < 1e-5
    network.gradient(picture, network.class_target(1))
