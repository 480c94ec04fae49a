"""Writing `.caffemodel` files in both of Caffe's formats, for tests."""

from __future__ import annotations

import numpy as np

from .protobuf import field, floats, message, packed

V1_TYPES = {
    "Convolution": 4,
    "InnerProduct": 14,
    "Pooling": 17,
    "ReLU": 18,
    "LRN": 15,
    "Concat": 3,
    "Softmax": 20,
    "Data": 5,
    "Split": 22,
    "SoftmaxWithLoss": 21,
    "Dropout": 6,
}
Weights = dict[str, list[np.ndarray]]


def blob(values: np.ndarray, old: bool = False) -> bytes:
    """A BlobProto; `old` writes the four numbers of before 2014 instead of a shape."""
    if old:
        shape = (1,) * (4 - values.ndim) + values.shape
        dims = message(*(field(i, int(d)) for i, d in enumerate(shape, 1)))
    else:
        dims = field(7, packed(1, values.shape))
    return message(dims, floats(5, values))


def v2(weights: Weights, layers: dict[str, bytes] | None = None) -> bytes:
    """A net whose layers carry blobs (and, by name, further encoded fields)."""
    return message(
        field(1, "net"),
        *(
            field(100, message(field(1, name), (layers or {}).get(name, b""), *(field(7, blob(a)) for a in arrays)))
            for name, arrays in weights.items()
        ),
    )


def v1(weights: Weights) -> bytes:
    """The same in the V1 format: another field, other numbers, four-number blobs."""
    return message(
        field(1, "net"),
        *(
            field(
                2,
                message(
                    field(4, name),
                    field(5, 4 if arrays[0].ndim == 4 else 14),
                    *(field(6, blob(a, old=True)) for a in arrays),
                ),
            )
            for name, arrays in weights.items()
        ),
    )
