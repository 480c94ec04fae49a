"""Heights and widths that are known only when a picture is: which are equal, and how each follows from another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import NamedTuple

from .node import Array, Node, Shape
from .ops import properties


class Size(NamedTuple):
    """A height or width out of another one, by a window's arithmetic."""

    before: int | str | None
    padding: tuple[bytes, int]  # auto_pad, and the pixels of both sides together
    reach: int  # from a window's first pixel to its last
    stride: int
    ceiling: bool


def name_sizes(
    nodes: Iterable[Node], constants: Mapping[str, Array], shapes: MutableMapping[str, Shape]
) -> dict[str, Size]:
    """Name the heights and widths in ``shapes`` that depend on the picture's, equal sizes by equal names; return what
    each name stands for."""
    names: dict[Size, str] = {}
    for node in nodes:
        shape, before = (shapes.get(n[0], ()) for n in (node.outputs, node.inputs or [""]))
        if len(shape) != 4 or len(before) != 4 or None not in shape[2:]:
            continue
        sizes = list(before[2:])
        if node.op == "Conv" or node.op.endswith("Pool"):
            kernel: list[int] = node.attrs.get("kernel_shape") or list(constants[node.inputs[1]].shape[2:])
            for axis in (0, 1):
                pads = node.attrs.get("pads", [0] * 4)
                padding = node.attrs.get("auto_pad", b"NOTSET"), pads[axis] + pads[axis + 2]
                reach = node.attrs.get("dilations", [1, 1])[axis] * (kernel[axis] - 1)
                stride = node.attrs.get("strides", [1, 1])[axis]
                if sizes[axis] is None:
                    continue  # of what is not known nothing can be counted, and two such need not be equal
                if stride != 1 or (padding[1] != reach and not padding[0].startswith(b"SAME")):
                    key = Size(sizes[axis], padding, reach, stride, bool(stride > 1 and node.attrs.get("ceil_mode", 0)))
                    sizes[axis] = names.setdefault(key, f"size{len(names)}")
        elif properties(node.op).keeps_size and not (node.op == "Concat" and node.attrs["axis"] % 4 > 1):
            # a size of 1 is repeated to that of the other inputs
            maps = [s for s in (shapes.get(i, ()) for i in node.inputs) if len(s) == 4]
            sizes = [next((s[axis] for s in maps if s[axis] not in (1, None)), None) for axis in (2, 3)]
        else:
            continue
        shapes[node.outputs[0]] = tuple(
            named if known is None else known for known, named in zip(shape, (*shape[:2], *sizes), strict=True)
        )
    return {name: size for size, name in names.items()}
