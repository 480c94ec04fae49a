"""The pages that a site has from its first day, in files of words/."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gallery.pages.models import Page

FOLDER = Path(__file__).with_name("words")
FAREWELL = "farewell"


def make(**_signal: Any) -> None:
    """Makes those that are missing; a page that is there, edited or not, is left as it is. Runs after each migrate."""
    for file in sorted(FOLDER.glob("*.md")):
        Page.objects.get_or_create(slug=file.stem, defaults=read(file))


def read(file: Path) -> dict[str, Any]:
    """A page's fields: `name: value` lines, an empty line, and the words."""
    head, _, body = file.read_text(encoding="utf-8").partition("\n\n")
    fields = dict(line.split(": ", 1) for line in head.splitlines())
    return {
        "title": fields["title"],
        "template": fields.get("template", Page.Template.PAGE),
        "place": int(fields.get("place", 0)),
        "published": fields.get("published") != "no",
        "body": body,
    }
