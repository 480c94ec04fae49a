"""The gate over real sockets in two web processes with Redis between them: a switch acts everywhere at once.

The poll and the recheck, which would heal a lost message, never come here: what acts is the message.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from canvas.wire import RejectReason
from tests.running import RunningSite, copy
from tests.services import Postgres, Redis
from tests.sockets import Client, opened, stroke_id

LINE = [(40 * step, 800, 160) for step in range(24)]
SLOW = {"canvas.limits.POLL": 3600.0, "canvas.limits.RECHECK_SECONDS": 3600.0}
chance = random.Random(5)

# What a view does, in a process that is neither of the two.
_ACT = """
from datetime import timedelta
from django.utils import timezone
from canvas import notify
from canvas.models import Canvas, Region, Rules, Sanction
from dreamsite.core.models import SiteState, User
canvas = Canvas.objects.get(slug="main")
rules = Rules.objects.of(canvas)
"""

pytestmark = [pytest.mark.postgres, pytest.mark.redis]
Two = tuple[RunningSite, RunningSite]


@pytest.fixture(scope="module")
def fleet(
    postgres: Postgres, postgres_template: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Two]:
    template, address = postgres_template
    redis = Redis()
    env = {"DATABASE_URL": postgres.database(address), "REDIS_URL": redis.url, "WEB_PROCESSES": "2"}
    var = copy(template, tmp_path_factory.mktemp("gate") / "var")
    one, two = (RunningSite(var, name=name, tune=SLOW, **env) for name in ("one", "two"))
    try:
        for site in (one, two):
            site.start_web()
        yield one, two
        for site in (one, two):
            assert "Traceback" not in site.log(), site.log()[-5000:]
    finally:
        for site in (one, two):
            site.stop()
        redis.stop()


async def act(site: RunningSite, code: str) -> None:
    """Does it in a process of its own."""
    await asyncio.to_thread(site.shell, _ACT + code)


async def wait_for_news(client: Client, kind: str, ready: Callable[[dict[str, object]], object]) -> dict[str, object]:
    """The newest news: older ones may tell of the same state, before it was another one."""
    await client.until(lambda: any(ready(news) for news in client.news_of(kind)[-1:]))
    return client.news_of(kind)[-1]


async def refused(client: Client) -> int:
    """Draws a stroke and gives the REJECT code; 0 where it was taken."""
    stroke = stroke_id(chance)
    sent = await client.draw(stroke, LINE)
    await client.until(lambda: stroke in client.refused or len(client.pieces_of(client.me, stroke)) == len(sent))
    return client.refused.get(stroke, 0)


async def test_a_freeze_and_a_lock_act_in_both_processes_at_once_for_staff_too(fleet: Two) -> None:
    one, two = fleet
    staff = one.person(1)
    await act(one, f"User.objects.filter(pk={staff.id}).update(is_staff=True, is_superuser=True)")
    async with AsyncExitStack() as stack:
        pens = [
            await stack.enter_async_context(opened(site.url, site.person(number).headers))
            for site, number in ((one, 0), (two, 1))
        ]
        assert [await refused(drawer) for drawer in pens] == [0, 0]
        await act(one, "rules.frozen, rules.frozen_why = True, 'a raid'\nrules.save()\nnotify.look('main')")
        for drawer in pens:
            await wait_for_news(drawer, "rules", lambda news: news["rules"]["frozen"])
        assert [await refused(drawer) for drawer in pens] == [RejectReason.LOCKED, RejectReason.LOCKED]
        region = "Region.objects.create(canvas=canvas, x=0, y=60, width=400, height=80)"
        await act(one, f"rules.frozen = False\nrules.save()\n{region}\nnotify.look('main')")
        for drawer in pens:
            await wait_for_news(drawer, "rules", lambda news: news["rules"]["regions"])
        assert [await refused(drawer) for drawer in pens] == [RejectReason.LOCKED, RejectReason.LOCKED]
        await act(one, "[each.lift() for each in Region.objects.all()]\nnotify.look('main')")
        for drawer in pens:
            await wait_for_news(drawer, "rules", lambda news: not news["rules"]["regions"])
        assert [await refused(drawer) for drawer in pens] == [0, 0]


async def test_a_sanction_reaches_every_socket_of_the_person_at_once_whoever_it_is(fleet: Two) -> None:
    one, two = fleet
    person = one.person(2)
    await act(one, f"User.objects.filter(pk={person.id}).update(is_staff=True, is_superuser=True)")
    async with (
        opened(one.url, person.headers) as here,
        opened(two.url, two.person(2).headers) as there,
        opened(two.url, two.person(3).headers) as other,
    ):
        assert await refused(here) == 0
        make = f"Sanction.objects.create(user_id={person.id}, degree='{{}}', reason='threats')"
        await act(one, f"{make.format('read_only')}\nnotify.recheck([{person.id}])")
        for client in (here, there):
            news = await wait_for_news(client, "you", lambda news: news["sanctions"])
            assert news["sanctions"][0]["reason"] == "threats"
            assert await refused(client) == RejectReason.SUSPENDED
        await act(one, f"{make.format('suspend')}\nnotify.recheck([{person.id}])")
        assert [await here.until_closed(), await there.until_closed()] == [4403, 4403]
        assert here.news_of("you")[-1]["sanctions"][0]["degree"]
        assert await refused(other) == 0
    async with opened(two.url, two.person(2).headers, join=False) as again:  # shown out at the door
        assert await again.until_closed() == 4403 and again.news_of("you")


async def test_accounts_younger_than_the_limit_do_not_draw(fleet: Two) -> None:
    one, two = fleet
    moment = "User.objects.order_by('date_joined').first().date_joined"
    async with opened(two.url, two.person(4).headers) as newer:
        await act(one, f"rules.newcomers_after = {moment}\nrules.save()\nnotify.look('main')")
        await wait_for_news(newer, "rules", lambda news: news["rules"]["newcomers_after"])
        assert await refused(newer) == RejectReason.SUSPENDED
        await act(one, "rules.newcomers_after = None\nrules.save()\nnotify.look('main')")
        await wait_for_news(newer, "rules", lambda news: not news["rules"]["newcomers_after"])
        assert await refused(newer) == 0


async def test_the_end_is_the_end_everywhere(fleet: Two) -> None:
    one, two = fleet
    async with opened(one.url, one.person(5).headers) as drawer, opened(two.url) as viewer:
        await act(one, "SiteState.end(timezone.now())")
        for client in (drawer, viewer):
            assert await client.until_closed() == 4410 and client.news_of("ended")
    async with opened(two.url) as late:
        assert await late.until_closed() == 4410
    await act(one, "SiteState.end(None)")
