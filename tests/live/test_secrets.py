"""What a running site writes down at its most talkative: no key of anybody who came by."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.running import PASSWORD, RunningSite, until


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
async def test_the_log_has_nobodys_keys(make_site: Callable[..., RunningSite], server: str) -> None:
    site = make_site(server=server, LOG_LEVEL="DEBUG", DEBUG="1")
    site.start_web()
    ann = site.browser().sign_up("ann")
    bea = site.browser()
    bea.post("/accounts/login/", login="ann", password="a wrong one")
    bea.post("/accounts/login/", login="ann", password=PASSWORD)
    keys = {*ann.cookies.values(), *bea.cookies.values()}
    for path in ("/account/", "/history/", "/accounts/sessions/", f"/claim/{bea.cookies['session']}/", "/nothing"):
        bea.get(path)
    for number, who in enumerate((ann.headers, site.person(0).headers)):
        async with connect(site.url.replace("http", "ws") + "/ws/c/main/", additional_headers=who) as socket:
            await socket.send("words")
            with pytest.raises(ConnectionClosed):
                while True:
                    await socket.recv()
        until(lambda seen=number + 1: site.log().count("Socket of") >= seen)
    ann.post("/accounts/logout/")
    people = json.loads((site.var / "people.json").read_text())
    keys |= {person["cookie"].partition("=")[2] for person in people.values()}
    log = site.log()
    assert "Socket of ann closed" in log and "/claim/" in log and len(keys) > 16
    assert not [line for line in log.splitlines() if any(key in line for key in keys)]
