"""All frames, page by page, and at any moment."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from canvas.models import Canvas, Frame
from gallery import frames
from gallery.timeline import activity
from gallery.timeline.models import QuarterHour

pytestmark = pytest.mark.django_db
Many = Callable[..., list[Frame]]


def numbers(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'id="frame-(\d+)"', page)]


def link(page: str, words: str) -> str:
    """Where the link with these words leads, entities resolved as a browser does."""
    for address, text in re.findall(r'<a[^>]* href="([^"]+)"[^>]*>(.*?)</a>', page, re.DOTALL):
        if re.sub(r"<.*?>", "", text, flags=re.DOTALL).strip() == words:
            return str(address).replace("&amp;", "&")
    raise AssertionError(f"no link {words!r}")


def test_nothing_yet(client: Client) -> None:
    page = client.get("/history/").content.decode()
    assert "Nothing dreamed yet" in page
    assert client.get("/history.json").json() == {
        "canvas": "main",
        "count": 0,
        "frames": [],
        "newer": None,
        "older": None,
    }


def test_newest_first(client: Client, many: Many) -> None:
    many(3)
    page = client.get("/history/").content.decode()
    assert numbers(page) == [3, 2, 1]
    assert "3 frames." in page
    assert "Friday, 20 November 2026" in page
    assert "Older" not in page and "Newer" not in page


@pytest.mark.parametrize("count", [frames.PAGE - 1, frames.PAGE, frames.PAGE + 1, 3 * frames.PAGE + 5])
def test_paging_passes_every_frame_once_in_both_directions(client: Client, many: Many, count: int) -> None:
    many(count)
    page = client.get("/history/").content.decode()
    seen = numbers(page)
    while ">Older<" in page.replace("\n", "") or 'rel="next"' in page:
        page = client.get(link(page, "Older")).content.decode()
        seen += numbers(page)
    assert seen == list(range(count, 0, -1))
    back = numbers(page)
    while 'rel="prev"' in page:
        page = client.get(link(page, "Newer")).content.decode()
        back = numbers(page) + back
    assert sorted(set(back)) == list(range(1, count + 1))
    assert back == sorted(back, reverse=True)


def test_the_first_and_the_newest_are_one_step_away(client: Client, many: Many) -> None:
    many(4 * frames.PAGE)
    page = client.get("/history/").content.decode()
    first = client.get(link(page, "The first")).content.decode()
    assert numbers(first)[-1] == 1
    assert numbers(client.get(link(first, "Newest")).content.decode())[0] == 4 * frames.PAGE


def test_json_is_the_same_list(client: Client, many: Many) -> None:
    many(frames.PAGE + 3)
    answer = client.get("/history.json").json()
    assert [frame["number"] for frame in answer["frames"]] == numbers(client.get("/history/").content.decode())
    assert answer["count"] == frames.PAGE + 3
    assert answer["newer"] is None
    older = client.get(answer["older"]).json()
    assert [frame["number"] for frame in older["frames"]] == [3, 2, 1]
    assert older["older"] is None
    assert answer["frames"][0]["made_at"].endswith("Z")


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("2026-11-20T12:00:00", 1),
        ("2026-11-20T12:00:29", 1),
        ("2026-11-20T12:00:30", 2),
        ("2026-11-20T12:00:30Z", 2),
        ("2026-11-20T13:00:30+01:00", 2),
        ("2026-11-20 12:01", 3),
        ("2026-11-20", 1),
        ("1999-12-31T23:59:59", 1),
        ("2999-01-01", 200),
    ],
)
def test_any_moment_is_one_action_away(client: Client, many: Many, moment: str, number: int) -> None:
    """The frame that stood on the canvas then, neither the one before nor the one after it."""
    many(200)
    answer = client.get("/history/", {"at": moment})
    assert answer.status_code == 302
    page = client.get(answer["Location"])
    assert page.context["base"].number == number
    assert number in numbers(client.get(page.context["info"]["around"]).content.decode())
    assert client.get("/history.json", {"at": moment}).json()["frames"][0]["number"] == number


def test_a_moment_of_an_empty_history(client: Client) -> None:
    assert client.get("/history/?at=2026-11-20", follow=True).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "at=yesterday",
        "at=2026-13-45",
        "at=0001-01-01T00:00%2B14:00",
        "at=9999-12-31T23:59-14:00",
        "before=x",
        "before=-1",
        "after=1e9",
        "before=99999999999999",
        "canvas=none",
        "before=٣",
    ],
)
def test_a_question_that_makes_no_sense(client: Client, query: str) -> None:
    answer = client.get(f"/history/?{query}")
    assert answer.status_code == 404
    assert re.search(r"“[^”]+”", answer.content.decode())
    assert client.get(f"/history.json?{query}").json()["error"] == "not-found"


def test_beyond_the_end_leads_back(client: Client, many: Many) -> None:
    many(2)
    for query in ("before=1", "after=2", "after=500"):
        page = client.get(f"/history/?{query}").content.decode()
        assert "No more frames" in page
        assert link(page, "The newest frames") == "/history/"


def test_canvases_have_histories_of_their_own(client: Client, many: Many) -> None:
    many(2)
    assert 'aria-label="Canvases"' not in client.get("/history/").content.decode(), "no choice where there is none"
    other = Canvas.objects.create(slug="night", title="The night")
    many(frames.PAGE + 1, canvas=other)
    page = client.get("/history/?canvas=night").content.decode()
    assert len(numbers(page)) == frames.PAGE
    assert link(page, "Older").startswith("/history/?canvas=night&before=")
    assert numbers(client.get("/history/").content.decode()) == [2, 1]
    assert numbers(client.get(link(page, "Dreamsite")).content.decode()) == [2, 1]
    assert client.get("/history.json?canvas=night").json()["count"] == frames.PAGE + 1
    assert client.get("/history/?canvas=night&at=2026-11-20")["Location"].endswith("Z?canvas=night")


def test_a_hidden_frame_keeps_its_place(client: Client, many: Many) -> None:
    many(3)
    Frame.objects.filter(number=2).update(hidden_at=timezone.now())
    page = client.get("/history/").content.decode()
    assert numbers(page) == [3, 2, 1]
    assert "frames/2-thumb" not in page and "layer 2" not in page
    hidden = client.get("/history.json").json()["frames"][1]
    assert hidden["hidden"] is True
    assert not {"picture", "thumbnail", "title", "recipe"} & set(hidden)


def test_a_page_costs_the_same_however_long_history_is(client: Client, many: Many) -> None:
    costs = []
    for total in (500, 1500):
        Frame.objects.all().delete()
        QuarterHour.objects.all().delete()
        many(total)
        for _ in range(2):  # the first visit counts the quarters that are over, once and for all
            caches["pages"].clear()
            with CaptureQueriesContext(connection) as queries:
                client.get("/history/")
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 30


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's query plans")
@pytest.mark.parametrize(
    "address",
    [
        "/history/",
        "/history/?before=100",
        "/history/?after=5",
        "/history.json",
        "/history/feed/",
        "/frames/75/",
        "/frames/75.json",
        "/history/?at=2026-02-03T04:05:06Z",
        "/history/2026-11-20T12:30:07Z",
        "/history/2026-11-20T12:30:07Z.json",
        "/history/2026-11-20/",
        "/history/calendar/",
        "/history/slideshow/",
        "/history/ink?frame=75",
        "/frames/75/embed/",
        "/sitemap/2026-11-1.xml",
    ],
)
def test_no_page_walks_through_all_frames(client: Client, many: Many, address: str) -> None:
    middle = many(150)[74]
    with CaptureQueriesContext(connection) as queries:
        client.get(address.replace("75", str(middle.pk)))
    about_frames = [entry["sql"] for entry in queries if 'FROM "canvas_frame"' in entry["sql"]]
    assert about_frames
    for sql in about_frames:
        assert "COUNT(" not in sql
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + sql)
            plan = "; ".join(str(row[-1]) for row in cursor.fetchall())
        assert "SCAN" not in plan and "TEMP B-TREE" not in plan, plan


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_history_is_for_reading(client: Client, method: str) -> None:
    assert getattr(client, method)("/history/").status_code == 405


def test_feed(client: Client, many: Many, settings: Any) -> None:
    from xml.etree import ElementTree

    many(30)
    Frame.objects.filter(number=29).update(hidden_at=timezone.now())
    answer = client.get("/history/feed/")
    assert answer["Content-Type"].startswith("application/atom+xml")
    atom = "{http://www.w3.org/2005/Atom}"
    entries = ElementTree.fromstring(answer.content).findall(f"{atom}entry")
    assert len(entries) == 20
    assert entries[0].findtext(f"{atom}title") == "Frame 30: layer 30"
    assert entries[1].findtext(f"{atom}title") == "Frame 28: layer 28"
    enclosure = next(link for link in entries[0].findall(f"{atom}link") if link.get("rel") == "enclosure")
    assert enclosure.attrib == {
        "rel": "enclosure",
        "href": "http://localhost:8000/media/frames/30.jpg",
        "length": "1000",
        "type": "image/jpeg",
    }
    assert entries[0].findtext(f"{atom}id") == f"http://localhost:8000/frames/{Frame.objects.get(number=30).pk}/"


def test_feeds_asked_for_at_once_do_not_mix(many: Many, rf: Any, settings: Any, monkeypatch: Any) -> None:
    """One feed object answers all threads: another request in the middle of this one must not change its addresses."""
    from gallery.feeds import HistoryFeed

    settings.ALLOWED_HOSTS = ["*"]
    many(1)
    feed = HistoryFeed()
    title, answers = HistoryFeed.title, []

    def interrupted(self: Any, obj: Any) -> str:
        monkeypatch.setattr(HistoryFeed, "title", title)
        answers.append(feed(rf.get("/history/feed/", headers={"Host": "other.example"})))
        return title(self, obj)

    monkeypatch.setattr(HistoryFeed, "title", interrupted)
    answer = feed(rf.get("/history/feed/", headers={"Host": "this.example"}))
    assert b"http://other.example/media/" in answers[0].content
    assert b"http://this.example/media/" in answer.content and b"other.example" not in answer.content


@pytest.mark.parametrize("listed", [True, False])
def test_no_page_has_a_query_for_each_frame(client: Client, many: Many, canvas: Canvas, listed: bool) -> None:
    """However many it shows: the same query with other numbers comes a few times at most."""
    rows = many(300)
    activity.store_finished(canvas)
    Canvas.objects.update(listed=listed)
    canvas.refresh_from_db()
    frame, asked = rows[150], "" if listed else canvas.key
    at = f"{frame.made_at:%Y-%m-%d}"
    pages = ["history/", "history.json", f"history/{at}/", "history/calendar/", "history/timeline.json", "films/"]
    if listed:
        pages += [
            "history/feed/",
            "highlights/",
            f"history/{frame.made_at:%Y-%m-%dT%H:%M:%SZ}",
            "canvases/",
            "sitemap.xml",
        ]
    for page in pages:
        caches["pages"].clear()
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(f"/{page}{asked}")
        assert answer.status_code in (200, 302), (page, answer.status_code)
        shapes = Counter(re.sub(r"\d+", "N", query["sql"]) for query in captured)
        rows_of = {
            shape: n for shape, n in shapes.items() if re.search(r'FROM "(canvas_canvas|canvas_frame|core_user)', shape)
        }
        assert max(rows_of.values(), default=0) <= 4, (page, shapes.most_common(1))
