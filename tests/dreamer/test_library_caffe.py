"""Caffe nets: both generations, every layer against torch or numpy."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from dreamer.engine import Network, Target
from dreamer.library import LibraryError, Registry
from dreamer.library.caffe import net_to_onnx, read_caffe, read_mean
from dreamer.library.googlenet import describe
from dreamer.library.normal import normal_form

from . import caffe_files
from .protobuf import field, floats, message, packed
from .prototxt import parse

RANDOM = np.random.default_rng(5)


def run(model: onnx.ModelProto, picture: np.ndarray, *names: str) -> list[np.ndarray]:
    """The named tensors (the outputs by default) for a picture."""
    known = {o.name for o in model.graph.output}
    model = onnx.ModelProto.FromString(model.SerializeToString())
    for name in names:
        if name not in known:
            model.graph.output.append(onnx.ValueInfoProto(name=name))
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(list(names) or None, {model.graph.input[0].name: picture})


def picture(*shape: int) -> np.ndarray:
    return RANDOM.normal(0, 50, shape).astype(np.float32)


def weights(*shape: int) -> np.ndarray:
    return RANDOM.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape).astype(np.float32)


def one_layer(text: str, arrays: list[np.ndarray] | None = None, channels: int = 3, size: int = 16) -> onnx.ModelProto:
    """A net of one layer `x` on `data`."""
    net = parse(
        f"input: 'data' input_dim: 1 input_dim: {channels} input_dim: {size} input_dim: {size}\n"
        f"layer {{ name: 'x' bottom: 'data' top: 'x' {text} }}"
    )
    return net_to_onnx(net, {"x": arrays or []}).model


# --- layers


def test_convolution_with_everything() -> None:
    w, b = weights(6, 1, 3, 5), weights(6)
    model = one_layer(
        "type: 'Convolution' convolution_param { num_output: 6 group: 3 kernel_h: 3 kernel_w: 5 "
        "stride_h: 2 stride_w: 1 pad_h: 1 pad_w: 2 dilation: 2 }",
        [w, b],
    )
    x = picture(1, 3, 16, 16)
    want = F.conv2d(torch.tensor(x), torch.tensor(w), torch.tensor(b), (2, 1), (1, 2), 2, 3)
    np.testing.assert_allclose(run(model, x)[0], want.numpy(), rtol=1e-4, atol=1e-4)


def caffe_pool(x: np.ndarray, kernel: int, stride: int, pad: int, average: bool) -> np.ndarray:
    """Caffe's pooling, written out from its rules: rounded up, clipped, the divisor counting padding."""
    n, c, height, width = x.shape

    def count(size: int) -> int:
        windows = -(-(size + 2 * pad - kernel) // stride) + 1
        return windows - (pad > 0 and (windows - 1) * stride >= size + pad)

    out = np.empty((n, c, count(height), count(width)), np.float32)
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            top, left = i * stride - pad, j * stride - pad
            bottom, right = min(top + kernel, height + pad), min(left + kernel, width + pad)
            area = (bottom - top) * (right - left)
            window = x[:, :, max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)]
            out[:, :, i, j] = window.sum((2, 3)) / area if average else window.max((2, 3))
    return out


@settings(max_examples=80, deadline=None)
@given(
    st.integers(7, 20),
    st.integers(7, 20),
    st.sampled_from([(3, 2, 0), (3, 2, 1), (2, 2, 0), (3, 1, 1), (5, 3, 0), (5, 3, 2), (2, 2, 1), (4, 3, 1)]),
    st.booleans(),
)
def test_pooling_rounds_up_and_clips(height: int, width: int, window: tuple[int, int, int], average: bool) -> None:
    kernel, stride, pad = window
    model = one_layer(
        f"type: 'Pooling' pooling_param {{ pool: {'AVE' if average else 'MAX'} kernel_size: {kernel} "
        f"stride: {stride} pad: {pad} }}"
    )
    for dim, size in zip(model.graph.input[0].type.tensor_type.shape.dim[2:], (height, width), strict=True):
        dim.dim_value = size
    x = picture(1, 3, height, width)
    np.testing.assert_allclose(run(model, x)[0], caffe_pool(x, kernel, stride, pad, average), rtol=1e-5, atol=1e-4)


def test_lrn_as_defined() -> None:
    model = one_layer("type: 'LRN' lrn_param { local_size: 3 alpha: 0.01 beta: 0.6 k: 2 }")
    x = picture(1, 3, 16, 16)
    want = F.local_response_norm(torch.tensor(x), 3, 0.01, 0.6, 2.0)  # divides alpha by the size, as Caffe does
    np.testing.assert_allclose(run(model, x)[0], want.numpy(), rtol=1e-4)


def test_batch_norm_scale_and_relu_fold_into_the_convolution() -> None:
    w, mean, var = weights(4, 3, 3, 3), weights(4), np.abs(weights(4)) + 1
    factor, shift = weights(4), weights(4)
    net = parse("""input: "data" input_shape { dim: 1 dim: 3 dim: 32 dim: 32 }
        layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
                convolution_param { num_output: 4 kernel_size: 3 bias_term: false } }
        layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "conv" batch_norm_param { eps: 0.001 } }
        layer { name: "scale" type: "Scale" bottom: "conv" top: "conv" scale_param { bias_term: true } }
        layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" relu_param { negative_slope: 0.1 } }""")
    raw = net_to_onnx(net, {"conv": [w], "bn": [mean * 3, var * 3, np.array([3.0])], "scale": [factor, shift]})
    normal = normal_form(raw.model, raw.input)
    assert [n.op_type for n in normal.model.graph.node] == ["Conv", "LeakyRelu"]
    x = picture(1, 3, 32, 32)
    before = F.conv2d(torch.tensor(x), torch.tensor(w))
    before = F.batch_norm(
        before, torch.tensor(mean), torch.tensor(var), torch.tensor(factor), torch.tensor(shift), eps=0.001
    )
    pre, post = run(normal.model, x, "conv_pre", "conv")
    np.testing.assert_allclose(pre, before.numpy(), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(post, F.leaky_relu(before, 0.1).numpy(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("type: 'Eltwise' bottom: 'data' eltwise_param { coeff: 1 coeff: -0.25 }", lambda x: 0.75 * x),
        ("type: 'Eltwise' bottom: 'data' eltwise_param { operation: PROD }", lambda x: x * x),
        ("type: 'Eltwise' bottom: 'data' eltwise_param { operation: MAX }", lambda x: x),
        ("type: 'Power' power_param { scale: 0.5 shift: -1 power: 2 }", lambda x: (0.5 * x - 1) ** 2),
        ("type: 'Sigmoid'", torch.sigmoid),
        ("type: 'TanH'", torch.tanh),
        ("type: 'ELU' elu_param { alpha: 0.7 }", lambda x: F.elu(x, 0.7)),
        ("type: 'Concat' bottom: 'data'", lambda x: torch.cat([x, x], 1)),
        ("type: 'Pooling' pooling_param { pool: AVE global_pooling: true }", lambda x: x.mean((2, 3), keepdim=True)),
        ("type: 'Softmax'", lambda x: x.softmax(1)),
        ("type: 'AbsVal'", torch.abs),
        ("type: 'BNLL'", F.softplus),
        ("type: 'Exp' exp_param { base: 2 scale: 0.01 shift: 1 }", lambda x: 2 ** (0.01 * x + 1)),
        ("type: 'Exp' exp_param { scale: 0.01 }", lambda x: torch.exp(0.01 * x)),
        ("type: 'Log' log_param { base: 10 shift: 300 }", lambda x: torch.log10(x + 300)),
        ("type: 'ReLU6'", F.relu6),
        ("type: 'Permute' permute_param { order: 0 order: 3 order: 1 order: 2 }", lambda x: x.permute(0, 3, 1, 2)),
        ("type: 'ShuffleChannel' shuffle_channel_param { group: 3 }", lambda x: x),
        ("type: 'Reshape' reshape_param { shape { dim: 0 dim: -1 dim: 4 dim: 8 } }", lambda x: x.reshape(1, 6, 4, 8)),
        (
            "type: 'Interp' interp_param { zoom_factor: 2 }",
            lambda x: F.interpolate(x, (15, 15), mode="bilinear", align_corners=True),
        ),
        ("type: 'Upsample' upsample_param { scale: 2 }", lambda x: F.interpolate(x, scale_factor=2)),
        (
            "type: 'Interp' interp_param { height: 15 width: 22 }",
            lambda x: F.interpolate(x, (15, 22), mode="bilinear", align_corners=True),
        ),
        (
            "type: 'LRN' lrn_param { norm_region: WITHIN_CHANNEL local_size: 3 alpha: 0.01 }",
            lambda x: x / (1 + 0.01 * F.avg_pool2d(x * x, 3, 1, 1)) ** 0.75,
        ),
        (
            "type: 'Pooling' pooling_param { pool: MAX kernel_size: 2 stride: 3 ceil_mode: false }",
            lambda x: F.max_pool2d(x, 2, 3),
        ),
        (
            "type: 'Pooling' pooling_param { pool: AVE kernel_size: 3 stride: 2 round_mode: FLOOR }",
            lambda x: F.avg_pool2d(x, 3, 2),
        ),
    ],
)
def test_simple_layers(text: str, reference: object) -> None:
    x = picture(1, 3, 8, 8)
    want = reference(torch.tensor(x)).numpy()
    np.testing.assert_allclose(run(one_layer(text, size=8), x)[0], want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("type: 'PriorBox'", "'x' has type 'PriorBox'.*1 of 1 layers"),
        ("type: 'Pooling' pooling_param { pool: STOCHASTIC }", "pools by chance"),
        ("type: 'Convolution' convolution_param { num_output: 4 kernel_size: 3 }", "no weights in the .caffemodel"),
        ("type: 'ReLU' bottom: 'nothing'", "reads the blob 'nothing'"),
    ],
)
def test_what_cannot_be_imported_is_named(text: str, expected: str) -> None:
    with pytest.raises(LibraryError, match=expected):
        one_layer(text)


def test_weights_of_another_shape_are_refused() -> None:
    with pytest.raises(LibraryError, match="do not make 4 filters of 3 x 3"):
        one_layer("type: 'Convolution' convolution_param { num_output: 4 kernel_size: 3 }", [weights(2, 2), weights(4)])


def test_deconvolution_depthwise_and_normalize() -> None:
    x = picture(1, 3, 9, 9)
    w, b, factor = weights(3, 2, 3, 3), weights(2), weights(3)
    text = "convolution_param { num_output: 2 kernel_size: 3 stride: 2 pad: 1 }"
    want = F.conv_transpose2d(torch.tensor(x), torch.tensor(w), torch.tensor(b), 2, 1)
    np.testing.assert_allclose(
        run(one_layer(f"type: 'Deconvolution' {text}", [w, b], size=9), x)[0], want.numpy(), rtol=1e-4, atol=1e-4
    )
    w = weights(3, 1, 3, 3)
    text = "convolution_param { num_output: 3 kernel_size: 3 bias_term: false }"
    want = F.conv2d(torch.tensor(x), torch.tensor(w), groups=3)
    for kind in ("DepthwiseConvolution", "ConvolutionDepthwise"):
        got = run(one_layer(f"type: '{kind}' {text}", [w], size=9), x)[0]
        np.testing.assert_allclose(got, want.numpy(), rtol=1e-4, atol=1e-4)
    text = "norm_param { across_spatial: false channel_shared: false }"
    want = F.normalize(torch.tensor(x), dim=1) * torch.tensor(factor).reshape(1, 3, 1, 1)
    got = run(one_layer(f"type: 'Normalize' {text}", [factor], size=9), x)[0]
    np.testing.assert_allclose(got, want.numpy(), rtol=1e-4, atol=1e-5)


def test_channels_are_shuffled_biased_and_weighed() -> None:
    """Six channels as two rows, read by columns; a number added to each; each times what the net makes of them."""
    x, w, b = picture(1, 3, 9, 7), weights(6, 3, 1, 1), weights(6)
    net = parse(
        """input: 'data' input_dim: 1 input_dim: 3 input_dim: 9 input_dim: 7
        layer { name: 'wide' type: 'Convolution' bottom: 'data' top: 'wide'
                convolution_param { num_output: 6 kernel_size: 1 bias_term: false } }
        layer { name: 'mixed' type: 'ShuffleChannel' bottom: 'wide' top: 'mixed' shuffle_channel_param { group: 2 } }
        layer { name: 'moved' type: 'Bias' bottom: 'mixed' top: 'moved' }
        layer { name: 'pool' type: 'Pooling' bottom: 'moved' top: 'pool' pooling_param { pool: AVE global_pooling: 1 } }
        layer { name: 'y' type: 'Scale' bottom: 'moved' bottom: 'pool' top: 'y' scale_param { axis: 0 } }"""
    )
    model = net_to_onnx(net, {"wide": [w], "moved": [b]}).model
    wide = np.einsum("nchw,dc->ndhw", x, w[:, :, 0, 0])
    moved = wide[:, [0, 3, 1, 4, 2, 5]] + b.reshape(1, 6, 1, 1)
    np.testing.assert_allclose(run(model, x)[0], moved * moved.mean(axis=(2, 3), keepdims=True), rtol=1e-3, atol=1e-2)


def test_what_is_enlarged_can_be_dreamed_of(tmp_path: Path) -> None:
    """At every size of the picture: how large follows from it."""
    text = """input: 'data' input_dim: 1 input_dim: 3 input_dim: 32 input_dim: 32
    layer { name: 'c' type: 'Convolution' bottom: 'data' top: 'c' convolution_param { num_output: 4 kernel_size: 3 } }
    layer { name: 'large' type: 'Interp' bottom: 'c' top: 'large' interp_param { zoom_factor: 2 } }"""
    (tmp_path / "net.prototxt").write_text(text)
    (tmp_path / "net.caffemodel").write_bytes(caffe_files.v2({"c": [weights(4, 3, 3, 3), weights(4)]}))
    files = Registry(tmp_path / "models").import_file(
        tmp_path / "net.caffemodel", "net", prototxt=tmp_path / "net.prototxt", convention="raw"
    )
    network = Network.open(files.path, device="cpu")
    image = np.random.default_rng(0).uniform(0, 255, (3, 41, 50)).astype(np.float32)
    assert network.activations(image, "large").shape == (4, 77, 95)
    gradient, _ = network.gradient(image, Target.layer("large", 1))
    one = np.zeros_like(image)
    one[1, 20, 30] = 100  # all of it is linear
    ahead, behind = (network.activations(image + sign * one, "large")[1].astype(float).sum() for sign in (1, -1))
    assert gradient[1, 20, 30] == pytest.approx((ahead - behind) / 200, rel=1e-3)


def test_slices_become_tensors_of_their_own() -> None:
    net = parse("""input: "data" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
        layer { name: "cut" type: "Slice" bottom: "data" top: "a" top: "b" slice_param { slice_point: 1 } }
        layer { name: "even" type: "Slice" bottom: "data" top: "c" top: "d" slice_param { axis: 2 } }""")
    x = picture(1, 3, 8, 8)
    a, b, c, d = run(net_to_onnx(net, {}).model, x, "a", "b", "c", "d")
    np.testing.assert_array_equal(np.concatenate([a, b], 1), x)
    np.testing.assert_array_equal(np.concatenate([c, d], 2), x)
    assert a.shape[1] == 1 and c.shape[2] == 4


def test_activations_after_a_fully_connected_layer() -> None:
    """Numbers per channel meet [n, c] there, and the head is still independent of the picture's size."""
    net = parse("""input: "data" input_dim: 1 input_dim: 3 input_dim: 32 input_dim: 32
        layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
                convolution_param { num_output: 4 kernel_size: 3 stride: 2 } }
        layer { name: "fc" type: "InnerProduct" bottom: "conv" top: "fc" inner_product_param { num_output: 6 } }
        layer { name: "prelu" type: "PReLU" bottom: "fc" top: "fc" }
        layer { name: "scale" type: "Scale" bottom: "fc" top: "fc" scale_param { bias_term: true } }
        layer { name: "out" type: "InnerProduct" bottom: "fc" top: "out" inner_product_param { num_output: 5 } }""")
    w, b, fw, fb = weights(4, 3, 3, 3), weights(4), weights(6, 4 * 15 * 15), weights(6)
    slope, factor, shift, ow, ob = weights(6), weights(6), weights(6), weights(5, 6), weights(5)
    arrays = {"conv": [w, b], "fc": [fw, fb], "prelu": [slope], "scale": [factor, shift], "out": [ow, ob]}
    normal = normal_form(net_to_onnx(net, arrays).model)
    x = picture(1, 3, 32, 32)
    t = [torch.tensor(v) for v in (x, w, b, fw, fb, slope, factor, shift, ow, ob)]
    hidden = F.prelu(F.linear(F.conv2d(t[0], t[1], t[2], 2).flatten(1), t[3], t[4]), t[5]) * t[6] + t[7]
    want = F.linear(hidden, t[8], t[9]).numpy()
    np.testing.assert_allclose(run(normal.model, x, "out")[0], want, rtol=1e-3, atol=1e-3)
    assert run(normal.model, picture(1, 3, 47, 70), "out")[0].shape == (1, 5)


def test_a_layer_nobody_knows_costs_itself_and_what_rests_on_it() -> None:
    convs = "".join(
        f'layer {{ name: "c{i}" type: "Convolution" bottom: "{"data" if i == 0 else f"c{i - 1}"}" top: "c{i}" '
        f"convolution_param {{ num_output: 3 kernel_size: 1 bias_term: false }} }}"
        for i in range(4)
    )
    net = parse(f"""input: "data" input_dim: 1 input_dim: 3 input_dim: 32 input_dim: 32 {convs}
        layer {{ name: "odd" type: "Magic" bottom: "c3" top: "odd" }}
        layer {{ name: "after" type: "ReLU" bottom: "odd" top: "after" }}
        layer {{ name: "loss" type: "SmoothL1Loss" bottom: "c3" bottom: "label" top: "loss" }}
        layer {{ name: "side" type: "ReLU" bottom: "c1" top: "side" }}""")
    raw = net_to_onnx(net, {f"c{i}": [weights(3, 3, 1, 1)] for i in range(4)})
    assert [o.name for o in raw.model.graph.output] == ["c3", "side"]
    (note,) = raw.notes
    assert "5 of 7 layers are kept: 'odd' has type 'Magic'" in note and "1 layers rest on that" in note


# --- whole files


def test_a_trained_net_describes_itself(tmp_path: Path) -> None:
    """A V1 file as training wrote it: data and loss layers, splits, means, no prototxt at all."""
    w, b = weights(4, 3, 3, 3), weights(4)
    fc, fb = weights(5, 4 * 15 * 15), weights(5)
    net = message(
        field(1, "net"),
        field(
            2,
            message(
                field(3, "data"),
                field(3, "label"),
                field(4, "data"),
                field(5, 5),
                field(32, field(1, 0)),  # include { phase: TRAIN }
                field(36, message(field(3, 32), *(field(5, m) for m in (100.0, 110.0, 120.0)))),
            ),
        ),
        field(2, message(field(2, "data"), field(3, "s0"), field(3, "s1"), field(4, "split"), field(5, 22))),
        field(
            2,
            message(
                field(2, "s0"),
                field(3, "conv"),
                field(4, "conv"),
                field(5, 4),
                field(6, caffe_files.blob(w, old=True)),
                field(6, caffe_files.blob(b, old=True)),
                field(10, message(field(1, 4), field(4, 3), field(6, 2))),
            ),
        ),
        field(2, message(field(2, "conv"), field(3, "conv"), field(4, "relu"), field(5, 18))),
        field(2, message(field(2, "conv"), field(3, "conv"), field(4, "drop"), field(5, 6))),
        field(
            2,
            message(
                field(2, "conv"),
                field(3, "fc"),
                field(4, "fc"),
                field(5, 14),
                field(6, caffe_files.blob(fc, old=True)),
                field(6, caffe_files.blob(fb, old=True)),
                field(17, field(1, 5)),
            ),
        ),
        field(2, message(field(2, "fc"), field(2, "label"), field(3, "loss"), field(4, "loss"), field(5, 21))),
    )
    path = tmp_path / "net.caffemodel"
    path.write_bytes(net)
    files = Registry(tmp_path / "models").import_file(path, "own")
    assert (files.info.channel_order, files.info.mean) == ("BGR", (100.0, 110.0, 120.0))
    assert files.info.logits == "fc"
    model = onnx.load(str(files.model))
    x = picture(2, 3, 32, 32)
    conv = F.conv2d(torch.tensor(x), torch.tensor(w), torch.tensor(b), 2)
    pre, post, scores = run(model, x, "conv_pre", "conv", "fc")
    np.testing.assert_allclose(pre, conv.numpy(), rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(post, conv.relu().numpy(), rtol=1e-4, atol=1e-3)
    want = F.linear(conv.relu().flatten(1), torch.tensor(fc), torch.tensor(fb))
    np.testing.assert_allclose(scores, want.numpy(), rtol=1e-3, atol=1e-3)
    assert run(model, picture(1, 3, 47, 70), "fc")[0].shape == (1, 5)  # any size still classifies


def test_damaged_files_are_named(tmp_path: Path) -> None:
    whole = caffe_files.v2({"conv": [weights(4, 3, 3, 3), weights(4)]})
    path = tmp_path / "cut.caffemodel"
    path.write_bytes(whole[:-40])
    with pytest.raises(LibraryError, match=r"cut\.caffemodel is not a \.caffemodel file, or it is cut short"):
        read_caffe(path)
    path.write_bytes(b"<html>not found</html>")
    with pytest.raises(LibraryError, match=r"cut\.caffemodel"):
        read_caffe(path)
    solver = tmp_path / "solver.prototxt"
    solver.write_text('net: "x" base_lr: 0.1')
    path.write_bytes(whole)
    with pytest.raises(LibraryError, match="not a solver"):
        read_caffe(path, solver)


def test_mean_picture(tmp_path: Path) -> None:
    values = np.stack([np.full((4, 5), v, np.float32) for v in (104.051, 112.514, 116.676)])
    path = tmp_path / "mean.binaryproto"
    path.write_bytes(caffe_files.blob(values[None], old=True))
    assert read_mean(path) == (104.051, 112.514, 116.676)
    path.write_bytes(message(field(7, packed(1, (1, 2, 2))), floats(5, np.zeros(4))))
    with pytest.raises(LibraryError, match="not a colour mean picture"):
        read_mean(path)


# --- GoogLeNet, there and back


def to_caffe(model: onnx.ModelProto) -> tuple[str, caffe_files.Weights]:
    """The prototxt text and the weights of a GoogLeNet-like ONNX model, layer by layer."""
    arrays = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    text = ['input: "data"', "input_dim: 10 input_dim: 3 input_dim: 224 input_dim: 224"]
    found: caffe_files.Weights = {}
    blobs = {"data": "data"}  # tensor -> Caffe blob; a ReLU works in place
    for node in model.graph.node:
        a = {x.name: onnx.helper.get_attribute_value(x) for x in node.attribute}
        top, params, kind = node.output[0], "", node.op_type
        if kind == "Conv":
            top = top.removesuffix("_pre")
            found[top] = [arrays[i] for i in node.input[1:]]
            kind, params = (
                "Convolution",
                (
                    f"convolution_param {{ num_output: {len(found[top][0])} kernel_size: {a['kernel_shape'][0]} "
                    f"stride: {a['strides'][0]} pad: {a['pads'][0]} }}"
                ),
            )
        elif kind == "Relu":
            kind, top = "ReLU", blobs[node.input[0]]
        elif kind == "MaxPool":
            assert a["ceil_mode"] == int(a["strides"][0] > 1)
            kind, params = (
                "Pooling",
                (
                    f"pooling_param {{ pool: MAX kernel_size: {a['kernel_shape'][0]} "
                    f"stride: {a['strides'][0]} pad: {a['pads'][0]} }}"
                ),
            )
        elif kind == "LRN":
            params = f"lrn_param {{ local_size: {a['size']} alpha: {a['alpha']:.6g} beta: {a['beta']:.6g} }}"
        elif kind == "GlobalAveragePool":
            kind, params = "Pooling", "pooling_param { pool: AVE kernel_size: 7 stride: 1 }"
        elif kind == "Flatten":
            blobs[node.output[0]] = blobs[node.input[0]]
            continue
        elif kind == "Gemm":
            found[top] = [arrays[i] for i in node.input[1:]]
            kind, params = "InnerProduct", f"inner_product_param {{ num_output: {len(found[top][0])} }}"
        bottoms = " ".join(f'bottom: "{blobs[i]}"' for i in node.input if i not in arrays)
        name = f"{top}_relu" if kind == "ReLU" else top
        text.append(f'layer {{ name: "{name}" type: "{kind}" {bottoms} top: "{top}" {params} }}')
        blobs[node.output[0]] = top
    return "\n".join(text), found


@pytest.mark.googlenet
def test_googlenet_there_and_back(tmp_path: Path) -> None:
    folder = os.environ.get("DREAMSITE_TEST_GOOGLENET")
    if not folder:
        pytest.skip("DREAMSITE_TEST_GOOGLENET does not name a folder with googlenet.onnx")
    yardstick = onnx.load(str(Path(folder) / "googlenet.onnx"))
    text, found = to_caffe(yardstick)
    (tmp_path / "net.prototxt").write_text(text)
    (tmp_path / "net.caffemodel").write_bytes(caffe_files.v2(found))
    registry = Registry(tmp_path / "models")
    labels = Path(folder) / "labels.txt"
    files = registry.import_file(tmp_path / "net.caffemodel", "back", prototxt=tmp_path / "net.prototxt", labels=labels)
    assert (files.info.channel_order, files.info.mean, files.info.title) == ("BGR", (104, 117, 123), "GoogLeNet (BVLC)")
    assert files.labels[954] == "banana"
    model = onnx.load(str(files.model))
    names = [
        "conv1/7x7_s2_pre",
        "pool1/3x3_s2",
        "inception_3b/output",
        "inception_4c/3x3_reduce_pre",
        "inception_4c/3x3_reduce",
        "inception_5b/output",
        "logits",
    ]
    for height, width in ((224, 224), (131, 97)):
        x = picture(1, 3, height, width)
        for name, ours, theirs in zip(names, run(model, x, *names), run(yardstick, x, *names), strict=True):
            np.testing.assert_array_equal(ours, theirs, err_msg=f"{name} at {width} x {height}")
    # The same weights in the V1 format, with our own description of the net.
    found = {"loss3/classifier" if name == "logits" else name: arrays for name, arrays in found.items()}
    (tmp_path / "v1.caffemodel").write_bytes(caffe_files.v1(found))
    raw = read_caffe(tmp_path / "v1.caffemodel", description=describe())
    normal = normal_form(raw.model, raw.input)
    x = picture(1, 3, 160, 96)
    ours = run(normal.model, x, "inception_4e/output", "loss3/classifier")
    for mine, theirs in zip(ours, run(yardstick, x, "inception_4e/output", "logits"), strict=True):
        np.testing.assert_array_equal(mine, theirs)
