"""The pages that a new site has, from the files in markdown/."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.apps import apps as installed
from django.apps.registry import Apps

from gallery.pages.models import Page

FOLDER = Path(__file__).with_name("markdown")
FAREWELL = "farewell"


def slugs() -> set[str]:
    return {file.stem for file in FOLDER.glob("*.md")}


def create_missing(apps: Apps = installed, using: str = "default", **_signal: Any) -> None:
    """Creates those that are missing; existing ones stay as they are, edited or not.

    A receiver of post_migrate, which `flush` sends too, without a registry of its own.
    """
    if "page" not in apps.all_models["gallery"]:
        return  # migrated back to before there were pages
    for slug in sorted(slugs()):
        Page.objects.using(using).get_or_create(slug=slug, defaults=read(FOLDER / f"{slug}.md"))


def read(file: Path) -> dict[str, Any]:
    """A page's fields: `name: value` lines, an empty line, and the text."""
    head, _, body = file.read_text(encoding="utf-8").partition("\n\n")
    fields = dict(line.split(": ", 1) for line in head.splitlines())
    return {
        "title": fields["title"],
        "template": fields.get("template", Page.Template.PAGE),
        "footer_order": int(fields.get("footer_order", 0)),
        "published": fields.get("published") != "no",
        "body": body,
    }
