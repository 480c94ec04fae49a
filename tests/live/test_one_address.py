"""Both servers, alone and behind a proxy: what a client says of where the site is goes into no address it writes."""

from __future__ import annotations

import http.client
from collections.abc import Callable

import pytest

from tests.running import RunningSite
from tests.site.test_one_address import CLAIMED, MARKS

# Pages, redirects, feeds, the map for search engines, and the file for robots: everything that writes addresses.
PAGES = (
    "/",
    "/history/",
    "/history.json",
    "/history/feed/",
    "/highlights/feed/",
    "/films/",
    "/downloads/",
    "/exhibits/",
    "/sitemap.xml",
    "/sitemap/pages.xml",
    "/robots.txt",
    "/account/",
    "/staff/",
    "/accounts/login/",
    "/c/main/",
    "/accounts/password/reset/",
    "/history",
    "/no-such-page",
    "/no-such-page.json",
    "//evil/",
    "/healthz",
)


def ask(site: RunningSite, path: str, claimed: dict[str, str]) -> tuple[int, str, str]:
    """Status, Location and body; the target goes out as it is written here."""
    talk = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
    try:
        talk.putrequest("GET", path, skip_host=True)
        for name, value in ({"host": f"127.0.0.1:{site.port}"} | claimed).items():
            talk.putheader(name, value)
        talk.endheaders()
        answer = talk.getresponse()
        return answer.status, answer.getheader("Location", ""), answer.read().decode()
    finally:
        talk.close()


@pytest.mark.parametrize("proxy", ["", "1"], ids=["alone", "behind a proxy"])
@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_no_header_moves_the_site(make_site: Callable[..., RunningSite], server: str, proxy: str) -> None:
    site = make_site(server=server, BEHIND_PROXY=proxy)
    site.start_web()
    elsewhere, found = CLAIMED | {"host": "127.0.0.1:6666"}, ""
    for path in PAGES:
        plain, deceived = ask(site, path, {}), ask(site, path, elsewhere)
        assert plain[:2] == deceived[:2], path
        for mark in (*MARKS, "https://127.0.0.1"):
            assert mark not in deceived[1] + deceived[2], path
        found += deceived[2]
    assert found.count(site.url) > 10
