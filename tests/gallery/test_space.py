"""Old dreams that nobody drew on are thinned: which, what stays of them, and what is said before."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from django import conf
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.db.models.sql import compiler
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canvas import earlier, frames
from canvas.frames import bases
from canvas.models import Canvas, Frame
from canvas.moderation.cases.models import Case
from canvas.moderation.models import Act
from dreamsite.core.tasks import jobs
from dreamsite.core.tasks.jobs import State
from gallery.downloads import archive
from gallery.downloads.requests import request_download
from gallery.exhibits.models import Exhibit, Picture
from gallery.films.models import Film
from gallery.films.source import stills
from gallery.highlights.models import Highlight
from gallery.jobs.models import PendingDeletion
from gallery.moments import ink
from gallery.pages.models import Page
from gallery.space import compact, forecast, periodic_tasks, retention
from gallery.space.periodic_tasks import thin_old_frames

pytestmark = pytest.mark.django_db
OLD = timedelta(days=40)
Kept = Callable[..., list[Frame]]


@pytest.fixture(autouse=True)
def rule(settings: Any) -> None:
    settings.KEEP_ALL_DAYS, settings.KEEP_ONE_MINUTES = 30, 10
    periodic_tasks._compact_at = -periodic_tasks.EVERY_SECONDS
    periodic_tasks._compacted.clear()


@pytest.fixture
def begun() -> datetime:
    """The beginning of a span of ten minutes, long enough ago."""
    moment = timezone.now() - OLD
    return moment.replace(minute=moment.minute // 10 * 10, second=0, microsecond=0)


@pytest.fixture
def dreamed(canvas: Canvas, begun: datetime) -> Kept:
    """Frames half a minute apart, made as the dreamer makes them; `seqs` says how much ink each holds."""

    def make(seqs: list[int], begun: datetime = begun) -> list[Frame]:
        made = []
        for index, seq in enumerate(seqs):
            pixels = np.indices((800, 800, 3)).sum(axis=0).astype(np.uint8) + np.uint8(index)
            picture = frames.encode(pixels, Frame.Kind.DREAM)
            frame = frames.keep(frames.NewFrame(canvas, picture, Frame.Kind.DREAM, seq, title=f"t{index}"))
            Frame.objects.filter(pk=frame.pk).update(made_at=begun + timedelta(seconds=30 * index))
            made.append(Frame.objects.get(pk=frame.pk))
        return made

    return make


def taken(canvas: Canvas) -> list[int]:
    return [each.number for each in retention.plan(canvas)]


def test_one_in_ten_minutes_stays_and_all_that_somebody_drew_on(canvas: Canvas, many: Kept, begun: datetime) -> None:
    rows = many(50)
    for index, frame in enumerate(rows):
        seq = 0 if index < 7 else 5 if index < 26 else 9  # somebody drew before frames 8 and 27
        at = begun + timedelta(seconds=30 * index)
        Frame.objects.filter(number=frame.number).update(seq=seq, made_at=at, thumbnail_size=99)
    Canvas.objects.update(frame=Frame.objects.get(number=50))
    stays = {1, 8, 21, 27, 41, 50}  # the first of each ten minutes, those with new ink, and the base
    assert taken(canvas) == [number for number in range(1, 51) if number not in stays]


def test_nothing_is_planned_of_what_is_young_or_without_a_rule(canvas: Canvas, dreamed: Kept, settings: Any) -> None:
    dreamed([1, 1, 1, 1])
    assert taken(canvas) == [2, 3]
    settings.KEEP_ALL_DAYS = 41
    assert taken(canvas) == []
    settings.KEEP_ALL_DAYS = 0
    assert taken(canvas) == []


def test_whatever_somebody_points_to_stays(canvas: Canvas, many: Kept, begun: datetime) -> None:
    for frame in many(20):
        at = begun + timedelta(seconds=20 * frame.number)
        Frame.objects.filter(number=frame.number).update(seq=3, made_at=at, thumbnail_size=99)
    of = {frame.number: frame for frame in Frame.objects.all()}
    Highlight.objects.create(frame=of[3])
    exhibit = Exhibit.objects.create(title="Skies", slug="skies", statement=f"[this](/frames/{of[6].pk}/)")
    Picture.objects.create(exhibit=exhibit, after_frame=of[4], before_frame=of[5])
    Page.objects.create(slug="ours", title="Ours", body=f"See [that one](https://x.example/frames/{of[7].pk}/).")
    Case.objects.create(canvas=canvas, frame=of[8])
    film = {"canvas": canvas, "kind": Film.Kind.PART}
    Film.objects.create(
        **film,
        starts_at=of[1].made_at,
        ends_at=of[20].made_at,
        made_at=timezone.now(),
        first_number=1,
        last_number=9,
        chapters=[{"at": 0, "title": "a", "number": 10}],
    )
    Film.objects.create(**film, starts_at=of[12].made_at, ends_at=of[14].made_at)  # not made yet
    for state in (State.CANCELLED, State.EMPTY):  # and never will be
        Film.objects.create(**film, starts_at=of[1].made_at, ends_at=of[20].made_at, state=state)
    assert taken(canvas) == [2, 11, 14, 15, 16, 17, 18, 19, 20]


def test_a_thinned_frame_keeps_its_page_and_its_small_picture(
    canvas: Canvas, dreamed: Kept, client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    made = dreamed([1, 1, 1, 2])
    large, small = str(made[1].picture.name), str(made[1].thumbnail.name)
    with django_capture_on_commit_callbacks(execute=True):
        assert retention.thin(canvas) == (2, made[1].size + made[2].size)
    assert retention.thin(canvas) == (0, 0)
    thinned = Frame.objects.get(pk=made[1].pk)
    assert not default_storage.exists(large) and default_storage.exists(small)
    assert (thinned.picture.name, thinned.size, thinned.width) == (small, made[1].thumbnail_size, 768)
    assert frames.read(thinned), "as its size and sum say"
    page = client.get(f"/frames/{thinned.pk}/")
    assert page.status_code == 200 and "only its small picture is kept" in page.content.decode()
    told = client.get(f"/frames/{thinned.pk}.json").json()
    assert told["thinned"] and told["picture"].endswith("-thumb.webp")
    assert client.get("/history/").status_code == client.get("/history.json").status_code == 200

    # A canvas does not start from it, a moment is painted from the one before, films and downloads leave it out.
    with pytest.raises(ValueError, match="thinned"):
        frames.set_base(canvas, thinned)
    moment = thinned.made_at + timedelta(seconds=1)
    span = ink.span_at(canvas, moment)
    assert (span.base, span.following) == (made[0], made[3])
    assert client.get(f"/history/{moment:%Y-%m-%dT%H:%M:%SZ}.png").status_code == 200
    film = Film(canvas=canvas, starts_at=made[0].made_at, ends_at=timezone.now())
    assert [still.number for still in stills(film)] == [1, 4]
    row = request_download(canvas, made[0].made_at.date(), "frames")
    archive.make(row.pk)
    row.refresh_from_db()
    with default_storage.open(row.file.name) as file, zipfile.ZipFile(io.BytesIO(file.read())) as packed:
        listed = json.loads(packed.read("manifest.json"))["frames"]
    assert [entry.get("thinned", False) for entry in listed] == [False, True, True, False]
    # Hidden and shown again, as any other.
    with django_capture_on_commit_callbacks(execute=True):
        assert frames.hide(thinned)
    assert frames.read(Frame.objects.get(pk=thinned.pk))


def test_what_is_pointed_to_between_plan_and_deed_stays(
    canvas: Canvas, dreamed: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = dreamed([1, 1, 1, 1])
    planned = list(retention.plan(canvas))
    Highlight.objects.create(frame=made[1])
    monkeypatch.setattr(retention, "plan", lambda canvas: iter(planned))
    assert retention.thin(canvas)[0] == 1
    assert Frame.objects.whole().filter(pk=made[1].pk).exists()


def test_the_worker_does_it_and_says_so(
    canvas: Canvas, dreamed: Kept, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    dreamed([1, 1, 1])
    monkeypatch.setattr(periodic_tasks, "_looked_at", -1e9)
    settings.KEEP_ALL_DAYS = 0
    thin_old_frames()
    assert Frame.objects.whole().count() == 3
    settings.KEEP_ALL_DAYS = 30
    with caplog.at_level("INFO"):
        thin_old_frames()
    assert Frame.objects.whole().count() == 2
    assert "the pictures of 1 old frames were given up" in caplog.text


def test_it_is_shown_before_it_is_done(canvas: Canvas, dreamed: Kept, as_staff: Client, settings: Any) -> None:
    dreamed([1, 1, 1, 1])
    settings.KEEP_ALL_DAYS = 0
    said = io.StringIO()
    call_command("space", stdout=said)
    assert "Everything is kept" in said.getvalue() and "free on this disk" in said.getvalue()
    said = io.StringIO()
    call_command("space", days=30, stdout=said)
    assert "main: the pictures of 2 frames" in said.getvalue() and "  2 to 3" in said.getvalue()
    assert Frame.objects.whole().count() == 4
    with pytest.raises(CommandError, match="by the settings alone"):
        call_command("space", days=1, thin=True)
    settings.KEEP_ALL_DAYS = 30
    page = as_staff.get("/staff/canvas/frame/space/")
    words = page.content.decode()
    assert page.status_code == 200 and "2 pictures" in words and "a year" in words
    call_command("space", thin=True, stdout=said)
    assert "2 pictures given up" in said.getvalue() and Frame.objects.whole().count() == 2


def test_the_forecast_adds_up(canvas: Canvas, dreamed: Kept, settings: Any) -> None:
    made = dreamed([1, 1, 2], timezone.now() - timedelta(hours=12))
    total = sum(frame.size + frame.thumbnail_size for frame in made)
    seen = forecast.forecast()
    assert seen.frames == total
    assert seen.a_day == pytest.approx(total * 2, rel=0.05) and seen.a_year == pytest.approx(365 * seen.a_day)
    assert seen.a_year_thinned is not None and seen.a_year_thinned <= seen.a_year
    assert seen.thinnable == 0 and seen.free and seen.days_left == pytest.approx(seen.free / seen.a_day)


def test_the_forecast_knows_that_old_dreams_are_stored_smaller(canvas: Canvas, dreamed: Kept, settings: Any) -> None:
    settings.KEEP_ONE_MINUTES = 1
    made = dreamed([1] * 9, timezone.now() - timedelta(hours=12))
    large = sum(frame.size for frame in made) * 2  # a day
    exact = forecast.forecast()
    assert exact.a_year_thinned is not None
    settings.KEEP_EXACT_DAYS = 7
    seen = forecast.forecast()
    saved = (1 - compact.SHARE) * large
    assert exact.a_year - seen.a_year == pytest.approx(saved * 358, rel=0.05)
    settings.KEEP_EXACT_DAYS = 400
    assert forecast.forecast().a_year == pytest.approx(exact.a_year)
    # A day's quiet dreams in as few minutes as there are dreams: all of them go but for one a minute.
    settings.KEEP_EXACT_DAYS, settings.KEEP_ONE_MINUTES, settings.KEEP_ALL_DAYS = 30, 10_000, 30
    seen = forecast.forecast()
    assert seen.a_year_thinned is not None
    goes = sum(frame.size for frame in made[1:]) * 2 * (1 - 0.5 * 24 * 60 / 10_000 / 8)
    assert exact.a_year - seen.a_year_thinned == pytest.approx(
        (goes + (large - goes) * (1 - compact.SHARE)) * 335, rel=0.05
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # it empties the canvas itself
@given(st.lists(st.tuples(st.integers(0, 4000), st.booleans()), min_size=1, max_size=60), st.integers(1, 60))
def test_no_span_loses_its_last_frame(canvas: Canvas, history: list[tuple[int, bool]], minutes: int) -> None:
    """Whatever was drawn when: each span that had a frame still has one, and no drawn one goes."""
    Frame.objects.all().delete()
    Canvas.objects.update(frame=None)
    begun, at, seq, rows = timezone.now() - timedelta(days=900), 0, 0, []
    for number, (wait, drawn) in enumerate(history, 1):
        at, seq = at + wait, seq + drawn
        rows.append(
            Frame(
                canvas=canvas,
                number=number,
                seq=seq,
                made_at=begun + timedelta(seconds=at),
                picture=f"{number}.jpg",
                thumbnail="t.jpg",
                width=9,
                height=9,
                size=9,
                thumbnail_size=1,
                sha256="0",
            )
        )
    Frame.objects.bulk_create(rows)
    conf.settings.KEEP_ONE_MINUTES = minutes
    gone = set(taken(canvas))
    spans = {row.number: int(row.made_at.timestamp()) // (60 * minutes) for row in rows}
    assert {spans[number] for number in spans.keys() - gone} == set(spans.values())
    for before, row in pairwise(rows):
        assert row.number not in gone or row.seq == before.seq


def test_old_dreams_are_stored_smaller_and_look_the_same(
    canvas: Canvas, dreamed: Kept, settings: Any, client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    """All but what something is computed from: the base, and what the undream brush brings back."""
    settings.KEEP_EXACT_DAYS = 7
    made = dreamed([1, 2, 3, 4, 5, 6, 7])
    young = dreamed([8], begun=timezone.now())
    canvas.refresh_from_db()
    exact = {one.pk for one in earlier.earlier(canvas, canvas.frame) if one}
    assert young[0].pk in exact and len(exact) == 4
    before = {frame.pk: frames.load(frame.pk).astype(int) for frame in made}
    frames.load.cache_clear()
    told = io.StringIO()
    call_command("space", stdout=told)
    assert "older than 7 days are stored as AVIF" in told.getvalue()
    with django_capture_on_commit_callbacks(execute=True):
        periodic_tasks.compact_old_frames()
    for frame in made:
        now = Frame.objects.get(pk=frame.pk)
        if frame.pk in exact:
            assert now.picture.name == frame.picture.name
            continue
        assert now.picture.name.endswith(".avif") and now.size < frame.size
        assert not default_storage.exists(str(frame.picture.name))
        assert np.abs(frames.load(now.pk).astype(int) - before[now.pk]).mean() < 3
        shown = client.get(now.picture.url)
        assert shown["Content-Type"] == "image/avif" and b"".join(shown.streaming_content) == frames.read(now)
        assert client.get(f"/frames/{now.pk}/").status_code == 200
    assert not PendingDeletion.objects.exists()
    with CaptureQueriesContext(connection) as queries:
        periodic_tasks.compact_old_frames()
    assert len(queries) == 0, "in an hour"


def test_nothing_is_written_while_a_select_is_open(
    canvas: Canvas, dreamed: Kept, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite refuses such a write once any other process has written since the SELECT began."""
    settings.KEEP_EXACT_DAYS = 7
    dreamed([1, 1, 2, 3, 4, 5, 6, 7])
    selects: list[int] = []
    read = compiler.cursor_iter

    def counted(*args: Any) -> Iterator[Any]:
        selects.append(1)
        try:
            yield from read(*args)
        finally:
            selects.pop()

    def execute(run: Any, sql: str, *args: Any) -> Any:
        assert not (selects and sql.startswith(("UPDATE", "INSERT", "DELETE", "SAVEPOINT", "BEGIN"))), sql
        return run(sql, *args)

    monkeypatch.setattr(compiler, "cursor_iter", counted)
    row = request_download(canvas, Frame.objects.first().made_at.date(), "frames")
    monkeypatch.setattr(jobs, "UPDATE_SECONDS", 0.0)
    with connection.execute_wrapper(execute):
        periodic_tasks.compact_old_frames()
        assert retention.thin(canvas)[0]
        archive.make(row.pk)
    row.refresh_from_db()
    assert Frame.objects.filter(picture__endswith=".avif").exists() and row.count == Frame.objects.whole().count()


def test_what_could_not_be_named_does_not_stay(
    canvas: Canvas, dreamed: Kept, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.KEEP_EXACT_DAYS = 7
    first = dreamed([1, 2, 3, 4, 5, 6, 7])[0]

    def locked(self: Any, pk: int) -> Canvas:
        raise OperationalError("database is locked")

    monkeypatch.setattr(type(Canvas.objects.all()), "lock", locked)
    with pytest.raises(OperationalError):
        compact.store_smaller(first)
    assert frames.read(first) and not PendingDeletion.objects.exists()
    assert not default_storage.exists(str(first.picture.name).replace(".jpg", ".avif"))


def test_what_an_act_can_be_taken_back_to_stays_as_it_is(canvas: Canvas, dreamed: Kept, settings: Any) -> None:
    settings.KEEP_EXACT_DAYS = 7
    before = dreamed([1, 1, 2, 3, 4, 5, 6, 7])[1]
    picture = str(before.picture.name)
    act = Act.objects.record(None, "rollback", canvas=canvas, kind="picture", before=before.pk, frame=None)
    assert before not in compact.waiting(canvas) and taken(canvas) == []
    assert compact.store_smaller(before) == 0
    assert Frame.objects.get(pk=before.pk).picture.name == picture
    Act.objects.record(None, "undo", canvas=canvas, undoes=act, kind="picture", before=None, frame=None)
    assert before in compact.waiting(canvas) and taken(canvas) == [before.number]


def test_a_canvas_that_goes_back_to_an_old_dream_has_a_base_that_is_the_same_everywhere(
    canvas: Canvas, dreamed: Kept, settings: Any
) -> None:
    settings.KEEP_EXACT_DAYS = 7
    first, *others = dreamed([1, 2, 3, 4, 5, 6, 7])
    assert compact.store_smaller(first)
    for frame in reversed(others):
        assert frames.hide(frame)
    canvas.refresh_from_db()
    base = canvas.frame
    assert base == first and str(base.picture.name).endswith(".jpg") and frames.read(base)


def test_who_was_told_of_an_old_dreams_address_is_told_of_its_new_one(
    canvas: Canvas, dreamed: Kept, settings: Any
) -> None:
    """Also where the canvas does not go back in the end."""
    settings.KEEP_EXACT_DAYS = 7
    first, second, *others = dreamed([1, 2, 3, 4, 5, 6, 7])
    assert compact.store_smaller(first)
    for frame in reversed(others):
        assert frames.hide(frame)
    canvas.refresh_from_db()
    known = canvas.visibility
    assert not bases.step_back(second, lambda: False)
    canvas.refresh_from_db()
    assert canvas.frame == second and canvas.visibility > known
    assert str(Frame.objects.get(pk=first.pk).picture.name).endswith(".jpg")


def test_a_frame_that_became_a_base_meanwhile_stays_as_it_is(
    canvas: Canvas, dreamed: Kept, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.KEEP_EXACT_DAYS = 7
    first = dreamed([1, 2, 3, 4, 5, 6, 7])[0]
    lock = type(Canvas.objects.all()).lock

    def meanwhile(self: Any, pk: int) -> Canvas:
        Canvas.objects.filter(pk=pk).update(frame=first)
        return lock(self, pk)

    monkeypatch.setattr(type(Canvas.objects.all()), "lock", meanwhile)
    assert compact.store_smaller(first) == 0
    assert Frame.objects.get(pk=first.pk).picture.name == first.picture.name
    assert frames.read(first) and not PendingDeletion.objects.exists()
