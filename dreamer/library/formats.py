"""Which reader a network's file needs."""

from __future__ import annotations

from pathlib import Path

from .caffe import read_caffe
from .importing import Raw, read_onnx
from .names import LibraryError
from .tensorflow import read_graphdef

SUFFIXES = {".onnx": "ONNX", ".caffemodel": "Caffe", ".pb": "TensorFlow"}


def read_file(path: Path, prototxt: Path | None = None, picture: str | None = None) -> Raw:
    """Read a network from `path`, by its ending; `prototxt` goes with a `.caffemodel` only.

    `picture` names the tensor to feed, which a TensorFlow graph must know before it is read.
    """
    if not path.is_file():
        raise LibraryError(f"there is no file {path}")
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise LibraryError(
            f"{path.name} is no file of a kind that can be imported: expected a name ending in {', '.join(SUFFIXES)}"
        )
    if prototxt is not None and kind != "Caffe":
        raise LibraryError(f"a .prototxt describes Caffe nets; {path.name} brings its own description")
    if kind == "Caffe":
        return read_caffe(path, prototxt)
    return read_onnx(path) if kind == "ONNX" else read_graphdef(path, picture)
