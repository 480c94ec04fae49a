"""The films' pages as a browser without scripts gets them, and their JSON versions."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from canvas.models import Canvas, Frame
from dreamsite.core.tasks.jobs import State
from gallery.films import make, source
from gallery.films.models import Film
from gallery.films.requests import request_film, request_whole_film
from gallery.templatetags.films import clock
from tests.films.conftest import BEGUN

pytestmark = pytest.mark.django_db
Kept = Callable[..., list[Frame]]


@pytest.fixture
def film(canvas: Canvas, kept: Kept) -> Film:
    kept(11, style=lambda number: f"style {number // 4}")
    row = request_film(canvas, "hours", BEGUN, BEGUN + timedelta(hours=2))
    make.make(row.pk)
    row.refresh_from_db()
    return row


def test_a_film_plays_without_scripts(client: Client, film: Film) -> None:
    answer = client.get(f"/films/{film.pk}/?t=1m02s")
    page = answer.content.decode()
    video = re.search(r"<video[^>]*>", page)
    assert video and " controls" in video[0] and "playsinline" in video[0] and film.poster.url in video[0]
    source = re.search(r'<source src="([^"]+)" type="([^"]+)"', page)
    assert source and source[1] == f"{film.files.get().file.url}#t=62.000" and "avc1" in source[2]
    assert f'src="/films/{film.pk}/chapters.vtt"' in page
    assert "Friday, 20 November 2026" in page and "12:00 to 14:00 UTC" in page and "11 frames" in page
    assert page.count("data-at=") == 3 and "CC BY-SA 4.0" in page and film.files.get().sha256 in page
    assert "<script>" not in page and "style=" not in page, "nothing a strict policy refuses"
    assert "unsafe" not in answer["Content-Security-Policy"]
    # The file comes in ranges, as players ask for it.
    part = client.get(film.files.get().file.url, headers={"range": "bytes=0-99"})
    assert part.status_code == 206 and part["Content-Type"] == "video/mp4"


def test_tracks(client: Client, film: Film) -> None:
    chapters = client.get(f"/films/{film.pk}/chapters.vtt")
    assert chapters["Content-Type"].startswith("text/vtt") and chapters.content.decode().startswith("WEBVTT\n\n")
    cues = re.findall(r"([\d:.]+) --> ([\d:.]+)\n(.+)\n", chapters.content.decode())
    assert [words for _, _, words in cues] == ["style 0", "style 1", "style 2"]
    assert cues[0][0] == "00:00:00.000" and [cue[1] for cue in cues[:-1]] == [cue[0] for cue in cues[1:]]
    previews = client.get(f"/films/{film.pk}/previews.vtt").content.decode()
    boxes = re.findall(r"#xywh=(\d+),(\d+),(\d+),(\d+)", previews)
    assert len(boxes) == film.tiles["count"] == len(set(boxes)) and film.sprite.url in previews


def test_from_a_moment_to_its_frame(client: Client, film: Film) -> None:
    for drawing in (film.drawing, not film.drawing):
        Film.objects.filter(pk=film.pk).update(drawing=drawing)
        film.refresh_from_db()
        film_plan = source.plan_of(film)
        for t, seconds in [("3.6", 3.6), ("9999", 9999), ("nonsense", 0), ("-1", 0), ("0:7", 7), ("0m7s", 7)]:
            answer = client.get(f"/films/{film.pk}/frame", {"t": t})
            assert answer["Location"] == f"/frames/{film_plan.at(seconds).id}/", t
        assert film_plan.at(7).number > 3


def test_json_says_what_the_page_says(client: Client, film: Film) -> None:
    data = client.get(f"/films/{film.pk}.json").json()
    assert (data["state"], data["frames"], data["fps"], data["first_number"]) == ("done", 11, 24, 1)
    assert data["files"][0]["sha256"] == film.files.get().sha256
    assert [chapter["title"] for chapter in data["chapters"]] == ["style 0", "style 1", "style 2"]
    listed = client.get("/films.json?canvas=film").json()
    assert listed["films"] == [data] and listed["older"] is None


def test_the_list_is_by_day(client: Client, canvas: Canvas, film: Film) -> None:
    old = BEGUN - timedelta(days=20)
    Film.objects.create(canvas=canvas, kind="day", starts_at=old, ends_at=old + timedelta(days=1), state=State.WAITING)
    page = client.get("/films/?canvas=film").content.decode()
    assert "Friday, 20 November 2026" in page and film.poster.url in page
    assert "31 October" not in page
    older = re.search(r'href="([^"]*before=[^"]*)"', page)
    assert older
    page = client.get(older[1].replace("&amp;", "&")).content.decode()
    assert "Saturday, 31 October 2026" in page and "Waiting to be made" in page and film.poster.url not in page
    assert client.get("/films/?before=nonsense").status_code == 404


def test_nothing_yet(client: Client, canvas: Canvas) -> None:
    assert "No film yet" in client.get("/films/?canvas=film").content.decode()
    assert client.get("/films/12345/").status_code == 404


def test_how_far_a_film_is(client: Client, canvas: Canvas) -> None:
    film = Film.objects.create(
        canvas=canvas, starts_at=BEGUN, ends_at=BEGUN + timedelta(hours=1), state=State.RUNNING, fraction=0.42
    )
    page = client.get(f"/films/{film.pk}/").content.decode()
    assert "is being made" in page and "42 %" in page and 'value="0.420"' in page and "<video" not in page
    data = client.get(f"/films/{film.pk}.json")
    assert data.json()["fraction"] == 0.42 and "no-store" in data["Cache-Control"]
    assert client.get(f"/films/{film.pk}/chapters.vtt").status_code == 404


def test_staff_orders_stops_and_makes_again(as_staff: Client, client: Client, canvas: Canvas, kept: Kept) -> None:
    kept(3)
    answer = as_staff.post("/films/order?canvas=film", {"lossless": "on"})
    film = Film.objects.get()
    assert answer["Location"] == f"/films/{film.pk}/" and film.lossless and not film.drawing and film.kind == "whole"
    assert film.starts_at == Frame.objects.earliest("pk").made_at and film.state == State.WAITING
    assert "Cancel" in as_staff.get(f"/films/{film.pk}/").content.decode()
    as_staff.post(f"/films/{film.pk}/change", {"do": "cancel"})
    film.refresh_from_db()
    assert film.state == State.CANCELLED
    as_staff.post(f"/films/{film.pk}/change", {"do": "again"})
    make.make(film.pk)
    film.refresh_from_db()
    assert film.state == State.DONE and film.edition == 2
    assert film.files.count() == 2 and "to download" not in film.message
    page = as_staff.get(f"/films/{film.pk}/").content.decode()
    assert film.files.get(codec="lossless").file.url in page.split("</video>")[1], "to download, not to play"
    assert film.files.get(codec="lossless").file.url not in page.split("</video>")[0].split("<p>")[0]


def test_others_order_nothing(client: Client, canvas: Canvas, kept: Kept) -> None:
    kept(1)
    assert client.post("/films/order?canvas=film").status_code in (302, 403)
    assert "Make the whole film" not in client.get("/films/?canvas=film").content.decode()
    assert not Film.objects.exists()


def test_the_administration_shows_progress(as_staff: Client, canvas: Canvas, kept: Kept, film: Film) -> None:
    waiting = request_whole_film(canvas)
    assert waiting is not None
    Film.objects.filter(pk=waiting.pk).update(state=State.RUNNING, fraction=0.25)
    page = as_staff.get("/staff/gallery/film/").content.decode()
    assert "<progress" in page and "25 %" in page
    as_staff.post("/staff/gallery/film/", {"action": "stop", "_selected_action": [waiting.pk]})
    as_staff.post("/staff/gallery/film/", {"action": "remake", "_selected_action": [film.pk]})
    states = dict(Film.objects.values_list("pk", "state"))
    assert states == {waiting.pk: State.CANCELLED, film.pk: State.WAITING}


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (245, "4:05"), (3723.2, "1:02:03")])
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text
