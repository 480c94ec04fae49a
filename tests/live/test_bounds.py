"""What a client may leave half done, and how much one address may hold: on both servers, from outside."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from canvas.wire import RejectReason
from tests import running, wire_client
from tests.live.conftest import SERVERS
from tests.live.test_socket import LINE, chance, flood
from tests.running import PATIENCE, RunningSite
from tests.sockets import opened, pieces, stroke_id

CONNECTIONS, SOCKETS = 12, 4
MEGABYTE = 2**20
TUNE = {
    "dreamsite.servers.limits.HEAD_SECONDS": 1.5,
    "dreamsite.servers.limits.BODY_SECONDS": 1.5,
    "dreamsite.servers.limits.CONNECTIONS": CONNECTIONS,
    "canvas.limits.JOIN_SECONDS": 2.0,
}


@pytest.fixture(scope="module", params=SERVERS)
def bounded(
    request: pytest.FixtureRequest, site_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningSite]:
    """A site where a second is long and few are many."""
    var = running.copy(site_template, tmp_path_factory.mktemp(request.param) / "var")
    site = RunningSite(var, server=request.param, tune=TUNE, SOCKETS_PER_ADDRESS=str(SOCKETS))
    site.start_web()
    yield site
    site.stop()
    assert "Traceback" not in site.log(), site.log()[-6000:]


def raw(site: RunningSite) -> socket.socket:
    one = socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return one


def ended(one: socket.socket, timeout: float = 0.01) -> bool:
    """Whether the server has ended it."""
    one.settimeout(timeout)
    try:
        while one.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def head(site: RunningSite, method: str = "GET", path: str = "/healthz", *more: str) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{site.port}", *more, "", ""]).encode()


HALVES = {
    "a request line": b"GET /",
    "headers": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n",
    "a handshake": b"GET /ws/c/main/ HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
    "a body": b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\n",
}


@pytest.mark.parametrize("what", HALVES)
def test_half_a_request_ends_though_its_bytes_keep_coming(bounded: RunningSite, what: str) -> None:
    with contextlib.closing(raw(bounded)) as slow:
        slow.sendall(HALVES[what])
        until = time.monotonic() + PATIENCE
        while not ended(slow):
            assert time.monotonic() < until, "the server holds half a request for ever"
            time.sleep(0.2)
            with contextlib.suppress(OSError):
                slow.sendall(b"x")


def test_a_whole_request_after_a_long_silence_is_answered(bounded: RunningSite) -> None:
    """The bound is for what is half sent: a browser's connection that rests between two pages is none."""
    with contextlib.closing(raw(bounded)) as kept:
        for silence in (0.0, 2.5):  # longer than a head, or a body, may take
            time.sleep(silence)
            kept.sendall(head(bounded))
            answer = b""
            while not answer.endswith(b"ok\n"):  # the head and the body may come one after another
                answer += kept.recv(4096) or pytest.fail(f"the connection ended after {answer!r}")
            assert b" 200 " in answer


def test_one_address_holds_so_many_connections_and_no_more(bounded: RunningSite) -> None:
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(contextlib.closing(raw(bounded))) for _ in range(3 * CONNECTIONS)]
        for one in held:
            with contextlib.suppress(OSError):
                one.sendall(b"GET /")
        running.until(lambda: sum(not ended(one) for one in held) <= CONNECTIONS, "the others are refused")
    running.until(bounded.answers, "and room again when they are gone")


async def test_one_address_holds_so_many_sockets_and_no_more(bounded: RunningSite) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(SOCKETS):
            await stack.enter_async_context(opened(bounded.url))
        with pytest.raises(InvalidStatus) as refused:
            await stack.enter_async_context(opened(bounded.url))
        assert refused.value.response.status_code == 403
    until = time.monotonic() + PATIENCE
    while True:  # the server hears of their end a moment later
        try:
            async with opened(bounded.url) as again:
                assert again.welcome
                return
        except InvalidStatus:
            assert time.monotonic() < until
            await asyncio.sleep(0.1)


async def test_a_socket_that_says_nothing_is_closed(bounded: RunningSite) -> None:
    async with opened(bounded.url, join=False) as silent:
        assert await silent.until_closed() == 4408


async def test_a_visitors_ink_is_not_even_read(bounded: RunningSite) -> None:
    """What would close a member's socket as malformed is only refused; and whoever goes on is closed."""
    async with opened(bounded.url) as visitor:
        stroke = stroke_id(chance)
        await visitor.socket.send(wire_client.ink(pieces(stroke, LINE))[:-3])
        await visitor.until(lambda: stroke in visitor.refused)
        assert visitor.refused[stroke] == RejectReason.SIGN_IN and visitor.closed is None
        assert await flood(visitor, wire_client.ink(pieces(stroke_id(chance), LINE))) == 4429


async def test_a_member_is_counted_in_bytes_and_operations_in_all_tabs(bounded: RunningSite) -> None:
    """Nothing but messages of the largest size, in two tabs: far fewer than the messages that one may send."""
    person = bounded.person(3)
    known = stroke_id(chance)
    large = wire_client.ink(pieces(known, [(80, 80, 8)] * 20_000, each=500)[:20])
    async with opened(bounded.url, person.headers) as one, opened(bounded.url, person.headers) as two:
        sent = 0
        with contextlib.suppress(ConnectionClosed):
            while one.closed is None and two.closed is None and sent < 2000:
                await one.socket.send(large)
                await two.socket.send(large)
                sent += 2
                await asyncio.sleep(0)
        assert 4429 in {one.closed, two.closed} or await two.until_closed() == 4429
        assert sent < 600, "messages alone would have let more in"


@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "in chunks"])
def test_a_body_that_nobody_wants_is_refused_before_it_is_kept(bounded: RunningSite, chunked: bool) -> None:
    before, size = bounded.memory(), 80 * MEGABYTE
    with contextlib.closing(raw(bounded)) as rude:
        more = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
        rude.sendall(head(bounded, "POST", "/accounts/login/", more))
        piece = b"%x\r\n%s\r\n" % (MEGABYTE, bytes(MEGABYTE)) if chunked else bytes(MEGABYTE)
        answer = b""
        with contextlib.suppress(OSError):
            for _ in range(size // MEGABYTE):
                rude.sendall(piece)
        with contextlib.suppress(OSError):
            answer = rude.recv(4096)
        # The answer may be lost behind what was still on its way; taken it is never.
        assert b" 413 " in answer or answer == b"", answer
    assert bounded.memory() - before < 16 * MEGABYTE
    assert bounded.answers()


def test_a_small_body_is_taken_and_a_large_one_says_413(bounded: RunningSite) -> None:
    with contextlib.closing(raw(bounded)) as one:
        one.sendall(head(bounded, "POST", "/accounts/login/", "Content-Length: 5") + b"a=b&c")
        assert b" 403 " in one.recv(4096), "without a form's token"
    with contextlib.closing(raw(bounded)) as one:
        one.sendall(head(bounded, "POST", "/accounts/login/", f"Content-Length: {5 * MEGABYTE}"))
        assert b" 413 " in one.recv(4096)


def test_files_wait_for_those_who_do_not_read(bounded: RunningSite) -> None:
    folder = bounded.var / "media" / "films"
    folder.mkdir(parents=True, exist_ok=True)
    film = folder / "long.mp4"
    with film.open("wb") as file:
        for _ in range(96):
            file.write(b"film" * (MEGABYTE // 4))
    before = bounded.memory()
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(contextlib.closing(raw(bounded))) for _ in range(6)]
        for one in held:
            one.sendall(head(bounded, "GET", "/media/films/long.mp4"))
        for _ in range(30):
            time.sleep(0.1)
            assert bounded.memory() - before < 40 * MEGABYTE
        # And whoever reads in the end gets all of it.
        got = b""
        held[0].settimeout(PATIENCE)
        while b"\r\n\r\n" not in got:
            got += held[0].recv(65536)
        size = len(got.partition(b"\r\n\r\n")[2])
        while size < film.stat().st_size:
            size += len(held[0].recv(MEGABYTE)) or pytest.fail(f"the answer ended after {size} bytes")
    assert bounded.answers()


@pytest.mark.parametrize("server", SERVERS)
def test_addresses_are_what_our_own_proxies_say(make_site: Callable[..., RunningSite], server: str) -> None:
    """Whatever a client puts in front, two proxies' own entries at the end of X-Forwarded-For count."""
    site = make_site(server=server, BEHIND_PROXY="1", PROXIES="2", SOCKETS_PER_ADDRESS="1")
    site.start_web()

    def said(number: int, client: str) -> dict[str, str]:
        return {"X-Forwarded-For": f"10.9.{number}.1, {client}, 192.0.2.80"}

    async def look() -> None:
        async with opened(site.url, said(1, "203.0.113.5")):
            with pytest.raises(InvalidStatus):
                async with opened(site.url, said(2, "203.0.113.5")):
                    pass
            async with opened(site.url, said(1, "203.0.113.6")):
                pass
        async with opened(site.url, said(1, "2001:db8:1:2::1")):
            with pytest.raises(InvalidStatus):
                async with opened(site.url, said(1, "2001:db8:1:2:ffff::9")):
                    pass
            async with opened(site.url, said(1, "2001:db8:1:3::1")):
                pass

    asyncio.run(look())
