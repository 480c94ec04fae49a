"""Whoever may not draw any more is out at once, in every process; and a Redis that froze locks nobody out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests import running
from tests.running import PASSWORD, RunningSite, Visitor
from tests.services import Redis
from tests.sockets import opened

pytestmark = pytest.mark.redis
SIGNED_OUT, FORBIDDEN = 4401, 4403
Two = tuple[RunningSite, RunningSite]
Act = Callable[[Two, Visitor, str], object]


@pytest.fixture(scope="module")
def server() -> Iterator[Redis]:
    redis = Redis()
    yield redis
    redis.stop()


@pytest.fixture(scope="module")
def two(site_template: Path, tmp_path_factory: pytest.TempPathFactory, server: Redis) -> Iterator[Two]:
    """Two web processes that look again by themselves once an hour: what comes was told."""
    var = running.copy(site_template, tmp_path_factory.mktemp("two") / "var")
    tune = {"canvas.limits.RECHECK_SECONDS": 3600.0}
    env = {"REDIS_URL": server.url, "WEB_PROCESSES": "2"}
    sites = [RunningSite(var, name=name, tune=tune, **env) for name in ("one", "two")]
    for site in sites:
        site.start_web()
    yield sites[0], sites[1]
    for site in sites:
        site.stop()
        assert "Traceback" not in site.log(), site.log()[-5000:]


def sign_out(two: Two, visitor: Visitor, name: str) -> None:
    visitor.post("/accounts/logout/")


def change_password(two: Two, visitor: Visitor, name: str) -> None:
    new = "a short walk in the woods"
    status, page = visitor.post("/accounts/password/change/", oldpassword=PASSWORD, password1=new, password2=new)
    assert status == 200 and "errorlist" not in page, page


def close_from_the_list(two: Two, visitor: Visitor, name: str) -> None:
    other = two[1].browser()
    assert other.post("/accounts/login/", login=name, password=PASSWORD)[0] == 200
    _, page = other.get("/accounts/sessions/")
    assert page.count('name="session"') == 3, "this one, the other one, all others"
    other.post("/accounts/sessions/", session="others")
    assert "session" in other.cookies and 'class="badge"' in other.get("/accounts/sessions/")[1]


def close_the_account(two: Two, visitor: Visitor, name: str) -> None:
    # The form asks for the password once more, and then goes on by itself.
    _, page = visitor.post("/account/close/")
    assert "Is it still you?" in page, page[:2000]
    assert visitor.post("/accounts/reauthenticate/?next=/account/close/", password=PASSWORD)[0] == 200


def ban(two: Two, visitor: Visitor, name: str) -> None:
    """From a process that serves nobody, as the administration's would be."""
    two[0].shell(
        "from dreamsite.core.models import User\n"
        f"person = User.objects.get(username={name!r}); person.is_active = False; person.save()"
    )


def suspend(two: Two, visitor: Visitor, name: str) -> None:
    two[0].shell(
        "from dreamsite.core.models import User; from canvas.models import Sanction\n"
        f"Sanction.objects.create(user=User.objects.get(username={name!r}), degree='suspend', reason='Spam')"
    )


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (sign_out, SIGNED_OUT),
        (change_password, SIGNED_OUT),
        (close_from_the_list, SIGNED_OUT),
        (close_the_account, SIGNED_OUT),
        (ban, FORBIDDEN),
        (suspend, FORBIDDEN),
    ],
)
async def test_open_sockets_are_closed(two: Two, act: Act, code: int) -> None:
    name = f"P{act.__name__.replace('_', '')}"[:20]
    visitor = two[0].browser()
    await asyncio.to_thread(visitor.sign_up, name)
    async with AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(opened(site.url, {**visitor.headers, "Origin": site.url})) for site in two
        ]
        onlooker = await stack.enter_async_context(opened(two[1].url))
        assert all(socket.me for socket in sockets)
        await asyncio.to_thread(act, two, visitor, name)
        assert [await socket.until_closed() for socket in sockets] == [code, code]
        assert onlooker.closed is None


def test_sign_in_while_redis_is_frozen(two: Two, server: Redis) -> None:
    """It is open, and guessing is still stopped; one who waited for Redis would not be answered within PATIENCE."""
    person, thief = two[0].browser().sign_up("Frozen"), two[0].browser()
    person.post("/accounts/logout/")
    server.freeze()
    try:
        status, _ = person.post("/accounts/login/", login="Frozen", password=PASSWORD)
        assert status == 200 and "session" in person.cookies
        answers = [thief.post("/accounts/login/", login="Frozen", password=f"guess {n}") for n in range(8)]
        assert re.search("Too many failed", answers[-1][1]) or answers[-1][0] == 429, answers[-1]
        assert "session" not in thief.cookies
    finally:
        server.thaw()
