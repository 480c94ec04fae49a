"""Caffe's files as text and as bytes: what is read, what is passed over, which line is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamer.library import LibraryError
from dreamer.library.caffe_schema import NET
from dreamer.library.messages import decode

from .prototxt import parse


def test_prototxt_reads_what_caffe_writes() -> None:
    net = parse("""
        name: "two\\" words"  # a comment with { braces }
        input_shape { dim: 1 dim: 3, dim: 0x10; dim: 16 }
        layer: < type: 'Pooling' pooling_param { pool: MAX kernel_size: 3 stride: 2 global_pooling: false } >
        layer { type: "Eltwise" eltwise_param { coeff: [1, -1.5e-1] } name: "joined " "text" }
    """)
    assert net.name == 'two" words'
    assert list(net.input_shape[0].dim) == [1, 3, 16, 16]
    pool = net.layer[0].pooling_param
    assert (pool.pool, pool.kernel_size, pool.stride, pool.HasField("pad")) == (0, 3, 2, False)
    assert list(net.layer[1].eltwise_param.coeff) == [1, pytest.approx(-0.15)]
    assert net.layer[1].name == "joined text"


def test_prototxt_is_read_leniently() -> None:
    """Fields that only a fork or training knows are passed over; of a field given twice the last counts."""
    net = parse("\ufefflr: 0.1 layer { name: 'a' name: 'b' hdf5_data_param { source: 'x' deep { er: [1, 2] } } }")
    assert [layer.name for layer in net.layer] == ["b"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("layer {\n name: 'a'\n", "line 2: .*Expected"),
        ("layer {\n } }", "line 2: .*Expected identifier"),
        ("name: \n\n @", "line 3: .*'@'"),
        ("name 5", 'line 1: .*Expected ":"'),
        ("layer { pooling_param { pool: 'FAR' } }", "line 1: .*PoolMethod"),
        ("a: {" * 100, "nested"),
        ("layer { name: '" + "{" * 100, "nested"),
        ("input_dim: 99999999999999999999", "line 1: .*range"),
    ],
)
def test_prototxt_names_the_line(text: str, expected: str) -> None:
    with pytest.raises(LibraryError, match=expected):
        parse(text)


@given(st.text(alphabet="{}<>:[]\"'\\#ab1.- \n", max_size=60))
def test_prototxt_never_breaks_otherwise(text: str) -> None:
    try:
        parse(text)
    except LibraryError:
        pass


@given(st.binary(max_size=80))
def test_wire_never_breaks_otherwise(data: bytes) -> None:
    try:
        decode(data, NET)
    except LibraryError:
        pass
