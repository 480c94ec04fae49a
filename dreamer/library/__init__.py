"""The model library: networks from ONNX, Caffe and TensorFlow files, kept in one folder in one form.

A registered model is a folder of the library's root, named after the model:

    <root>/<name>/model.onnx   forward graph in normal form: opset 18, IR 10, one input [n, 3, h, w] with symbolic
                               n, h and w, batch norms folded where they can be, the classifying head kept and
                               made independent of the picture's size, unless the network fixes that (`fixed_size`)
                  model.json   how to feed it and where it came from (`ModelInfo`)
                  labels.txt   one class name a line, in output order (optional)
                  shelf.json   curated styles, [{"layer", "channel" (null: whole layer), "title"}, ...] (optional)

The value fed is (pixel - mean) * scale with pixels in 0..255 and the channels in `channel_order`, NCHW float32.
Folders appear and are replaced by one rename, so a reader never meets a half-written model.

Pure Python, numpy and onnx: no Django, no Caffe, no TensorFlow.
"""

from __future__ import annotations

from .files import ModelFiles, ModelInfo, ShelfStyle
from .names import LibraryError, nearest
from .registry import Registry

__all__ = ["LibraryError", "ModelFiles", "ModelInfo", "Registry", "ShelfStyle", "nearest", "open_model"]


def open_model(name: str, root: str) -> ModelFiles:
    """The registered model `name` under `root`; LibraryError names the nearest names when there is none."""
    return Registry(root).get(name)
