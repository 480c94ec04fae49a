"""What workers ask for by themselves, and how often."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from canvas.models import Canvas, Frame
from dreamsite.core.tasks.jobs import State
from gallery.downloads.models import Download
from gallery.films import schedule
from gallery.films.models import Film
from gallery.jobs.models import PendingDeletion

pytestmark = pytest.mark.django_db
Kept = Callable[..., list[Frame]]


def at(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr(timezone, "now", lambda: now)
    schedule.films_due()


def spans(canvas: Canvas) -> list[tuple[str, int, int]]:
    """Kind, day and hour of the beginning as a number, length in hours (a whole day: 0)."""
    rows = Film.objects.filter(canvas=canvas).order_by("starts_at", "kind")
    return [
        (film.kind, film.starts_at.day * 100 + film.starts_at.hour, (film.ends_at - film.starts_at).seconds // 3600)
        for film in rows
    ]


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "_looked", {})


def test_every_two_hours_and_every_day(canvas: Canvas, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    day = datetime(2026, 11, 20, tzinfo=UTC)
    for hour in (1, 2, 23):
        kept(2, begun=day + timedelta(hours=hour, minutes=59))
    kept(1, begun=day + timedelta(days=1, hours=1))
    at(monkeypatch, day + timedelta(hours=2, minutes=1))
    assert spans(canvas) == [], "the last frame of a span may still be being written"
    at(monkeypatch, day + timedelta(hours=2, minutes=2))
    assert spans(canvas) == [("hours", 2000, 2)]
    at(monkeypatch, day + timedelta(hours=3, minutes=59))
    assert spans(canvas) == [("hours", 2000, 2)], "the second span is not over"
    at(monkeypatch, day + timedelta(days=1, minutes=5))
    at(monkeypatch, day + timedelta(days=1, minutes=6))
    assert spans(canvas) == [("day", 2000, 0), ("hours", 2000, 2), ("hours", 2002, 2), ("hours", 2022, 2)]
    assert set(Download.objects.values_list("kind", flat=True)) == {"frames", "strokes"}
    assert DBTaskResult.objects.count() == 4 + 2, "one task for each, however often it runs"

    # Another worker, which has not looked yet, asks for nothing twice.
    schedule._looked.clear()
    at(monkeypatch, day + timedelta(days=1, minutes=7))
    assert DBTaskResult.objects.count() == 6 and Film.objects.count() == 4


def test_spans_end_with_the_day_whatever_their_length(
    canvas: Canvas, kept: Kept, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.FILM_HOURS = 5
    day = datetime(2026, 11, 20, tzinfo=UTC)
    kept(1, begun=day + timedelta(hours=21))
    at(monkeypatch, day + timedelta(days=1, hours=6))
    assert spans(canvas) == [("day", 2000, 0), ("hours", 2020, 4)]


def test_workers_that_were_away_for_hours_make_what_is_missing(
    canvas: Canvas, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = datetime(2026, 11, 20, tzinfo=UTC)
    kept(1, begun=day - timedelta(days=30))
    for hour in (0, 4, 9):
        kept(1, begun=day + timedelta(hours=hour, minutes=3))
    at(monkeypatch, day + timedelta(hours=12, minutes=3))
    assert [start for kind, start, _ in spans(canvas) if kind == "hours"] == [2000, 2004, 2008]


def test_none_by_themselves(canvas: Canvas, kept: Kept, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.FILM_HOURS = 0
    day = datetime(2026, 11, 20, tzinfo=UTC)
    kept(2, begun=day)
    at(monkeypatch, day + timedelta(days=2))
    assert not Film.objects.exists()


def test_a_film_whose_task_was_lost_is_asked_for_again(canvas: Canvas) -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    film = Film.objects.create(
        canvas=canvas, starts_at=long_ago, ends_at=timezone.now(), requested_at=long_ago, state=State.WAITING
    )
    schedule.leftovers()
    schedule.leftovers()
    (row,) = DBTaskResult.objects.all()
    assert row.args_kwargs["args"] == [film.pk]


def test_files_that_a_dead_process_left_are_deleted(canvas: Canvas) -> None:
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage

    name = default_storage.save("films/old.mp4", ContentFile(b"old"))
    PendingDeletion.objects.create(name=name)
    PendingDeletion.objects.create(name="films/never-was.mp4")
    schedule.leftovers()
    assert not default_storage.exists(name) and not PendingDeletion.objects.exists()
