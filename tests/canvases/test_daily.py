"""A daily canvas: a day of its own, archived with its date when it is over; and canvases that were deleted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from canvas import daily, journal
from canvas.models import Batch, Canvas, Frame, Rules
from canvas.moderation.models import Act, Case
from dreamer.models import Choice
from dreamer.networks import choosing
from dreamsite.canvases import purging, services
from dreamsite.core.models import User
from gallery.highlights.models import Highlight
from gallery.models import Film
from tests.canvases.conftest import frame_of
from tests.canvases.test_pages import stroke

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The time by which days begin; tests put another one in its place."""
    clock = [NOON]
    monkeypatch.setattr(daily.timezone, "now", lambda: clock[0])
    return clock


@pytest.fixture
def today(now: list[datetime]) -> Canvas:
    return Canvas.objects.create(slug="daily", title="Daily", width=96, height=64, background="#102030", daily=True)


def test_its_address_shows_the_day_and_the_next_one_begins_anew(
    client: Client, today: Canvas, now: list[datetime]
) -> None:
    assert 'data-socket="/ws/c/daily-2026-11-30/"' in client.get("/c/daily/").content.decode()
    assert 'data-socket="/ws/c/daily-2026-11-30/"' in client.get("/c/daily/").content.decode()
    first = Canvas.objects.get(day_of=today)
    assert (first.title, first.width, first.background) == ("Daily, 30 November 2026", 96, "#102030")
    frame = frame_of(first)
    now[0] = NOON + timedelta(hours=12, seconds=1)
    assert daily.put_away() == 1 and daily.put_away() == 0
    first.refresh_from_db()
    assert first.archived_at and journal.DatabaseJournal(first.pk).state().rules.closed
    page = client.get("/c/daily/").content.decode()
    assert 'data-socket="/ws/c/daily-2026-12-01/"' in page and "data-daily" in page
    for address in ("/c/daily/stage/", "/c/daily/embed/"):
        assert "daily-2026-12-01" in client.get(address).content.decode()
    # The day before stays at its own address, and does not lead away from there.
    page = client.get("/c/daily-2026-11-30/").content.decode()
    assert "Daily, 30 November 2026" in page and "data-daily" not in page
    assert client.get("/history/?canvas=daily-2026-11-30").status_code == 200
    archive = client.get("/canvases/archive/").content.decode()
    assert "Daily, 30 November 2026" in archive and frame.thumbnail.url in archive


def test_once_it_is_closed_no_day_begins_and_the_last_one_stays(
    client: Client, today: Canvas, now: list[datetime]
) -> None:
    client.get("/c/daily/")
    Canvas.objects.filter(pk=today.pk).update(closed_at=now[0])
    now[0] = NOON + timedelta(days=2)
    assert "daily-2026-11-30" in client.get("/c/daily/").content.decode()
    assert Canvas.objects.filter(day_of=today).count() == 1


def test_a_day_is_named_in_the_site_s_language_and_keeps_what_people_may_do(client: Client, today: Canvas) -> None:
    Rules.objects.create(canvas=today, members_only=True, reactions=False)
    client.get("/c/daily/", headers={"Accept-Language": "ja"})
    day = Canvas.objects.get(day_of=today)
    assert day.title == "Daily, 30 November 2026"
    assert (day.rules.members_only, day.rules.reactions) == (True, False)


def test_two_with_long_names_have_days_of_their_own(client: Client, today: Canvas) -> None:
    for end in "ab":
        slug = f"{'a-canvas-with-a-very-long-name-'}{end}"
        Canvas.objects.create(slug=slug, title="Long", width=64, height=64, daily=True)
        assert client.get(f"/c/{slug}/").status_code == 200
    days = list(Canvas.objects.exclude(day_of=None).values_list("slug", flat=True))
    assert len(days) == 2 and all(len(slug) <= 40 for slug in days)


def test_the_list_has_it_once_with_the_newest_picture(client: Client, today: Canvas) -> None:
    client.get("/c/daily/")
    frame = frame_of(Canvas.objects.get(day_of=today))
    page = client.get("/canvases/").content.decode()
    assert page.count('class="canvas-card"') == 1 and 'href="/c/daily/"' in page
    assert frame.thumbnail.url in page and "Begins anew each day" in page


@pytest.mark.parametrize(
    ("zone", "moment", "day"),
    [
        ("UTC", NOON, "2026-11-30"),
        ("Pacific/Kiritimati", NOON, "2026-12-01"),
        ("America/New_York", datetime(2026, 12, 1, 4, 59, 59, tzinfo=UTC), "2026-11-30"),
        ("America/New_York", datetime(2026, 12, 1, 5, 0, tzinfo=UTC), "2026-12-01"),
        ("Europe/Berlin", datetime(2027, 3, 27, 23, 0, tzinfo=UTC), "2027-03-28"),  # when the clocks change
        ("Europe/Berlin", datetime(2027, 3, 28, 21, 59, tzinfo=UTC), "2027-03-28"),
    ],
)
def test_a_day_begins_at_midnight_in_the_sites_zone(zone: str, moment: datetime, day: str, settings: Any) -> None:
    settings.DAILY_ZONE = ZoneInfo(zone)
    assert f"{daily.day_at(moment)}" == day


def test_a_day_follows_the_rules_and_the_network_of_its_canvas_and_nobody_draws_on_that(today: Canvas) -> None:
    Rules.objects.create(canvas=today, members_only=True)
    Choice.objects.create(canvas=today, network="house")
    day = daily.today(today)
    assert Rules.objects.get(canvas=day).members_only
    assert choosing.chosen(Canvas.objects.select_related("day_of__choice").get(pk=day.pk)) == "house"
    assert journal.find("daily") is None and journal.find(day.slug) == journal.Found(day.pk, own=True)


# --- Deleted canvases ------------------------------------------------------------------------------------------------


def test_what_was_deleted_goes_after_two_weeks_with_its_files_and_the_log_stays(maker: User, private: Canvas) -> None:
    journal.append(private, [stroke(maker.pk)])
    frame, other = frame_of(private, authors=[maker.pk]), frame_of(Canvas.objects.default())
    Highlight.objects.create(frame=frame)
    span = {"starts_at": frame.made_at, "ends_at": frame.made_at + timedelta(hours=1)}
    Film.objects.create(canvas=private, kind=Film.Kind.DAY, state="done", **span)
    Act.objects.record(maker, "freeze", canvas=private)
    case = Case.objects.create(canvas=private, frame=frame)
    names = [str(frame.picture.name), str(frame.thumbnail.name)]
    services.delete(private)
    assert purging.purge_due() == 0 and all(map(default_storage.exists, names))
    Canvas.objects.filter(pk=private.pk).update(deleted_at=timezone.now() - purging.GRACE)
    assert purging.purge_due() == 1 and purging.purge_due() == 0
    private.refresh_from_db()
    assert (private.title, private.frame, private.maker, private.listed) == ("", None, None, False)
    assert not Batch.objects.filter(canvas=private).exists() and not Frame.objects.filter(canvas=private).exists()
    assert not Film.objects.exists() and not Highlight.objects.exists()
    case.refresh_from_db()
    assert case.frame is None and Act.objects.filter(canvas=private).count() == 1
    assert default_storage.exists(str(other.picture.name)) and Frame.objects.get() == other
