"""Films that people make for themselves, and clips to post."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from canvas import frames, journal, strokes, wire
from canvas.models import Batch, Canvas, Frame
from dreamsite.accounts import closing, export
from dreamsite.core import tasks
from dreamsite.core.models import User
from dreamsite.core.tasks import jobs
from dreamsite.core.tasks.jobs import State
from gallery.films import crop, encode, make, own, plan, schedule, source
from gallery.films.models import Film
from gallery.films.requests import request_film
from gallery.jobs import files
from tests.films.conftest import BEGUN, pictures

pytestmark = pytest.mark.django_db
Draw = Callable[..., Frame]
SIDE = 256
WHITE, RED, BLUE, GREEN = (255, 255, 255), (255, 0, 0), (0, 0, 255), (0, 255, 0)
_ids = iter(range(1, 1 << 20))


@pytest.fixture
def canvas(db: None) -> Canvas:
    return Canvas.objects.create(slug="film", title="A small canvas", width=SIDE, height=SIDE)


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("ada")


@pytest.fixture
def bruno(db: None) -> User:
    return User.objects.create_user("bruno")


@pytest.fixture
def dream(canvas: Canvas) -> Draw:
    """A frame of one colour after strokes of (author, colour, x, y), half a minute after the one before it."""

    def keep(drawn: Sequence[tuple[User, tuple[int, int, int], int, int]] = (), *, colour: Any = WHITE) -> Frame:
        number = Frame.objects.filter(canvas=canvas).count() + 1
        at = BEGUN + timedelta(seconds=30 * number)
        for author, ink, x, y in drawn:
            points = ((8 * x, 8 * y, 8 * 12), (8 * x + 160, 8 * y, 8 * 12))
            batch = journal.append(canvas, [wire.Stroke(next(_ids), 0, ink, 255, 0, points, True, author.pk)])
            assert batch is not None
            Batch.objects.filter(canvas=canvas, first=batch.first).update(at=at - timedelta(seconds=10))
        canvas.refresh_from_db()
        picture = frames.encode(np.full((SIDE, SIDE, 3), colour, np.uint8), Frame.Kind.DREAM)
        authors = [author.pk for author, *_ in drawn]
        frame = frames.keep(frames.NewFrame(canvas, picture, Frame.Kind.DREAM, canvas.head, authors, "a style"))
        Frame.objects.filter(pk=frame.pk).update(made_at=at)
        frame.refresh_from_db()
        return frame

    return keep


def made(film: Film) -> Film:
    make.make(film.pk)
    film.refresh_from_db()
    return film


def path_of(film: Film) -> Path:
    return Path(default_storage.path(str(film.files.get().file)))


def holds(film: Film, colour: tuple[int, int, int]) -> bool:
    """Whether a patch of this colour is ever seen in the film."""
    wanted = np.array(colour)
    return any((np.abs(shown.astype(int) - wanted).max(axis=2) < 60).sum() > 12 for shown in pictures(path_of(film)))


def order(user: User, canvas: Canvas, kind: str = "mine", area: Any = None, shape: str = "") -> Film:
    return own.order(user, canvas, kind, None, None, area, shape)


def test_a_film_of_ones_strokes_shows_them_alone_being_drawn(
    canvas: Canvas, dream: Draw, ada: User, bruno: User
) -> None:
    dream()
    dream([(bruno, BLUE, 150, 150)])
    mine = dream([(ada, RED, 40, 40), (bruno, BLUE, 60, 60)])
    dream()
    film = made(order(ada, canvas))
    assert film.state == State.DONE and film.owner == ada and film.last_number == mine.number
    assert [still.number for still in source.plan_of(film).stills] == [mine.number - 1, mine.number]
    assert holds(film, RED) and not holds(film, BLUE)


def test_nobody_orders_a_film_of_somebody_else(client: Client, canvas: Canvas, dream: Draw, ada: User) -> None:
    dream([(ada, RED, 40, 40)])
    client.force_login(User.objects.create_user("carol"))
    answer = client.post("/films/mine/?canvas=film", {"kind": "mine", "owner": ada.pk, "person": ada.pk})
    assert answer.status_code == 422 and "No stroke of yours" in answer.content.decode()
    assert not Film.objects.exists()


def test_a_place_shows_that_place(canvas: Canvas, dream: Draw, ada: User, bruno: User) -> None:
    dream()
    dream([(ada, RED, 20, 20), (bruno, BLUE, 200, 200)])
    dream()
    film = made(order(bruno, canvas, "place", crop.Rect(0, 0, 128, 96)))
    assert (film.width, film.height) == crop.own_size(crop.Rect(0, 0, 128, 96)) == (720, 540)
    assert holds(film, RED) and not holds(film, BLUE)


def test_what_was_hidden_is_in_no_film_of_anybodys_own(canvas: Canvas, dream: Draw, ada: User, bruno: User) -> None:
    """Neither the ink, nor the dreams that had taken it in; the frames before and after the rollback are shown."""
    dream()
    clean = dream([(ada, RED, 40, 40)])
    bad = dream([(bruno, BLUE, 60, 60)], colour=(0, 0, 90))
    dream(colour=(0, 0, 120))
    restored = frames.keep(
        frames.NewFrame(
            canvas, frames.encode(np.full((SIDE, SIDE, 3), 200, np.uint8), "restored"), Frame.Kind.RESTORED, bad.seq
        )
    )
    Frame.objects.filter(pk=restored.pk).update(made_at=BEGUN + timedelta(minutes=4))
    hide = journal.append(canvas, [wire.Hide((bad.seq,), False)])
    assert hide is not None
    Batch.objects.filter(canvas=canvas, first=hide.first).update(at=BEGUN + timedelta(minutes=4, seconds=1))
    after = dream([(ada, GREEN, 80, 80)])
    Frame.objects.filter(pk=after.pk).update(made_at=BEGUN + timedelta(minutes=5))
    strokes.index(canvas)
    film = made(order(bruno, canvas, "place"))
    assert [still.number for still in source.plan_of(film).stills] == [
        1,
        clean.number,
        restored.number,
        after.number,
    ]
    assert not holds(film, BLUE)
    with pytest.raises(own.InvalidRequest, match="No stroke of yours"):
        order(bruno, canvas)
    assert holds(made(order(ada, canvas)), GREEN)


@pytest.mark.parametrize(("shape", "size"), crop.CLIPS.items())
def test_a_clip_is_fifteen_seconds_of_that_shape(
    canvas: Canvas, dream: Draw, ada: User, shape: str, size: tuple[int, int]
) -> None:
    for number in range(34):
        dream([(ada, RED, 20 + 5 * number, 100)])
    film = request_film(canvas, "hours", BEGUN - timedelta(hours=1), BEGUN + timedelta(hours=1))
    with pytest.raises(own.InvalidRequest, match="not finished yet"):
        own.order_clip(ada, film, shape)
    Film.objects.filter(pk=film.pk).update(state=State.DONE)
    film.refresh_from_db()
    clip = made(own.order_clip(ada, film, shape))
    assert own.order_clip(ada, film, shape) == clip, "made once"
    assert (clip.width, clip.height) == size and clip.seconds == 15.0
    with av.open(str(path_of(clip))) as opened:
        assert opened.streams.video[0].frames == plan.CLIP
    assert path_of(clip).stat().st_size < 8_000_000
    assert {part.number for part in source.plan_of(clip).stills} >= {34}


@pytest.mark.parametrize("count", [1, 2, 25, plan.CLIP_STILLS])
@pytest.mark.parametrize("drawing", [False, True])
def test_a_clip_is_as_long_whatever_is_in_it(count: int, drawing: bool) -> None:
    stills = [plan.Still(n, n, n, BEGUN, "") for n in range(1, count + 1)]
    made = plan.clip(stills, drawing=drawing)
    assert made.length == plan.CLIP and made.stills == stills
    assert all(part.fade >= 1 and min(part.draw, part.hold) >= 0 for part in made.parts)
    assert any(part.draw for part in made.parts) == (drawing and count > 1)


def test_a_view_of_any_shape_is_within_the_canvas_and_holds_the_place_where_it_can() -> None:
    canvas = crop.Rect(0, 0, 1000, 600)
    for area in (crop.Rect(0, 0, 1000, 600), crop.Rect(900, 500, 1000, 600), crop.Rect(10, 10, 20, 590)):
        for ratio in (1.0, 9 / 16):
            shown = crop.shaped(area, ratio, None, canvas)
            assert canvas.contains(shown) and abs(shown.width / shown.height - ratio) < 0.02
    assert crop.shaped(crop.Rect(900, 500, 1000, 600), 1.0, None, canvas).contains(crop.Rect(900, 500, 1000, 600))
    assert crop.shaped(canvas, 9 / 16, (990, 10), canvas).right == 1000, "around what was drawn"


def test_only_its_owner_sees_it_anywhere(client: Client, canvas: Canvas, dream: Draw, ada: User, bruno: User) -> None:
    dream([(ada, RED, 40, 40)])
    dream()
    film = made(order(ada, canvas))
    address = film.get_absolute_url()
    pages = [address, f"/films/{film.pk}.json", f"/films/{film.pk}/chapters.vtt", f"/films/{film.pk}/previews.vtt"]
    for somebody in (None, bruno, User.objects.create_superuser("root")):
        if somebody:
            client.force_login(somebody)
        assert {client.get(page).status_code for page in pages} == {404}
        assert address not in client.get("/films/?canvas=film").content.decode()
        assert client.get("/films.json?canvas=film").json()["films"] == []
        assert client.post(f"/films/{film.pk}/clip", {"shape": "square"}).status_code in (302, 404)
    assert not Film.objects.filter(of=film).exists()
    client.force_login(ada)
    answer = client.get(address)
    assert answer.status_code == 200 and answer["Cache-Control"] == "private, no-store"
    assert "What ada drew" in answer.content.decode() and "data-share-file" in answer.content.decode()
    assert address in client.get("/films/mine/").content.decode()


def test_a_form_fills_in_a_place_and_orders_it(client: Client, canvas: Canvas, dream: Draw, ada: User) -> None:
    dream([(ada, RED, 40, 40)])
    client.force_login(ada)
    page = client.get("/films/mine/?canvas=film&x=10&y=20&width=100&height=90").content.decode()
    assert re.search(r'value="place"[^>]* checked', page) and 'name="x" value="10"' in page
    wrong = {"kind": "place", "x": 250, "y": 0, "width": 100, "height": 90}
    answer = client.post("/films/mine/?canvas=film", wrong)
    assert answer.status_code == 422 and "at least 64 pixels" in answer.content.decode()
    answer = client.post("/films/mine/?canvas=film", {**wrong, "x": 200, "width": 500, "shape": "square"})
    assert answer.status_code == 422, "56 px of it are on the canvas"
    answer = client.post("/films/mine/?canvas=film", {**wrong, "x": 100, "width": 500, "shape": "square"})
    film = Film.objects.get()
    assert answer["Location"] == film.get_absolute_url()
    assert (film.area, film.shape, film.owner, film.drawing) == ([100, 0, 256, 90], "square", ada, True)


def test_nobody_orders_without_end(client: Client, canvas: Canvas, dream: Draw, ada: User) -> None:
    dream([(ada, RED, 40, 40)])
    first = order(ada, canvas)
    order(ada, canvas, "place")
    with pytest.raises(own.InvalidRequest, match="still being made"):
        order(ada, canvas)
    client.force_login(ada)
    client.post(f"/films/{first.pk}/change", {"do": "cancel"})
    first.refresh_from_db()
    assert first.state == State.CANCELLED
    assert order(ada, canvas).pk != first.pk, "one that was cancelled makes room, but counts"
    Film.objects.exclude(pk=first.pk).update(state=State.DONE, started_at=timezone.now())
    for _ in range(own.A_DAY[False] - 3):
        film = order(ada, canvas)
        Film.objects.filter(pk=film.pk).update(state=State.DONE, started_at=timezone.now())
        own.drop(film)  # what is deleted counts all the same
    with pytest.raises(own.InvalidRequest, match="24 hours"):
        order(ada, canvas)


def test_nothing_of_a_film_stays_on_the_disk_that_is_not_made_any_more(
    client: Client,
    canvas: Canvas,
    dream: Draw,
    ada: User,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    for place in range(3):
        dream([(ada, RED, 40 + 40 * place, 40)])
    left, encoded = files.work_directory("films"), encode.segment

    def cancelled(*args: Any, **more: Any) -> None:
        encoded(*args, **more)
        assert len(list(left.glob("*/*.mp4"))) == 1
        Film.objects.all().cancel()

    monkeypatch.setattr(jobs, "UPDATE_SECONDS", 0.0)
    with monkeypatch.context() as during:
        during.setattr(encode, "segment", cancelled)
        assert made(order(ada, canvas)).state == State.CANCELLED
    assert not list(left.iterdir())

    def interrupted(*args: Any, **more: Any) -> None:
        encoded(*args, **more)
        raise tasks.Interrupted

    kept, dropped = order(ada, canvas), order(ada, canvas, "place")
    with monkeypatch.context() as during:
        during.setattr(encode, "segment", interrupted)
        for film in (kept, dropped):
            with pytest.raises(tasks.Interrupted):
                make.make(film.pk)
    schedule.leftovers()
    assert {path.name for path in left.iterdir()} == {f"{kept.pk}-1", f"{dropped.pk}-1"}, "somebody goes on with them"
    with django_capture_on_commit_callbacks(execute=True):
        own.drop(dropped)
    assert {path.name for path in left.iterdir()} == {f"{kept.pk}-1"}, "at once"
    failed = Film.objects.filter(pk=kept.pk)
    failed.update(state=State.FAILED, finished_at=timezone.now())
    schedule.leftovers()
    assert list(left.iterdir()), "it is tried again"
    failed.update(finished_at=timezone.now() - timedelta(hours=3))
    schedule.leftovers()
    assert not list(left.iterdir())


def test_a_clip_of_a_place_has_nothing_hidden_around_it(canvas: Canvas, dream: Draw, ada: User, bruno: User) -> None:
    """It shows more than the place, to be of its shape."""
    dream()
    bad = dream([(ada, RED, 40, 100), (bruno, BLUE, 200, 20)])
    numbers = [number for number, op in journal.operations(canvas, 0, bad.seq) if op.author == bruno.pk]
    hide = journal.append(canvas, [wire.Hide(tuple(numbers), False)])
    assert hide is not None
    Batch.objects.filter(canvas=canvas, first=hide.first).update(at=bad.made_at + timedelta(seconds=1))
    dream()
    film = order(bruno, canvas, "place", crop.Rect(0, 0, 128, 256))
    assert bad.number in [still.number for still in source.stills(film)], "it is outside of the place"
    film.shape = "square"
    shown = source.view(film).area
    assert shown is not None and shown.right > 200
    assert bad.number not in [still.number for still in source.stills(film)]


@pytest.mark.parametrize("state", [State.FAILED, State.EMPTY])
def test_a_clip_that_could_not_be_made_is_made_once_more_an_hour_later(
    canvas: Canvas, dream: Draw, ada: User, state: State
) -> None:
    dream([(ada, RED, 40, 40)])
    film = request_film(canvas, "hours", BEGUN, BEGUN + timedelta(hours=1))
    Film.objects.filter(pk=film.pk).update(state=State.DONE)
    film.refresh_from_db()
    clip = own.order_clip(ada, film, "square")
    Film.objects.filter(pk=clip.pk).update(state=state, finished_at=timezone.now())
    assert own.order_clip(ada, film, "square").state == state
    Film.objects.filter(pk=clip.pk).update(finished_at=timezone.now() - own.AGAIN - timedelta(minutes=1))
    own.order_clip(ada, film, "square")
    assert Film.objects.get(of=film, shape="square").state == State.WAITING


def test_a_guest_has_one_at_a_time_and_the_schedules_films_go_first(canvas: Canvas, dream: Draw, ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(guest=True)
    ada.refresh_from_db()
    dream([(ada, RED, 40, 40)])
    mine = order(ada, canvas)
    with pytest.raises(own.InvalidRequest, match="A film of yours is still being made"):
        order(ada, canvas, "place")
    hours = request_film(canvas, "hours", BEGUN, BEGUN + timedelta(hours=2))
    waiting = DBTaskResult.objects.ready().order_by(*DBTaskResult._meta.ordering)
    assert [args[0] for args in waiting.values_list("args_kwargs__args", flat=True)] == [hours.pk, mine.pk]


def test_what_is_hidden_in_its_picture_withdraws_it_and_nothing_else_does(
    client: Client, canvas: Canvas, dream: Draw, ada: User, bruno: User
) -> None:
    dream()
    dream([(ada, RED, 20, 20), (bruno, BLUE, 220, 220)])
    dream([(bruno, GREEN, 40, 40)])
    strokes.index(canvas)
    numbers = {tuple(op.colour): number for number, op in journal.operations(canvas, 0, canvas.head)}
    place = crop.Rect(0, 0, 128, 128)
    far, near, waits = (order(who, canvas, "place", place) for who in (ada, bruno, ada))
    hours = request_film(canvas, "hours", BEGUN, BEGUN + timedelta(hours=1))
    for film in (far, near, hours):
        made(film)
    clip = made(own.order_clip(bruno, hours, "square"))

    def states() -> list[str]:
        return list(Film.objects.order_by("pk").values_list("state", flat=True))

    assert states() == ["done", "done", "waiting", "done", "done"]
    journal.append(canvas, [wire.Hide((numbers[BLUE],), False)])
    assert states() == ["done", "done", "waiting", "waiting", "cancelled"], "it is not in the place"
    journal.append(canvas, [wire.Hide((numbers[GREEN],), False)])
    assert states() == ["cancelled", "cancelled", "waiting", "waiting", "cancelled"]
    assert not Film.objects.get(pk=near.pk).files.exists()
    client.force_login(bruno)
    for page in (near.get_absolute_url(), clip.get_absolute_url(), "/films/mine/?canvas=film"):
        assert "What it showed has changed: order it again." in client.get(page).content.decode()
    client.post(f"/films/{near.pk}/change", {"do": "drop"})
    assert "has changed" not in client.get("/films/mine/?canvas=film").content.decode()
    Film.objects.filter(pk=waits.pk).update(state=State.CANCELLED)

    again = made(order(ada, canvas, "place", place))
    shown = {still.id for still in source.plan_of(again).stills}
    out = Frame.objects.filter(canvas=canvas).exclude(pk__in=shown).first()
    assert out is not None and frames.hide(out)
    again.refresh_from_db()
    assert again.state == State.DONE, "it did not show that frame"
    assert frames.hide(Frame.objects.get(pk=max(shown)))
    again.refresh_from_db()
    assert again.has_changed


def test_the_frame_of_a_moment_is_known_without_a_plan(
    client: Client, canvas: Canvas, dream: Draw, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody may ask, and pages link there: one row is read, whatever the film is of."""
    for place in range(5):
        dream([(ada, RED, 40 + 30 * place, 40)])
    hours = made(request_film(canvas, "hours", BEGUN, BEGUN + timedelta(hours=1)))
    clip = made(own.order_clip(ada, hours, "square"))
    plans = {film.pk: source.plan_of(film) for film in (hours, clip)}
    monkeypatch.setattr(source, "plan_of", None)
    for film in (hours, clip):
        for second in range(int(film.seconds) + 2):
            answer = client.get(f"/films/{film.pk}/frame?t={second}")
            assert answer["Location"] == f"/frames/{plans[film.pk].at(second).id}/"


def test_a_deleted_films_clips_count_too(canvas: Canvas, dream: Draw, ada: User, client: Client) -> None:
    dream([(ada, RED, 40, 40)])
    client.force_login(ada)  # who is told the limit before anybody is refused
    told = client.get(f"/films/mine/?canvas={canvas.slug}").content.decode()
    assert f"{own.A_DAY[False]} films and clips in 24 hours, 2 at a time. {own.A_DAY[False]} left." in told
    film = order(ada, canvas, "place")
    film.state = State.DONE
    clip = own.order_clip(ada, film, "square")
    Film.objects.update(state=State.DONE, started_at=timezone.now())
    own.drop(film)
    clip.refresh_from_db()
    assert clip.state == State.CANCELLED
    for left in range(own.A_DAY[False] - 2, 0, -1):
        other = order(ada, canvas, "place")
        Film.objects.filter(pk=other.pk).update(state=State.DONE, started_at=timezone.now())
        assert own.left_today(ada) == left - 1
    with pytest.raises(own.InvalidRequest, match="24 hours"):
        order(ada, canvas, "place")


@pytest.mark.parametrize("state", [State.CANCELLED, State.EMPTY])
def test_a_clip_that_shows_nothing_is_ordered_anew_and_both_count(
    canvas: Canvas, dream: Draw, ada: User, state: str
) -> None:
    dream([(ada, RED, 40, 40)])
    film = request_film(canvas, "hours", BEGUN - timedelta(hours=1), BEGUN + timedelta(hours=1))
    Film.objects.update(state=State.DONE)
    film.refresh_from_db()
    for _ in range(own.A_DAY[False]):
        clip = own.order_clip(ada, film, "square")
        assert clip.state == State.WAITING and list(film.clips.all()) == [clip]
        assert own.order_clip(ada, film, "square") == clip
        long_ago = timezone.now() - own.AGAIN - timedelta(minutes=1)
        Film.objects.filter(pk=clip.pk).update(state=state, started_at=long_ago, finished_at=long_ago)
    with pytest.raises(own.InvalidRequest, match="24 hours"):
        own.order_clip(ada, film, "square")


def test_orders_of_one_person_are_counted_one_after_the_other(
    canvas: Canvas, dream: Draw, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who counts holds the person's row: what arrives at the same time sees what the other one ordered."""
    dream([(ada, RED, 40, 40)])
    locked: list[Any] = []
    lock, count, counts = QuerySet.select_for_update, own.may_order, []

    def held(self: Any, **how: Any) -> Any:
        locked.append(self.model)
        return lock(self, **how)

    def counting(user: User) -> None:
        counts.append(User in locked)
        locked.clear()
        count(user)

    monkeypatch.setattr(QuerySet, "select_for_update", held)
    monkeypatch.setattr(own, "may_order", counting)
    film = order(ada, canvas)
    film.state = State.DONE
    own.order_clip(ada, film, "square")
    assert counts == [True, True]


def test_a_stroke_that_was_not_dreamed_on_yet_costs_no_film(
    client: Client, canvas: Canvas, dream: Draw, ada: User
) -> None:
    dream()
    points = ((320, 320, 96), (480, 320, 96))
    batch = journal.append(canvas, [wire.Stroke(next(_ids), 0, RED, 255, 0, points, True, ada.pk)])
    assert batch is not None
    client.force_login(ada)
    answer = client.post("/films/mine/?canvas=film", {"kind": "mine"})
    assert answer.status_code == 422 and "Not dreamed yet" in answer.content.decode()
    assert not Film.objects.exists()
    dream()
    assert client.post("/films/mine/?canvas=film", {"kind": "mine"}).status_code == 302


def test_a_frames_page_leads_to_a_film_that_ends_with_the_frame(
    client: Client, canvas: Canvas, dream: Draw, ada: User
) -> None:
    for _ in range(5):
        dream([(ada, RED, 40, 40)])
    frame = Frame.objects.get(number=3)
    client.force_login(ada)
    page = client.get(f"/frames/{frame.pk}/").content.decode()
    address = re.search(r'href="(/films/mine/[^"]*)"', page)
    assert address
    form = client.get(html.unescape(address[1])).context["form"]
    asked = {name: str(form[name].value() or "") for name in ("kind", "shape", "since", "until")}
    answer = client.post("/films/mine/?canvas=film", asked)
    assert answer.status_code == 302
    assert frame.number in [still.number for still in source.plan_of(Film.objects.get()).stills]


def test_the_page_of_ones_films_asks_as_much_however_many_there_are(
    client: Client, canvas: Canvas, dream: Draw, ada: User
) -> None:
    dream([(ada, RED, 40, 40)])
    client.force_login(ada)
    asked = []
    for _ in range(2):
        film = order(ada, canvas)
        client.get("/films/mine/?canvas=film")
        with CaptureQueriesContext(connection) as queries:
            assert film.get_absolute_url() in client.get("/films/mine/?canvas=film").content.decode()
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_it_goes_with_its_files_after_a_month_and_with_the_account(
    client: Client, canvas: Canvas, dream: Draw, ada: User, django_capture_on_commit_callbacks: Any
) -> None:
    dream([(ada, RED, 40, 40)])
    dream()
    old, kept = made(order(ada, canvas)), made(order(ada, canvas))
    (row,) = [one for one in export.films(ada) if one["page"] == kept.get_absolute_url()]
    assert row["only_yours"] and row["files"] == [kept.files.get().file.url]
    paths = {film.pk: [path_of(film), Path(default_storage.path(str(film.poster)))] for film in (old, kept)}
    Film.objects.filter(pk=old.pk).update(requested_at=timezone.now() - own.KEPT - timedelta(minutes=1))
    with django_capture_on_commit_callbacks(execute=True):
        own.forget_old()
    assert list(Film.objects.all()) == [kept]
    assert not any(path.exists() for path in paths[old.pk])
    ada.closes_at = timezone.now()
    ada.save()
    assert all(path.exists() for path in paths[kept.pk])
    with django_capture_on_commit_callbacks(execute=True):
        closing.scrub(ada.pk)
    assert not Film.objects.exists()
    assert not any(path.exists() for path in paths[kept.pk])


def test_ones_film_of_a_canvas_by_link_names_no_key(client: Client, canvas: Canvas, dream: Draw, ada: User) -> None:
    Canvas.objects.filter(pk=canvas.pk).update(listed=False, slug="k" * 32)
    canvas.refresh_from_db()
    dream([(ada, RED, 40, 40)])
    dream()
    film = made(order(ada, canvas))
    Canvas.objects.filter(pk=canvas.pk).update(slug="n" * 32)
    client.force_login(ada)
    shown = client.get(film.get_absolute_url()).content.decode() + str(client.get(f"/films/{film.pk}.json").json())
    assert "k" * 32 not in shown + path_of(film).read_bytes().decode("latin1") and "n" * 32 not in shown
    Canvas.objects.filter(pk=canvas.pk).update(deleted_at=timezone.now())
    assert client.get(film.get_absolute_url()).status_code == 404
