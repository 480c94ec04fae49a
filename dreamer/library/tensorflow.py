"""TensorFlow's frozen graphs (GraphDef, `.pb`) without TensorFlow.

TensorFlow keeps pictures as [n, h, w, c]; here every tensor with four dimensions becomes [n, c, h, w], under its
node's name. SAME padding depends on the size's parity, so it stays SAME_UPPER wherever a stride makes that
matter. TensorFlow does not divide LRN's alpha by the window, ONNX does.
"""

from __future__ import annotations

import heapq
from pathlib import Path
from typing import Any

from onnx import TensorProto, helper, numpy_helper

from ..graph import IR_VERSION, OPSET
from .importing import Raw
from .messages import decode
from .names import LibraryError, unknown
from .tensorflow_constants import constants, is_flag
from .tensorflow_ops import LEFT_OUT, OPS, Node, State
from .tensorflow_schema import GRAPH

LEAST_KEPT = 0.1  # of a network's operations; with fewer it is not that network any more


def read_graphdef(path: Path, picture: str | None = None) -> Raw:
    """The network of a frozen graph; `picture` names the tensor to feed where that is not the one placeholder."""
    try:
        graph = decode(path.read_bytes(), GRAPH)
    except LibraryError as error:
        raise LibraryError(f"{path} is not a TensorFlow graph, or it is cut short: {error}") from None
    nodes = {node.name: node for node in map(_node, graph.node) if node.op}
    if not nodes:
        raise LibraryError(f"{path} is not a TensorFlow graph: it holds no nodes")
    return graph_to_onnx(nodes, picture)


def _node(message: Any) -> Node:
    inputs = [name.removesuffix(":0") for name in message.input if not name.startswith("^")]
    return Node(message.name, message.op, inputs, {a.key: a.value for a in message.attr})


def graph_to_onnx(nodes: dict[str, Node], picture: str | None = None) -> Raw:
    """Translate everything that can be computed from the picture."""
    picture = _picture(nodes, picture)
    order, loops = _reachable(nodes, picture)
    state = State(constants(nodes, picture), {picture: 4}, nodes)
    # node -> why it is left out, for those with which it began
    left_out = {loops[0]: f"the first of {len(loops)} operations in a loop"} if loops else dict[str, str]()
    skipped, dead, asides = set(loops), set[str](), set[str]()
    for node in order:
        if node.op == "Merge":
            _merge(state, node, skipped, dead)
            continue
        node.inputs = [state.alias.get(name, name) for name in node.inputs]
        if any(name in dead for name in node.inputs):
            dead.add(node.name)
            continue
        unknown_inputs = [n for n in node.inputs if n not in state.ranks and n not in state.constants]
        if node.op == "Reshape" and set(unknown_inputs) <= asides and node.inputs[0] in state.ranks:
            unknown_inputs = []
        if node.op == "Shape" or (unknown_inputs and all(name in asides for name in unknown_inputs)):
            asides.add(node.name)  # arithmetic on sizes, which is done otherwise here
        elif any(name.partition(":")[0] in skipped for name in unknown_inputs):
            skipped.add(node.name)
        elif node.op == "Switch":
            _switch(state, node, dead, left_out, skipped)
        elif node.op not in OPS:
            # One strange branch (a summary, a decoder) must not forbid the rest.
            skipped.add(node.name)
            left_out[node.name] = f"{node.op}: {LEFT_OUT[node.op]}" if node.op in LEFT_OUT else node.op
        elif unknown_inputs:  # dropout's share to keep, say, which is fed at every run
            skipped.add(node.name)
            left_out[node.name] = f"{node.op}, and nothing says what {', '.join(unknown_inputs)} is"
        else:
            OPS[node.op](state, node)
    notes = [f"left out {name} ({why}) and what rests on it" for name, why in left_out.items()]
    kept = len(state.ranks) - 1
    if not state.nodes or kept < LEAST_KEPT * (kept + len(skipped)):
        known = ", ".join(sorted(OPS))
        share = f"only {kept} of {kept + len(skipped)} operations after" if kept else "nothing after"
        raise LibraryError(
            f"{share} {picture!r} can be imported ({'; '.join(notes[:5])}); "
            f"name the tensor to feed with --input; operations known here are {known}"
        )
    read = {name for node in state.nodes for name in node.input}
    outputs = [name for node in state.nodes for name in node.output if name not in read]
    graph = helper.make_graph(
        state.nodes,
        "graph",
        [helper.make_tensor_value_info(picture, TensorProto.FLOAT, [1, 3, *_size(nodes[picture])])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in state.used.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = IR_VERSION
    return Raw(model, None, picture, tuple(notes))


def _switch(state: State, node: Node, dead: set[str], left_out: dict[str, str], skipped: set[str]) -> None:
    """What is done in training or not: the data goes one of two ways, by something that must be known."""
    if node.inputs[1] not in state.constants:
        skipped.add(node.name)
        left_out[node.name] = "Switch, and nothing says which way"
        return
    ways = (node.name, f"{node.name}:1")
    taken = int(bool(state.constants[node.inputs[1]].reshape(-1)[0]))
    state.alias[ways[taken]] = node.inputs[0]
    dead.add(ways[1 - taken])


def _merge(state: State, node: Node, skipped: set[str], dead: set[str]) -> None:
    """Whichever way the data came."""
    inputs = [state.alias.get(name, name) for name in node.inputs]
    came = [name for name in inputs if name not in dead and (name in state.ranks or name in state.constants)]
    if came:
        state.alias[node.name] = came[0]
    elif all(name in dead for name in inputs):
        dead.add(node.name)
    else:
        skipped.add(node.name)


def _picture(nodes: dict[str, Node], picture: str | None) -> str:
    if picture is not None:
        picture = picture.removesuffix(":0")  # TensorFlow's name for a node's first result
        if picture not in nodes:
            raise unknown("tensor", picture, nodes)
        return picture
    pictures = [n for n in nodes.values() if n.op in ("Placeholder", "PlaceholderV2") and not is_flag(n)]
    found = [node.name for node in pictures]
    if len(found) != 1:
        raise LibraryError(
            f"expected one placeholder for the picture, found {', '.join(found) or 'none'}; "
            "name the tensor to feed with --input"
        )
    return found[0]


def _size(node: Node) -> tuple[int | str, int | str]:
    dims = [d.size for d in node.attr["shape"].shape.dim] if "shape" in node.attr else []
    if len(dims) == 4 and min(dims[1:3]) > 0:
        return dims[1], dims[2]
    return "h", "w"


def _reachable(nodes: dict[str, Node], picture: str) -> tuple[list[Node], list[str]]:
    """(everything that rests on the picture, inputs before readers, else in the file's order; what runs in loops)."""
    readers: dict[str, list[str]] = {}
    for node in nodes.values():
        for name in node.inputs:
            readers.setdefault(name.partition(":")[0], []).append(node.name)
    reach, waiting = {picture}, [picture]
    while waiting:
        for name in readers.get(waiting.pop(), []):
            if name not in reach:
                reach.add(name)
                waiting.append(name)
    # Whoever has all its inputs comes next; what never has is in a loop, or waits for one.
    missing = {n: len({i.partition(":")[0] for i in nodes[n].inputs} & reach - {n}) for n in reach}
    rank = {name: i for i, name in enumerate(nodes)}
    ready, order = [rank[picture]], list[Node]()
    names = list(nodes)
    while ready:
        name = names[heapq.heappop(ready)]
        order.append(nodes[name])
        for reader in dict.fromkeys(readers.get(name, [])):
            missing[reader] -= 1
            if missing[reader] == 0 and reader != picture:
                heapq.heappush(ready, rank[reader])
    done = {node.name for node in order}
    return order[1:], [name for name in names if name in reach - done]
