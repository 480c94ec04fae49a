"""Files of every version of ONNX, brought to the one that all of the program speaks."""

from __future__ import annotations

import onnx
from onnx import version_converter

from .node import OPSET, GraphError


def to_opset(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model in OPSET. Raises GraphError where it says what that version cannot say."""
    version = max((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), default=1)
    if version == OPSET:
        return model
    try:
        return version_converter.convert_version(model, OPSET)
    except Exception as error:
        raise GraphError(
            f"the model is written in opset {version} and could not be converted to {OPSET}: {error}"
        ) from error
