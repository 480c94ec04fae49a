"""The timeline: bars that cover all of time in any zone, and count what really happened."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from canvas import journal, wire
from canvas.models import Batch, Canvas, Frame
from gallery.timeline import activity, buckets, periodic_tasks
from gallery.timeline.models import QuarterHour
from tests.gallery.conftest import BEGUN

Many = Callable[..., list[Frame]]
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Pacific/Apia",
    "America/Santiago",
    "Asia/Kolkata",
    "Pacific/Kiritimati",
    "Africa/Casablanca",
]
SECONDS = st.integers(1_577_836_800, 2_051_222_400)  # 2020 to 2035


@given(SECONDS, st.integers(60, 400 * buckets.DAY), st.integers(1, 400), st.sampled_from(ZONES))
def test_bars_cover_everything_once(since: int, span: int, most: int, name: str) -> None:
    """No moment is without its bar, none is in two, and no bar is longer than it says, whatever the clocks do."""
    zone, until = ZoneInfo(name), since + span
    step = buckets.step_for(since, until, most)
    edges = buckets.edges(since, until, step, zone)
    assert edges == sorted(set(edges))
    assert edges[0] <= since < edges[1] and edges[-2] < until <= edges[-1]
    assert len(edges) <= max(most, span / buckets.STEPS[-1]) * 1.1 + 3
    longest = max(end - begin for begin, end in pairwise(edges))
    assert longest <= step + 2 * buckets.HOUR  # a day on which the clocks go back, or one more half hour


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25), date(2026, 3, 8), date(2026, 11, 1)])
def test_days_begin_at_their_own_midnight(name: str, day: date) -> None:
    """Also where the clocks change on that day, and where midnight itself is left out."""
    zone = ZoneInfo(name)
    begin, end = buckets.midnight(day, zone), buckets.midnight(day + timedelta(days=1), zone)
    for hours in buckets.edges(begin, end, buckets.HOUR, zone), buckets.edges(begin, end, 3 * buckets.HOUR, zone):
        assert (hours[0], hours[-1]) == (begin, end)
    assert datetime.fromtimestamp(begin, zone).date() == day
    assert datetime.fromtimestamp(begin - 1, zone).date() == day - timedelta(days=1)


def test_a_day_has_as_many_hours_as_it_had() -> None:
    zone = ZoneInfo("Europe/Berlin")

    def hours(day: date) -> int:
        begin, end = buckets.midnight(day, zone), buckets.midnight(day + timedelta(days=1), zone)
        return len(buckets.edges(begin, end, buckets.HOUR, zone)) - 1

    assert [hours(date(2026, 3, 29)), hours(date(2026, 10, 25)), hours(date(2026, 11, 20))] == [23, 25, 24]


@given(SECONDS, st.integers(60, 800 * buckets.DAY), st.sampled_from(ZONES))
def test_labels_are_few_and_inside(since: int, span: int, name: str) -> None:
    ticks = buckets.ticks(since, since + span, ZoneInfo(name))
    assert len(ticks) <= buckets.MAX_TICKS + 1
    assert all(since <= tick.at < since + span and tick.label for tick in ticks)
    assert [tick.at for tick in ticks] == sorted({tick.at for tick in ticks})


@pytest.mark.django_db
class TestCounting:
    def test_every_frame_is_in_one_bar_oldest_and_newest_too(self, client: Client, many: Many) -> None:
        many(900)
        for zone in ("UTC", "Asia/Kathmandu"):
            answer = client.get("/history/timeline.json", {"zone": zone}).json()
            bars = answer["bars"]
            assert sum(bar["frames"] for bar in bars) == 900
            assert bars[0]["frames"] and bars[-1]["frames"]
            assert bars[0]["at"] <= BEGUN.timestamp() < bars[0]["end"]
            assert answer["from"] == "2026-11-20T12:00:00Z"
        caches["pages"].clear()
        part = client.get("/history/timeline.json", {"from": "2026-11-20T13:00:00Z", "to": "2026-11-20T14:00:00Z"})
        assert sum(bar["frames"] for bar in part.json()["bars"]) == 120

    def test_what_is_kept_for_one_language_is_not_shown_in_another(self, client: Client, many: Many) -> None:
        many(3)
        seen = {}
        for language in ("en", "de"):
            bars = client.get("/history/timeline.json", headers={"accept-language": language}).json()["bars"]
            seen[language] = bars[0]["label"]
        assert "Friday" in seen["en"] and "Freitag" in seen["de"]

    def test_strokes_are_counted_where_they_ended(self, client: Client, canvas: Canvas, many: Many) -> None:
        many(300)
        for stroke in range(5):
            journal.append(canvas, [wire.Stroke(stroke, 0, (1, 2, 3), 255, 0, ((80, 80, 80),), last=True, author=9)])
        Batch.objects.update(at=BEGUN + timedelta(minutes=31))
        bars = client.get("/history/timeline.json").json()["bars"]
        assert [bar["strokes"] for bar in bars if bar["strokes"]] == [5]
        (busy,) = (bar for bar in bars if bar["strokes"])
        assert busy["at"] <= (BEGUN + timedelta(minutes=31)).timestamp() < busy["end"]
        assert busy["height"] == max(bar["height"] for bar in bars)

    def test_what_is_over_is_counted_once_and_what_comes_is_added(self, client: Client, many: Many) -> None:
        many(400)
        client.get("/history/timeline.json")
        kept = list(QuarterHour.objects.values_list("pk", "at", "frames"))
        assert sum(frames for *_, frames in kept) == 400
        now = timezone.now()
        frame = Frame.objects.get(number=400)
        frame.pk, frame.number, frame.made_at = None, 401, now
        frame.save()
        caches["pages"].clear()
        bars = client.get("/history/timeline.json").json()["bars"]
        assert sum(bar["frames"] for bar in bars) == 401 and bars[-1]["frames"] == 1
        assert list(QuarterHour.objects.values_list("pk", "at", "frames")) == kept

    def test_the_worker_counts_so_that_no_visitor_has_to(self, client: Client, many: Many) -> None:
        many(400)
        periodic_tasks.settle()
        assert sum(QuarterHour.objects.values_list("frames", flat=True)) == 400
        periodic_tasks.settle()
        with CaptureQueriesContext(connection) as queries:
            client.get("/history/timeline.json")
        assert not [query for query in queries.captured_queries if query["sql"].startswith("INSERT")]

    def test_changes_of_style_are_marks(self, client: Client, many: Many) -> None:
        many(60)
        Frame.objects.filter(number__lte=20).update(title="eyes")
        Frame.objects.filter(number__gt=20).update(title="towers")
        Frame.objects.filter(number=30).update(title="", kind=Frame.Kind.CHECKPOINT)
        Frame.objects.filter(number=40).update(title="secret", hidden_at=timezone.now())
        styles = client.get("/history/timeline.json").json()["styles"]
        assert [(style["number"], style["title"]) for style in styles] == [(1, "eyes"), (21, "towers")]
        assert styles[1]["at"] == (BEGUN + timedelta(seconds=30 * 20)).timestamp()

    def test_gaps_are_gaps(self, client: Client, many: Many, canvas: Canvas) -> None:
        frames = many(2)
        Frame.objects.filter(pk=frames[0].pk).update(made_at=BEGUN - timedelta(days=40))
        bars = client.get("/history/timeline.json").json()["bars"]
        assert [bar["frames"] for bar in bars if bar["frames"]] == [1, 1] and len(bars) > 30

    @pytest.mark.parametrize(
        "query", ["zone=Moon/Base", "from=never", "bars=x", "from=2026-11-20T12:00&to=2026-11-20T12:00"]
    )
    def test_nonsense(self, client: Client, many: Many, query: str) -> None:
        many(3)
        assert client.get(f"/history/timeline.json?{query}").status_code == 404


@pytest.mark.django_db
class TestPages:
    def test_the_line_is_there_without_a_script(self, client: Client, many: Many) -> None:
        """Each bar is a link to a moment of its own, and the moment is one of that bar's."""
        many(900)
        page = client.get("/history/").content.decode()
        links = re.findall(
            r'href="(/history/2026-11-2[0-9T:]+Z)"', page.partition("track-bars")[2].partition("</svg>")[0]
        )
        assert len(links) >= 20
        numbers = [client.get(link).context["base"].number for link in (links[0], links[len(links) // 2], links[-1])]
        assert numbers == sorted(numbers) and numbers[0] < 60 and numbers[-1] > 840

    @pytest.mark.parametrize(
        ("zone", "at", "number"),
        [
            ("UTC", "2026-11-20T12:05", 11),
            ("Europe/Berlin", "2026-11-20T13:05", 11),
            ("America/New_York", "2026-11-20T07:05", 11),
            ("Asia/Kathmandu", "2026-11-20T17:50", 11),
        ],
    )
    def test_the_form_takes_the_viewers_own_time(
        self, client: Client, many: Many, zone: str, at: str, number: int
    ) -> None:
        many(40)
        assert client.get("/history/", {"at": at, "zone": zone}, follow=True).context["base"].number == number

    def test_the_viewers_zone_comes_from_their_browser(self, client: Client, many: Many) -> None:
        many(4)
        client.cookies["zone"] = "Asia/Tokyo"
        assert "21:01:30" in client.get("/history/").content.decode()
        client.cookies["zone"] = "<script>"
        assert "12:01:30" in client.get("/history/").content.decode()

    def test_a_day_by_the_hour(self, client: Client, many: Many) -> None:
        many(300)
        page = client.get("/history/2026-11-20/")
        hours = page.context["hours"]
        assert [(hour.begin.hour, hour.frames) for hour in hours] == [(12, 120), (13, 120), (14, 60)]
        assert [len(hour.shown) for hour in hours] == [8, 8, 8]
        assert hours[0].shown[-1].number == 120
        client.cookies["zone"] = "Asia/Tokyo"  # the same frames lie on two days there
        assert [hour.begin.hour for hour in client.get("/history/2026-11-20/").context["hours"]] == [21, 22, 23]
        assert 'id="hour-21"' in client.get("/history/2026-11-20/").content.decode()
        quiet = client.get("/history/2026-11-22/").content.decode()
        assert "A quiet day" in quiet

    def test_hidden_frames_stand_on_no_day(self, client: Client, many: Many) -> None:
        many(4)
        Frame.objects.filter(number=3).update(hidden_at=timezone.now())
        (hour,) = client.get("/history/2026-11-20/").context["hours"]
        assert [frame.number for frame in hour.shown] == [1, 2, 4]

    def test_the_calendar(self, client: Client, many: Many) -> None:
        many(300)
        page = client.get("/history/calendar/")
        squares = [square for week in page.context["weeks"] for square in week if square]
        assert len(squares) == 30
        (busy,) = (square for square in squares if square.frames)
        assert (busy.day, busy.frames, busy.level, busy.address) == (date(2026, 11, 20), 300, 5, "/history/2026-11-20/")
        assert client.get("/history/calendar/2026-11/").context["previous"] is None
        assert client.get("/history/calendar/2026-12/").context["previous"] == "/history/calendar/2026-11/"
        assert client.get("/history/calendar/2026-13/").status_code == 404

    @pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
    def test_steps_from_day_to_day_reach_every_frame(self, client: Client, many: Many, zone: str) -> None:
        many(6)
        client.cookies["zone"] = zone
        for number, days in enumerate((0, 1, 3, 4, 30, 31), 1):
            Frame.objects.filter(number=number).update(made_at=BEGUN - timedelta(days=31 - days))
        address, seen = client.get(Frame.objects.get(number=1).get_absolute_url()).context["day"], 0
        while address:
            page = client.get(address)
            seen += page.context["frames"]
            address = page.context["following"]
        assert seen == 6


def test_nothing_happened(client: Client, db: None) -> None:
    assert client.get("/history/timeline.json").json()["bars"] == []
    assert client.get("/history/calendar/").status_code == 302
    assert client.get("/history/2026-11-20/").status_code == 200
    assert activity.extent(Canvas.objects.default()) is None
