"""Which words of a page a request gets: what the site's people wrote for its language, the translation that the program
brings as long as nobody edited the page, or the page as it stands."""

from __future__ import annotations

import copy

from django.conf import settings
from django.utils.translation import get_language

from gallery.pages import initial_pages
from gallery.pages.models import Page, PageQuerySet


def find(slug: str, *, drafts: bool = False, language_drafts: bool = False) -> Page | None:
    """The page at `/slug/`, not for saving. `drafts`: also one that is not published; `language_drafts`: also in the
    words for its language that are not published, which are for the staff alone."""
    return next(iter(_chosen(Page.objects.filter(slug=slug), drafts, language_drafts)), None)


def in_footer() -> list[Page]:
    """What the footer links to, in its order; their `html` is not read."""
    return _chosen(Page.objects.in_footer())


def _chosen(pages: PageQuerySet, drafts: bool = False, language_drafts: bool = False) -> list[Page]:
    language = get_language() or settings.LANGUAGE_CODE
    found = pages.filter(language__in=["", language])
    rows = [page for page in found if page.published or (language_drafts if page.language else drafts)]
    written = {page.slug: page for page in rows if page.language}
    return [_shown(page, written.get(page.slug), language) for page in rows if not page.language]


def _shown(page: Page, written: Page | None, language: str) -> Page:
    if written is None:
        shown = initial_pages.translated(page)
        if shown is page and (spoken := initial_pages.language_of(page)) != language:
            shown = copy.copy(page)
            shown.lang = spoken
        return shown
    shown = copy.copy(page)
    shown.title, shown.published = written.title, page.published and written.published
    for field in ("body", "html"):  # one that was not read is not read for this
        if field not in written.get_deferred_fields():
            setattr(shown, field, getattr(written, field))
    return shown
