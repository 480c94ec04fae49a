"""What does not depend on an input, computed beforehand."""

from __future__ import annotations

import onnxruntime as ort

from .graph import Graph


def fold_constants(graph: Graph) -> None:
    """Compute what does not depend on an input, so that rules find weights and shapes as constants.

    Files made by exporters hold such arithmetic (Unsqueeze of a weight, ConstantOfShape) all over.
    """
    fed = graph.descendants(graph.inputs)
    fixed = [n for n in graph.nodes if not any(o in fed for o in n.outputs)]
    if not fixed:
        return
    kept = [n for n in graph.nodes if any(o in fed for o in n.outputs)]
    wanted = [o for n in fixed for o in n.outputs if o]
    used = {i for n in kept for i in n.inputs} | set(graph.outputs)
    part = Graph()
    part.nodes, part.constants = fixed, graph.constants
    part.outputs = [o for o in wanted if o in used]
    if part.outputs:
        options = ort.SessionOptions()
        options.log_severity_level = 3
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = ort.InferenceSession(part.write().SerializeToString(), options, providers=["CPUExecutionProvider"])
        graph.constants |= dict(zip(part.outputs, session.run(None, {}), strict=True))
    graph.nodes = kept
