"""What workers ask for by themselves, and how often."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from canvas.models import Canvas, Frame
from dreamsite.core.tasks.jobs import State
from gallery.downloads.models import Download
from gallery.films import schedule
from gallery.films.models import Film
from gallery.films.requests import request_film
from gallery.jobs import requests
from gallery.jobs.models import FileJob, PendingDeletion

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
    monkeypatch.setattr(requests, "_missed", {})


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


def lost(canvas: Canvas, state: State) -> list[FileJob]:
    """A film and a download without tasks."""
    ago = timezone.now() - timedelta(hours=1)
    film = Film.objects.create(canvas=canvas, starts_at=ago, ends_at=timezone.now(), state=state, holder="a-dead-one")
    return [film, Download.objects.create(canvas=canvas, day=ago.date(), kind="frames", state=state, holder="dead")]


@pytest.mark.parametrize("state", [State.WAITING, State.RUNNING])
def test_what_was_lost_with_its_queue_is_found_again(
    canvas: Canvas, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, and not at the first look: a task may be about to be queued."""
    film, download = lost(canvas, state)
    schedule.leftovers()
    assert not DBTaskResult.objects.exists()
    monkeypatch.setattr(requests, "LOST_SECONDS", 0.0)
    for _ in range(3):
        schedule.leftovers()
    tasks = DBTaskResult.objects.order_by("task_path").values_list("task_path", "args_kwargs__args")
    assert [(path.rsplit(".")[-1], args) for path, args in tasks] == [
        ("make_download", [download.pk]),
        ("make_film", [film.pk]),
    ]


def test_what_was_lost_with_its_queue_comes_back_in_its_turn(canvas: Canvas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "LOST_SECONDS", 0.0)
    begun, kinds = timezone.now() - timedelta(days=2), Film.Kind
    clip, hours, ordered = (
        Film.objects.create(canvas=canvas, kind=kind, shape=shape, starts_at=begun, ends_at=timezone.now())
        for kind, shape in ((kinds.PART, Film.Shape.SQUARE), (kinds.HOURS, ""), (kinds.WHOLE, ""))
    )
    schedule.leftovers()
    schedule.leftovers()
    waiting = DBTaskResult.objects.ready().order_by(*DBTaskResult._meta.ordering)
    assert list(waiting.values_list("args_kwargs__args", flat=True)) == [[ordered.pk], [hours.pk], [clip.pk]]


@pytest.mark.parametrize("state", [State.DONE, State.FAILED, State.CANCELLED, State.EMPTY])
def test_what_has_ended_is_not_begun_again(canvas: Canvas, state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "LOST_SECONDS", 0.0)
    lost(canvas, state)
    schedule.leftovers()
    schedule.leftovers()
    assert not DBTaskResult.objects.exists()


def test_a_persons_order_goes_before_the_schedules(canvas: Canvas, kept: Kept, as_staff: Client) -> None:
    kept(2)
    begun = timezone.now() - timedelta(days=2)
    scheduled = [
        request_film(canvas, Film.Kind.HOURS, begun + timedelta(hours=hour), begun + timedelta(hours=hour + 1))
        for hour in range(3)
    ]
    assert as_staff.post("/films/order?canvas=film").status_code == 302
    ordered = Film.objects.get(kind=Film.Kind.WHOLE)
    request_film(canvas, Film.Kind.DAY, begun, begun + timedelta(days=1))
    waiting = DBTaskResult.objects.ready().order_by(*DBTaskResult._meta.ordering)
    line = [args[0] for args in waiting.values_list("args_kwargs__args", flat=True)]
    assert line[:2] == [ordered.pk, scheduled[0].pk]


def test_files_that_a_dead_process_left_are_deleted(canvas: Canvas) -> None:
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage

    name = default_storage.save("films/old.mp4", ContentFile(b"old"))
    PendingDeletion.objects.create(name=name)
    PendingDeletion.objects.create(name="films/never-was.mp4")
    schedule.leftovers()
    assert not default_storage.exists(name) and not PendingDeletion.objects.exists()
