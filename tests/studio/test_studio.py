"""The studio from outside: upload a picture, pick, dream, show; whose turn it is; what becomes of what was uploaded."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from canvas.models import CleanHours
from dreamer.engine import Recipe, ranking
from dreamer.engine.film import fit
from dreamer.engine.pictures import read_recipe
from dreamsite.core.models import User
from dreamsite.core.tasks import STUDIO, worker
from dreamsite.core.tasks.jobs import State
from gallery.studio import cost, jobs, periodic_tasks
from gallery.studio.models import Original, Work
from gallery.uploads import pictures
from tests.dreamer import nets
from tests.studio.sending import photograph, picked, pixels_of, uploaded

pytestmark = pytest.mark.usefixtures("house")


Kind = Work.Kind


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


def test_a_picture_that_vanished_is_told_in_words(client: Client, original: Original) -> None:
    key = picked(client, original).json()["key"]
    default_storage.delete(original.picture.name)
    worker.empty(STUDIO)
    work = Work.objects.get(key=key)
    assert work.state == State.FAILED and work.message
    assert work.message in client.get(work.get_absolute_url()).content.decode().replace("&#x27;", "'")


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
    assert 'data-later="/accounts/keep/?next=/studio/"' in page
    assert Client().post("/studio/upload/").status_code == 302


def test_guests_are_invited_too(client: Client) -> None:
    """Their picture would be refused: it waits in the browser until they have a name and a password."""
    guest = Client()
    guest.force_login(User.objects.create_user("calm-otter-7", guest=True))
    page = guest.get("/studio/").content.decode()
    assert "data-later" in page and "data-upload" not in page
    assert "Keep your name" in guest.get("/account/").content.decode()


def test_strangers_are_not_told_where_they_find_a_dream(client: Client, files: None, ada: User) -> None:
    work = Work.objects.create(owner=ada, kind=Work.Kind.DREAM, network="house")
    assert "You can close this page" not in Client().get(work.get_absolute_url()).content.decode()
