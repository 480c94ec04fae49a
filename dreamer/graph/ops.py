"""What the program has to know of each ONNX op beside its gradient: one row for each.

A new op is a row here, its gradient in ``gradient/rules``, and a line in the PyTorch reference that tests compare with.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial


@dataclass(frozen=True)
class Op:
    """Properties of an op.

    elementwise  each value of the result follows from the values at its place alone, so it does the same to a map and
                 to a vector
    keeps_size   the result is as high and wide as the largest input
    passes       hands the channels of its first input on as they are, or rectified: a channel that is silent behind it
                 has a gradient before it
    rectified    where its inputs are never negative, neither is the result; and where it is 0, no gradient passes
    cuda         the types of the first input for which ONNX Runtime has a CUDA kernel at opset 18, after its
                 docs/OperatorKernels.md: f float32, i int64, b bool
    shaped       the inputs after the first are read by the CPU, also where the kernel is CUDA's: they must be constants
    """

    elementwise: bool = False
    keeps_size: bool = False
    passes: bool = False
    rectified: bool = False
    cuda: str = ""
    shaped: bool = False


_each = partial(Op, elementwise=True, keeps_size=True)
_map = partial(Op, keeps_size=True)

OPS: dict[str, Op] = {
    # one value from one value
    "Abs": _each(cuda="fi"),
    "Clip": _each(passes=True, cuda="fi", shaped=True),
    "Dropout": _map(passes=True),
    "Elu": _each(),
    "Identity": _map(passes=True, rectified=True, cuda="fib"),
    "LeakyRelu": _each(passes=True, cuda="f"),
    "Neg": _each(cuda="fi"),
    "PRelu": _map(cuda="f"),
    "Relu": _each(passes=True, cuda="f"),
    "Sigmoid": _each(cuda="f"),
    "Sqrt": _each(cuda="f"),
    "Tanh": _each(cuda="f"),
    # one value from several
    "Add": _map(rectified=True, cuda="fi"),
    "And": Op(cuda="b"),
    "Div": _map(cuda="fi"),
    "Equal": Op(cuda="fi"),
    "Greater": Op(cuda="fi"),
    "GreaterOrEqual": Op(cuda="fi"),
    "LessOrEqual": Op(cuda="fi"),
    "Max": _map(cuda="fi"),
    "Min": _map(cuda="fi"),
    "Mul": _map(cuda="fi"),
    "Pow": _map(cuda="fi"),
    "Sub": _map(cuda="fi"),
    "Sum": _map(rectified=True, cuda="f"),
    "Where": Op(cuda="b"),
    # the same values in other places
    "Concat": _map(rectified=True, cuda="fib"),
    "DepthToSpace": Op(cuda="f"),
    "Expand": Op(cuda="fib", shaped=True),
    "Flatten": Op(cuda="fib"),
    "Gather": Op(cuda="fib"),
    "Pad": Op(cuda="f", shaped=True),
    "Reshape": Op(cuda="fib", shaped=True),
    "ScatterElements": Op(cuda="fib"),
    "Slice": Op(cuda="fib", shaped=True),
    "Split": Op(cuda="fib", shaped=True),
    "Squeeze": Op(cuda="fib", shaped=True),
    "Transpose": Op(cuda="fib"),
    "Unsqueeze": Op(cuda="fib", shaped=True),
    # sums of products
    "Conv": Op(cuda="f"),
    "ConvTranspose": Op(cuda="f"),
    "Gemm": Op(cuda="f"),
    "MatMul": Op(cuda="f"),
    # windows and whole axes
    "ArgMax": Op(cuda="f"),
    "AveragePool": Op(rectified=True, cuda="f"),
    "GlobalAveragePool": Op(cuda="f"),
    "GlobalMaxPool": Op(cuda="f"),
    "MaxPool": Op(rectified=True, cuda="f"),
    "ReduceMean": Op(cuda="f", shaped=True),
    "ReduceSum": Op(cuda="fi", shaped=True),
    "ReduceSumSquare": Op(cuda="f"),
    # normalisation
    "BatchNormalization": _map(cuda="f"),
    "LRN": _map(),
    "Softmax": _map(cuda="f"),
}
UNKNOWN = Op()


def properties(op: str) -> Op:
    """The row of an op; one that has none has no property either."""
    return OPS.get(op, UNKNOWN)
