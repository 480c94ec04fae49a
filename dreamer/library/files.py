"""The files of one registered model: reading, checking and writing them."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .names import LibraryError, check_model_name

MODEL, INFO, LABELS, SHELF = "model.onnx", "model.json", "labels.txt", "shelf.json"


@dataclass(frozen=True)
class ModelInfo:
    """What `model.json` says. `mean` has one value per channel in `channel_order`, in 0..255 units."""

    name: str
    title: str
    input: str
    channel_order: str
    mean: tuple[float, float, float]
    scale: float = 1.0
    layout: str = "NCHW"
    logits: str | None = None
    licence: str = "unknown"
    source: str = ""
    sha256: str = ""  # of model.onnx, so that a damaged copy can be told
    source_sha256: str = ""  # of the file it was imported from
    min_size: int = 32  # px; below it some layer has no pixels left
    logits_min_size: int = 0  # px; the head needs more than the layers do; 0: no head
    size_multiple: int = 1  # px; sides must be multiples of it, where branches halve a map in different ways
    size_remainder: int = 0  # px; sides must be so much more than such a multiple
    fixed_size: tuple[int, int] | None = None  # px, height and width at which a network of one size sees all pictures
    fixed_by: tuple[str, ...] = ()  # the tensors from which on it does
    skipped: tuple[str, ...] = ()  # tensors that cannot be dreamed of: no number comes back from them, or only zeros
    notes: tuple[str, ...] = ()  # what the import changed or had to leave out

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, in the order of the fields."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: object) -> ModelInfo:
        """Check and read what `to_json` wrote; keys this version does not know are ignored."""
        if not isinstance(data, dict):
            raise LibraryError(f"expected an object, got {type(data).__name__}")
        fields = {f.name: f for f in dataclasses.fields(cls)}
        needed = [n for n, f in fields.items() if f.default is dataclasses.MISSING]
        missing = [n for n in needed if n not in data]
        if missing:
            raise LibraryError(f"{', '.join(missing)} missing")
        values = {n: v for n, v in data.items() if n in fields}
        values["mean"] = _mean(values["mean"])
        for name in ("notes", "fixed_by", "skipped"):
            values[name] = tuple(str(n) for n in values.get(name, ()))
        values["fixed_size"] = _size(values.get("fixed_size"))
        for name, kinds in _KINDS.items():
            if name in values and (not isinstance(values[name], kinds) or isinstance(values[name], bool)):
                raise LibraryError(f"{name} is {values[name]!r}, which is not {_KIND_WORDS[kinds]}")
        values["scale"] = float(values.get("scale", 1.0))
        info = cls(**values)
        check_model_name(info.name)
        if info.channel_order not in ("RGB", "BGR"):
            raise LibraryError(f"channel_order is {info.channel_order!r}, expected RGB or BGR")
        if info.layout != "NCHW":
            raise LibraryError(f"layout is {info.layout!r}; only NCHW is kept on disk, import the model again")
        if not 0 < info.scale < math.inf:
            raise LibraryError(f"scale is {info.scale!r}, expected a number above 0")
        if not 0 <= info.size_remainder < max(info.size_multiple, 1):
            raise LibraryError(f"size_remainder is {info.size_remainder}, expected 0 to less than size_multiple")
        for name in ("min_size", "size_multiple"):
            if getattr(info, name) < 1:
                raise LibraryError(f"{name} is {getattr(info, name)}, expected at least 1")
        return info


_TEXT, _TEXT_OR_NONE, _NUMBER, _INT = (str,), (str, type(None)), (int, float), (int,)
_KIND_WORDS = {_TEXT: "a text", _TEXT_OR_NONE: "a text or null", _NUMBER: "a number", _INT: "a whole number"}
_KINDS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("name", "title", "input", "channel_order", "layout", "licence", "source", "sha256"), _TEXT),
    "source_sha256": _TEXT,
    "logits": _TEXT_OR_NONE,
    "scale": _NUMBER,
    "min_size": _INT,
    "logits_min_size": _INT,
    "size_multiple": _INT,
    "size_remainder": _INT,
}


def _size(value: object) -> tuple[int, int] | None:
    if value is None:
        return None
    if isinstance(value, (list, tuple)) and len(value) == 2 and all(type(v) is int and v > 0 for v in value):
        return value[0], value[1]
    raise LibraryError(f"fixed_size is {value!r}, expected height and width in pixels, or null")


def _mean(value: object) -> tuple[float, float, float]:
    if isinstance(value, (list, tuple)) and len(value) == 3 and all(isinstance(v, (int, float)) for v in value):
        mean = float(value[0]), float(value[1]), float(value[2])
        if all(map(math.isfinite, mean)):
            return mean
    raise LibraryError(f"mean is {value!r}, expected three numbers, one per channel")


@dataclass(frozen=True)
class ShelfStyle:
    """One curated thing to dream of: a channel of a layer, or (`channel` None) the whole layer."""

    layer: str
    channel: int | None
    title: str = ""

    @property
    def label(self) -> str:
        """The title, or else the place: layer:channel, and layer^2 for a whole layer."""
        return self.title or (f"{self.layer}^2" if self.channel is None else f"{self.layer}:{self.channel}")

    @classmethod
    def from_json(cls, data: object) -> ShelfStyle:
        """Check and read one entry of a shelf."""
        if not isinstance(data, dict) or not isinstance(data.get("layer"), str):
            raise LibraryError(f"a style is an object with a layer, got {data!r}")
        channel = data.get("channel")
        if channel is not None and (not isinstance(channel, int) or isinstance(channel, bool) or channel < 0):
            raise LibraryError(f"the channel of {data['layer']} is {channel!r}, expected a whole number or null")
        return cls(data["layer"], channel, str(data.get("title", "")))


@dataclass(frozen=True)
class ModelFiles:
    """A registered model: its folder and everything beside the network, read and checked."""

    path: Path
    info: ModelInfo
    labels: tuple[str, ...] = ()
    shelf: tuple[ShelfStyle, ...] = ()

    @property
    def name(self) -> str:
        """The name it is registered under."""
        return self.info.name

    @property
    def model(self) -> Path:
        """The ONNX file."""
        return self.path / MODEL

    @classmethod
    def read(cls, path: Path) -> ModelFiles:
        """Read the folder `path`; LibraryError says which file is wrong and how."""
        if not (path / MODEL).is_file():
            raise LibraryError(f"{path} is not a model folder: it has no {MODEL}; import the model again")
        try:
            info = ModelInfo.from_json(_json(path / INFO))
        except LibraryError as error:
            raise LibraryError(f"{path / INFO}: {error}; import the model again") from None
        shelf: tuple[ShelfStyle, ...] = ()
        if (path / SHELF).is_file():
            shelf = read_shelf(path / SHELF)
        labels = read_labels(path / LABELS) if (path / LABELS).is_file() else ()
        return cls(path, info, labels, shelf)


def _json(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LibraryError("missing") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise LibraryError(f"not JSON ({error})") from None


def read_shelf(path: Path) -> tuple[ShelfStyle, ...]:
    """The styles of a shelf file, checked one by one."""
    try:
        entries = _json(path)
        if not isinstance(entries, list):
            raise LibraryError(f"expected a list of styles, got {type(entries).__name__}")
        return tuple(ShelfStyle.from_json(entry) for entry in entries)
    except LibraryError as error:
        raise LibraryError(f"{path}: {error}") from None


def read_labels(path: Path) -> tuple[str, ...]:
    """One label a line. An empty line in the middle would shift every class after it, so it stays a label."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise LibraryError(f"{path} is not a UTF-8 text of class names ({error})") from None
    while lines and not lines[-1].strip():
        lines.pop()
    return tuple(line.strip() for line in lines)


def write_files(
    folder: Path, info: ModelInfo, labels: tuple[str, ...] = (), shelf: tuple[ShelfStyle, ...] = ()
) -> None:
    """Write everything but the network into `folder`."""
    (folder / INFO).write_text(json.dumps(info.to_json(), indent=2) + "\n", encoding="utf-8")
    if labels:
        (folder / LABELS).write_text("\n".join(labels) + "\n", encoding="utf-8")
    if shelf:
        rows = ",\n".join(json.dumps(dataclasses.asdict(style), ensure_ascii=False) for style in shelf)
        (folder / SHELF).write_text(f"[\n{rows}\n]\n", encoding="utf-8")
