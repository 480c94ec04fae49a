"""What no text of a page may say: where money goes is said by the environment alone (addresses.py). Plain Python.

Whoever broke into the administration, or was let in, could otherwise put another address or another code under the
site's own words. What is looked at is the rendered page, as a browser reads it: no spelling of Markdown hides anything.
"""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from urllib.parse import unquote

from gallery.donations import addresses

CODE = "/donate/bitcoin.svg"  # the site's own picture of a code
_WORDS = re.compile(r"[A-Za-z0-9]{14,90}")
_SCHEME = re.compile(r"(?i)bitcoin\s*:|lightning\s*:|lnurl\w*\s*:")


class _Parts(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.pictures: list[str] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            {"href": self.links, "src": self.pictures}.get(name, self.words).append(value or "")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def why_not(body: str, html: str, *, bitcoin: str, pictures: bool) -> str:
    """Why a page may not say this, in words; "" where it may.

    body      its Markdown; html: the same as rendered
    bitcoin   the site's own address, or ""
    pictures  whether it may show other pictures than the site's own code: the donation page may not
    """
    parts = _Parts(html)
    # An address may be spread over emphasis: "bc1q*ar0s*".
    pieces = (body, *parts.links, *parts.pictures, *parts.words, "".join(parts.words))
    decoded = [unquote(unescape(piece)) for piece in pieces]
    if any(_SCHEME.search(part) for part in decoded):
        return "It has a link that a wallet would open. The site puts its own there: leave it out."
    for word in {word for part in decoded for word in _WORDS.findall(part)}:
        if _is_address(word) and word not in (bitcoin, bitcoin.upper()):
            return f"“{word}” is an address of Bitcoin, and not the site's own (DONATE_BITCOIN in its settings)."
    others = [picture for picture in parts.pictures if picture != CODE]
    if others and not pictures:
        return f"“{others[0]}” is a picture. This page shows the site's own code ({CODE}) and no other picture."
    return ""


def _is_address(word: str) -> bool:
    try:
        addresses.bitcoin(word)
    except ValueError:
        return False
    return True
