"""Journeys in the studio, from outside: begun, steered, led, filmed; cut at key frames, and resumed there."""

from __future__ import annotations

import html
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from dreamer.engine.classes import seen_in
from dreamsite.core.models import User
from dreamsite.core.tasks import STUDIO, heartbeats, stopping, worker
from dreamsite.core.tasks.jobs import State, claim
from gallery.films import encode
from gallery.jobs.files import delete_pending
from gallery.studio import cost, jobs, journeys, periodic_tasks, queue
from gallery.studio.models import Journey, Music, Original, Work
from gallery.studio.sources import network_of
from tests.dreamer import nets
from tests.dreamer.test_music import tone
from tests.studio.sending import photograph, pixels_of
from tests.studio.statements import spends_under_the_persons_lock

Kind = Work.Kind
STYLE = {"network": "tiny", "layer": "block/output", "title": "Rings", "depth": 1, "size": 1}
SMALL = {"recipe-iterations": 2, "recipe-octaves": 1, "recipe-min_size": 32}
FILM = {"fps": 24, "seconds": 0.5}


@pytest.fixture(autouse=True)
def tiny(settings: Any, tmp_path: Path, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site whose network dreams in a blink, and whose journeys are small."""
    settings.MEDIA_ROOT, settings.MODELS_DIR, settings.VAR_DIR = tmp_path / "media", tmp_path / "models", tmp_path
    settings.DREAM_THREADS, settings.HOUSE_MODEL, settings.DREAM_MODEL = 1, False, "tiny"
    folder = nets.register_tiny(settings.MODELS_DIR)
    (folder / "labels.txt").write_text("\n".join(f"fruit {n}" for n in range(9)) + "\nbanana\n")
    (folder / "shelf.json").write_text(json.dumps([{"layer": "block/output", "channel": None, "title": "Rings"}]))
    monkeypatch.setattr("gallery.studio.forms.plan.size_of", lambda *_: (48, 64))


@pytest.fixture
def original(client: Client) -> Original:
    sent = {"picture": photograph(120, 90)}
    answer = client.post("/studio/upload/", sent, headers={"Accept": "application/json"})
    found = Original.objects.get(key=answer.json()["url"].split("/")[-2])
    found.works.all().delete()
    return found


def asked(client: Client, original: Original, what: str = "order", **fields: Any) -> Any:
    sent = {**STYLE, **SMALL, **FILM, "journey-kind": "zoom", "journey-each": 3, "journey-side": 640, **fields}
    sent = {name: value for name, value in sent.items() if value is not None}
    url = f"/studio/pictures/{original.key}/journey/{what}/"
    return client.post(url, sent, headers={"Accept": "application/json"})


def begun(client: Client, original: Original, **fields: Any) -> Journey:
    answer = asked(client, original, **fields)
    assert answer.status_code == 201, answer.content
    return Journey.objects.get()


def go(client: Client, journey: Journey, number: int, **fields: Any) -> Any:
    url = f"/studio/journeys/{journey.key}/go/"
    return client.post(url, {"from": number, **fields}, headers={"Accept": "application/json"})


def taken() -> Work:
    """The work whose turn it is."""
    work = queue.take()
    assert work is not None
    return work


def page_of(client: Client, journey: Journey) -> str:
    answer = client.get(journey.get_absolute_url())
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_journey_is_steered_and_made_a_film(client: Client, original: Original) -> None:
    assert 'name="journey-kind"' in client.get(original.get_absolute_url()).content.decode()
    Work.objects.all().delete()
    journey = begun(client, original)
    assert "Key frame 0 is on its way" in page_of(client, journey)
    worker.empty(STUDIO)
    assert "Where to go next?" in page_of(client, journey) and "Make the film" not in page_of(client, journey)
    assert go(client, journey, 0, x=0.1, y=0.9).status_code == 201
    worker.empty(STUDIO)
    assert go(client, journey, 1, x=0.5, y=0.5).status_code == 201
    worker.empty(STUDIO)
    first, second, third = journey.key_frames
    assert [one.state for one in (first, second, third)] == [State.DONE] * 3
    assert first.towards == [0.25, 0.75, 2.0], "as near to the edge as the next key frame fits"
    assert (first.width, first.height) == (64, 48)
    # Without the dream the second would be the lower left quarter of the first.
    quarter = pixels_of(first.picture)[24:, :32].mean(axis=(0, 1))
    assert np.abs(pixels_of(second.picture).mean(axis=(0, 1)) - quarter).max() < 40
    page = page_of(client, journey)
    assert page.count("?from=") == 3 and "Make the film" in page and second.thumbnail.url in page
    assert client.post(f"/studio/journeys/{journey.key}/film/", {"fps": 25, "seconds": 0.6}).status_code == 302
    assert "The film is being made" in page_of(client, journey)
    worker.empty(STUDIO)
    (film,) = journey.films
    assert film.state == State.DONE and film.gif
    with av.open(default_storage.open(film.mp4.name)) as container:
        stream = container.streams.video[0]
        count = sum(1 for _ in container.decode(video=0))
        assert (stream.width, stream.height, stream.average_rate) == (64, 48, 25)
    assert count == 2 * 15 + 50, "two steps of 0.6 s, and two seconds of the last"
    assert film.mp4.url in page_of(client, journey)
    assert film.mp4.url in client.get(film.get_absolute_url()).content.decode()
    assert film.get_absolute_url() in client.get("/studio/").content.decode()
    told = client.get(f"/studio/journeys/{journey.key}.json").json()
    assert [one["number"] for one in told["key_frames"]] == [0, 1, 2] and told["films"][0]["film"]
    # Another way from the beginning drops what came after it.
    assert go(client, journey, 0, x=0.9, y=0.1).status_code == 201
    worker.empty(STUDIO)
    assert [one.number for one in journey.key_frames] == [0, 1] and journey.key_frames[0].towards[0] == 0.75
    client.post(f"/studio/journeys/{journey.key}/delete/")
    assert not Journey.objects.exists() and Work.objects.get().pk == film.pk, "the film stays"


@pytest.mark.parametrize("what", ["begin", "go", "film", "music"])
def test_a_days_units_are_counted_and_spent_while_nobody_else_of_this_person_does(
    client: Client, original: Original, what: str
) -> None:
    if what != "begin":
        journey = begun(client, original)
        for number in range(2):
            done = journeys.new_key_frame(journey, number)
            done.state = State.DONE
            Work.objects.filter(journey=journey, number=number).delete()
            done.save()
        url = f"/studio/journeys/{journey.key}"
    with spends_under_the_persons_lock():
        if what == "begin":
            begun(client, original)
        elif what == "go":
            assert go(client, journey, 1, x=0.5, y=0.5).status_code == 201
        elif what == "film":
            client.post(f"{url}/film/", FILM)
        else:
            client.post(f"{url}/music/", {"music": SimpleUploadedFile("a.wav", b"sound"), **CREDIT})


@pytest.mark.parametrize(
    "fields",
    [
        {"journey-kind": "zoom", "journey-each": 2, "loop": "on"},
        {"journey-kind": "classes", "journey-things": "banana, fruit 3", "journey-each": 1},
    ],
)
def test_the_network_leads_a_journey_to_its_end_and_its_film_is_made(
    client: Client, original: Original, fields: dict[str, Any]
) -> None:
    price = asked(client, original, "price", **{"journey-led": "1", **fields}).json()
    assert price["key_frames"] == 2 and price["units"] > 0 and price["left"] > price["units"]
    journey = begun(client, original, **{"journey-led": "1", **fields})
    assert cost.spent(journey.owner_id) == pytest.approx(price["units"], abs=0.1), "all of it counts from the beginning"
    worker.empty(STUDIO)
    assert [one.state for one in journey.key_frames] == [State.DONE] * 3
    (film,) = journey.films
    assert film.state == State.DONE and all(one.towards for one in journey.key_frames[:2])
    journey.refresh_from_db()
    assert journey.reserved == 0 and cost.spent(journey.owner_id) == pytest.approx(price["units"], abs=0.1)
    with av.open(default_storage.open(film.mp4.name)) as container:
        pictures = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
    assert len(pictures) == (36 if fields.get("loop") else 72) == price["length"] * 24
    if fields.get("loop"):
        assert np.abs(pictures[-1] - pictures[0]).mean() < 30, "it ends where it began"


def test_through_the_layers(client: Client, original: Original) -> None:
    journey = begun(client, original, **{"journey-kind": "layers", "journey-each": 2, "layer": None})
    layers = [stage["terms"][0]["layer"] for stage in journey.stages]
    assert len(layers) > 1 and journey.title == "Through the layers" and journey.zoom == 1.25
    assert [journeys.plan_of(journey).target_at(n).terms[0].layer for n in (1, 3)] == layers[:2]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"journey-kind": "nowhere"}, "Where to"),
        ({"journey-kind": "classes", "journey-things": "banana"}, "two to twelve"),
        ({"journey-kind": "classes", "journey-things": "banana, bananana"}, "banana"),
        ({"journey-each": 400}, "Key frames"),
        ({"journey-side": 5000}, "Size"),
        ({"fps": 12}, "12"),
        ({"seconds": 0.01}, "0.5"),
        ({"layer": None}, "Choose a style first"),
        ({"recipe-octaves": 99}, "Octaves"),
    ],
)
def test_what_cannot_be_is_told_in_words(client: Client, original: Original, fields: dict[str, Any], said: str) -> None:
    for what in ("price", "order"):
        answer = asked(client, original, what, **fields)
        assert answer.status_code == 400 and said in answer.json()["detail"]
    assert not Journey.objects.exists() and not Work.objects.exists()


def test_a_journey_costs_its_key_frames_and_its_film_and_a_day_has_an_end(
    client: Client, original: Original, ada: User
) -> None:
    price = asked(client, original, "price", **{"journey-each": 60, "seconds": 20}).json()
    film = cost.film(60 * 480 + 48, 48, 64)
    assert price["units"] == pytest.approx(film + 61 * cost.LEAST, rel=0.01)
    Work.objects.create(owner=ada, kind=Kind.DREAM, network="tiny", units=cost.allowance(ada.pk) - 1)
    answer = asked(client, original, **{"journey-led": "1", "journey-each": 60, "seconds": 20})
    assert answer.status_code == 429 and "left today" in answer.json()["detail"]
    journey = begun(client, original)
    jobs_before = Work.objects.count()
    Work.objects.filter(journey=journey).update(state=State.DONE)
    assert go(client, journey, 0, ahead=60).status_code == 429
    assert Work.objects.count() == jobs_before, "nothing was dropped"


def test_only_its_maker_sees_and_steers_a_journey(client: Client, original: Original) -> None:
    journey = begun(client, original)
    stranger = Client()
    stranger.force_login(User.objects.create_user("eve", password="hunter2 hunter2"))
    assert stranger.get(journey.get_absolute_url()).status_code == 404
    assert stranger.get(f"/studio/journeys/{journey.key}.json").status_code == 404
    for act in ("go", "film", "stop", "delete"):
        assert stranger.post(f"/studio/journeys/{journey.key}/{act}/", {"from": 0, "x": 1, "y": 1}).status_code == 404
    for sent in ({}, {"from": "x"}, {"from": 0, "x": "nan", "y": 0}, {"from": 0, "x": 2, "y": 0}):
        assert client.post(f"/studio/journeys/{journey.key}/go/", sent).status_code == 302
    assert go(client, journey, 7, x=0, y=0).status_code == 409


# --- killed, stopped, in turn ----------------------------------------------------------------------------------------


def test_killed_at_any_instant_a_journey_is_made_once_and_right(
    client: Client, original: Original, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    journey = begun(client, original, **{"journey-led": "1", "journey-each": 2})
    whole = [one.pk for one in Work.objects.all()]
    for number in (0, 1, 2):  # killed at each key frame: its worker's heartbeat is gone
        Work.objects.filter(number=number).update(state=State.RUNNING, holder="dead", attempts=1)
        with heartbeats.sending():
            periodic_tasks.take_up()
        jobs.run(taken(), queue.submit)
    assert [one.state for one in journey.key_frames] == [State.DONE] * 3 and len(whole) == 1
    # Killed in the middle of the film: the pieces that are whole are not made again.
    real, made = encode.segment, []

    def dies(*args: Any, **options: Any) -> None:
        if len(made) == 1:
            stopping.set()
        made.append(args[1].index)
        real(*args, **options)

    monkeypatch.setattr(encode, "segment", dies)
    try:
        with pytest.raises(BaseException, match="worker ends"):
            jobs.run(taken(), queue.submit)
    finally:
        stopping.clear()
    assert made == [0, 1] and journey.films[0].state == State.WAITING
    settings.VAR_DIR = (
        tmp_path / "another machine's"
    )  # which has the storage in common with the first, and nothing else
    worker.empty(STUDIO)
    assert made == [0, 1, 1, 2] and journey.films.get().state == State.DONE
    assert journey.key_frames.count() == 3
    stored = set(default_storage.listdir("studio")[1])
    named = {Path(file.name).name for work in Work.objects.all() for file in work.files}
    assert named <= stored and len(stored - named) == 0, "and nothing else is left behind"


def test_a_long_film_gives_way_to_others_and_goes_on(client: Client, original: Original) -> None:
    journey = begun(client, original, **{"journey-led": "1", "journey-each": 3})
    while journey.key_frames.filter(state=State.DONE).count() < 4:
        jobs.run(taken(), queue.submit)
    bob = User.objects.create_user("bob", password="hunter2 hunter2")
    other = Work.objects.create(owner=bob, kind=Kind.LESSON, network="tiny", original=original, units=0.2)
    claimed = claim(Work, journey.films.get().pk)
    assert claimed and jobs.run(claimed, queue.submit), "it needs another turn"
    film = journey.films.get()
    assert film.state == State.WAITING and 0 < film.fraction < 1
    assert [work.pk for work in queue.in_order()] == [other.pk, film.pk]
    claimed = claim(Work, film.pk)  # its turn again, and the other still waits
    assert claimed and jobs.run(claimed, queue.submit)
    assert journey.films.get().fraction > film.fraction, "each turn brings it further"
    worker.empty(STUDIO)
    queue.turn.func()
    queue.turn.func()
    assert journey.films.get().state == State.DONE


def test_a_journey_that_is_stopped_keeps_what_there_is(client: Client, original: Original) -> None:
    journey = begun(client, original, **{"journey-led": "1", "journey-each": 3})
    jobs.run(taken(), queue.submit)
    assert client.post(f"/studio/journeys/{journey.key}/stop/").status_code == 302
    worker.empty(STUDIO)
    journey.refresh_from_db()
    assert [one.number for one in journey.key_frames] == [0] and journey.reserved == 0 and not journey.films.exists()


def test_a_key_frame_that_fails_says_why_and_another_way_is_open(client: Client, original: Original) -> None:
    journey = begun(client, original)
    default_storage.delete(original.picture.name)
    worker.empty(STUDIO)
    failed = journey.key_frames.get()
    assert failed.state == State.FAILED and failed.message
    assert "did not begin" in page_of(client, journey)


def test_key_frames_go_after_a_week_and_films_stay(client: Client, original: Original) -> None:
    journey = begun(client, original, **{"journey-led": "1", "journey-each": 1})
    worker.empty(STUDIO)
    film = journey.films.get()
    Work.objects.update(created_at=timezone.now() - timedelta(days=8))
    Journey.objects.update(created_at=timezone.now() - timedelta(days=8))
    periodic_tasks.forget()
    assert not Journey.objects.exists() and Work.objects.get().pk == film.pk
    assert client.get(film.get_absolute_url()).status_code == 200


# --- what the studio was made for ------------------------------------------------------------------------------------


def test_static_becomes_a_banana(client: Client, settings: Any) -> None:
    settings.HOUSE_MODEL, settings.DREAM_MODEL = True, "house"
    small = np.random.default_rng(3).normal(128, 40, (96, 96, 3)).clip(0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(small).save(buffer, "PNG")
    client.post("/studio/noise/")
    original = Original.objects.get()
    original.works.all().delete()
    original.picture = default_storage.save("studio/small.png", ContentFile(buffer.getvalue()))
    original.width = original.height = 96
    original.save()
    sent = {"kind": "dream", "network": "house", "label": "banana", "title": "banana", "depth": 2, "size": 1}
    assert client.post(f"/studio/pictures/{original.key}/order/", sent).status_code == 302
    worker.empty(STUDIO)
    work = Work.objects.dreams().get()
    assert work.state == State.DONE, work.message
    before, after = (
        [label for label, _chance in seen_in(network_of("house"), pixels_of(file).astype(np.uint8), 10)]
        for file in (original.picture, work.picture)
    )
    assert "banana" in after[:2] and "banana" not in before


def test_a_bison_goes_through_forty_steps_as_a_gif(client: Client) -> None:
    rows, columns = np.mgrid[0:60, 0:80]
    bison = np.full((60, 80, 3), (190, 180, 150), np.uint8)  # a dark hump and a head on pale ground
    bison[((columns - 36) / 24) ** 2 + ((rows - 32) / 15) ** 2 < 1] = (70, 45, 30)
    bison[((columns - 62) / 9) ** 2 + ((rows - 36) / 9) ** 2 < 1] = (50, 30, 20)
    buffer = io.BytesIO()
    Image.fromarray(bison).save(buffer, "PNG")
    client.post("/studio/upload/", {"picture": SimpleUploadedFile("bison.png", buffer.getvalue(), "image/png")})
    original = Original.objects.get()
    original.works.all().delete()
    fields = {"recipe-octaves": 4, "recipe-iterations": 10, "recipe-min_size": 24, "recipe-taper": 1}
    sent = {"kind": "dream", **STYLE, **fields}
    assert client.post(f"/studio/pictures/{original.key}/order/", sent).status_code == 302
    worker.empty(STUDIO)
    work = Work.objects.dreams().get()
    with default_storage.open(work.gif.name) as file, Image.open(file) as gif:
        steps = gif.n_frames
    octaves = len(cost.octave_sizes(60, 80, 4, 1.4, 32, 1.0))
    assert steps == 1 + 10 * octaves, "the picture, and each step of the dream on it"


# --- music -----------------------------------------------------------------------------------------------------------

CREDIT = {"title": "Night", "author": "Ada Lovelace", "licence": "CC BY 4.0", "link": "https://example.org/night"}


def test_music_is_heard_under_a_journey_and_credited(client: Client, original: Original, tmp_path: Path) -> None:
    journey = begun(client, original, **{"journey-led": "1", "journey-each": 1})
    worker.empty(STUDIO)
    url, data = f"/studio/journeys/{journey.key}/music/", tone(tmp_path / "a.wav").read_bytes()

    def sent(content: bytes, **fields: Any) -> str:
        file = SimpleUploadedFile("night.wav", content, "audio/wav")
        assert client.post(url, {"music": file, **CREDIT, **fields}).status_code == 302
        return html.unescape(client.get(url.removesuffix("music/")).content.decode())

    def read(content: bytes) -> str:
        page, work = sent(content), journey.readings.get()
        assert 'data-part="music"' in page and default_storage.size(work.upload.name) == len(content)
        assert [one["key"] for one in client.get(f"/studio/journeys/{journey.key}.json").json()["music"]] == [work.key]
        worker.empty(STUDIO)
        delete_pending()  # a test never comes to the end of its transaction
        assert not default_storage.exists(work.upload.name)
        return html.unescape(client.get(url.removesuffix("music/")).content.decode())

    for fields in ({"title": ""}, {"author": " "}, {"licence": ""}, {"link": ""}, {"link": "javascript:alert(1)"}):
        sent(data, **fields)
        assert not journey.readings.exists(), "all of the credit is required"
    assert "no sound we can read" in read(b"<html>") and not Music.objects.exists()
    assert "“Night” by Ada Lovelace, CC BY 4.0" in read(data)
    assert client.post(f"/studio/journeys/{journey.key}/film/", {**FILM, "follow": "on"}).status_code == 302
    worker.empty(STUDIO)
    film = journey.films.first()
    assert film and film.state == State.DONE, film and film.message
    with av.open(default_storage.open(film.mp4.name)) as container:
        sound = sum(frame.samples for frame in container.decode(audio=0)) / 48_000
        container.seek(0)
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(pictures) == 12 + 48 + 96 and sound == pytest.approx(len(pictures) / 24, abs=0.06)
    assert np.median(pictures[-1]) < 30, "the end card"
    page = html.unescape(Client().get(film.get_absolute_url()).content.decode())
    assert "“Night” by Ada Lovelace, CC BY 4.0" in page and CREDIT["link"] in page
    stored = Music.objects.get().file.name
    client.post(url, {"remove": "1"})
    assert not Music.objects.exists() and stored
    Work.objects.update(seen_at=None)
    assert "dreams of yours have ended." in client.get("/history/").content.decode()
    client.get(journey.get_absolute_url())
    assert "have ended." not in client.get("/history/").content.decode(), "its films were seen on the journey's page"


def test_the_request_opens_no_music_and_stores_one_at_a_time(
    client: Client, original: Original, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journey = begun(client, original, **{"journey-led": "1", "journey-each": 1})
    url = f"/studio/journeys/{journey.key}/music/"
    monkeypatch.setattr("dreamer.film.sandbox.run", None)  # whatever would open it

    def sent() -> str:
        file = SimpleUploadedFile("night.wav", b"whatever it is", "audio/wav")
        return client.post(url, {"music": file, **CREDIT}, follow=True).content.decode()

    sent()
    work = journey.readings.get()
    assert default_storage.exists(work.upload.name) and "Other music is being read" in sent()
    assert Client().get(work.get_absolute_url()).status_code == 404, "it is nobody else's"
    assert client.get(work.get_absolute_url())["Location"] == journey.get_absolute_url()
    client.post(url, {"remove": "1"})
    assert journey.readings.get().state == State.CANCELLED
    monkeypatch.setattr("gallery.studio.cost.DAILY", ((0, 0.0),))
    assert "units" in sent() and journey.readings.get().pk == work.pk
