"""The dreamer beside a running site: what visitors see of it, and what happens to its lease."""

from __future__ import annotations

import contextlib
import json
import random
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from canvas import wire
from tests import running
from tests.dreamer import nets
from tests.running import SMALL, RunningSite, end, until
from tests.sockets import Client, opened, stroke_id

LINE = [(40 * step, 500, 160) for step in range(24)]
SETTINGS = {"DREAM_INTERVAL": "0.3", "STYLE_INTERVAL": "600", "DREAM_THREADS": "1", "CANVAS_SLUG": SMALL}
# A short lease; and without Redis only the poll tells the web process what the dreamer is doing.
TUNE = {"canvas.lease.LEASE_SECONDS": 1.5, "canvas.lease.RENEW_SECONDS": 0.4, "canvas.limits.POLL": 0.02}
chance = random.Random(5)


@pytest.fixture(scope="module")
def dreaming(site_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """A site with a tiny network and a dreamer that rests after one more dream of nothing new."""
    var = running.copy(site_template, tmp_path_factory.mktemp("dreaming") / "var")
    site = RunningSite(var, tune=TUNE, DREAM_IDLE_LIMIT="1", **SETTINGS)
    nets.register_tiny(site.var / "models")
    site.start_web()
    site.start_dreamer()
    yield site
    site.stop()
    assert "Traceback" not in site.log(), site.log()[-5000:]


def state(site: RunningSite) -> str:
    return str(site.dream().get("state"))


def mood(client: Client) -> dict[str, Any]:
    """The dream as this viewer was last told of it."""
    news: dict[str, Any] = [client.welcome, *client.news_of("dream")][-1]["dream"]
    return news


def dreams_of(site: RunningSite, seq: int) -> list[dict[str, Any]]:
    """The frames that hold the journal up to exactly this number."""
    return [frame for frame in site.frames() if frame["seq"] == seq]


def assert_another_is_due(site: RunningSite) -> None:
    due = site.dream()["next_at"]
    until(lambda: site.dream()["next_at"] != due, what="the next dream to be due")


def titles(site: RunningSite) -> list[str]:
    return [frame["title"] for frame in site.frames()]


async def frames_of(client: Client, count: int) -> None:
    await client.until(lambda: len(client.news_of("frame")) >= count)


async def test_without_a_network_it_says_so_and_dreams_as_soon_as_there_is_one(
    make_site: Callable[..., RunningSite],
) -> None:
    site = make_site(tune=TUNE, **SETTINGS)
    site.start_web()
    site.start_dreamer()
    ann = site.person(0)
    async with opened(site.url, slug=SMALL) as viewer, opened(site.url, ann.headers, slug=SMALL) as drawer:
        await viewer.until(lambda: mood(viewer)["state"] == "no-model")
        assert "model import" in mood(viewer)["message"]
        await drawer.draw(stroke_id(chance), LINE)
        await viewer.until(lambda: viewer.head == 6)
        assert site.frames() == []
        nets.register_tiny(site.var / "models")
        await frames_of(viewer, 1)
        # While it dreamed everybody could follow, octave by octave.
        news = [news["dream"] for news in viewer.news_of("dream") if news["dream"]["state"] == "dreaming"]
        assert news and news[0]["model"] == "tiny" and news[0]["octaves"] > 0 and news[0]["device"] == "cpu"
        frame = viewer.news_of("frame")[0]["frame"]
    # The same frame, in the history and on its own page, with its recipe and its people.
    status, page = site.browser().get("/history/")
    assert status == 200 and frame["page"] in page
    status, page = site.browser().get(frame["page"])
    assert status == 200 and ann.name in page and frame["title"] in page
    status, data = site.browser().get(f"/frames/{frame['id']}.json")
    assert status == 200 and json.loads(data)["recipe"]["model"] == "tiny"
    assert site.browser().get(frame["url"])[0] == 200
    assert "Traceback" not in site.log("dreamer"), site.log("dreamer")[-5000:]


async def test_ink_laid_down_during_a_dream_stays_on_top(dreaming: RunningSite) -> None:
    ann = dreaming.person(1)
    during: list[int] = []
    async with opened(dreaming.url, ann.headers, slug=SMALL) as drawer:
        begun = drawer.frame["number"] if drawer.frame else 0
        while len(during) < 2:
            known = len(drawer.news_of("frame"))
            await drawer.draw(stroke_id(chance), LINE)
            await drawer.until(lambda: not drawer.sent_and_unknown())
            if len(drawer.news_of("frame")) > known and drawer.head > drawer.news_of("frame")[-1]["frame"]["seq"]:
                during.append(drawer.news_of("frame")[-1]["frame"]["id"])
        # A newcomer gets the newest frame and, on top of it, all that came after: no more and no less.
        async with opened(dreaming.url, slug=SMALL) as late:
            await late.until(lambda: late.head >= drawer.head)
            base = late.frame["seq"] if late.frame else 0
            journal = dreaming.journal(SMALL)
            assert base > 0 and sorted(late.operations.items()) == journal[base : late.head]
    frames = {frame["id"]: frame for frame in dreaming.frames()}
    assert all(frames[pk]["number"] > begun and frames[pk]["seq"] <= len(journal) for pk in during)


async def test_a_canvas_where_nobody_draws_comes_to_rest(dreaming: RunningSite) -> None:
    async with opened(dreaming.url, dreaming.person(2).headers, slug=SMALL) as drawer:
        for _ in range(2):
            await drawer.draw(stroke_id(chance), LINE)
            await drawer.until(lambda: not drawer.sent_and_unknown())
            until(lambda: len(dreams_of(dreaming, drawer.head)) == 2, what="a dream of the drawing, one of nothing new")
            until(lambda: state(dreaming) == "resting", what="resting")
            assert_another_is_due(dreaming)
            assert len(dreams_of(dreaming, drawer.head)) == 2
            await drawer.until(lambda: mood(drawer)["state"] == "resting")


async def test_pausing(dreaming: RunningSite) -> None:
    async with opened(dreaming.url, dreaming.person(3).headers, slug=SMALL) as drawer:
        dreaming.rows("UPDATE canvas_dream SET paused = ?", True)
        await drawer.until(lambda: mood(drawer)["state"] == "paused")
        frames = len(dreaming.frames())
        await drawer.draw(stroke_id(chance), LINE)
        await drawer.until(lambda: not drawer.sent_and_unknown())
        assert_another_is_due(dreaming)
        assert len(dreaming.frames()) == frames and state(dreaming) == "paused"
        dreaming.rows("UPDATE canvas_dream SET paused = ?", False)
        until(lambda: dreaming.frames()[-1]["seq"] == drawer.head, what="a dream after the pause")


def test_another_style_on_request(dreaming: RunningSite) -> None:
    before = dreaming.dream()["style"]
    dreaming.manage("dreamer", "--next-style")
    until(lambda: dreaming.dream()["style"] != before, what="another style")
    assert not dreaming.dream()["style_wanted"]


async def test_a_dream_that_cannot_be_stored_is_said_keeps_its_style_and_is_tried_again(dreaming: RunningSite) -> None:
    until(lambda: state(dreaming) == "resting", what="resting")
    before, media = dreaming.dream()["style"], dreaming.var / "media"
    aside = media.rename(dreaming.var / "aside")
    media.write_text("a file where a folder should be: nothing can be stored\n")
    async with opened(dreaming.url, dreaming.person(4).headers, slug=SMALL) as drawer:
        await drawer.draw(stroke_id(chance), LINE)
        await drawer.until(lambda: any(news["dream"]["state"] == "failed" for news in drawer.news_of("dream")))
        failed = next(news["dream"] for news in drawer.news_of("dream") if news["dream"]["state"] == "failed")
        assert failed["message"].startswith("The last dream failed: ") and dreaming.dream()["style"] == before
        media.unlink()
        aside.rename(media)
        until(lambda: dreaming.frames()[-1]["seq"] == drawer.head and state(dreaming) != "failed", what="a dream again")


async def test_styles_change_with_time(make_site: Callable[..., RunningSite]) -> None:
    site = make_site(
        tune=TUNE, **(SETTINGS | {"DREAM_INTERVAL": "0.1", "STYLE_INTERVAL": "1", "DREAM_IDLE_LIMIT": "1000000"})
    )
    nets.register_tiny(site.var / "models")
    site.start_web()
    site.start_dreamer()
    async with opened(site.url, site.person(0).headers, slug=SMALL) as drawer:
        await drawer.draw(stroke_id(chance), LINE)
        until(lambda: len(set(titles(site))) >= 3, what="three styles")


def freeze(site: RunningSite, process: Any) -> None:
    """Stops a process, but not within a write: SQLite has no way round one who holds the lock and does not move."""

    def stopped() -> bool:
        process.send_signal(signal.SIGSTOP)
        try:
            with contextlib.closing(sqlite3.connect(site.var / "dreamsite.sqlite3", timeout=0.2)) as database:
                database.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            process.send_signal(signal.SIGCONT)
            return False
        return True

    until(stopped, "a moment in which it does not write")


@pytest.fixture
def two_dreamers(make_site: Callable[..., RunningSite]) -> tuple[RunningSite, Any, Any]:
    """The first holds the canvas, the second waits for it. Their lease is long enough that no busy machine costs it."""
    site = make_site(tune=TUNE | {"canvas.lease.LEASE_SECONDS": 3.0}, DREAM_IDLE_LIMIT="1000000", **SETTINGS)
    nets.register_tiny(site.var / "models")
    site.start_web()
    first = site.start_dreamer("--canvas", SMALL)
    until(lambda: site.dream().get("holder"), what="a lease")
    return site, first, site.start_dreamer("--canvas", SMALL)


async def test_the_lease(two_dreamers: tuple[RunningSite, Any, Any]) -> None:
    """One dreams at a time. A dead one is replaced after its lease, a frozen one may wake up and has lost its place."""
    site, first, second = two_dreamers
    holder = site.dream()["holder"]
    async with opened(site.url, site.person(0).headers, slug=SMALL) as drawer:
        await drawer.draw(stroke_id(chance), LINE)
        await frames_of(drawer, 12)  # longer than a lease lasts
        assert site.dream()["holder"] == holder and second.poll() is None
        freeze(site, first)
        until(lambda: site.dream()["holder"] not in ("", holder), what="the second takes over from a frozen one")
        heir, count = site.dream()["holder"], len(site.frames())
        first.send_signal(signal.SIGCONT)
        until(lambda: len(site.frames()) > count + 2, what="dreams of the second")
        assert site.dream()["holder"] == heir
        end(second, signal.SIGKILL)
        until(lambda: site.dream()["holder"] == holder, what="the first again")
        end(first, signal.SIGTERM)
        assert site.dream()["holder"] == ""  # given back at once: nobody need wait
        await drawer.until(lambda: mood(drawer)["state"] == "away")
        numbers = [frame["number"] for frame in site.frames()]
        assert numbers == list(range(1, len(numbers) + 1))
    assert first.returncode == 0
    assert "Traceback" not in site.log("dreamer"), site.log("dreamer")[-5000:]


# How old the ink in the base is, as it was carried from dream to dream, and by the journal alone.
SAME_MAP = """
from canvas import frames, growth, lease
from canvas.models import Canvas, Growth
canvas = Canvas.objects.get(slug="small")
assert lease.take(canvas, "me")
carried = frames.compose(canvas, holder="me").ages
kept = Growth.objects.count()
Growth.objects.all().delete()
alone = frames.compose(canvas, holder="me").ages
ink = carried[carried != growth.NEVER]
print(kept, ink.size > 0, len(set(ink)) > 1, (carried == alone).all())
"""


async def test_two_dreamers_carry_one_map_of_how_old_ink_is(two_dreamers: tuple[RunningSite, Any, Any]) -> None:
    """The first is killed in the middle, the second goes on: what it carries is what the journal says."""
    site, first, second = two_dreamers
    async with opened(site.url, site.person(0).headers, slug=SMALL) as pen:
        await pen.draw(stroke_id(chance), LINE)
        await frames_of(pen, 3)
        end(first, signal.SIGKILL)
        await pen.draw(stroke_id(chance), [(y, x, width) for x, y, width in LINE])
        heads = len(site.frames())
        until(lambda: len(site.frames()) > heads + 3, what="dreams of the second")
        await pen.draw(stroke_id(chance), [(x, 900, width) for x, _, width in LINE])
        await pen.until(lambda: not pen.sent_and_unknown())
        head = pen.head
        until(lambda: any(frame["seq"] >= head for frame in site.frames()), what="a dream of all that")
    end(second, signal.SIGTERM)
    kept, inked, ages, same = site.shell(SAME_MAP).split()[-4:]
    assert int(kept) >= 6 and (inked, ages, same) == ("True", "True", "True")


async def test_undo_of_what_is_dreamed_is_too_late(dreaming: RunningSite) -> None:
    async with opened(dreaming.url, dreaming.person(5).headers, slug=SMALL) as drawer:
        stroke = stroke_id(chance)
        await drawer.draw(stroke, LINE)
        await drawer.until(lambda: not drawer.sent_and_unknown())
        head = drawer.head
        await drawer.until(lambda: any(news["frame"]["seq"] >= head for news in drawer.news_of("frame")))
        await drawer.send(wire.Undo(stroke))
        await drawer.until(lambda: stroke in drawer.refused)
