"""The emoji that the house model was trained with, as other hands drew them: pictures to teach the eye with.

A folder is one set, as the npm packages `@iconify-json/NAME` have it: `icons.json` holds the pictures as SVG,
`chars.json` says which emoji each of them is, `info.json` under what licence. Sets that do not say which emoji they
draw use the names that others have for them. Nothing of a set is kept in the project.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from dreamer.house.photographs import allowed
from dreamer.house.sprites import Bytes, fitted

RENDERED = 256  # px, before a picture is brought to a sprite's size
PERMISSIVE = frozenset({"Apache-2.0", "OFL-1.1"})  # beside what trains the house model


@dataclass(frozen=True)
class EmojiSet:
    """One set's drawings by emoji: uint8 [128, 128, 4] RGBA. `licence` by its SPDX name."""

    name: str
    licence: str
    drawings: Mapping[str, Bytes]


def read(folders: Iterable[Path], wanted: Iterable[str]) -> tuple[EmojiSet, ...]:
    """These emoji as each folder's set has them. Raises FileNotFoundError or ValueError that says what is missing, and
    ImportError where there is nothing to render SVG with."""
    folders, wanted = list(folders), frozenset(wanted)
    names: dict[str, str] = {}
    for folder in folders:
        for code, name in _json(folder / "chars.json", {}).items():
            points = [int(part, 16) for part in code.split("-") if part != "fe0f"]
            if len(points) == 1 and chr(points[0]) in wanted:
                names.setdefault(name, chr(points[0]))
    return tuple(_set(folder, names) for folder in folders)


def _set(folder: Path, names: Mapping[str, str]) -> EmojiSet:
    licence = str(_json(folder / "info.json")["license"].get("spdx", "unknown"))
    if not (allowed(licence) or licence in PERMISSIVE):
        raise ValueError(f"{folder} is under {licence}, which nothing is taught with")
    icons, drawings = _json(folder / "icons.json"), {}
    for name, emoji in names.items():
        icon = _icon(icons, name)
        if emoji not in drawings and icon is not None and (drawing := _rendered(icons | icon)) is not None:
            drawings[emoji] = drawing
    if not drawings:
        raise ValueError(f"{folder} has none of the emoji: expected a set whose icons.json or chars.json names them")
    return EmojiSet(str(icons.get("prefix", folder.name)), licence, drawings)


def _icon(icons: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """The picture of this name; an alias' where that is one."""
    while name not in icons["icons"]:
        if name not in icons.get("aliases", {}):
            return None
        name = icons["aliases"][name]["parent"]
    found: dict[str, Any] = icons["icons"][name]
    return found


def _rendered(icon: Mapping[str, Any]) -> Bytes | None:
    try:
        from resvg_py import svg_to_bytes
    except ImportError as error:
        raise ImportError("resvg-py is missing: pip install -r dreamer/house/requirements.txt") from error
    box = f"{icon.get('left', 0)} {icon.get('top', 0)} {icon.get('width', 16)} {icon.get('height', 16)}"
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" color="#111" '
        f'viewBox="{box}" width="{RENDERED}" height="{RENDERED}">{icon["body"]}</svg>'
    )
    with Image.open(io.BytesIO(bytes(svg_to_bytes(svg_string=svg)))) as picture:
        return fitted(picture.convert("RGBA"))


def _json(path: Path, default: Any = None) -> Any:
    if not path.is_file():
        if default is not None:
            return default
        raise FileNotFoundError(f"{path} is missing: expected the unpacked folder of an @iconify-json package")
    return json.loads(path.read_text(encoding="utf-8"))
