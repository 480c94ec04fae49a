from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas import limits, wire
from tests import wire_client

u8, u16, u32, u53 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32, 53))
i16 = st.integers(-(2**15), 2**15 - 1)
colours = st.tuples(u8, u8, u8)
strokes = st.builds(
    wire.Stroke,
    u53,
    st.integers(0, limits.MAX_PIECES - 1),
    colours,
    st.integers(1, 255),
    u16,
    st.lists(st.tuples(i16, i16, u16), min_size=1, max_size=20).map(tuple),
    st.booleans(),
    u32,
)
undreams = st.builds(lambda op, frame: replace(op, colour=(0, 0, 0), frame=frame), strokes, u32)
operations = st.one_of(
    strokes,
    undreams,
    st.builds(wire.Undo, u53, u32),
    st.builds(wire.Hide, st.lists(u53, max_size=5).map(tuple), st.booleans(), u32, u53),
)


@given(st.lists(operations, max_size=8))
def test_operations_come_back_as_they_went(ops: list[wire.Operation]) -> None:
    data = b"".join(map(wire.encode, ops))
    assert wire.operations_from(data, len(ops)) == (ops, 0)
    scanned = list(wire.scan(data, len(ops)))
    assert [(author, stroke) for _, author, stroke, _ in scanned] == [(op.author, op.stroke_id) for op in ops]
    assert [piece for *_, piece in scanned] == [getattr(op, "piece", 0) for op in ops]


@given(st.lists(st.one_of(strokes, undreams, st.builds(wire.Undo, u53, u32)), min_size=1, max_size=8))
def test_ink_comes_back_as_it_went(ops: list[wire.Stroke | wire.Undo]) -> None:
    data = wire_client.ink(ops)
    assert wire.from_client(data) == wire.Ink(tuple(ops))
    assert len(data) == wire.HEADER.size + 2 + sum(map(wire.size, ops))
    assert wire.first_of_ink(data) == (len(ops), ops[0].stroke_id, getattr(ops[0], "piece", 0))


@given(u32, u53)
def test_join_and_seen(frame: int, number: int) -> None:
    assert wire.from_client(wire_client.join(frame, number)) == wire.Join(frame, number)
    assert wire.from_client(wire_client.seen(number)) == wire.Seen(number)


@given(st.binary(max_size=200))
def test_random_bytes_raise_protocol_error_and_nothing_else(data: bytes) -> None:
    try:
        wire.from_client(data)
    except wire.ProtocolError as error:
        assert error.code in (4400, 4406, 4413)


@given(st.lists(st.one_of(strokes, undreams), min_size=1, max_size=3), st.integers(0, 2**32))
def test_mutated_ink_raises_protocol_error_and_nothing_else(ops: list[wire.Operation], seed: int) -> None:
    chance, data = random.Random(seed), bytearray(wire_client.ink(ops))
    for _ in range(chance.randint(1, 4)):
        match chance.randrange(3):
            case 0:
                data[chance.randrange(len(data))] = chance.randrange(256)
            case 1:
                del data[chance.randrange(len(data)) :]
                data += bytes(chance.randrange(3))
            case 2:
                data += chance.randbytes(chance.randint(1, 9))
        if len(data) < 5:
            break
    try:
        wire.from_client(bytes(data))
    except wire.ProtocolError:
        pass


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", 4400),
        (b"\xd5", 4400),
        (b"\x00\x01\x11\x00" + bytes(12), 4400),
        (b"\xd5\x02\x11\x00" + bytes(12), 4406),
        (b"\xd5\x01\x11\x01" + bytes(12), 4400),
        (wire_client.join(1, 1) + b"\x00", 4400),
        (b"\xd5\x01\x7f\x00", 4400),
        (wire.header(wire.BATCH) + bytes(18), 4400),
        (wire_client.ink([]), 4400),
        (wire_client.ink([wire.Hide((1,))]), 4400),
        (wire_client.ink([wire.Undo(1)]) + b"x", 4400),
        (wire_client.ink([wire.Undo(1)] * (limits.MAX_OPS + 1)), 4400),
        (wire_client.ink([wire.Stroke(1, 0, (0, 0, 0), 255, 0, ())]), 4400),
        (wire_client.ink([wire.Stroke(1, 0, (0, 0, 0), 0, 0, ((0, 0, 8),))]), 4400),
        (wire_client.ink([wire.Stroke(1, 0, (0, 0, 0), 1, 0, ((0, 0, 8),) * (limits.MAX_POINTS + 1))]), 4400),
        (bytes(limits.MAX_MESSAGE + 1), 4413),
    ],
)
def test_what_does_not_parse_has_its_close_code(data: bytes, code: int) -> None:
    with pytest.raises(wire.ProtocolError) as error:
        wire.from_client(data)
    assert error.value.code == code
    assert str(error.value)


def test_the_rest_of_a_batch() -> None:
    ops = [wire.Undo(number) for number in range(5)]
    whole = wire.Batch(10, 1, 5, b"".join(map(wire.encode, ops)))
    assert wire.without(whole, 12).operations() == [(13, wire.Undo(3)), (14, wire.Undo(4))]
