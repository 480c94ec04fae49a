"""A site whose files lie in a bucket, from outside: what people load, what others keep, and a bucket in trouble."""

from __future__ import annotations

import hashlib
import io
import json
import re
import threading
import urllib.request
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import time_machine
from botocore.config import Config
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from PIL import Image

from canvas import frames
from canvas.models import Canvas, Frame
from dreamsite.core.buckets import BucketStorage
from dreamsite.core.models import User
from dreamsite.core.storage import StorageUnavailable
from dreamsite.core.tasks import STUDIO, worker
from dreamsite.core.tasks.jobs import State
from gallery.downloads import archive
from gallery.downloads.requests import request_download
from gallery.exhibits.models import Picture
from gallery.films import make
from gallery.films.requests import request_film
from gallery.studio import jobs
from gallery.studio.models import Original
from tests.bucket import KEY, SECRET, Bucket
from tests.gallery import hostile
from tests.running import PATIENCE

pytestmark = pytest.mark.django_db
IMMUTABLE = "public, max-age=31536000, immutable"
PHOTO = hostile.encoded(hostile.photo(), "PNG")
SIGNED = re.compile(r"X-Amz-Signature|AWSAccessKeyId")


@pytest.fixture(autouse=True)
def plain(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR, settings.MODELS_DIR = tmp_path, tmp_path / "models"
    settings.FILM_AV1 = False
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture
def canvas() -> Canvas:
    here = Canvas.objects.default()
    here.width = here.height = 64
    here.save()
    return here


@pytest.fixture
def kept(bucket: Bucket, canvas: Canvas) -> list[Frame]:
    """Four frames, made as the dreamer makes them."""
    made = []
    for number in range(4):
        pixels = np.full((64, 64, 3), 60 * number, np.uint8)
        picture = frames.encode(pixels, Frame.Kind.DREAM)
        made.append(frames.keep(frames.NewFrame(canvas, picture, Frame.Kind.DREAM, 0, title=f"towers {number}")))
    return made


def loaded(address: str) -> tuple[bytes, Any]:
    with urllib.request.urlopen(address) as answer:
        return answer.read(), answer.headers


def addresses(page: str, bucket: Bucket) -> list[str]:
    return [unescape(found) for found in re.findall(rf'"({re.escape(bucket.url)}[^"]+)"', page)]


def followed(client: Client, address: str) -> bytes:
    """What lies behind one of the site's own addresses, as a feed reader would get it, a long time later."""
    answer = client.get(urlsplit(address).path)
    assert answer.status_code == 302 and "public" in answer["Cache-Control"], (address, answer.status_code)
    return loaded(answer["Location"])[0]


# --- frames ----------------------------------------------------------------------------------------------------------


def test_frames_are_loaded_from_the_bucket(bucket: Bucket, kept: list[Frame], client: Client) -> None:
    """Signatures are checked there, types and caching are right, and every view of a page has the same addresses."""
    with time_machine.travel(datetime.now(), tick=False):
        page = client.get("/history/").content.decode()
        found = addresses(page, bucket)
        assert len(set(found)) == 4
        again = Client().get("/history/").content.decode()
    assert addresses(again, bucket) == found
    data, headers = loaded(addresses(client.get(f"/frames/{kept[1].pk}/").content.decode(), bucket)[0])
    assert data == frames.read(kept[1])
    assert (headers["Content-Type"], headers["Cache-Control"]) == ("image/jpeg", IMMUTABLE)


def test_an_address_is_valid_for_half_its_time_at_least_and_changes_seldom() -> None:
    names = [f"frames/{number}.jpg" for number in range(50)]
    for name in names:
        seconds = range(1_800_000_000, 1_800_000_000 + 7200, 60)
        since = []
        for now in seconds:
            with time_machine.travel(now, tick=False):
                since.append(BucketStorage.signed_at(name, 3600))
        assert all(now - 1800 < begun <= now for now, begun in zip(seconds, since, strict=True))
        assert len(set(since)) <= 5
    with time_machine.travel(1_800_000_000, tick=False):
        assert len({BucketStorage.signed_at(name, 3600) for name in names}) > 40, "not all of a page at once"


@pytest.mark.parametrize(
    ("region", "endpoint", "token"),
    [
        (None, None, None),
        (None, "https://s3.example.org", None),
        ("eu-west-1", None, "of a role"),
        ("auto", "https://s3.example.org", None),
    ],
)
def test_signatures_are_those_of_the_vendors_library(
    region: str | None, endpoint: str | None, token: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = BucketStorage(
        bucket_name="dreams",
        access_key=KEY,
        secret_key=SECRET,
        security_token=token,
        region_name=region,
        endpoint_url=endpoint,
        querystring_expire=3600,
    )
    name = "frames/main/über ~all/1-2_3.jpg"
    with time_machine.travel(1_800_000_000, tick=False):
        monkeypatch.setattr(BucketStorage, "signed_at", staticmethod(lambda name, lasts: 1_800_000_000))
        ours = storage.url(name)
        client = storage._create_session().client(
            "s3", region_name=region, endpoint_url=endpoint, config=Config(signature_version="s3v4")
        )
        theirs = client.generate_presigned_url("get_object", Params={"Bucket": "dreams", "Key": name}, ExpiresIn=3600)
    assert ours == theirs and "X-Amz-Algorithm=AWS4-HMAC-SHA256" in ours


def test_one_client_for_all_threads(bucket: Bucket, kept: list[Frame], monkeypatch: pytest.MonkeyPatch) -> None:
    """Under ASGI each request has a thread of its own, and a client takes a third of a second to make."""
    made = []
    real = BucketStorage._create_session
    monkeypatch.setattr(BucketStorage, "_create_session", lambda self: made.append(1) or real(self))
    seen: list[bytes] = []

    def ask() -> None:
        seen.append(default_storage.url("a.jpg") and default_storage.open(str(kept[0].picture.name)).read())

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [frames.read(kept[0])] * 12
    assert not made, "it is there since the frames were kept"


def test_a_name_that_is_taken_stays(bucket: Bucket) -> None:
    names = {default_storage.save("studio/static.png", ContentFile(data)) for data in (b"one", b"two")}
    assert len(names) == 2 and default_storage.open("studio/static.png").read() == b"one"


def test_a_hidden_frame_leaves_its_address(bucket: Bucket, kept: list[Frame], client: Client) -> None:
    old = default_storage.url(str(kept[3].picture.name))
    assert frames.hide(kept[3])
    with pytest.raises(urllib.error.HTTPError):
        loaded(old)
    hidden = Frame.objects.get(pk=kept[3].pk)
    assert "/hidden/" in str(hidden.picture.name) and frames.read(hidden)
    assert Canvas.objects.get().frame == kept[2]


# --- films, downloads, uploads, studio -------------------------------------------------------------------------------


def test_films_and_downloads(
    bucket: Bucket, kept: list[Frame], canvas: Canvas, client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    film = request_film(canvas, "part", kept[0].made_at - timedelta(minutes=1), kept[3].made_at + timedelta(days=1))
    make.make(film.pk)
    film.refresh_from_db()
    assert film.state == State.DONE, film.message
    page = client.get(f"/films/{film.pk}/").content.decode()
    (address,) = {found for found in addresses(page, bucket) if ".mp4" in found}
    data, headers = loaded(address)
    assert (headers["Content-Type"], len(data)) == ("video/mp4", film.files.get().size)

    row = request_download(canvas, kept[0].made_at.date(), "frames")
    archive.make(row.pk)
    row.refresh_from_db()
    assert row.state == State.DONE, row.message
    (listed,) = client.get("/downloads.json").json()["downloads"]
    with zipfile.ZipFile(io.BytesIO(followed(client, listed["address"]))) as packed:
        assert len(packed.namelist()) == 5 and packed.testzip() is None
    names = [str(film.files.get().file.name), str(row.file.name)]
    with django_capture_on_commit_callbacks(execute=True):
        frames.hide(kept[1])
    assert not any(map(default_storage.exists, names)), "what shows a hidden frame is gone"


def test_the_studio(
    bucket: Bucket,
    kept: list[Frame],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    client: Client,
    django_capture_on_commit_callbacks: Any,
) -> None:
    settings.HOUSE_MODEL, settings.DREAM_THREADS = True, 1
    monkeypatch.setattr(jobs, "SHEET", 1)
    person = User.objects.create_user("brings")
    client.force_login(person)
    buffer = io.BytesIO()
    Image.fromarray(np.full((60, 80, 3), 90, np.uint8)).save(buffer, "JPEG")
    buffer.name = "holiday.jpg"
    buffer.seek(0)
    answer = client.post("/studio/upload/", {"picture": buffer}, headers={"Accept": "application/json"})
    assert answer.status_code == 201, answer.content
    worker.empty(STUDIO)
    original = Original.objects.order_by("pk").first()
    assert original is not None
    sheet = client.get(f"/studio/pictures/{original.key}.json").json()
    assert sheet["sketches"][0]["state"] == "done"
    assert followed(client, sheet["sketches"][0]["thumbnail"])[8:12] == b"WEBP"
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(f"/studio/pictures/{original.key}/delete/").status_code == 302
    assert not default_storage.exists(str(original.picture.name))
    assert client.post(f"/studio/from-frame/{kept[2].pk}/").status_code == 302
    assert default_storage.exists(str(Original.objects.get().picture.name))


def test_what_curators_upload(
    bucket: Bucket,
    kept: list[Frame],
    client: Client,
    settings: Any,
    tmp_path: Path,
    django_capture_on_commit_callbacks: Any,
) -> None:
    """An exhibit with files of its curator's: loaded from the bucket, lasting addresses, exported, and gone at last."""
    curator = User.objects.create_superuser("curator")
    staff = Client()
    staff.force_login(curator)
    words = {"title": "Seas", "slug": "seas", "statement": "", "curator": curator.pk, "published_at_0": "2026-01-02"}
    count = {"TOTAL_FORMS": 1, "INITIAL_FORMS": 0, "MIN_NUM_FORMS": 0, "MAX_NUM_FORMS": 1000}
    files = {f"{side}_file": SimpleUploadedFile("x.png", PHOTO) for side in ("after", "before")}
    named = {"position": "1", "caption": "A meadow", **files}
    form = words | {"published_at_1": "12:00:00"} | {f"pictures-{name}": value for name, value in count.items()}
    answer = staff.post(
        reverse("admin:gallery_exhibit_add"), form | {f"pictures-0-{name}": value for name, value in named.items()}
    )
    assert answer.status_code == 302, answer.context["errors"]
    after, before = (getattr(Picture.objects.get(), f"{side}_upload") for side in ("after", "before"))
    shown = addresses(client.get("/exhibits/seas/").content.decode(), bucket)
    for upload in (after, before):
        (address,) = {address for address in shown if upload.key in address}
        data, headers = loaded(address)
        assert (headers["Content-Type"], headers["Cache-Control"]) == ("image/jpeg", IMMUTABLE)
        assert hashlib.sha256(data).hexdigest() == upload.sha256
        assert loaded(client.get(f"/uploads/{upload.key}")["Location"])[0] == data
    told = client.get("/exhibits/seas.json").content.decode()
    assert not SIGNED.search(told) and after.key in told
    settings.DEBUG = True  # static files as they lie in the tree
    call_command("export_static", str(tmp_path / "site"))
    (exported,) = (tmp_path / "site").rglob(f"*{after.key}*.jpg")
    assert hashlib.sha256(exported.read_bytes()).hexdigest() == after.sha256
    Picture.objects.all().delete()
    with django_capture_on_commit_callbacks(execute=True):
        staff.post(reverse("admin:gallery_upload_delete", args=[after.pk]), {"post": "yes"})
    assert not default_storage.exists(after.picture.name) and default_storage.exists(before.picture.name)


# --- what is kept elsewhere ------------------------------------------------------------------------------------------


def test_what_others_keep_holds_no_address_that_expires(
    bucket: Bucket, kept: list[Frame], canvas: Canvas, client: Client
) -> None:
    frame = kept[1]
    page = f"http://testserver/frames/{frame.pk}/"
    texts = {
        address: client.get(address).content.decode()
        for address in (
            "/history/feed/",
            "/history.json",
            f"/frames/{frame.pk}.json",
            f"/oembed?url={page}",
            f"/history/{frame.made_at:%Y-%m-%dT%H:%M:%SZ}.json",
        )
    }
    found = set()
    for address, text in texts.items():
        assert not SIGNED.search(text) and bucket.url not in text, address
        lasting = re.findall(r'"(http[^"]+/media/[^"]+)"', text)
        assert lasting, (address, text[:2000])
        found |= set(lasting)
    assert {followed(client, address)[:3] for address in found} == {b"\xff\xd8\xff", b"RIF"}  # JPEG and WebP
    head = client.get(f"/frames/{frame.pk}/").content.decode()
    (card,) = re.findall(r'og:image" content="([^"]+)"', head)
    answer = client.get(urlsplit(card).path)  # a picture of the site's own, made of the frame
    assert answer.status_code == 200 and answer.content[:3] == b"\xff\xd8\xff"
    assert client.get("/media/../secret-key").status_code == client.get("/media/.hidden").status_code == 404


def test_the_export_has_no_link_into_the_bucket(
    bucket: Bucket, kept: list[Frame], tmp_path: Path, settings: Any
) -> None:
    settings.DEBUG = True  # static files as they lie in the tree
    folder = tmp_path / "site"
    call_command("export_static", str(folder))
    files = [path for path in folder.rglob("*") if path.is_file()]
    texts = [path for path in files if path.suffix in (".html", ".json", ".xml")]
    assert [str(path) for path in texts if SIGNED.search(path.read_text()) or bucket.url in path.read_text()] == []
    assert len([path for path in files if path.suffix in {".jpg", ".webp"}]) == 8
    told = json.loads((folder / f"frames/{kept[1].pk}.json").read_text())
    assert (folder / "frames" / told["picture"]).resolve().read_bytes() == frames.read(kept[1])
    below = re.search(r'data-below="([^"]+)"', (folder / f"frames/{kept[1].pk}/index.html").read_text())
    assert below and (folder / f"frames/{kept[1].pk}" / below[1]).is_file()


# --- trouble ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a web process."""
    monkeypatch.setattr(BucketStorage, "hurried", True)


@pytest.mark.parametrize("trouble", ["down", "denied", "cut", "hang"])
def test_a_bucket_in_trouble_is_words_and_no_500(
    hurried: None,
    bucket: Bucket,
    kept: list[Frame],
    trouble: str,
    signed_in: Client,
) -> None:
    """Pages that need no file are there; those that do say 503, while the bucket still says nothing."""
    signed_in.raise_request_exception = False
    frames.load.cache_clear()
    done: list[bool] = []
    frame = kept[1]

    def ask() -> None:
        try:
            for address in ("/history/", f"/frames/{frame.pk}/", f"/frames/{frame.pk}.json", "/history/feed/"):
                assert signed_in.get(address).status_code == 200, address
            for accept in ("text/html", "application/json"):
                answer = signed_in.post(f"/studio/from-frame/{frame.pk}/", headers={"Accept": accept})
                words = answer.content.decode()
                assert answer.status_code == 503 and answer["Retry-After"], words
                assert "Back in a moment" in words or "stored pictures" in words
            assert signed_in.get(f"/frames/{kept[2].pk}/drawing.png").status_code in (404, 503)
            done.append(True)
        finally:
            from django.db import connection

            connection.close()

    bucket.set(trouble)
    if trouble != "hang":
        ask()
        return
    # Asked here, in the thread that has the test's transaction; if it took for ever, the bucket would let go.
    waited = threading.Timer(PATIENCE, bucket.set, [""])
    waited.start()
    ask()
    assert bucket.trouble == "hang", "the pages waited until the bucket answered"
    waited.cancel()


@pytest.mark.parametrize("trouble", ["down", "denied"])
@pytest.mark.parametrize(
    "ask",
    [
        lambda: default_storage.save("a.jpg", ContentFile(b"a")),
        lambda: default_storage.open("a.jpg"),
        lambda: default_storage.exists("a.jpg"),
        lambda: default_storage.size("a.jpg"),
        lambda: default_storage.delete("a.jpg"),
    ],
    ids=["save", "open", "exists", "size", "delete"],
)
def test_every_trouble_is_one_error(hurried: None, bucket: Bucket, trouble: str, ask: Callable[[], Any]) -> None:
    bucket.set(trouble)
    with pytest.raises(StorageUnavailable):
        ask()


def test_no_keys_at_all_is_one_error_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(StorageUnavailable):
        BucketStorage(bucket_name="dreams", querystring_expire=60).url("a.jpg")


def test_a_file_that_is_not_there_is_no_trouble(bucket: Bucket) -> None:
    with pytest.raises(FileNotFoundError):
        default_storage.open("never.jpg")
    with pytest.raises(FileNotFoundError):
        default_storage.size("never.jpg")
    default_storage.delete("never.jpg")
