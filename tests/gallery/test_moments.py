"""The canvas at any time is what everybody saw then, to the pixel, less what was taken away since."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from canvas import frames, journal, picture, wire
from canvas.brush import Pixels
from canvas.models import Batch, Canvas, Frame
from dreamsite.core.models import User
from gallery.moments import paint
from gallery.studio.models import Original
from tests import wire_client
from tests.gallery.conftest import BEGUN, RECIPE

pytestmark = pytest.mark.django_db
SIDE = 64
Draw = Callable[..., int]
Dream = Callable[..., Frame]


@pytest.fixture
def small(canvas: Canvas, settings: Any, tmp_path: Path) -> Canvas:
    settings.MEDIA_ROOT = tmp_path / "media"
    Canvas.objects.filter(pk=canvas.pk).update(width=SIDE, height=SIDE)
    canvas.refresh_from_db()
    return canvas


def at(seconds: float) -> datetime:
    return BEGUN + timedelta(seconds=seconds)


def name(seconds: float) -> str:
    return at(seconds).isoformat().replace("+00:00", "Z")


@pytest.fixture
def draw(small: Canvas) -> Draw:
    """Writes operations that came in `seconds` after BEGUN; the journal's last number."""

    def write(seconds: float, *operations: wire.Operation) -> int:
        batch = journal.append(small, list(operations))
        assert batch
        Batch.objects.filter(canvas=small, first=batch.first).update(at=at(seconds))
        return batch.last

    return write


@pytest.fixture
def dream(small: Canvas) -> Dream:
    """A frame of everything up to `seq`, seen by everybody from `seconds` on: noise where the network dreamed."""

    def keep(seconds: float, seq: int) -> Frame:
        pixels = np.random.default_rng(seq).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
        made = frames.encode(pixels, Frame.Kind.DREAM)
        frame = frames.keep(frames.NewFrame(small, made, Frame.Kind.DREAM, seq, title=f"dream {seq}", recipe=RECIPE))
        Frame.objects.filter(pk=frame.pk).update(made_at=at(seconds))
        frame.refresh_from_db()
        return frame

    return keep


def stroke(number: int, x: int = 20, author: int = 5) -> wire.Stroke:
    points = ((x * 8, 80, 64), (x * 8 + 160, 400, 64))
    return wire.Stroke(number, 0, (200, number % 256, 30), 255, 0, points, last=True, author=author)


def shown(client: Client, address: str) -> Pixels:
    answer = client.get(address)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png"), answer.content[:200]
    with Image.open(io.BytesIO(answer.content)) as image:
        return np.array(image.convert("RGB"))


def painted(base: Frame | None, *operations: wire.Operation) -> Pixels:
    below = frames.load(base.pk) if base else picture.blank(SIDE, SIDE, (255, 255, 255))
    return picture.compose(below, list(enumerate(operations, 1)))


def test_nearest_earlier_frame_and_the_strokes_after_it(client: Client, draw: Draw, dream: Dream) -> None:
    one, two, three, four = stroke(1), stroke(2, 30), stroke(3, 10), stroke(4, 40)
    draw(0, one)
    seq = draw(10, two)
    draw(12, three)  # while the network dreams of what came before it
    first = dream(20, seq)
    draw(25, four)
    for seconds, expected in (
        (-5, painted(None)),
        (5, painted(None, one)),
        (11, painted(None, one, two)),
        (15, painted(None, one, two, three)),
        (20, painted(first, three)),
        (24, painted(first, three)),
        (30, painted(first, three, four)),
    ):
        assert np.array_equal(shown(client, f"/history/{name(seconds)}.png"), expected), seconds
        page = client.get(f"/history/{name(seconds)}")
        assert page.status_code == 200
        assert page.context["base"] == (first if seconds >= 20 else None)


def test_what_was_taken_back_before_it_was_dreamed_was_never_there(client: Client, draw: Draw, dream: Dream) -> None:
    """Also at a moment at which it could still be seen: its author took it away."""
    kept, undone, hidden = stroke(1), stroke(2, 30), stroke(3, 10)
    draw(0, kept, undone)
    number = draw(2, hidden)
    draw(10, wire.Undo(2, author=5))
    seq = draw(11, wire.Hide((number,)))
    expected = painted(None, kept)
    assert np.array_equal(shown(client, f"/history/{name(5)}.png"), expected)
    dream(20, seq)
    assert np.array_equal(shown(client, f"/history/{name(5)}.png"), expected)
    ink = client.get("/history/ink").content
    assert len(ink) == len(wire.encode(kept)) + 4 + 22
    draw(21, stroke(4, 40))
    draw(40, wire.Undo(4, author=5))
    assert client.get(f"/history/ink?frame={Frame.objects.get().pk}").content == b""


def test_a_frame_and_a_moment_go_to_the_studio_by_one_click(
    client: Client, draw: Draw, dream: Dream, staff: User, settings: Any
) -> None:
    settings.HOUSE_MODEL = True
    draw(0, stroke(1))
    first = dream(10, 1)
    draw(20, stroke(2, 30))
    draw(40, stroke(3, 10))
    settings.ADMIN_TWO_FACTOR = False
    for at, address in ((None, first.get_absolute_url()), (30, f"/history/{name(30)}")):
        assert "/studio/from-frame/" not in Client().get(address).content.decode()
        client.force_login(staff)
        form = client.get(address).content.decode().split('action="/studio/from-frame/')[1].split('"')[0]
        assert client.post(f"/studio/from-frame/{form}").status_code == 302
        original = Original.objects.latest("pk")
        with original.picture.open("rb") as file:
            got = np.asarray(Image.open(file)).astype(int)
        wanted = painted(first, stroke(2, 30)) if at else painted(first)
        assert np.abs(got - wanted).mean() < 8, "a JPEG of the canvas as it was"
        other = painted(first) if at else painted(first, stroke(2, 30))
        assert np.abs(got - wanted).mean() < np.abs(got - other).mean()
    assert client.post(f"/studio/from-frame/{first.pk}/?at=never").status_code == 404


def test_what_is_hidden_after_it_was_dreamed_is_not_shown_again(client: Client, draw: Draw, dream: Dream) -> None:
    one, bad = stroke(1), stroke(2, 30)
    draw(0, one)
    number = draw(2, bad)
    first = dream(20, number)
    draw(30, stroke(3, 10))
    second = dream(40, draw(31, stroke(4, 40)))
    above = painted(first, stroke(3, 10), stroke(4, 40))
    addresses = f"/history/{name(5)}.png", f"/frames/{first.pk}/drawing.png"
    for address in addresses:
        assert np.array_equal(shown(client, address), painted(None, one, bad))
    draw(50, wire.Hide((number,)))
    for address in addresses:
        assert np.array_equal(shown(client, address), painted(None, one))
    assert wire.encode(bad)[:-1] not in client.get("/history/ink").content
    assert np.array_equal(shown(client, f"/frames/{second.pk}/drawing.png"), above)
    draw(60, wire.Hide((number,), show=True))
    assert np.array_equal(shown(client, addresses[0]), painted(None, one, bad))


def test_a_hidden_frame_counts_as_never_made(as_staff: Client, draw: Draw, dream: Dream) -> None:
    one, two = stroke(1), stroke(2, 30)
    first = dream(10, draw(0, one))
    second = dream(20, draw(15, two))
    assert as_staff.get(f"/history/{name(25)}").context["base"] == second
    frames.hide(second)
    for who in (Client(), as_staff):
        assert who.get(f"/history/{name(25)}").context["base"] == first
        assert np.array_equal(shown(who, f"/history/{name(25)}.png"), painted(first, two))
    assert Client().get(f"/history/ink?frame={second.pk}").status_code == 404


def test_what_was_drawn_before_a_dream(client: Client, staff: User, draw: Draw, dream: Dream, settings: Any) -> None:
    first = dream(10, draw(0, stroke(1)))
    seq = draw(15, stroke(2, 30))
    draw(16, stroke(3, 10))  # came too late for it
    second = dream(20, seq)
    address = f"/frames/{second.pk}/drawing.png"
    files = {file["name"]: file for file in client.get(f"/frames/{second.pk}.json").json()["files"]}
    assert files["drawing"]["sha256"] is None and files["drawing"]["url"].endswith(address)
    assert np.array_equal(shown(client, address), painted(first, stroke(2, 30)))
    files = {file["name"]: file for file in client.get(f"/frames/{second.pk}.json").json()["files"]}
    assert files["drawing"]["size"] == len(client.get(address).content)
    frames.hide(second)
    assert client.get(address).status_code == 410
    settings.ADMIN_TWO_FACTOR = False
    client.force_login(staff)
    assert "no-store" in client.get(address)["Cache-Control"], "nobody else gets it from a cache that staff filled"


def test_the_ink_says_when_each_stroke_came(client: Client, draw: Draw, dream: Dream) -> None:
    base = dream(10, draw(0, stroke(1)))
    draw(11, stroke(2), stroke(3))
    draw(12, stroke(4))
    data, found = client.get(f"/history/ink?frame={base.pk}").content, []
    while data:
        size = int.from_bytes(data[:4], "little")
        kind, ops = wire_client.from_server(data[4 : 4 + size])
        assert kind == wire.BATCH
        found += [(number, ops.at, op) for number, op in ops.operations()]
        data = data[4 + size :]
    ms = [int(at(seconds).timestamp() * 1000) for seconds in (11, 11, 12)]
    assert found == list(zip([2, 3, 4], ms, [stroke(2), stroke(3), stroke(4)], strict=True))


def test_the_page_says_when_by_both_clocks(client: Client, draw: Draw) -> None:
    draw(0, stroke(1))
    client.cookies["zone"] = "America/New_York"
    page = client.get(f"/history/{name(1)}").content.decode()
    for words in (
        "Friday, 20 November 2026, 12:00:01",
        "Friday, 20 November 2026, 07:00:01",
        "America/New_York",
        "UTC−5",
        f'property="og:image" content="http://localhost:8000/history/{name(1)}.png"',
        f'rel="canonical" href="http://localhost:8000/history/{name(1)}"',
    ):
        assert words in page, words
    summer = client.get("/history/2026-07-20T12:00:00Z.json").json()
    assert (summer["offset"], summer["local"]) == ("UTC−4", "Monday, 20 July 2026, 08:00:00")


def test_steps(client: Client, draw: Draw, dream: Dream) -> None:
    made = [dream(30 * index, draw(30 * index - 5, stroke(index))) for index in range(1, 5)]
    answer = client.get(f"/history/{name(70)}.json").json()
    assert answer["frame"]["number"] == 2
    for step, number in (("frame_back", 1), ("frame_on", 3), ("hour_on", 4), ("day_on", 4)):
        assert client.get(answer["steps"][step]).context["base"].number == number
    assert client.get(answer["steps"]["hour_back"]).context["base"] is None, "the oldest moment, before the first dream"
    assert client.get(f"/history/{name(0)}.json").json()["steps"]["frame_back"] is None
    for frame in made:
        context = client.get(frame.get_absolute_url()).context
        assert client.get(context["moment"]).context["base"] == frame, "from a frame to its moment, exactly"


@pytest.mark.parametrize(
    "address",
    [
        "2026-02-30T00:00:00Z",
        "2026-11-20T25:00:00Z",
        "2026-11-20T12:00:00",
        "2999-01-01T00:00:00Z",
        "2026-11-31/",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z.json",
        "9999-12-31T23:59:59Z",
    ],
)
def test_no_such_moment(client: Client, address: str) -> None:
    assert client.get(f"/history/{address}").status_code == 404


def test_the_form_stays_within_the_history(client: Client, draw: Draw, dream: Dream) -> None:
    dream(30, draw(0, stroke(1)))
    for day, base in (("1999-01-01", None), ("2998-01-01", 1)):
        answer = client.get("/history/", {"at": day}, follow=True)
        assert answer.status_code == 200
        assert (answer.context["base"] and answer.context["base"].number) == base


def test_too_much_is_refused_in_words(client: Client, draw: Draw, monkeypatch: Any) -> None:
    draw(0, stroke(1), stroke(2), stroke(3))
    monkeypatch.setattr(paint, "MAX_OPERATIONS", 2)
    answer = client.get(f"/history/{name(5)}.png")
    assert answer.status_code == 413 and b"Too much was drawn" in answer.content


def test_a_moment_is_painted_once(client: Client, draw: Draw, monkeypatch: Any) -> None:
    draw(0, stroke(1))
    first = shown(client, f"/history/{name(5)}.png")
    monkeypatch.setattr(picture, "compose", None)
    assert np.array_equal(shown(client, f"/history/{name(6)}.png"), first)


def test_where_i_drew(client: Client, draw: Draw, dream: Dream) -> None:
    ada, bruno = (User.objects.create_user(person) for person in ("ada-m", "bruno-m"))
    assert client.get("/history/mine/").status_code == 302
    client.force_login(ada)
    assert "Nothing of yours yet" in client.get("/history/mine/").content.decode()
    dream(10, draw(0, stroke(1, author=ada.pk), stroke(2, author=bruno.pk)))
    draw(100, stroke(3, author=ada.pk))
    draw(3000, stroke(4, 30, author=ada.pk), stroke(5, author=ada.pk))
    draw(3001, wire.Undo(5, author=ada.pk))
    page = client.get("/history/mine/")
    late, early = page.context["sessions"]
    assert (late.count, late.frame) == (1, None)
    assert (early.count, early.frame) == (2, None), "its last stroke is not in a dream yet"
    frame = dream(4000, 6)
    late, early = client.get("/history/mine/").context["sessions"]
    assert (late.frame, early.frame) == (frame, frame)
    assert page.context["count"] == 3, "neither what others drew nor what was taken back"
    assert client.get(early.address.partition("#")[0]).status_code == 200
    boxes = client.get("/history/mine.json", {"until": name(200)}).json()["strokes"]
    assert len(boxes) == 2
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= SIDE for box in boxes)
    assert datetime.fromisoformat(boxes[0]["at"]).astimezone(UTC) == at(100)
