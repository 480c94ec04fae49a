"""Somebody at the canvas in a real browser: a page, its hands, and what the page shows as pixels."""

from __future__ import annotations

import base64
import hashlib
import io
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from canvas import picture, wire
from canvas.brush import Pixels
from tests.running import SMALL, Person, RunningSite, until

Point = tuple[float, float]

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}

# What is on the screen's canvas, at its own size: as PNG, and as a digest of its RGBA bytes.
_PNG = "document.querySelector('canvas.picture').toDataURL('image/png')"
_SHA256 = """async () => {
    const canvas = document.querySelector('canvas.picture');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const digest = await crypto.subtle.digest('SHA-256', data);
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}"""


# In a site's shell: strangers only watch the small canvas.
MEMBERS_ONLY = f"""
from canvas import notify
from canvas.models import Canvas, Rules
rules = Rules.objects.of(Canvas.objects.get(slug="{SMALL}"))
rules.members_only = True
rules.save()
notify.look("{SMALL}")
"""


class Visitor:
    """A browser context of its own. `trouble` gathers what the console complains about; tests end with it empty."""

    def __init__(
        self, browser: Browser, site: RunningSite, person: Person | None = None, *, welcomed: bool = True, **how: Any
    ) -> None:
        self.site = site
        self.context: BrowserContext = browser.new_context(**{**DESKTOP, **how})
        if person:
            name, _, value = person.headers["Cookie"].partition("=")
            self.context.add_cookies([{"name": name, "value": value, "url": site.url}])
        if welcomed:
            self.context.add_init_script("localStorage.setItem('dreamsite:welcomed', 'yes')")
        self.page: Page = self.context.new_page()
        self.trouble: list[str] = []
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.on("console", self._heard)

    def _heard(self, message: ConsoleMessage) -> None:
        # That a socket could not be opened the browser says by itself; tests that take the network away expect it.
        if message.type == "error" and not message.text.startswith("WebSocket connection to"):
            self.trouble.append(message.text)

    def open(self, slug: str = "") -> Visitor:
        self.page.goto(self.site.url + (f"/c/{slug}/" if slug else "/"))
        return self.ready()

    def ready(self) -> Visitor:
        """Waits until the picture is there and the socket is live."""
        self.page.wait_for_selector(".stage.ready[data-connection=live]")
        return self

    def close(self) -> None:
        self.context.close()

    # --- hands -----------------------------------------------------------------------------------------------------

    def draw(self, points: Sequence[Point], pause_ms: int = 4) -> None:
        """A stroke of the mouse through points of the window."""
        mouse = self.page.mouse
        mouse.move(*points[0])
        mouse.down()
        for point in points[1:]:
            mouse.move(*point)
            self.page.wait_for_timeout(pause_ms)
        mouse.up()

    def touch(self, kind: str, *points: Point) -> None:
        """One event of a touch screen: `touchStart`, `touchMove`, `touchEnd` with the fingers that are down.

        By its own time it comes 8 ms after the one before: a tap is quick also where the machine is not.
        """
        fingers = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        if not hasattr(self, "_devtools"):
            self._devtools = self.context.new_cdp_session(self.page)
        self._touched = time.time() if kind == "touchStart" else self._touched + 0.008
        event = {"type": kind, "touchPoints": fingers, "timestamp": self._touched}
        self._devtools.send("Input.dispatchTouchEvent", event)

    def fingers(self, *paths: Sequence[Point]) -> None:
        """Fingers that come down together, walk along their paths in step, and lift together."""
        self.touch("touchStart", *(path[0] for path in paths))
        for step in range(1, len(paths[0])):
            self.touch("touchMove", *(path[step] for path in paths))
            self.page.wait_for_timeout(8)
        self.touch("touchEnd")

    def pen(self, points: Sequence[Point], pressure: Sequence[float], palm: Point | None = None) -> None:
        """A stroke of a pen; before it lifts, a palm rests on the screen and slides along, if there is one."""
        if not hasattr(self, "_devtools"):
            self._devtools = self.context.new_cdp_session(self.page)

        def send(kind: str, point: Point, force: float) -> None:
            event = {"type": kind, "x": point[0], "y": point[1], "button": "left", "buttons": 1, "clickCount": 1}
            self._devtools.send("Input.dispatchMouseEvent", {**event, "pointerType": "pen", "force": force})

        send("mousePressed", points[0], pressure[0])
        for step, (point, force) in enumerate(zip(points[1:], pressure[1:], strict=True)):
            send("mouseMoved", point, force)
            if palm and step == 2:
                self.touch("touchStart", palm)
            elif palm and step > 2:
                self.touch("touchMove", (palm[0] + 6 * step, palm[1]))
            self.page.wait_for_timeout(8)
        send("mouseReleased", points[-1], 0)
        if palm:
            self.touch("touchEnd")

    # --- eyes ------------------------------------------------------------------------------------------------------

    def pixels(self) -> Pixels:
        """What the canvas shows, [h, w, 3]."""
        data = str(self.page.evaluate(_PNG)).partition(",")[2]
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            return np.array(image.convert("RGB"))

    def shows(self, expected: Pixels, what: str = "") -> None:
        """Waits until exactly this picture is shown."""
        wanted = hashlib.sha256(np.dstack([expected, np.full_like(expected[:, :, :1], 255)]).tobytes()).hexdigest()
        until(lambda: self.page.evaluate(_SHA256) == wanted, what or "another picture is shown")

    def shown_ink(self) -> int:
        """How many pixels are not white."""
        return int((self.pixels() != 255).any(axis=2).sum())

    def text(self, selector: str) -> str:
        return self.page.inner_text(selector).strip()

    def view(self) -> dict[str, float]:
        """Where the canvas lies in the window: its corner and scale."""
        return dict(
            self.page.evaluate(
                "(() => { const m = new DOMMatrix(getComputedStyle(document.querySelector('.world')).transform);"
                " return {x: m.e, y: m.f, scale: m.a} })()"
            )
        )


def operations(site: RunningSite, slug: str = "main") -> list[picture.Numbered]:
    """The journal as it is at this moment, also while it is being written."""
    rows = site.rows(
        "SELECT b.first, b.last, b.payload FROM canvas_batch b JOIN canvas_canvas c ON c.id = b.canvas_id"
        " WHERE c.slug = ? ORDER BY b.first",
        slug,
    )
    return [
        each
        for first, last, payload in rows
        for each in wire.Batch(first, 0, last - first + 1, bytes(payload)).operations()
    ]


def pixels_of(site: RunningSite, slug: str = "main", side: int = 1536) -> Pixels:
    """The canvas as the server's own brush paints its journal, where there is no frame yet."""
    return picture.compose(picture.blank(side, side, (255, 255, 255)), operations(site, slug))


def strokes(site: RunningSite, slug: str = "main") -> int:
    """How many finished strokes the journal holds."""
    return sum(1 for _, op in operations(site, slug) if isinstance(op, wire.Stroke) and op.last)


def finished(site: RunningSite, after: int) -> bool:
    """Whether the journal has grown since it held `after` operations, and its last one ends a stroke."""
    found = operations(site)
    return len(found) > after and isinstance(found[-1][1], wire.Stroke) and found[-1][1].last


def line(x0: float, y0: float, x1: float, y1: float, steps: int = 12) -> list[Point]:
    return [(x0 + (x1 - x0) * i / steps, y0 + (y1 - y0) * i / steps) for i in range(steps + 1)]
