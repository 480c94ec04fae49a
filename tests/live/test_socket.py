"""The protocol from outside, on both servers: what docs/protocol.md promises to whoever opens a socket."""

from __future__ import annotations

import asyncio
import contextlib
import random
import struct
import time

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from canvas import limits, wire
from canvas.wire import RejectReason
from tests import wire_client
from tests.bench import mutations
from tests.live.conftest import UNREAD
from tests.running import PATIENCE, RunningSite
from tests.sockets import Client, opened, pieces, stroke_id

LINE = [(400 + 40 * step, 800, 160) for step in range(24)]
chance = random.Random(7)


async def test_ink_is_acknowledged_and_seen_by_everybody_in_order(either_site: RunningSite) -> None:
    ann = either_site.person(0)
    async with opened(either_site.url, ann.headers) as drawer, opened(either_site.url) as viewer:
        assert drawer.welcome["you"] == {"id": ann.id, "name": ann.name} and viewer.welcome["you"] is None
        assert drawer.welcome["canvas"]["width"] == 1536
        sent = await drawer.draw(stroke_id(chance), LINE)
        await drawer.until(lambda: drawer.acked >= {(piece.stroke_id, piece.piece) for piece in sent})
        await viewer.until(lambda: viewer.head >= drawer.head)
        seen = [
            op for op in viewer.operations.values() if isinstance(op, wire.Stroke) and op.stroke_id == sent[0].stroke_id
        ]
        assert seen == [wire_client.by(piece, ann.id) for piece in sent]
        assert viewer.names()[ann.id] == ann.name


async def test_two_pens_at_once_are_seen_in_one_order(either_site: RunningSite) -> None:
    url = either_site.url
    async with (
        opened(url, either_site.person(1).headers) as one,
        opened(url, either_site.person(2).headers) as two,
        opened(url) as viewer,
    ):
        first, second = pieces(stroke_id(chance), LINE), pieces(stroke_id(chance), LINE)
        for a, b in zip(first, second, strict=True):
            await one.send(a)
            await two.send(b)
            await asyncio.sleep(0.01)
        for client in (one, two, viewer):
            await client.until(lambda c=client: len(c.pieces_of(one.me)) >= 6 and len(c.pieces_of(two.me)) >= 6)
        numbers = {number for number in one.operations if number in two.operations and number in viewer.operations}
        assert len(numbers) >= 12
        assert all(one.operations[n] == two.operations[n] == viewer.operations[n] for n in numbers)


async def test_undo(either_site: RunningSite) -> None:
    url = either_site.url
    async with (
        opened(url, either_site.person(3).headers) as drawer,
        opened(url, either_site.person(4).headers) as other,
    ):
        stroke = stroke_id(chance)
        await drawer.draw(stroke, LINE)
        await other.send(wire.Undo(stroke))  # somebody else's: it is not theirs to take back
        await other.until(lambda: stroke in other.refused)
        assert other.refused[stroke] == RejectReason.DREAMED
        await drawer.send(wire.Undo(stroke))
        undo = wire.Undo(stroke, drawer.me)
        await other.until(lambda: undo in other.operations.values())
        await drawer.send(wire.Undo(stroke))
        await drawer.until(lambda: (stroke, wire.ALL_OF_IT) in drawer.acks)
        assert list(drawer.operations.values()).count(undo) == 1


async def test_what_is_sent_twice_is_written_once(either_site: RunningSite) -> None:
    async with opened(either_site.url, either_site.person(5).headers) as drawer:
        stroke = stroke_id(chance)
        cut = pieces(stroke, LINE)
        for piece in [*cut[:3], *cut[1:3], *cut]:
            await drawer.send(piece)
        await drawer.until(
            lambda: (stroke, len(cut)) in drawer.acks or len(drawer.pieces_of(drawer.me, stroke)) == len(cut)
        )
        # Another socket of the same person, as after a reconnect, gets the answer alone.
        async with opened(either_site.url, either_site.person(5).headers, seq=drawer.head) as again:
            await again.send(cut[0])
            await again.until(lambda: (stroke, len(cut)) in again.acks)
    written = [op.piece for _, op in either_site.journal() if isinstance(op, wire.Stroke) and op.stroke_id == stroke]
    assert written == list(range(len(cut)))


async def test_refusals_say_which_piece_and_why(either_site: RunningSite) -> None:
    async with opened(either_site.url, either_site.person(6).headers) as drawer, opened(either_site.url) as visitor:
        gap, old, future = stroke_id(chance), stroke_id(chance, -11 * 60_000), stroke_id(chance, 5 * 60_000)
        await drawer.send(pieces(gap, LINE)[1])
        for stroke in (old, future):
            await drawer.send(pieces(stroke, LINE)[0])
        await drawer.until(lambda: len(drawer.refused) == 3)
        assert drawer.refused == {
            gap: RejectReason.GAP,
            old: RejectReason.STALE,
            future: RejectReason.STALE,
        }
        head = drawer.head
        await visitor.draw(gap, LINE)
        await visitor.until(lambda: gap in visitor.refused)
        assert visitor.refused == {gap: RejectReason.SIGN_IN} and visitor.closed is None
        await asyncio.sleep(0.2)
        assert drawer.head == head


async def test_a_latecomer_gets_everything_and_one_who_comes_back_only_the_rest(either_site: RunningSite) -> None:
    url = either_site.url
    async with opened(url, either_site.person(7).headers) as drawer:
        await drawer.draw(stroke_id(chance), LINE)
        await drawer.until(lambda: len(drawer.pieces_of(drawer.me)) == 6)
        head = drawer.head
        async with opened(url) as late:
            await late.until(lambda: late.head >= head)
            assert sorted(late.operations) == list(range(1, late.head + 1))
        await drawer.draw(stroke_id(chance), LINE)
        await drawer.until(lambda: len(drawer.pieces_of(drawer.me)) == 12)
        async with opened(url, seq=head) as back:
            await back.until(lambda: back.head >= drawer.head)
            assert min(back.operations) == head + 1
        # A number from a future that never was (a restored database) counts for nothing.
        async with opened(url, seq=10**9) as lost:
            await lost.until(lambda: lost.head >= drawer.head)
            assert min(lost.operations) == 1


def odd(body: bytes = b"", *, kind: int = wire.INK, magic: int = wire.MAGIC, version: int = wire.VERSION) -> bytes:
    return bytes((magic, version, kind, 0)) + body


def stroke_at(x: int, y: int, w: int = 80) -> bytes:
    return wire_client.ink([wire.Stroke(stroke_id(chance), 0, (0, 0, 0), 255, 0, ((x, y, w),))])


HOSTILE: dict[str, tuple[int, bytes | str]] = {
    "a text message": (4400, "hello"),
    "nothing at all": (4400, b""),
    "another magic": (4400, odd(magic=0)),
    "a kind nobody knows": (4400, odd(kind=0x7F)),
    "what only a server says": (4400, odd(kind=wire.BATCH)),
    "ink cut short": (4400, wire_client.ink(pieces(1, LINE))[:-3]),
    "ink and something after it": (4400, wire_client.ink(pieces(1, LINE)) + b"x"),
    "no operation": (4400, odd(struct.pack("<H", 0))),
    "a moderator's operation": (4400, wire_client.ink([wire.Hide((1,))])),
    "an invisible stroke": (4400, wire_client.ink([wire.Stroke(1, 0, (0, 0, 0), 0, 0, ((0, 0, 80),))])),
    "a stroke without points": (4400, wire_client.ink([wire.Stroke(1, 0, (0, 0, 0), 9, 0, ())])),
    "a point far off the canvas": (4400, stroke_at((1536 + 257) * 8, 0)),
    "a point far above it": (4400, stroke_at(0, -257 * 8)),
    "too thin a brush": (4400, stroke_at(0, 0, 7)),
    "too wide a brush": (4400, stroke_at(0, 0, 993)),
    "tomorrow's version": (4406, odd(version=2)),
    "a message too large": (4413, odd(bytes(limits.MAX_MESSAGE))),
}


@pytest.mark.parametrize("what", HOSTILE)
async def test_bad_input_gets_its_close_code(either_site: RunningSite, what: str) -> None:
    code, message = HOSTILE[what]
    async with opened(either_site.url, either_site.person(8).headers) as drawer:
        await drawer.socket.send(message)
        assert await drawer.until_closed() == code


async def test_damaged_messages_and_frames_end_as_documented_and_others_draw_on(either_site: RunningSite) -> None:
    """A small share of `python -m tests.bench.mutations`."""
    came = await mutations.over_sockets(either_site, 300, seed=16, until=time.monotonic() + PATIENCE)
    assert came["messages"] >= 300 and came["4400"]


async def test_ink_before_join_is_malformed(either_site: RunningSite) -> None:
    async with opened(either_site.url, either_site.person(8).headers, join=False) as drawer:
        await drawer.socket.send(wire_client.ink(pieces(1, LINE)))
        assert await drawer.until_closed() == 4400


@pytest.mark.parametrize("path", ["/ws/c/nowhere/", "/ws/", "/ws/c/main", "/"])
async def test_no_such_canvas(either_site: RunningSite, path: str) -> None:
    async with connect(either_site.url.replace("http", "ws") + path, origin=either_site.url) as socket:
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), PATIENCE)
        assert socket.close_code == 4404


@pytest.mark.parametrize("origin", ["https://elsewhere.example", None])
async def test_pages_of_other_sites_cannot_open_a_socket(either_site: RunningSite, origin: str | None) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(either_site.url.replace("http", "ws") + "/ws/c/main/", origin=origin):
            pass
    assert refused.value.response.status_code == 403


async def flood(drawer: Client, *messages: bytes) -> int:
    """Sends them over and over until the server has enough."""
    while drawer.closed is None:
        try:
            for message in messages:
                await drawer.socket.send(message)
        except ConnectionClosed:
            break
        await asyncio.sleep(0)
    return await drawer.until_closed()


def furious(stroke: int) -> list[bytes]:
    """The widest brush all over the canvas, faster than any hand."""
    path = [(chance.randrange(12288), chance.randrange(12288), limits.MAX_WIDTH) for _ in range(2000)]
    return [wire_client.ink([piece]) for piece in pieces(stroke, path, each=100)]


async def test_too_fast_in_each_way(either_site: RunningSite) -> None:
    one = wire_client.ink([wire.Undo(1)])
    many_points = [wire_client.ink([piece]) for piece in pieces(stroke_id(chance), [(80, 80, 8)] * 60_000, each=500)]
    floods = {9: [one], 10: many_points, 14: furious(stroke_id(chance)), 15: [wire_client.join(0, 0)]}
    for number, messages in floods.items():  # a person each: the allowance is shared by all sockets of one
        async with opened(either_site.url, either_site.person(number).headers) as drawer:
            assert await flood(drawer, *messages) == 4429, number


async def test_the_hostile_do_not_stop_the_others(either_site: RunningSite) -> None:
    """While sockets flood, send nonsense and vanish without a word, a pen's ink still arrives, whole and in order."""
    over = asyncio.Event()

    async def hostile(number: int) -> None:
        headers = either_site.person(11 + number % 2).headers if number % 3 else None
        while not over.is_set():
            async with opened(either_site.url, headers) as drawer:
                if number % 4 == 0:
                    await flood(drawer, wire_client.ink([wire.Undo(number)] * 200))
                elif number % 4 == 1:
                    await drawer.socket.send(chance.randbytes(chance.randrange(300)))
                    await drawer.until_closed()
                elif number % 4 == 2:
                    await flood(drawer, *furious(stroke_id(chance)))
                else:
                    drawer.socket.transport.abort()
            await asyncio.sleep(0.02)

    async with opened(either_site.url, either_site.person(13).headers) as drawer, opened(either_site.url) as viewer:
        attackers = [asyncio.create_task(hostile(number)) for number in range(4)]
        for _ in range(12):
            stroke = stroke_id(chance)
            cut = await drawer.draw(stroke, LINE)
            await viewer.until(lambda s=stroke, c=cut: len(viewer.pieces_of(drawer.me, s)) == len(c))
            await asyncio.sleep(0.05)
        over.set()
        await asyncio.gather(*attackers)


async def test_one_who_stops_reading_holds_nobody_and_is_closed(strict_site: RunningSite) -> None:
    url = strict_site.url
    async with contextlib.AsyncExitStack() as open_ones:
        pens = [await open_ones.enter_async_context(opened(url, strict_site.person(n).headers)) for n in (0, 1, 14, 15)]
        viewer = await open_ones.enter_async_context(opened(url))
        frozen = await open_ones.enter_async_context(opened(url, narrow=True))
        await frozen.until(lambda: frozen.head >= viewer.head)
        frozen.reading.clear()
        before, sent = strict_site.memory(), 0
        while sent < 3 * UNREAD:
            for drawer in pens:
                cut = pieces(stroke_id(chance), [(k % 1500, 80, 8) for k in range(1501)], each=500)
                for piece in cut:
                    await drawer.send(piece)
                sent += sum(len(wire.encode(piece)) for piece in cut)
                await viewer.until(lambda p=drawer, c=cut: len(viewer.pieces_of(p.me, c[0].stroke_id)) == len(c))
        assert strict_site.memory() - before < 24 * 1024 * 1024
        everybody = len(pens) + 2
        await viewer.until(lambda: viewer.news_of("people")[-1]["count"] == everybody - 1)
        last = stroke_id(chance)
        cut = await pens[0].draw(last, LINE)
        await viewer.until(lambda: len(viewer.pieces_of(pens[0].me, last)) == len(cut))
        # The close frame may be lost behind what could not be delivered: then the connection simply ends.
        assert await frozen.until_closed() in (4408, 1006)
        assert frozen.head < viewer.head
        async with opened(url, seq=frozen.head) as again:
            await again.until(lambda: again.head == viewer.head)


async def test_one_who_falls_behind_for_a_moment_catches_up(either_site: RunningSite) -> None:
    url = either_site.url
    async with (
        opened(url, either_site.person(2).headers) as one,
        opened(url, either_site.person(3).headers) as two,
        opened(url, narrow=True) as slow,
    ):
        slow.reading.clear()
        for drawer in (one, two):
            for _ in range(19):
                cut = pieces(stroke_id(chance), [(k % 1500, 80, 8) for k in range(2001)], each=500)
                for piece in cut:
                    await drawer.send(piece)
            await drawer.until(lambda p=drawer, c=cut: len(p.pieces_of(p.me, c[0].stroke_id)) == len(c))
        await asyncio.sleep(0.5)
        slow.reading.set()
        await slow.until(lambda: slow.head >= max(one.head, two.head))
        assert sorted(slow.operations)[-1] == slow.head and slow.closed is None
