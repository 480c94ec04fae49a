"""The site's network arrives while people draw: three processes, and none of them is started again for it."""

from __future__ import annotations

import hashlib
import json
import random
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.dreamer import published
from tests.dreamer.server import Handler, Server
from tests.running import SMALL, RunningSite, end, until
from tests.sockets import opened, stroke_id

chance = random.Random(7)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as found:
        threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield found
        found.release.set()
        found.shutdown()


def in_two_halves(handler: Handler, data: bytes) -> None:
    """The second half comes when the test says so."""
    wanted = handler.headers.get("Range")
    start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
    handler.send_response(206 if start else 200)
    if start:
        handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
    handler.send_header("Content-Length", str(len(data) - start))
    handler.end_headers()
    middle = max(start, len(data) // 2)
    handler.wfile.write(data[start:middle])
    handler.server.release.wait(200)
    handler.wfile.write(data[middle:])


@pytest.mark.slow
async def test_it_arrives_and_takes_over_while_people_draw(
    make_site: Callable[..., RunningSite], server: Server
) -> None:
    data = published.googlenet()
    server.files["weights"], server.faults["weights"] = data, in_two_halves
    ours = {"address": server.url("weights"), "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    site = make_site(
        HOUSE_MODEL="true",
        DREAM_FETCH="googlenet",
        DREAM_INTERVAL="0.5",
        DREAM_THREADS="1",
        CANVAS_SLUG=SMALL,
        PUBLISHED=json.dumps(ours),
        no_proxy="127.0.0.1",
        tune={
            "canvas.limits.POLL": 0.02,
            "dreamsite.core.tasks.jobs.UPDATE_SECONDS": 0.0,
            "dreamsite.core.tasks.worker.MAINTENANCE_SECONDS": 0.3,
            "dreamsite.core.tasks.heartbeats.DEAD_SECONDS": 2.0,
            "dreamsite.core.tasks.heartbeats.INTERVAL_SECONDS": 0.5,
            "dreamsite.core.tasks.retries.FIRST_SECONDS": 0.2,
        },
    )
    site.start_web()
    site.start_dreamer()
    worker = site.start_worker()
    async with opened(site.url, slug=SMALL) as viewer, opened(site.url, site.person(0).headers, slug=SMALL) as drawer:

        def dream() -> dict[str, Any]:
            news: dict[str, Any] = [viewer.welcome, *viewer.news_of("dream")][-1]["dream"]
            return news

        async def dreamed_with(network: str) -> None:
            while not (frames := site.frames()) or json.loads(frames[-1]["recipe"])["model"] != network:
                known = len(viewer.news_of("frame"))
                await drawer.draw(stroke_id(chance), [(40 * step, 500, 160) for step in range(24)])
                await viewer.until(lambda known=known: len(viewer.news_of("frame")) > known)

        # Meanwhile the house model dreams, and everybody sees what is on its way.
        await dreamed_with("house")
        await viewer.until(lambda: (dream().get("arriving") or {}).get("fraction", 0) > 0.2)
        assert dream()["arriving"]["title"] == "GoogLeNet"

        # A worker that is killed at it is followed by one that goes on where it was.
        end(worker, signal.SIGKILL)
        site.start_worker()
        until(lambda: len(server.requests) > 1, "another worker's request")
        (_, first), (_, resumed) = server.requests[:2]
        assert first is None and resumed is not None and int(resumed[6:-1]) > len(data) // 8
        server.release.set()

        # It takes over by itself.
        await dreamed_with("googlenet")
        await viewer.until(lambda: dream().get("model") == "googlenet" and not dream().get("arriving"))
    assert "GoogLeNet is here, and the next dream is its own" in site.log("worker")
    for log in ("worker", "dreamer", site.name):
        assert "Traceback" not in site.log(log), site.log(log)[-5000:]
