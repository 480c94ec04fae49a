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
    flat         its result changes in steps or not at all with its inputs: no gradient passes
    cuda         the types of the first input for which ONNX Runtime has a CUDA kernel at opset 18, by the
                 table in its documentation: f float32, i int64, b bool
    shaped       the inputs after the first are read by the CPU, also where the kernel is CUDA's: they must be constants
    """

    elementwise: bool = False
    keeps_size: bool = False
    passes: bool = False
    rectified: bool = False
    flat: bool = False
    cuda: str = ""
    shaped: bool = False


_each = partial(Op, elementwise=True, keeps_size=True)
_map = partial(Op, keeps_size=True)
_step = partial(Op, flat=True)

OPS: dict[str, Op] = {
    # one value from one value
    "Abs": _each(cuda="fi"),
    "Cast": _each(cuda="fib"),
    "Celu": _each(),
    "Clip": _each(passes=True, cuda="fi", shaped=True),
    "Dropout": _map(passes=True),
    "Cos": _each(),
    "Elu": _each(cuda="f"),
    "Erf": _each(cuda="f"),
    "Exp": _each(cuda="f"),
    "HardSigmoid": _each(cuda="f"),
    "HardSwish": _each(cuda="f"),
    "Identity": _map(passes=True, rectified=True, cuda="fib"),
    "LeakyRelu": _each(passes=True, cuda="f"),
    "Log": _each(cuda="f"),
    "Mish": _each(),
    "Neg": _each(cuda="fi"),
    "PRelu": _map(cuda="f"),
    "Reciprocal": _each(cuda="f"),
    "Relu": _each(passes=True, cuda="f"),
    "Selu": _each(cuda="f"),
    "Sigmoid": _each(cuda="f"),
    "Sin": _each(),
    "Softplus": _each(cuda="f"),
    "Softsign": _each(cuda="f"),
    "Sqrt": _each(cuda="f"),
    "Tanh": _each(cuda="f"),
    "ThresholdedRelu": _each(cuda="f"),
    # one value from several
    "Add": _map(rectified=True, cuda="fi"),
    "And": _step(cuda="b"),
    "Div": _map(cuda="fi"),
    "Equal": _step(cuda="fi"),
    "Greater": _step(cuda="fi"),
    "GreaterOrEqual": _step(cuda="fi"),
    "Less": _step(cuda="fi"),
    "LessOrEqual": _step(cuda="fi"),
    "Max": _map(cuda="fi"),
    "Mean": _map(),
    "Min": _map(cuda="fi"),
    "Mul": _map(cuda="fi"),
    "Pow": _map(cuda="fi"),
    "Sub": _map(cuda="fi"),
    "Sum": _map(rectified=True, cuda="f"),
    "Where": _map(cuda="b"),
    # in steps, or about shapes alone
    "Ceil": _step(cuda="f"),
    "ConstantOfShape": _step(),
    "EyeLike": _step(cuda="f"),
    "Floor": _step(cuda="f"),
    "IsInf": _step(),
    "IsNaN": _step(cuda="f"),
    "Not": _step(cuda="b"),
    "Or": _step(cuda="b"),
    "Range": _step(),
    "Round": _step(cuda="f"),
    "Shape": _step(),
    "Sign": _step(cuda="fi"),
    "Size": _step(),
    # the same values in other places
    "Concat": _map(rectified=True, cuda="fib"),
    "DepthToSpace": Op(cuda="f"),
    "Expand": Op(cuda="fib", shaped=True),
    "Flatten": Op(cuda="fib"),
    "Gather": Op(cuda="fib"),
    "GatherElements": Op(cuda="fib"),
    "GatherND": Op(cuda="fi"),
    "Pad": Op(cuda="f", shaped=True),
    "Reshape": Op(cuda="fib", shaped=True),
    "ScatterElements": Op(cuda="fib"),
    "Resize": Op(cuda="f", shaped=True),
    "Slice": Op(cuda="fib", shaped=True),
    "SpaceToDepth": Op(cuda="f"),
    "Split": Op(cuda="fib", shaped=True),
    "Squeeze": Op(cuda="fib", shaped=True),
    "Tile": Op(cuda="fi", shaped=True),
    "Transpose": Op(cuda="fib"),
    "Unsqueeze": Op(cuda="fib", shaped=True),
    # sums of products
    "Conv": Op(cuda="f"),
    "ConvTranspose": Op(cuda="f"),
    "Einsum": Op(cuda="f"),
    "Gemm": Op(cuda="f"),
    "MatMul": Op(cuda="f"),
    # windows and whole axes
    "ArgMax": _step(cuda="f"),
    "ArgMin": _step(cuda="f"),
    "AveragePool": Op(rectified=True, cuda="f"),
    "GlobalAveragePool": Op(cuda="f"),
    "GlobalMaxPool": Op(cuda="f"),
    "LpPool": Op(),
    "MaxPool": Op(rectified=True, cuda="f"),
    "ReduceL1": Op(cuda="f", shaped=True),
    "ReduceL2": Op(cuda="f", shaped=True),
    "ReduceLogSum": Op(cuda="f", shaped=True),
    "ReduceLogSumExp": Op(cuda="f", shaped=True),
    "ReduceMax": Op(cuda="fi", shaped=True),
    "ReduceMin": Op(cuda="fi", shaped=True),
    "ReduceProd": Op(cuda="f", shaped=True),
    "ReduceMean": Op(cuda="f", shaped=True),
    "ReduceSum": Op(cuda="fi", shaped=True),
    "ReduceSumSquare": Op(cuda="f"),
    # normalisation
    "BatchNormalization": _map(cuda="f"),
    "InstanceNormalization": _map(cuda="f"),
    "LRN": _map(),
    "LayerNormalization": _map(cuda="f"),
    "LogSoftmax": _map(cuda="f"),
    "LpNormalization": _map(),
    "Softmax": _map(cuda="f"),
}
UNKNOWN = Op()


def properties(op: str) -> Op:
    """The row of an op; one that has none has no property either."""
    return OPS.get(op, UNKNOWN)
