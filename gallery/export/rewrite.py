"""Rewrites links in HTML, style sheets, modules and JSON to point into a folder. Plain Python.

Everything here takes a `Link`: a function from an address as it is written to the address it becomes, or None where
nothing of that kind is exported. What linked there is removed, so that nothing links nowhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import escape
from html.parser import HTMLParser
from typing import Any

Link = Callable[[str], str | None]

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
# What asks a server, with all that is in it: forms, and doors to accounts.
_ASKING_TAGS = {"form", "iframe"}
_ASKING_CLASSES = {"doors", "menu", "bar", "folds-again"}
_ADDRESSES = {"href", "xlink:href", "src", "poster", "content"}
_ABSOLUTE_ONLY = {"canonical", "manifest", "search", "license-page"}  # <link rel>: they need the site's own address
_CSS_URL = re.compile(r"""url\(\s*(["']?)([^"')]+)\1\s*\)|@import\s+(["'])([^"']+)\3""")
_IMPORT = re.compile(
    r"""(?P<head>(?:\bfrom|\bimport)\s*\(?\s*|new\s+URL\(\s*)(?P<quote>["'])(?P<address>\.{0,2}/[^"'\n]+)(?P=quote)"""
)


class _Html(HTMLParser):
    """Echoes what it reads, to the letter, but for tags with addresses in them."""

    def __init__(self, link: Link, keeps_script: Callable[[str], bool]) -> None:
        super().__init__(convert_charrefs=False)
        self._link, self._keeps_script = link, keeps_script
        self.out: list[str] = []
        self._skipping, self._depth = "", 0  # inside an element that is left out: its tag, and how deep
        self._unwrapped: list[bool] = []  # for each open <a>: whether its tags are left out
        self._navs = 0

    # --- tags ------------------------------------------------------------------------------------------------------

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._skipping:
            self._depth += tag == self._skipping
            return None
        self._navs += tag == "nav"
        given = {name: value or "" for name, value in attrs}
        classes = set(given.get("class", "").split())
        if tag in _ASKING_TAGS or classes & _ASKING_CLASSES:
            return self._skip(tag)
        if tag == "script" and not self._keeps_script(given.get("src", "")):
            return self._skip(tag)
        made = self._attributes(tag, given)
        if made is None:
            if tag == "a" and not (self._navs or any(name.startswith("button") for name in classes)):
                self._unwrapped.append(True)  # the words stay
                return None
            return self._skip(tag)
        if tag == "a":
            self._unwrapped.append(False)
        self.out.append(self._tag(tag, attrs, made))
        return None

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._skipping:
            return
        made = self._attributes(tag, {name: value or "" for name, value in attrs})
        if made is not None:
            self.out.append(self._tag(tag, attrs, made))

    def handle_endtag(self, tag: str) -> None:
        if self._skipping:
            self._depth -= tag == self._skipping
            if not self._depth:
                self._skipping = ""
            return
        self._navs -= tag == "nav"
        if tag == "a" and self._unwrapped and self._unwrapped.pop():
            return
        self.out.append(f"</{tag}>")

    def _skip(self, tag: str) -> None:
        if tag not in _VOID:
            self._skipping, self._depth = tag, 1

    def _attributes(self, tag: str, given: dict[str, str]) -> dict[str, str] | None:
        """Those that change; None where the element has lost what it was for."""
        made: dict[str, str] = {}
        if tag == "link" and (set(given.get("rel", "").split()) & _ABSOLUTE_ONLY or "oembed" in given.get("type", "")):
            return None
        if tag == "meta":
            name = given.get("property", given.get("name", ""))
            if name == "og:url":
                return None
            if name not in ("og:image", "twitter:image"):
                return made
        for name, value in given.items():
            if name == "srcset":
                parts = [self._candidate(part) for part in value.split(",") if part.strip()]
                made[name] = ", ".join(filter(None, parts))
            elif name in _ADDRESSES and (name != "content" or tag == "meta"):
                new = self._link(value)
                if new is None:
                    return None
                made[name] = new
            elif name.startswith("data-") and value.startswith("/"):
                made[name] = self._link(value) or ""  # for scripts, most of which are left out
        return {name: new for name, new in made.items() if new != given[name]}

    def _candidate(self, part: str) -> str:
        address, _, width = part.strip().partition(" ")
        new = self._link(address)
        return "" if new is None else f"{new} {width}".strip()

    def _tag(self, tag: str, attrs: list[tuple[str, str | None]], made: dict[str, str]) -> str:
        text = self.get_starttag_text() or ""
        if not made:
            return text
        parts = [tag]
        for name, value in attrs:
            new = made.get(name, value)
            parts.append(name if new is None else f'{name}="{escape(new)}"')
        return f"<{' '.join(parts)}{'/' if text.endswith('/>') else ''}>"

    # --- everything else, as it is -----------------------------------------------------------------------------------

    def _echo(self, text: str) -> None:
        if not self._skipping:
            self.out.append(text)

    def handle_data(self, data: str) -> None:
        self._echo(data)

    def handle_entityref(self, name: str) -> None:
        self._echo(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._echo(f"&#{name};")

    def handle_comment(self, data: str) -> None:
        self._echo(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self._echo(f"<!{decl}>")


def html(text: str, link: Link, keeps_script: Callable[[str], bool]) -> str:
    """A page whose links are `link`'s; scripts that `keeps_script` does not want by their address are left out."""
    parser = _Html(link, keeps_script)
    parser.feed(text)
    parser.close()
    return "".join(parser.out)


def css(text: str, link: Link) -> str:
    def change(match: re.Match[str]) -> str:
        address = match[2] or match[4]
        new = link(address)
        return match[0] if new is None else match[0].replace(address, new)

    return _CSS_URL.sub(change, text)


def module(text: str, link: Link) -> str:
    """A browser module with its imports; those of a whole address (`/…`) or a relative one (`./…`)."""

    def change(match: re.Match[str]) -> str:
        new = link(match["address"])
        if new is None:
            return match[0]
        return f"{match['head']}{match['quote']}{new if new.startswith('.') else './' + new}{match['quote']}"

    return _IMPORT.sub(change, text)


def data(text: str, origin: str, link: Link) -> str:
    """JSON whose whole addresses of this site became relative ones; those that lead nowhere here stay as they were."""

    def change(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: change(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [change(inner) for inner in value]
        if isinstance(value, str) and value.startswith(f"{origin}/"):
            return link(value) or value
        return value

    return json.dumps(change(json.loads(text)), ensure_ascii=False, indent=1) + "\n"
