"""Caffe's text format, for tests."""

from __future__ import annotations

from typing import Any

from dreamer.library.caffe_schema import NET
from dreamer.library.messages import parse as parse_message


def parse(text: str) -> Any:
    return parse_message(text, NET)
