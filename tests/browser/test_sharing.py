"""Handing a link on from the canvas, and what opens at its other end."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, WebSocketRoute

from canvas.wire import CloseCode
from tests.browser import axe
from tests.browser.visitor import PHONE, Visitor, line, operations, pixels_of
from tests.running import SMALL_SIDE, RunningSite, until

pytestmark = pytest.mark.browser

MIDDLE = """() => {
    const m = new DOMMatrix(getComputedStyle(document.querySelector('.world')).transform);
    return [(innerWidth / 2 - m.e) / m.a, (innerHeight / 2 - m.f) / m.a].map(Math.round);
}"""


@pytest.fixture
def visitor(browser: Browser, site: RunningSite) -> Visitor:
    visitor = Visitor(browser, site, permissions=["clipboard-read", "clipboard-write"])
    return visitor.open()


def shared(visitor: Visitor, what: str) -> str:
    visitor.page.click(".share summary")
    visitor.page.click(f"[data-share={what}]")
    visitor.page.get_by_text("Link copied.").last.wait_for()
    return str(visitor.page.evaluate("navigator.clipboard.readText()"))


def test_a_place_is_found_again_on_a_phone(browser: Browser, site: RunningSite, visitor: Visitor) -> None:
    page = visitor.page
    page.mouse.move(900, 600)
    page.mouse.wheel(0, -1200)
    link = shared(visitor, "place")
    assert re.fullmatch(re.escape(site.url) + r"/#x=\d+&y=\d+&zoom=[\d.]+", link)
    phone = Visitor(browser, site, **PHONE)
    phone.page.goto(link)
    phone.ready()
    for here, there in zip(page.evaluate(MIDDLE), phone.page.evaluate(MIDDLE), strict=True):
        assert abs(here - there) <= 2
    assert phone.trouble == visitor.trouble == []
    phone.close()
    visitor.close()


def test_a_moment_and_the_whole_canvas(site: RunningSite, visitor: Visitor) -> None:
    assert axe.serious(visitor.page) == []
    assert shared(visitor, "canvas") == site.url + "/"
    link = shared(visitor, "moment")
    assert re.fullmatch(re.escape(site.url) + r"/history/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\?canvas=main", link)
    visitor.page.goto(link)
    assert "The canvas at a moment" in visitor.page.content()
    visitor.close()


@contextlib.contextmanager
def elsewhere(page: str) -> Iterator[str]:
    """The address of another site, which shows this page."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            if self.path == "/":
                self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_wall_and_a_frame_on_another_site_show_the_canvas_as_it_lives(
    browser: Browser, site: RunningSite, visitor: Visitor
) -> None:
    """By the code that the share menu copies; and whoever cannot connect comes back by themselves."""
    visitor.page.click(".share summary")
    visitor.page.click("[data-share=embed]")
    visitor.page.get_by_text("Code copied.").wait_for()
    code = str(visitor.page.evaluate("navigator.clipboard.readText()"))
    assert code.startswith(f'<iframe src="{site.url}/c/main/embed/"')
    other, wall = Visitor(browser, site), Visitor(browser, site)
    with elsewhere(code) as address:
        other.page.goto(address)
        other.page.frame_locator("iframe").locator('.watch.ready[data-connection="live"]').wait_for()
    sockets: list[WebSocketRoute] = []

    def through(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.connect_to_server()

    wall.page.route_web_socket(re.compile("/ws/"), through)
    wall.page.goto(f"{site.url}/c/small/stage/")
    wall.page.wait_for_selector('.watch.ready[data-connection="live"]')
    assert axe.serious(wall.page) == []
    artist = Visitor(browser, site, site.person(7)).open("small")
    artist.draw(line(600, 400, 760, 470))
    until(lambda: wall.shown_ink() > 0, "the stroke is not on the wall")
    sockets[0].close(code=CloseCode.RESTARTING)
    artist.draw(line(600, 480, 760, 400))
    until(lambda: len(operations(site, "small")) >= 2, "the second stroke is not written")
    wall.shows(pixels_of(site, "small", SMALL_SIDE))
    assert len(sockets) > 1, "it came back by itself"
    assert other.trouble == wall.trouble == artist.trouble == []
    for one in (visitor, other, wall, artist):
        one.close()
