"""Drawings of things by other hands, to teach the eye with: sets of emoji and of icons.

A folder is one set, as the npm packages `@iconify-json/NAME` have it: `icons.json` holds the pictures as SVG,
`chars.json` says which emoji each of them is, `info.json` under what licence. What no character says, the name says
(`lesson_names.py`). Nothing of a set is kept in the project.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from dreamer.house.classes import OBJECTS
from dreamer.house.photographs import allowed
from dreamer.house.sprites import Bytes, fitted

from .judging import HELD_BACK
from .lesson_names import MORE_EMOJI, NAMES, OTHERWISE, key

RENDERED = 256  # px, before a picture is brought to a sprite's size
PERMISSIVE = frozenset({"Apache-2.0", "OFL-1.1", "ISC"})  # beside what trains the house model
MOST = 4  # icons of a set for a word: many differ by a corner only
ICON = frozenset({"body", "left", "top", "width", "height"})

WORDS = {emoji: label for table in (OBJECTS, MORE_EMOJI) for label, several in table.items() for emoji in several}
NAMED = {key(name): label for label in OBJECTS for name in (label, *NAMES.get(label, ())) if name not in OTHERWISE}


@dataclass(frozen=True)
class DrawnSet:
    """One set: a word and an icon for each drawing. `licence` by its SPDX name; `coloured`: in colours of their own,
    and not in one."""

    name: str
    licence: str
    coloured: bool
    icons: tuple[tuple[str, Mapping[str, Any]], ...]

    def drawings(self) -> Iterator[tuple[str, Bytes]]:
        """Words and uint8 [128, 128, 4] RGBA. ImportError where there is nothing to render with."""
        for word, icon in self.icons:
            if (drawing := _rendered(icon)) is not None:
                yield word, drawing


def read(folders: Iterable[Path]) -> tuple[DrawnSet, ...]:
    """What each folder's set has of the eye's words, less what goes by the name of something held back. Raises
    FileNotFoundError or ValueError that says what is missing."""
    folders = list(folders)
    held, words = "".join(HELD_BACK.values()), dict(NAMED)
    named = [(emoji, name) for folder in folders for emoji, name in _emoji(folder).items()]
    words |= {key(name): WORDS[emoji] for emoji, name in named if emoji in WORDS and name not in OTHERWISE}
    kept_away = {key(name) for emoji, name in named if emoji in held}
    words = {name: word for name, word in words.items() if name not in kept_away}
    return tuple(_set(folder, words, frozenset(held)) for folder in folders)


def _set(folder: Path, words: Mapping[tuple[str, ...], str], held: frozenset[str]) -> DrawnSet:
    info = _json(folder / "info.json")
    licence = str(info["license"].get("spdx", "unknown"))
    if not (allowed(licence) or licence in PERMISSIVE):
        raise ValueError(f"{folder} is under {licence}, which nothing is taught with")
    icons, by_emoji = _json(folder / "icons.json"), {name: emoji for emoji, name in _emoji(folder).items()}
    found, counts = {}, Counter[str]()
    for name in sorted(icons["icons"].keys() | by_emoji.keys()):
        emoji, icon = by_emoji.get(name, ""), _icon(icons, name)
        word = WORDS.get(emoji) or words.get(key(name), "")
        if not word or icon is None or emoji in held or (emoji not in WORDS and counts[word] >= MOST):
            continue
        counts[word] += icon["body"] not in found
        found[icon["body"]] = word, {part: value for part, value in (icons | icon).items() if part in ICON}
    if not found:
        raise ValueError(f"{folder} has none of the words: expected a set whose icons.json or chars.json names them")
    return DrawnSet(str(icons.get("prefix", folder.name)), licence, bool(info.get("palette")), tuple(found.values()))


def _emoji(folder: Path) -> dict[str, str]:
    """The name of each emoji of one character that the set says it draws."""
    found: dict[str, str] = {}
    for code, name in _json(folder / "chars.json", {}).items():
        points = [int(part, 16) for part in code.split("-") if part != "fe0f"]
        if len(points) == 1:
            found.setdefault(chr(points[0]), name)
    return found


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
    with Image.open(io.BytesIO(bytes(svg_to_bytes(svg_string=svg, skip_system_fonts=True)))) as picture:
        return fitted(picture.convert("RGBA"))


def _json(path: Path, default: Any = None) -> Any:
    if not path.is_file():
        if default is not None:
            return default
        raise FileNotFoundError(f"{path} is missing: expected the unpacked folder of an @iconify-json package")
    return json.loads(path.read_text(encoding="utf-8"))
