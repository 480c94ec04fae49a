"""The staff's Markdown, rendered to safe HTML."""

from __future__ import annotations

import nh3
from markdown_it import MarkdownIt

# What Markdown itself can say, and nothing that runs, loads from elsewhere by itself, or dresses up as the site.
TAGS = {
    "a",
    "blockquote",
    "br",
    "code",
    "del",
    "em",
    "h2",
    "h3",
    "h4",
    "hr",
    "img",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "strong",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
}
ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto"}  # what a wallet opens the site links itself (gallery.donations)

_markdown = MarkdownIt("commonmark", {"html": False, "typographer": False}).enable(["table", "strikethrough"])
_cleaner = nh3.Cleaner(
    tags=TAGS,
    attributes=ATTRIBUTES,
    url_schemes=SCHEMES,
    link_rel="noopener noreferrer",
    attribute_filter=lambda tag, name, value: _ours(value) if (tag, name) == ("img", "src") else value,
)


def render(text: str) -> str:
    """HTML of `text`; its first heading is an h2, since the page's title is the h1."""
    tokens = _markdown.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + (token.tag == 'h1'), 4)}"
    html = _markdown.renderer.render(tokens, _markdown.options, {})
    return _cleaner.clean(html)


def _ours(address: str) -> str | None:
    """Pictures come from the site itself: one from another site would tell that site who reads the page."""
    return address if address.startswith("/") and not address.startswith("//") else None
