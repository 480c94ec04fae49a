"""The pages that a new site has, from the files in markdown/, and their translations in a folder for each language."""

from __future__ import annotations

import copy
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.apps import apps as installed
from django.apps.registry import Apps
from django.conf import settings
from django.utils.translation import get_language, to_locale

from gallery import markdown
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
        Page.objects.using(using).get_or_create(slug=slug, language="", defaults=read(FOLDER / f"{slug}.md"))


def translated(page: Page) -> Page:
    """The page as the program has it in the language of the request, as long as it says what the site came with. The
    one returned is not for saving."""
    there = translation(page.slug, to_locale(get_language() or settings.LANGUAGE_CODE))
    if not there or not _as_it_came(page):
        return page
    shown = copy.copy(page)
    shown.title, shown.body, shown.html = there
    return shown


def language_of(page: Page) -> str:
    """What the page's own words are in: the program's English, or what the people of the site write in."""
    return "en" if _as_it_came(page) else settings.LANGUAGE_CODE


@lru_cache
def translation(slug: str, locale: str) -> tuple[str, str, str] | None:
    """Title, text and HTML, if there is a file for it."""
    file = FOLDER / locale / f"{slug}.md"
    if slug not in slugs() or not file.exists():
        return None
    fields = read(file)
    return fields["title"], fields["body"], markdown.render(fields["body"])


@lru_cache
def _english(slug: str) -> tuple[str, list[str]]:
    fields = read(FOLDER / f"{slug}.md")
    return fields["title"], fields["body"].strip().splitlines()


def _as_it_came(page: Page) -> bool:
    """A form's own ends of lines are no change."""
    return page.slug in slugs() and (page.title, page.body.strip().splitlines()) == _english(page.slug)


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
