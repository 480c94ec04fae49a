"""`make firefox`: the canvas in a real Firefox, which its own protocol drives (WebDriver BiDi): mouse and fingers.

What is drawn there has to be in the journal, and on the screen to the bit what the server's brush paints. It needs the
machine's own Firefox (apt-get install firefox-esr), and is no part of `make test`, which needs none. Firefox 153 has no
pens in its protocol; chromium has (tests/browser/test_canvas_phone.py).
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from websockets.sync.client import ClientConnection, connect

from canvas import wire
from canvas.brush import Pixels
from tests import environment, running
from tests.browser.visitor import Point, line, operations, pixels_of, strokes

environment.isolate()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dreamsite.settings")

PROGRAMS = "firefox-esr", "firefox"
LISTENS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
# Nothing is asked of anybody but the site.
SETTINGS = """
user_pref("app.normandy.enabled", false);
user_pref("app.update.disabledForTesting", true);
user_pref("browser.safebrowsing.malware.enabled", false);
user_pref("browser.safebrowsing.phishing.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("dom.w3c_pointer_events.enabled", true);
user_pref("extensions.update.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "");
user_pref("toolkit.telemetry.server", "");
"""
_SHA256 = """(async () => {
    const canvas = document.querySelector("canvas.picture");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const digest = await crypto.subtle.digest("SHA-256", data);
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
})()"""
_SCALE = 'new DOMMatrix(getComputedStyle(document.querySelector(".world")).transform).a'
_LIVE = 'document.querySelector(".stage.ready[data-connection=live]") !== null'


class Firefox:
    """One window of it. Commands of WebDriver BiDi; a failed one raises RuntimeError with what it says."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._ids = socket, itertools.count(1)
        self.said: list[str] = []  # errors of pages
        self.version = self.ask("session.new", capabilities={})["capabilities"]["browserVersion"]
        self.ask("session.subscribe", events=["log.entryAdded"])
        self.window = self.ask("browsingContext.getTree")["contexts"][0]["context"]

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._socket.recv(timeout=running.PATIENCE))
            if answer.get("method") == "log.entryAdded" and answer["params"]["level"] == "error":
                self.said.append(answer["params"]["text"] or "")
            if answer.get("id") != number:
                continue
            if answer["type"] == "error":
                raise RuntimeError(f"{method}: {answer['error']}: {answer['message']}")
            return dict(answer["result"])

    def open(self, address: str) -> None:
        self.ask("browsingContext.navigate", context=self.window, url=address, wait="complete")
        running.until(lambda: self.run(_LIVE), "the canvas in Firefox is live")

    def size(self, width: int, height: int) -> None:
        self.ask("browsingContext.setViewport", context=self.window, viewport={"width": width, "height": height})

    def run(self, script: str) -> Any:
        """What a script of the page evaluates to: a number, a text or a truth."""
        answer = self.ask("script.evaluate", expression=script, target={"context": self.window}, awaitPromise=True)
        if answer["type"] != "success":
            raise RuntimeError(f"{script}: {answer['exceptionDetails']['text']}")
        return answer["result"].get("value")

    def pointers(self, kind: str, *paths: Sequence[Point]) -> None:
        """Pointers of a kind (mouse, touch) that go down together, walk along their paths in step, and lift."""
        sources = []
        for number, path in enumerate(paths):
            begin, *way = ({"type": "pointerMove", "x": round(x), "y": round(y)} for x, y in path)
            down, up = {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}
            steps = [begin, down, *({**to, "duration": 16} for to in way), up]
            sources.append(
                {"type": "pointer", "id": f"{kind}{number}", "parameters": {"pointerType": kind}, "actions": steps}
            )
        self.ask("input.performActions", context=self.window, actions=sources)
        self.ask("input.releaseActions", context=self.window)

    def shows(self, expected: Pixels, what: str) -> None:
        """Waits until exactly this picture is on the screen's canvas."""
        wanted = hashlib.sha256(np.dstack([expected, np.full_like(expected[:, :, :1], 255)]).tobytes()).hexdigest()
        running.until(lambda: self.run(_SHA256) == wanted, what)


@contextmanager
def started() -> Iterator[Firefox]:
    """A Firefox with a profile of its own, ended with the block."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise SystemExit(f"received none of {', '.join(PROGRAMS)}, expected a Firefox: apt-get install {PROGRAMS[0]}")
    with tempfile.TemporaryDirectory() as folder:
        profile, log = Path(folder) / "profile", Path(folder) / "log"
        profile.mkdir()
        (profile / "user.js").write_text(SETTINGS)
        command = [program, "--headless", "--no-remote", "--remote-debugging-port", "0", "--profile", str(profile)]
        with log.open("w") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, "HOME": folder})
        try:
            running.until(lambda: LISTENS.search(log.read_text()), "Firefox listens")
            address = LISTENS.search(log.read_text())
            assert address
            with connect(f"{address[1]}/session", max_size=None) as socket:
                yield Firefox(socket)
        finally:
            process.terminate()
            process.wait()


def check(firefox: Firefox, site: running.RunningSite) -> Iterator[str]:
    """Everything that hands do, each told once it has been seen to work."""
    firefox.size(1280, 800)
    firefox.open(site.url + "/")
    firefox.pointers("mouse", line(400, 300, 900, 420))
    running.until(lambda: strokes(site) == 1, "the mouse's stroke")
    firefox.shows(pixels_of(site), "what the mouse drew, to the bit")
    yield "a stranger draws with the mouse; the picture is the server's to the bit"

    firefox.size(390, 844)
    firefox.open(site.url + "/")
    scale = float(firefox.run(_SCALE))
    firefox.pointers("touch", line(60, 300, 330, 420))
    running.until(lambda: strokes(site) == 2, "the finger's stroke")
    firefox.shows(pixels_of(site), "what the finger drew, to the bit")
    yield "a finger draws at 390 px"
    firefox.pointers("touch", line(180, 400, 100, 400), line(220, 400, 300, 400))
    larger = float(firefox.run(_SCALE))
    assert larger > 2 * scale, f"received a scale of {larger}, expected more than twice {scale}"
    assert strokes(site) == 2, "two fingers leave no ink"
    yield f"two fingers zoom {larger / scale:.1f} times and leave no ink"
    undone = len(operations(site))
    firefox.pointers("touch", line(180, 400, 181, 400, 1), line(220, 400, 221, 400, 1))
    running.until(lambda: len(operations(site)) > undone, "a tap with two fingers takes back")
    assert isinstance(operations(site)[-1][1], wire.Undo)
    firefox.shows(pixels_of(site), "without the last stroke, to the bit")
    yield "a tap with two fingers takes the last stroke back"
    assert not firefox.said, f"the page complains: {firefox.said}"
    yield "the console is silent"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        site = running.RunningSite(running.prepare(Path(folder) / "var"))
        try:
            site.start_web()
            with started() as firefox:
                print(f"Firefox {firefox.version}")
                for seen in check(firefox, site):
                    print(f"  {seen}", flush=True)
        finally:
            site.stop()


if __name__ == "__main__":
    sys.exit(main())
