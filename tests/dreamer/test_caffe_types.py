"""Every layer type that Caffe has is imported, computes nothing for a net in use, or is left out for a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from dreamer.library import LibraryError
from dreamer.library.caffe import net_to_onnx
from dreamer.library.caffe_layers import LAYERS, LEFT_OUT, SAME, SOURCES, is_needed
from dreamer.library.caffe_schema import LAYER, MESSAGES, V1_NAMES

from .test_library_caffe import one_layer, parse, picture, run

CAFFE = {  # what BVLC's Caffe 1.0 registers, and its last state added
    *("AbsVal", "Accuracy", "ArgMax", "BNLL", "BatchNorm", "BatchReindex", "Bias", "Clip", "Concat"),
    *("ContrastiveLoss", "Convolution", "Crop", "Data", "Deconvolution", "Dropout", "DummyData", "ELU"),
    *("Eltwise", "Embed", "EuclideanLoss", "Exp", "Filter", "Flatten", "HDF5Data", "HDF5Output"),
    *("HingeLoss", "Im2col", "ImageData", "InfogainLoss", "InnerProduct", "Input", "LRN", "LSTM"),
    *("LSTMUnit", "Log", "MVN", "MemoryData", "MultinomialLogisticLoss", "PReLU", "Parameter", "Pooling"),
    *("Power", "Python", "RNN", "ReLU", "Recurrent", "Reduction", "Reshape", "SPP", "Scale", "Sigmoid"),
    *("SigmoidCrossEntropyLoss", "Silence", "Slice", "Softmax", "SoftmaxWithLoss", "Split", "Swish"),
    *("TanH", "Threshold", "Tile", "WindowData"),
}


def test_every_type_is_known_or_left_out_for_a_reason() -> None:
    unneeded = {kind for kind in CAFFE if not is_needed(kind)}
    known = [set(LAYERS), SOURCES, SAME, set(LEFT_OUT), unneeded]
    assert set().union(*known) >= CAFFE
    assert sum(map(len, known)) == len(set().union(*known)), "a type is in two lists"
    assert set(LEFT_OUT) <= CAFFE


def test_the_first_generation_has_names_for_all_its_numbers() -> None:
    assert set(V1_NAMES) == set(range(1, 40))
    assert set(V1_NAMES.values()) <= CAFFE


def test_every_type_finds_its_parameters() -> None:
    assert {param for _, param in LAYERS.values() if param} <= set(LAYER.DESCRIPTOR.fields_by_name)
    assert "Mvn" in MESSAGES


@pytest.mark.parametrize("kind", sorted(LEFT_OUT))
def test_what_is_left_out_says_why(kind: str) -> None:
    described = parse(
        "input: 'data' input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8\n"
        "layer { name: 'kept' type: 'ReLU' bottom: 'data' top: 'kept' }\n"
        f"layer {{ name: 'x' type: '{kind}' bottom: 'kept' top: 'x' }}"
    )
    assert f"'x' has type '{kind}' ({LEFT_OUT[kind]})" in net_to_onnx(described, {}).notes[0]


def _normalised(x: torch.Tensor, *axes: int) -> torch.Tensor:
    return (x - x.mean(axes, keepdim=True)) / x.std(axes, correction=0, keepdim=True)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("type: 'Clip' clip_param { min: -20 max: 35 }", lambda x: x.clamp(-20, 35)),
        ("type: 'Swish'", F.silu),
        ("type: 'Swish' swish_param { beta: 0.02 }", lambda x: x * torch.sigmoid(0.02 * x)),
        ("type: 'Tile' tile_param { tiles: 3 }", lambda x: x.repeat(1, 3, 1, 1)),
        ("type: 'Tile' tile_param { axis: 3 tiles: 2 }", lambda x: x.repeat(1, 1, 1, 2)),
        ("type: 'MVN'", lambda x: _normalised(x, 2, 3)),
        ("type: 'MVN' mvn_param { across_channels: true }", lambda x: _normalised(x, 1, 2, 3)),
        ("type: 'MVN' mvn_param { normalize_variance: false }", lambda x: x - x.mean((2, 3), keepdim=True)),
    ],
)
def test_simple_layers(text: str, reference: Callable[[Any], Any]) -> None:
    x = picture(1, 3, 8, 8)
    want = reference(torch.tensor(x)).numpy()
    np.testing.assert_allclose(run(one_layer(text, size=8), x)[0], want, rtol=1e-4, atol=1e-4)


def test_an_axis_that_cannot_be_repeated_is_named() -> None:
    with pytest.raises(LibraryError, match="'x' repeats axis 4 2 times, expected an axis from 1 to 3"):
        one_layer("type: 'Tile' tile_param { axis: 4 tiles: 2 }")
