"""Files of every version of ONNX, brought to the one that all of the program speaks."""

from __future__ import annotations

import onnx
from onnx import defs, helper, shape_inference, version_converter
from onnx.inliner import inline_local_functions, inline_selected_functions

from .node import OPSET, GraphError

# Ops that ONNX defines by others, and that are taken as what they are defined by: newer than OPSET, or too rare for a
# rule of their own.
DEFINED_BY_OTHERS = {
    "Attention",
    "Gelu",
    "GroupNormalization",
    "MeanVarianceNormalization",
    "RMSNormalization",
    "RotaryEmbedding",
    "Shrink",
    "Swish",
}
STANDARD = ("", "ai.onnx")


def to_opset(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model in OPSET, without functions. Raises GraphError where it says what that version cannot say."""
    if model.functions:
        model = inline_local_functions(model)
    if _version(model) < OPSET:
        model = _raised(model)
    if DEFINED_BY_OTHERS & {n.op_type for n in model.graph.node if n.domain in STANDARD}:
        model = _spelled_out(model)
    return _lowered(model) if _version(model) > OPSET else model


def _version(model: onnx.ModelProto) -> int:
    return max((o.version for o in model.opset_import if o.domain in STANDARD), default=1)


def _raised(model: onnx.ModelProto) -> onnx.ModelProto:
    version = _version(model)
    try:
        return version_converter.convert_version(model, OPSET)
    except Exception as error:
        ops = ", ".join(sorted({n.op_type for n in model.graph.node})[:12])
        raise GraphError(
            f"the model is written in opset {version}, and ONNX cannot convert it to {OPSET}; it uses {ops}. "
            f"Export it in opset {OPSET}"
        ) from error


def _spelled_out(model: onnx.ModelProto) -> onnx.ModelProto:
    """With the definitions of those ops in their place. They depend on types, so these have to be known."""
    typed = onnx.ModelProto()
    typed.CopyFrom(model)
    for node in typed.graph.node:
        if node.op_type in DEFINED_BY_OTHERS:
            given = {a.name for a in node.attribute}
            known = defs.get_schema(node.op_type, _version(model)).attributes.values()
            defaults = [a.default_value for a in known if a.default_value.name and a.name not in given]
            node.attribute.extend(defaults)
    typed.graph.value_info.extend(
        helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in typed.graph.initializer
    )
    try:
        typed = shape_inference.infer_shapes(typed)
        done = inline_selected_functions(
            typed, [("", op) for op in sorted(DEFINED_BY_OTHERS)], inline_schema_functions=True
        )
    except Exception as error:
        ops = DEFINED_BY_OTHERS & {n.op_type for n in model.graph.node}
        raise GraphError(f"{', '.join(sorted(ops))} cannot be written out by simpler ops here") from error
    for node in done.graph.node:
        if node.op_type == "CastLike":  # the definitions hold their numbers to the precision of what is fed
            node.op_type = "Cast"
            del node.input[1:], node.attribute[:]
            node.attribute.append(helper.make_attribute("to", onnx.TensorProto.FLOAT))
    return done


def _lowered(model: onnx.ModelProto) -> onnx.ModelProto:
    """A newer model. Since OPSET ops have got types, attributes and company, but have kept their meaning; so what is
    not new in it is the same in OPSET."""
    version, lowered = _version(model), onnx.ModelProto()
    lowered.CopyFrom(model)
    for node in lowered.graph.node:
        if node.domain in STANDARD:
            _lower(node, version)
    others = [o for o in lowered.opset_import if o.domain not in STANDARD]
    del lowered.opset_import[:]
    lowered.opset_import.extend([helper.make_opsetid("", OPSET), *others])
    return lowered


def _lower(node: onnx.NodeProto, version: int) -> None:
    subject = f"node {node.name or node.output[0]!r} ({node.op_type}) is written in opset {version}"
    try:
        old, new = (defs.get_schema(node.op_type, v) for v in (OPSET, version))
    except defs.SchemaError:
        raise GraphError(f"{subject} and has no counterpart in {OPSET}; export the model in opset {OPSET}") from None
    for attribute in [a for a in node.attribute if a.name not in old.attributes]:
        value, default = helper.get_attribute_value(attribute), new.attributes[attribute.name].default_value
        usual = bool(default.name) and value == helper.get_attribute_value(default)
        if not usual and attribute.name not in NARROWER and not (attribute.name == "dilations" and set(value) == {1}):
            raise GraphError(
                f"{subject} and uses {attribute.name}, which {OPSET} does not know; export it in that opset"
            )
        node.attribute.remove(attribute)


NARROWER = ("saturate", "round_mode")  # of casts to types that nothing here uses
