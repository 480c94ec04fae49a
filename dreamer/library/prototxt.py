"""Reading the text form of protocol buffers, in which Caffe's nets are written (`.prototxt`).

`name: value`, `name { ... }` (with or without a colon), lists in brackets, `#` comments, strings in either quote
that join when they follow each other; `,` and `;` may separate fields. A message becomes the same dict as in
`wire.py`: field name -> list of values. Numbers become int or float, `true`/`false` bool, bare words str.
"""

from __future__ import annotations

import re
from typing import Any

from .names import LibraryError
from .wire import Message

_TOKEN = re.compile(
    r"""(?P<space>[\s,;]+|\#[^\n]*)
      | (?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<mark>[{}<>:\[\]])
      | (?P<word>[-+.\w/]+)""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}
_CLOSING = {"{": "}", "<": ">"}
MAX_DEPTH = 64


def parse(text: str) -> Message:
    """The message that `text` spells; LibraryError names the line."""
    return _Parser(text).message(None, 0)


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self) -> tuple[str, str, int]:
        if self.at >= len(self.tokens):
            line = self.tokens[-1][2] if self.tokens else 1
            raise LibraryError(f"line {line}: the text ends in the middle of a message")
        self.at += 1
        return self.tokens[self.at - 1]

    def message(self, closing: str | None, depth: int) -> Message:
        if depth > MAX_DEPTH:
            raise LibraryError(f"messages are nested more than {MAX_DEPTH} deep")
        found: Message = {}
        while True:
            if self.at >= len(self.tokens) and closing is None:
                return found
            kind, name, line = self.take()
            if kind == "mark" and name == closing:
                return found
            if kind != "word":
                raise LibraryError(f"line {line}: expected a field's name, got {name}")
            found.setdefault(name, []).extend(self.field(name, depth))

    def field(self, name: str, depth: int) -> list[Any]:
        colon = self.peek() == ":"
        if colon:
            self.take()
        if self.peek() == "[":
            self.take()
            values: list[Any] = []
            while self.peek() != "]":
                values.append(self.value(name, True, depth))
            self.take()
            return values
        return [self.value(name, colon, depth)]

    def value(self, name: str, colon: bool, depth: int) -> Any:
        kind, token, line = self.take()
        if kind == "mark" and token in _CLOSING:
            return self.message(_CLOSING[token], depth + 1)
        if kind == "mark" or not colon:
            raise LibraryError(f"line {line}: expected a value for {name}, got {token}")
        if kind == "word":
            return _scalar(token)
        text = _unquote(token)
        while self.peek()[:1] in ("'", '"') and self.tokens[self.at][0] == "text":
            text += _unquote(self.take()[1])
        return text


def _tokens(text: str) -> list[tuple[str, str, int]]:
    found, at, line = [], 0, 1
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise LibraryError(f"line {line}: {text[at]!r} does not belong in a prototxt file")
        kind = match.lastgroup or ""
        if kind != "space":
            found.append((kind, match.group(), line))
        line += match.group().count("\n")
        at = match.end()
    return found


def _unquote(token: str) -> str:
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), token[1:-1])


def _scalar(token: str) -> int | float | bool | str:
    if token in ("true", "false"):
        return token == "true"
    for kind in (lambda t: int(t, 0), lambda t: float(t.rstrip("fF") if "x" not in t else t)):
        try:
            number: int | float = kind(token)
        except ValueError:
            continue
        return number
    return token
