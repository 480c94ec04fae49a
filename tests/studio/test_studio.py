"""The studio from outside: upload a picture, pick, dream, show; whose turn it is; what becomes of what was uploaded."""

from __future__ import annotations

import base64
import html
import io
import json
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from canvas.models import Canvas, CleanHours, Dream
from dreamer.engine import Recipe, ranking
from dreamer.engine.film import fit
from dreamer.engine.pictures import read_recipe
from dreamsite.core.models import User
from dreamsite.core.tasks import STUDIO, heartbeats, stopping, worker
from dreamsite.core.tasks.jobs import State, claim
from gallery.jobs import files
from gallery.studio import cost, jobs, periodic_tasks, queue, watch
from gallery.studio.forms import settings_of
from gallery.studio.models import Original, Spent, Work
from gallery.uploads import pictures
from tests.dreamer import nets
from tests.studio.statements import spends_under_the_persons_lock

Kind = Work.Kind


@pytest.fixture(autouse=True)
def house(settings: Any, tmp_path: Path, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MEDIA_ROOT, settings.MODELS_DIR = tmp_path / "media", tmp_path / "models"
    settings.DREAM_THREADS, settings.HOUSE_MODEL = 1, True
    monkeypatch.setattr(jobs, "SHEET", 2)  # styles tried; what a person gets is tested once, below


def photograph(width: int = 120, height: int = 90, **how: Any) -> SimpleUploadedFile:
    """A sky, a hill and some noise."""
    rows, columns = np.mgrid[0:height, 0:width]
    pixels = np.stack([rows * 2 % 256, columns * 2 % 256, np.full_like(rows, 200)], axis=2).astype(np.uint8)
    pixels[height // 2 :, :, 1] = 160
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, how.pop("format", "JPEG"), **how)
    return SimpleUploadedFile("holiday.jpg", buffer.getvalue(), "image/jpeg")


def uploaded(client: Client, **more: Any) -> Original:
    response = client.post("/studio/upload/", {"picture": photograph(), **more}, headers={"Accept": "application/json"})
    assert response.status_code == 201, response.content
    return Original.objects.get(key=response.json()["url"].split("/")[-2])


def picked(client: Client, original: Original, kind: str = "dream", **fields: Any) -> Any:
    style = original.styles["house"][0]
    data = {"kind": kind, "network": "house", "depth": 1, "size": 1, **style, **fields}
    data = {name: value for name, value in data.items() if value is not None}
    return client.post(f"/studio/pictures/{original.key}/order/", data, headers={"Accept": "application/json"})


@pytest.fixture
def original(client: Client) -> Original:
    """A picture with its sheet tried."""
    found = uploaded(client)
    worker.empty(STUDIO)
    found.refresh_from_db()
    return found


def test_a_picture_is_uploaded_and_twelve_styles_are_tried_on_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "SHEET", 12)
    original = uploaded(client)
    worker.empty(STUDIO)
    original.refresh_from_db()
    assert len(original.styles["house"]) > jobs.SHEET
    answer = client.get(f"/studio/pictures/{original.key}.json").json()
    assert len(answer["sketches"]) == jobs.SHEET
    for sketch in answer["sketches"]:
        assert sketch["state"] == "done" and sketch["thumbnail"]
    page = client.get(original.get_absolute_url())
    assert page.status_code == 200 and answer["sketches"][0]["key"] in page.content.decode()
    assert client.post(f"/studio/pictures/{original.key}/order/", {"kind": "more"}).status_code == 302
    worker.empty(STUDIO)
    assert len(client.get(f"/studio/pictures/{original.key}.json").json()["sketches"]) > jobs.SHEET


def test_a_dream_is_made_and_has_its_picture_steps_and_recipe(client: Client, original: Original) -> None:
    response = picked(client, original, depth=3, size=3)
    assert response.status_code == 201 and response.json()["ahead"] == 0
    url = response.json()["url"]
    assert b"Waiting" in client.get(url).content
    worker.empty(STUDIO)
    work = Work.objects.dreams().get()
    assert (work.state, work.width, work.height) == (State.DONE, 120, 90)
    with default_storage.open(work.picture.name) as file, Image.open(file) as image:
        assert image.size == (120, 90)
    with default_storage.open(work.gif.name) as file, Image.open(file) as gif:
        assert gif.n_frames > 3
    assert work.mp4.size > 500 and work.seconds > 0 and work.growing is None
    path = Path(default_storage.path(work.picture.name))
    assert Recipe.from_json(read_recipe(path)) == Recipe.from_json(work.recipe), "the recipe travels in the file"
    page = client.get(url).content.decode()
    for shown in (work.picture.url, work.gif.url, work.mp4.url, original.picture.url, "Print at 300 dpi"):
        assert shown in page


def test_more_styles_are_tried_the_next_ones_or_one_by_chance(
    client: Client, original: Original, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = f"/studio/pictures/{original.key}/order/"
    asked = {"kind": "surprise", "network": "house"}
    (key,) = client.post(order, asked, headers={"Accept": "application/json"}).json()["keys"]
    tried = original.works.filter(kind=Kind.SKETCH).count()
    assert tried == jobs.SHEET + 1 and original.works.get(key=key).state == State.WAITING
    more = client.post(order, {"kind": "more", "network": "house"}, headers={"Accept": "application/json"})
    assert len(more.json()["keys"]) == jobs.SHEET and key not in more.json()["keys"]
    styles = [(one.recipe["target"]["terms"][0]["layer"], one.title) for one in original.works.filter(kind=Kind.SKETCH)]
    assert len(styles) == len(set(styles)), "nothing is tried twice"
    monkeypatch.setattr(cost, "DAILY", ((0, 0.1),))
    assert client.post(order, asked, headers={"Accept": "application/json"}).status_code == 429


def test_every_page_says_that_a_dream_has_ended_until_its_maker_has_seen_it(client: Client, original: Original) -> None:
    key = picked(client, original).json()["key"]
    words = "is done."
    assert words not in client.get("/history/").content.decode()
    worker.empty(STUDIO)
    page = client.get("/history/").content.decode()
    assert words in page and f"/studio/dreams/{key}/" in page
    assert words not in Client().get("/history/").content.decode()
    assert client.get(f"/studio/dreams/{key}.json").status_code == 200, "asking a program is not seeing it"
    assert words in client.get("/history/").content.decode()
    assert words not in client.get(f"/studio/dreams/{key}/").content.decode()
    assert words not in client.get("/history/").content.decode()
    # Several at once are one notice, which leads to all of them.
    Work.objects.dreams().update(seen_at=None, state=State.FAILED)
    assert "failed." in client.get("/history/").content.decode()
    Work.objects.create(
        owner=original.owner, kind=Kind.DREAM, network="house", state=State.DONE, finished_at=timezone.now()
    )
    assert "2 dreams of yours have ended." in client.get("/history/").content.decode()
    assert "have ended" not in client.get("/studio/").content.decode(), "they are on this page"
    assert "have ended" not in client.get("/history/").content.decode()


def test_the_steps_are_a_strip_of_pictures(client: Client, original: Original) -> None:
    key = picked(client, original, **{"recipe-octaves": 2, "recipe-iterations": 4, "recipe-taper": 1}).json()["key"]
    worker.empty(STUDIO)
    work = Work.objects.get(key=key)
    with work.strip.open("rb") as file, Image.open(file) as strip:
        height, width = fit(original.height, original.width, jobs.STRIP_SIDE)
        assert strip.size == (8 * width, height), "a picture for each step"
        pixels = np.asarray(strip.convert("RGB")).astype(int)
    first, last = pixels[:, :width], pixels[:, -width:]
    assert np.abs(first - last).mean() > 2, "from the first step to the last"
    page = client.get(work.get_absolute_url()).content.decode()
    assert work.strip.url in page and jobs.STRIP_MOST >= 12
    client.post(f"/studio/dreams/{key}/delete/")
    assert not Work.objects.filter(key=key).exists()


def test_previews_replace_each_other(client: Client, original: Original) -> None:
    for depth in (1, 2, 3):
        assert picked(client, original, "preview", depth=depth).status_code == 201
    states = list(Work.objects.filter(kind=Kind.PREVIEW).order_by("pk").values_list("state", flat=True))
    assert states == [State.CANCELLED, State.CANCELLED, State.WAITING]
    worker.empty(STUDIO)
    assert Work.objects.filter(kind=Kind.PREVIEW, state=State.DONE).count() == 1


def test_a_small_version_first_and_the_whole_picture_after_it(
    client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    original = uploaded(client, small="1")
    worker.empty(STUDIO)
    original.refresh_from_db()
    assert picked(client, original).status_code == 409
    small = original.picture.name
    url = f"/studio/pictures/{original.key}/full/"
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(url, {"picture": photograph(400, 300)}).status_code == 200
    original.refresh_from_db()
    assert (original.width, original.height, original.complete) == (400, 300, True)
    assert not default_storage.exists(small)
    assert picked(client, original).status_code == 201


def test_what_is_dreamed_on_and_shown_is_never_another_picture(
    client: Client, original: Original, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, before = f"/studio/pictures/{original.key}/full/", default_storage.listdir("uploads")[1]

    def comes() -> None:
        answer = client.post(url, {"picture": photograph(400, 300)}, headers={"Accept": "application/json"})
        assert answer.status_code == 409 and "here already" in answer.json()["detail"]
        now = Original.objects.get()
        assert (now.picture, now.width, now.height) == (original.picture, original.width, original.height)
        assert default_storage.listdir("uploads")[1] == before, "what is refused leaves no file"

    comes()
    Original.objects.update(complete=False)
    clean = pictures.clean

    def meanwhile(*args: Any, **how: Any) -> pictures.CleanedPicture:
        Original.objects.update(complete=True)  # another one comes while this one is read
        return clean(*args, **how)

    monkeypatch.setattr(pictures, "clean", meanwhile)
    comes()


def test_where_it_was_taken_is_gone(client: Client) -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "a secret place", 6
    response = client.post("/studio/upload/", {"picture": photograph(exif=exif.tobytes())})
    assert response.status_code == 302
    original = Original.objects.get()
    with default_storage.open(original.picture.name) as file:
        data = file.read()
    assert b"secret" not in data and (original.width, original.height) == (90, 120), "turned as its EXIF says"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_what_moves_the_first_picture_is_taken(client: Client, kind: str) -> None:
    red, blue = (Image.new("RGB", (60, 40), colour) for colour in ("red", "blue"))
    buffer = io.BytesIO()
    red.save(buffer, kind, save_all=True, append_images=[blue], duration=100, loop=0)
    file = SimpleUploadedFile("moving", buffer.getvalue())
    assert client.post("/studio/upload/", {"picture": file}).status_code == 302
    middle = pixels_of(Original.objects.get().picture)[20, 30]
    assert middle[0] > 200 and middle[2] < 60


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a" + bytes(60), b"\xff\xd8\xff" + bytes(100), b"<svg/>", b"\x89PNG\r\n\x1a\n" + bytes(9)]
)
def test_what_is_no_picture_is_told_so_and_leaves_nothing(client: Client, data: bytes) -> None:
    file = SimpleUploadedFile("x.jpg", data, "image/jpeg")
    response = client.post("/studio/upload/", {"picture": file}, headers={"Accept": "application/json"})
    assert response.status_code == 422 and len(response.json()["detail"]) > 20
    assert not Original.objects.exists() and not Work.objects.exists()


def test_static_and_a_frame_of_the_canvas_can_be_dreamed_on(client: Client) -> None:
    assert client.post("/studio/noise/").status_code == 302
    worker.empty(STUDIO)
    assert Work.objects.filter(kind=Kind.SKETCH, state=State.DONE).count() == jobs.SHEET
    assert Work.objects.filter(state=State.FAILED).count() == 0


# --- a mask, a class, a guide ----------------------------------------------------------------------------------------


def painted(width: int = 60, height: int = 45, *, spared: slice = slice(0, 30)) -> str:
    """A mask as the page sends it: black, and so spared, in these columns."""
    pixels = np.full((height, width), 255, np.uint8)
    pixels[:, spared] = 0
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert("RGBA").save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def pixels_of(file: Any) -> Any:
    with file.open("rb") as opened, Image.open(opened) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def test_what_is_spared_stays_and_the_rest_is_dreamed(client: Client, original: Original) -> None:
    key = picked(client, original, depth=3, size=3, mask=painted()).json()["key"]
    worker.empty(STUDIO)
    work = Work.objects.get(key=key)
    before, after = pixels_of(original.picture), pixels_of(work.picture)
    change = np.abs(after - before).mean(axis=(0, 2))
    # Both are JPEGs: some levels either way, and the mask is soft at its edge.
    assert change[:54].max() < 6 and change[66:].mean() > 10
    page = client.get(work.get_absolute_url()).content.decode()
    assert f"--mask {key}-mask.png" in page
    mask = client.get(f"/studio/dreams/{key}/mask.png")
    with Image.open(io.BytesIO(mask.content)) as image:
        assert (image.size, image.mode) == ((60, 45), "L")
    assert Client().get(f"/studio/dreams/{key}/mask.png").status_code == 302


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        ("data:image/png;base64,!!", "could not be read"),
        ("data:image/svg+xml,<svg/>", "could not be read"),
        ("data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode(), "could not be read"),
        (painted(2000, 10), "could not be read"),
        (painted(spared=slice(0, 60)), "nothing to dream on"),
    ],
)
def test_a_mask_that_is_none_is_refused_in_words(client: Client, original: Original, mask: str, said: str) -> None:
    response = picked(client, original, mask=mask)
    assert response.status_code == 400 and said in response.json()["detail"]
    assert not Work.objects.dreams().exists()


def test_a_mask_that_spares_nothing_is_none(client: Client, original: Original) -> None:
    assert picked(client, original, mask=painted(spared=slice(0, 0))).status_code == 201
    assert Work.objects.dreams().get().mask is None


def test_a_class_is_found_by_its_name_and_dreamed(client: Client, original: Original) -> None:
    answer = client.get("/studio/classes.json", {"network": "house", "q": "do"}).json()
    assert "dog" in answer["labels"] and answer["count"] > len(answer["labels"])
    response = picked(client, original, layer=None, channel=None, title=None, label="dog")
    assert response.status_code == 201, response.content
    worker.empty(STUDIO)
    work = Work.objects.dreams().get()
    assert (work.state, work.title) == (State.DONE, "dog")
    ((term,),) = [work.recipe["target"]["terms"]]
    files = jobs.registry().get("house")
    assert term == {"layer": files.info.logits, "channels": [[files.labels.index("dog"), 1.0]]}
    response = picked(client, original, layer=None, channel=None, label="dgo")
    assert response.status_code == 400 and "dog" in response.json()["detail"], "the nearest are named"
    assert picked(client, original, layer=None, channel=None).status_code == 400


def test_a_class_grows_out_of_static_by_a_recipe_of_its_own(client: Client) -> None:
    client.post("/studio/noise/")
    original = Original.objects.get()
    for on, rotate in ((original, 8.0), (uploaded(client), 0.0)):
        fields = {"kind": "preview", "network": "house", "label": "dog", "depth": 3, "size": 3}
        assert client.post(f"/studio/pictures/{on.key}/order/", fields).status_code == 302
        assert Work.objects.filter(original=on, kind=Kind.PREVIEW).get().recipe["rotate"] == rotate


def test_another_picture_guides_a_dream(client: Client, original: Original, ada: User) -> None:
    sent = {"picture": photograph(64, 64), "guide": "1"}
    answer = client.post("/studio/upload/", sent, headers={"Accept": "application/json"})
    assert answer.status_code == 201 and not Work.objects.filter(kind=Kind.SHEET, state=State.WAITING).exists()
    guide = Original.objects.get(key=answer.json()["key"])
    assert guide.picture.url in client.get(original.get_absolute_url()).content.decode()
    assert picked(client, original, guide=guide.key).status_code == 201
    assert picked(client, original).status_code == 201
    worker.empty(STUDIO)
    guided, free = Work.objects.dreams().order_by("pk")
    assert guided.recipe["target"]["terms"][0]["guide"] == "match" and guided.state == free.state == State.DONE
    assert np.abs(pixels_of(guided.picture) - pixels_of(free.picture)).mean() > 1
    assert picked(client, original, layer=None, channel=None, label="dog", guide=guide.key).status_code == 400
    others = Original.objects.create(
        owner=User.objects.create_user("eve", password="hunter2 hunter2"), picture=guide.picture.name, width=1, height=1
    )
    assert picked(client, original, guide=others.key).status_code == 400, "only pictures of one's own"


def test_a_guide_that_is_gone_is_told_in_words(client: Client, original: Original) -> None:
    guide = uploaded(client)
    key = picked(client, original, guide=guide.key).json()["key"]
    guide.works.all().delete()
    guide.delete()
    worker.empty(STUDIO)
    work = Work.objects.get(key=key)
    assert work.state == State.FAILED and "guide" in work.message


def test_one_picture_in_several_networks(client: Client, settings: Any) -> None:
    folder = nets.register_tiny(settings.MODELS_DIR)
    styles = [{"layer": "block/output", "channel": n, "title": f"Style {n}"} for n in range(3)]
    (folder / "shelf.json").write_text(json.dumps(styles))
    original = uploaded(client)
    worker.empty(STUDIO)
    url = f"/studio/pictures/{original.key}/compare/"
    assert url in client.get(original.get_absolute_url()).content.decode()
    page = client.get(url).content.decode()
    assert "Not tried yet" in page and "Try them all" in page and "data-open" not in page
    assert client.post(url + "order/").status_code == 302
    assert "data-open" in client.get(url).content.decode()
    worker.empty(STUDIO)
    page = client.get(url).content.decode()
    assert "data-open" not in page and "Try them all" not in page
    for network in ("house", "tiny"):
        sketches = Work.objects.filter(kind=Kind.SKETCH, network=network)
        assert len(sketches) == jobs.SHEET and all(f"pick={sketch.key}" in page for sketch in sketches)
    # The same class in each: tiny knows no dog.
    page = client.get(url, {"class": "dog"}).content.decode()
    assert "It does not know “dog”" in page
    assert client.post(url + "order/", {"class": "dog"})["Location"] == url + "?class=dog"
    worker.empty(STUDIO)
    (dog,) = Work.objects.filter(kind=Kind.SKETCH, title="dog")
    assert (dog.network, dog.state) == ("house", State.DONE)
    assert f"pick={dog.key}" in client.get(url, {"class": "dog"}).content.decode()
    assert client.post(url + "order/", {"class": "dog"}).status_code == 302
    assert Work.objects.filter(title="dog").count() == 1, "nothing is tried twice"


# --- whose is what ---------------------------------------------------------------------------------------------------


def test_only_the_owner_acts_and_only_who_has_the_link_sees(client: Client, original: Original) -> None:
    picked(client, original)
    worker.empty(STUDIO)
    work = Work.objects.dreams().get()
    stranger, anybody = Client(), Client()
    stranger.force_login(User.objects.create_user("eve", password="hunter2 hunter2"))
    assert stranger.get(original.get_absolute_url()).status_code == 404
    for action in ("cancel", "show", "delete"):
        assert stranger.post(f"/studio/dreams/{work.key}/{action}/").status_code == 404
    page = anybody.get(work.get_absolute_url()).content.decode()
    assert work.picture.url in page and original.picture.url not in page and "noindex" in page
    assert work.picture.url not in anybody.get("/dreams/").content.decode()
    assert anybody.get("/studio/").status_code == 200


def test_a_newcomers_dream_is_shown_when_a_moderator_says_so(client: Client, original: Original, ada: User) -> None:
    picked(client, original)
    worker.empty(STUDIO)
    work = Work.objects.dreams().get()
    show = f"/studio/dreams/{work.key}/show/"
    assert client.post(show, {"caption": "My hill", "licence": "CC BY 4.0"}).status_code == 302
    assert b"My hill" not in Client().get("/dreams/").content
    Work.objects.update(published_at=timezone.now())
    assert b"My hill" in Client().get("/dreams/").content
    client.post(show, {"take_back": "1"})
    assert b"My hill" not in Client().get("/dreams/").content
    CleanHours.objects.create(user=ada, hours=1000)
    client.post(show, {"caption": "My hill", "show_before": "on"})
    assert b"My hill" in Client().get("/dreams/").content
    assert original.picture.url in Client().get(work.get_absolute_url()).content.decode()
    Work.objects.update(hidden_at=timezone.now())
    assert b"My hill" not in Client().get("/dreams/").content
    assert Client().get(work.get_absolute_url()).status_code == 404


def test_what_is_deleted_is_gone_with_its_files(
    client: Client, original: Original, django_capture_on_commit_callbacks: Any
) -> None:
    picked(client, original)
    worker.empty(STUDIO)
    work = Work.objects.dreams().get()
    names = [file.name for file in work.files] + [original.picture.name]
    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"/studio/pictures/{original.key}/delete/")
    work.refresh_from_db()
    assert work.original is None and default_storage.exists(work.picture.name)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"/studio/dreams/{work.key}/delete/")
    assert not any(default_storage.exists(name) for name in names)


def test_originals_go_after_a_week_unless_they_are_kept(client: Client, original: Original) -> None:
    kept = uploaded(client)
    client.post(f"/studio/pictures/{kept.key}/keep/", {"keep": "1"})
    Original.objects.update(created_at=timezone.now() - timedelta(days=8))
    periodic_tasks.forget()
    assert list(Original.objects.values_list("key", flat=True)) == [kept.key]


# --- whose turn it is ------------------------------------------------------------------------------------------------


def waiting(owner: User, units: float, count: int = 1) -> list[Work]:
    return [Work.objects.create(owner=owner, kind=Kind.DREAM, network="house", units=units) for _ in range(count)]


def test_everybodys_first_small_work_is_done_before_anybodys_third() -> None:
    people = [User.objects.create_user(f"p{n}", password="hunter2 hunter2") for n in range(50)]
    greedy = people[0]
    waiting(greedy, 5.0, 20)
    for person in people[1:]:
        waiting(person, 5.0, 3)
    order = [work.owner_id for work in queue.in_order()]
    assert len(order) == 20 + 49 * 3
    third = min(i for i, owner in enumerate(order) if order[: i + 1].count(owner) == 3)
    assert set(order[:third]) == {person.pk for person in people}


def test_of_one_person_the_smallest_is_first_and_nobody_starves(ada: User) -> None:
    large, small = waiting(ada, 100.0)[0], waiting(ada, 1.0)[0]
    assert [work.pk for work in queue.in_order()] == [small.pk, large.pk]
    others = [User.objects.create_user(f"p{n}", password="hunter2 hunter2") for n in range(3)]
    for other in others:
        waiting(other, 60.0, 4)
    order = [work.pk for work in queue.in_order()]
    assert order.index(large.pk) < len(order) - 1


def test_the_place_in_the_queue_counts_what_really_comes_before(ada: User) -> None:
    mine = waiting(ada, 4.0)[0]
    other = User.objects.create_user("bob", password="hunter2 hunter2")
    waiting(other, 2.0, 3)
    count, seconds = queue.ahead(mine)
    assert count <= 2 and seconds >= (4.0 + 2.0 * count) / cost.USUAL_SPEED - 1e-6


def test_a_day_has_an_end_and_says_so(client: Client, original: Original, ada: User) -> None:
    waiting(ada, cost.allowance(ada.pk))
    response = picked(client, original)
    assert response.status_code == 429 and "left today" in response.json()["detail"]
    CleanHours.objects.create(user=ada, hours=1000)
    assert picked(client, original).status_code == 201


@pytest.mark.parametrize("what", ["upload", "noise", "preview", "dream", "more", "compare", "explain", "styles"])
def test_a_days_units_are_counted_and_spent_while_nobody_else_of_this_person_does(
    client: Client, original: Original, settings: Any, what: str
) -> None:
    nets.register_tiny(settings.MODELS_DIR)
    address = f"/studio/pictures/{original.key}/"
    with spends_under_the_persons_lock():
        if what in ("preview", "dream"):
            picked(client, original, what)
        elif what == "upload":
            uploaded(client)
        elif what == "more":
            original.works.filter(kind=Kind.SKETCH).delete()
            client.post(address + "order/", {"kind": "more", "network": "house"})
        elif what == "styles":
            client.get(address, {"network": "tiny"})
        else:
            paths = {
                "noise": "/studio/noise/",
                "compare": address + "compare/order/",
                "explain": "/studio/explained/order/",
            }
            client.post(paths[what])


def test_what_was_stored_and_deleted_under_a_worker_that_stood_still_is_made_again(
    client: Client, original: Original, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, real = picked(client, original).json()["key"], jobs._done
    work = Work.objects.get(key=key)

    def stands_still(*rest: Any) -> Any:
        """Until another worker takes it for dead, and deletes what it had not named yet."""
        done = real(*rest)
        with monkeypatch.context() as other:
            other.setattr(files, "WORKER", "another")
            files.delete_pending()
        return done

    with monkeypatch.context() as once:
        once.setattr(jobs, "_done", stands_still)
        claimed = claim(Work, work.pk)
        assert claimed
        with pytest.raises(files.FilesLost):
            jobs.run(claimed, queue.submit)
    work.refresh_from_db()
    assert work.state == State.WAITING and not work.files, "no row names what is gone"
    worker.empty(STUDIO)
    work.refresh_from_db()
    assert work.state == State.DONE and all(default_storage.exists(file.name) for file in work.files)


def test_a_picture_whose_styles_cost_too_much_today_says_so(
    client: Client, original: Original, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "You have dreamed enough today."
    assert words not in client.get(original.get_absolute_url()).content.decode()
    Original.objects.update(styles={})
    Work.objects.all().delete()
    monkeypatch.setattr(cost, "DAILY", ((0, 0.1),))
    assert words in client.get(original.get_absolute_url()).content.decode()
    assert not Work.objects.exists()
    answer = client.post("/studio/upload/", {"picture": photograph()}, headers={"Accept": "application/json"})
    assert answer.status_code == 429 and words in answer.json()["detail"] and Original.objects.count() == 1
    uploads = default_storage.listdir("uploads")[1]
    assert len(uploads) == 1, "what was refused leaves no file"


def test_without_a_network_nobody_is_told_to_have_dreamed_enough(
    client: Client, original: Original, settings: Any
) -> None:
    settings.HOUSE_MODEL = False
    page = client.get(original.get_absolute_url())
    assert page.context["network"] == "" and "You have dreamed enough" not in page.content.decode()


def test_what_every_page_says_of_dreams_is_one_light_query(client: Client, original: Original) -> None:
    picked(client, original)
    worker.empty(STUDIO)
    Work.objects.dreams().update(mask=b"m" * 100_000)
    guest = User.objects.create_user("guest", guest=True)
    with CaptureQueriesContext(connection) as asked:
        page = client.get("/history/")
    assert "Your dream “" in page.content.decode() and "is done." in page.content.decode()
    (notice,) = (query["sql"] for query in asked if "gallery_work" in query["sql"])
    assert '"mask"' not in notice and '"growing"' not in notice and '"recipe"' not in notice
    client.force_login(guest)
    with CaptureQueriesContext(connection) as asked:
        client.get("/history/")
    assert not [query for query in asked if "gallery_work" in query["sql"]], "guests have no studio"


def test_what_is_deleted_is_spent_all_the_same(client: Client, original: Original, ada: User) -> None:
    picked(client, original)
    worker.empty(STUDIO)
    spent = cost.spent(ada.pk)
    work = Work.objects.dreams().get()
    client.post(f"/studio/dreams/{work.key}/delete/")
    client.post(f"/studio/pictures/{original.key}/delete/")
    assert (
        not Work.objects.filter(state=State.DONE).exists() and cost.spent(ada.pk) == pytest.approx(spent) and spent > 0
    )
    Spent.objects.update(at=timezone.now() - timedelta(hours=25))
    periodic_tasks.forget()
    assert cost.spent(ada.pk) == 0 and not Spent.objects.exists()
    uploaded(client)
    worker.empty(STUDIO)
    User.objects.filter(pk=ada.pk).delete()  # as a guest who never came back
    assert not Spent.objects.exists()


def test_nothing_more_is_taken_where_too_much_waits(client: Client, original: Original) -> None:
    waiting(User.objects.create_user("bob", password="hunter2 hunter2"), 1e6)
    response = picked(client, original)
    assert response.status_code == 503 and "busy" in response.json()["detail"]


# --- workers ---------------------------------------------------------------------------------------------------------


def test_a_cancelled_dream_ends_soon_and_leaves_nothing(
    client: Client, original: Original, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = picked(client, original).json()["key"]
    before = set(default_storage.listdir("studio")[1])
    monkeypatch.setattr(watch, "UPDATE_SECONDS", 0.0)
    real = jobs.dream

    def cancels(*args: Any, **options: Any) -> Any:
        client.post(f"/studio/dreams/{key}/cancel/")
        return real(*args, **options)

    monkeypatch.setattr(jobs, "dream", cancels)
    worker.empty(STUDIO)
    assert Work.objects.get(key=key).state == State.CANCELLED
    assert set(default_storage.listdir("studio")[1]) == before


def test_a_worker_that_is_killed_is_followed_by_another(client: Client, original: Original) -> None:
    key = picked(client, original).json()["key"]
    Work.objects.filter(key=key).update(state=State.RUNNING, holder="dead", attempts=1)
    with heartbeats.sending():
        periodic_tasks.take_up()
    worker.empty(STUDIO)
    assert Work.objects.get(key=key).state == State.DONE
    assert len(default_storage.listdir("studio")[1]) > 4


def test_a_worker_that_is_asked_to_end_gives_the_work_back(
    client: Client, original: Original, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = picked(client, original).json()["key"]
    real = jobs.dream

    def ends(*args: Any, **options: Any) -> Any:
        stopping.set()
        return real(*args, **options)

    monkeypatch.setattr(jobs, "dream", ends)
    try:
        with pytest.raises(BaseException, match="worker ends"):
            jobs.run(queue.take(), queue.submit)
    finally:
        stopping.clear()
    assert Work.objects.get(key=key).state == State.WAITING


def test_the_live_canvas_goes_first(client: Client, original: Original, monkeypatch: pytest.MonkeyPatch) -> None:
    picked(client, original)
    live = Dream.objects.create(
        canvas=Canvas.objects.default(), state=Dream.State.DREAMING, expires_at=timezone.now() + timedelta(hours=1)
    )
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        Dream.objects.filter(pk=live.pk).update(state=Dream.State.WAITING)

    monkeypatch.setattr(watch.time, "sleep", sleep)
    worker.empty(STUDIO)
    assert waited and Work.objects.dreams().get().state == State.DONE


def test_a_picture_that_vanished_is_told_in_words(client: Client, original: Original) -> None:
    key = picked(client, original).json()["key"]
    default_storage.delete(original.picture.name)
    worker.empty(STUDIO)
    work = Work.objects.get(key=key)
    assert work.state == State.FAILED and work.message
    assert work.message in client.get(work.get_absolute_url()).content.decode().replace("&#x27;", "'")


# --- the parts -------------------------------------------------------------------------------------------------------


def test_the_cost_is_the_octaves_area_times_steps() -> None:
    recipe = jobs.recipe_for("house", {"layer": "inception_4c/output", "channel": None}, seed=1)
    small, large = cost.units(recipe, 500, 500), cost.units(recipe, 1000, 1000)
    assert small > cost.LEAST and large == pytest.approx(4 * small, rel=0.3)


def test_a_network_without_a_shelf_offers_its_own_layers(client: Client, settings: Any) -> None:
    folder = nets.register_tiny(settings.MODELS_DIR)
    (folder / "shelf.json").unlink(missing_ok=True)
    original = uploaded(client)
    client.get(original.get_absolute_url(), {"network": "tiny"})
    worker.empty(STUDIO)
    original.refresh_from_db()
    styles = original.styles["tiny"]
    assert len(styles) >= 4 and len({(one["layer"], one["channel"]) for one in styles}) == len(styles)
    sketches = Work.objects.filter(kind=Kind.SKETCH, network="tiny")
    assert {one.state for one in sketches} == {State.DONE} and sketches.count() == jobs.SHEET


def test_styles_are_ranked_by_the_picture(original: Original) -> None:
    network = jobs.network_of("house")
    shelf = jobs.registry().get("house").shelf
    rng = np.random.default_rng(1)
    one = ranking.ranked(network, shelf, rng.integers(0, 255, (256, 256, 3)).astype(np.uint8))
    other = ranking.ranked(network, shelf, np.full((256, 256, 3), (40, 160, 40), np.uint8))
    assert len(one) == len(other) and [s["title"] for s in one] != [s["title"] for s in other]
    assert sorted(map(json.dumps, one)) == sorted(map(json.dumps, other))


def test_visitors_are_invited(client: Client) -> None:
    page = Client().get("/studio/").content.decode()
    assert "Sign up" in page and "data-upload" not in page
    assert Client().post("/studio/upload/").status_code == 302


# --- the whole recipe, and dreaming again ----------------------------------------------------------------------------


@pytest.fixture
def untried(client: Client) -> Original:
    """A picture whose styles are known, though none was tried on it."""
    found = uploaded(client)
    found.works.all().delete()
    found.styles = {"house": [{"layer": "inception_4c/output", "channel": None, "title": "Rings"}]}
    found.save()
    return found


def test_the_whole_recipe_is_a_form_made_of_its_declaration(client: Client, untried: Original) -> None:
    page = " ".join(html.unescape(client.get(untried.get_absolute_url()).content.decode()).split())
    for field in fields(Recipe):
        if field.metadata and field.name not in {"model", "noise", "tile", "keep_colours", "seed"}:
            assert f'name="recipe-{field.name}"' in page
            assert " ".join(field.metadata["help"].split())[1:] in page
    key = picked(client, untried, **{"recipe-step": "2.5", "recipe-colour": "vivid", "recipe-mean_free": "yes"}).json()
    made = Recipe.from_json(Work.objects.get(key=key["key"]).recipe)
    assert (made.step, made.colour, made.mean_free) == (2.5, "vivid", True)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("recipe-octaves", "33", "Octaves: "),
        ("recipe-step", "nan", "Step: "),
        ("recipe-colour", "mauve", "Colour: "),
        ("recipe-mean_free", "perhaps", "Mean free: "),
        ("position", "2,0", "Position: "),
        ("seed", "-1", "Seed: "),
    ],
)
def test_a_wrong_setting_is_told_with_its_name(
    client: Client, untried: Original, field: str, value: str, said: str
) -> None:
    response = picked(client, untried, **{field: value})
    assert response.status_code == 400 and response.json()["detail"].startswith(said)


AGAIN: list[dict[str, Any]] = [
    {},
    {"depth": 5, "size": 4, "keep_colours": "on", "seed": 77},
    {"recipe-iterations": 3, "recipe-octaves": 5, "recipe-smooth_pool": "yes", "recipe-near": 0.1},
    {"position": "0.25,0.5", "squared": "no"},
    {"layer": None, "channel": None, "label": "dog"},
]


@pytest.mark.parametrize("fields", AGAIN)
def test_a_dream_can_be_dreamed_again_with_the_same_recipe(
    client: Client, untried: Original, fields: dict[str, Any]
) -> None:
    work = Work.objects.get(key=picked(client, untried, mask=painted(), **fields).json()["key"])
    Work.objects.filter(pk=work.pk).update(state=State.DONE, picture="studio/x.jpg", thumbnail="studio/x.jpg")
    again = f"{untried.get_absolute_url()}?again={work.key}"
    assert again in client.get(work.get_absolute_url()).content.decode()
    page = client.get(again)
    assert b"data-again" in page.content
    sent = {name: value for name, value in settings_of(work).items() if name != "whole" and value is not None}
    sent |= {"squared": {True: "yes", False: "no"}.get(sent.get("squared"), "")}
    sent |= {f"recipe-{name}": value for name, value in settings_of(work).get("whole", {}).items()}
    sent = {n: ("yes" if v else "no") if isinstance(v, bool) and "recipe" in n else v for n, v in sent.items()}
    sent = {name: value for name, value in sent.items() if value is not False}
    for name in ("layer", "label", "position", "title"):
        assert f'value="{sent.get(name, "")}"' in html.unescape(page.content.decode())
    assert client.post(f"/studio/pictures/{untried.key}/order/", {"kind": "dream", **sent}).status_code == 302
    second = Work.objects.dreams().latest("pk")
    assert second.pk != work.pk and second.recipe == work.recipe and bytes(second.mask) == bytes(work.mask)


def test_many_samples_cost_what_they_take() -> None:
    plain = jobs.recipe_for("house", {"layer": "inception_4c/output"}, seed=1, octaves=1, iterations=4)
    assert cost.units(replace(plain, samples=8), 200, 200) == pytest.approx(8 * cost.units(plain, 200, 200), rel=0.3)
