"""The storage is away, full, or breaks off: every page and action that touches it says so (503), and none breaks (500);
nothing is half done, and what was to be deleted goes later."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from canvas.moderation.models import Case
from dreamsite.core import storage
from dreamsite.core.storage import StorageUnavailable
from dreamsite.core.tasks.jobs import State
from gallery.exhibits.models import Exhibit, Picture
from gallery.jobs.files import delete_pending
from gallery.jobs.models import PendingDeletion
from gallery.studio import jobs, moderation
from gallery.studio import urls as studio_urls
from gallery.studio.models import Journey, Original, Work
from gallery.uploads.models import Upload
from tests.site.urls_table import TABLE
from tests.site.world import World

RECIPE = {"target": {"terms": [{"layer": "mixed4/output"}]}, "model": "house"}
Trouble = Callable[[pytest.MonkeyPatch], None]


def _breaks(code: int, *_args: Any, **_options: Any) -> Any:
    raise OSError(code, os.strerror(code))


def _says(*_args: Any, **_options: Any) -> Any:
    raise StorageUnavailable("The storage failed: ConnectTimeoutError")  # as a bucket has it said


def _reads_badly(patch: pytest.MonkeyPatch) -> None:
    real = storage._Reader
    patch.setattr(storage, "_Reader", lambda path: real("/proc/self/mem"))  # opens, and then answers EIO


def _keeps(patch: pytest.MonkeyPatch) -> None:
    real, root = os.remove, str(default_storage.path(""))

    def remove(path: Any, *args: Any, **options: Any) -> None:
        if str(path).startswith(root):
            _breaks(errno.EIO)
        real(path, *args, **options)

    patch.setattr(os, "remove", remove)


def _away(patch: pytest.MonkeyPatch, *names: str) -> None:
    for name in names:
        patch.setattr(storage.DurableStorage, name, _says)


TROUBLES: dict[str, Trouble] = {
    "open": lambda patch: patch.setattr(storage, "_Reader", partial(_breaks, errno.EIO)),
    "read": _reads_badly,
    "save": lambda patch: patch.setattr(storage, "sync", partial(_breaks, errno.ENOSPC)),
    "delete": _keeps,
    "bucket": lambda patch: _away(patch, "exists", "size", "url", "listdir"),
}


def jpeg(width: int = 64, height: int = 48) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (40, 90, 160)).save(buffer, "JPEG")
    return buffer.getvalue()


def file(name: str = "x.jpg") -> str:
    return default_storage.save(f"studio/{name}", ContentFile(jpeg()))


@dataclass
class Studio:
    """A person's picture, dream, wish, and journey; moderators' and curators' lists have something of each."""

    world: World
    original: Original
    dream: Work
    wish: Work
    hidden: Work
    failed: Work
    journey: Journey

    def asked(self) -> Iterator[tuple[str, str, str, Any]]:
        """(role, method, address, fields) of all there is in the studio and around it."""
        keys = {"original": self.original.key, "journey": self.journey.key, "work": self.dream.key}
        style = {"network": "house", "layer": "mixed4/output", "title": "x", "depth": "1", "size": "1"}
        fields: dict[str, Any] = {
            "studio_upload": {"picture": SimpleUploadedFile("x.jpg", jpeg(), "image/jpeg")},
            "studio_upload_full": {"picture": SimpleUploadedFile("x.jpg", jpeg(), "image/jpeg")},
            "studio_video": {"video": SimpleUploadedFile("x.mp4", b"x" * 4096, "video/mp4")},
            "studio_order": {"kind": "dream", **style},
            "studio_journey_order": {**style, "journey-kind": "zoom", "journey-each": "2", "journey-side": "640"},
            "studio_journey_go": {"from": "1", "x": "0.5", "y": "0.5"},
            "studio_print": {"type": "png"},
            "studio_show": {"caption": "My hill"},
            "studio_report": {"category": "hate"},
        }
        of_originals = ("original", "upload_full", "order", "compare", "compare_order", "video_music", "keep")
        of_originals = (*of_originals, "delete_original", "original_json", "journey_price", "journey_order")
        for pattern in studio_urls.urlpatterns:
            name = str(pattern.name)
            part, given = name.removeprefix("studio_"), {}
            if "pk" in pattern.pattern.converters:
                given = {"pk": self.world.frame.pk}
            elif "key" in pattern.pattern.converters:
                kind = "original" if part in of_originals else "journey" if part.startswith("journey") else "work"
                given = {"key": keys[kind]}
            for method in ("get", "post"):
                yield "user", method, reverse(name, kwargs=given), fields.get(name, {}) if method == "post" else {}
        for work in (self.wish, self.hidden, self.failed):
            yield "user", "get", work.get_absolute_url(), {}
        for role in ("anonymous", "moderator"):
            for work in (self.dream, self.wish, self.hidden):
                yield role, "get", work.get_absolute_url(), {}
        case = Case.objects.get(subject_key=self.wish.key)
        yield "moderator", "get", f"/moderation/cases/{case.pk}/", {}
        for do, sent in (("decide", {"outcome": "shown"}), ("subject", {"why": "x"}), ("subject", {"show": "yes"})):
            yield "moderator", "post", f"/moderation/cases/{case.pk}/{do}", {"version": case.version, **sent}
        for model in ("work", "proposal", "upload", "exhibit", "picture", "film"):
            try:
                page = reverse(f"admin:gallery_{model}_changelist")
            except Exception:
                continue
            yield "admin", "get", page, {}
            rows = {"work": [self.dream, self.wish, self.hidden], "upload": Upload.objects.all()}
            chosen = [row.pk for row in rows.get(model, [self.dream])]
            for action in ("publish", "hide", "show_again", "hang", "decline", "delete_selected"):
                seen = {"seen": timezone.now().isoformat(), "exhibit": Exhibit.objects.get().pk, "post": "yes"}
                yield "admin", "post", page, {"action": action, "_selected_action": chosen, **seen}
        for address in ("/exhibits/hills/", "/exhibits/hills.json", "/exhibits/", "/sitemap.xml", "/account/data/"):
            yield "user", "get", address, {}


@pytest.fixture
def studio(settings: Any, tmp_path: Path, db: None, monkeypatch: pytest.MonkeyPatch) -> Studio:
    settings.MEDIA_ROOT, settings.MODELS_DIR = tmp_path / "media", tmp_path / "models"
    settings.DREAM_THREADS, settings.HOUSE_MODEL = 1, True
    settings.ACCOUNT_RATE_LIMITS = settings.ADMIN_TWO_FACTOR = False
    monkeypatch.setattr(jobs, "SHEET", 1)
    world = World()
    world.begin()
    owner, now = world.people["user"], timezone.now()
    original = Original.objects.create(
        owner=owner, picture=file(), width=64, height=48, large=file(), large_width=128, large_height=96,
        styles={"house": [{"layer": "mixed4/output", "channel": 1, "title": "x"}]},
    )  # fmt: skip
    journey = Journey.objects.create(
        owner=owner, original=original, network="house", recipe=RECIPE, stages=[RECIPE["target"]], each=2, zoom=2.0,
        width=64, height=48,
    )  # fmt: skip

    def work(**more: Any) -> Work:
        names = {name: file(f"{name}.jpg") for name in ("picture", "thumbnail", "gif", "mp4", "strip")}
        made = {"owner": owner, "kind": Work.Kind.DREAM, "network": "house", "state": State.DONE, "recipe": RECIPE}
        return Work.objects.create(**{**made, "width": 64, "height": 48, "caption": "My hill", **names, **more})

    for number in range(2):
        work(kind=Work.Kind.KEY_FRAME, journey=journey, number=number)
    work(kind=Work.Kind.FILM, journey=journey, published_at=now, requested_at=now)
    shown = {"original": original, "show_before": True, "requested_at": now}
    dream = work(**shown, published_at=now, proposed_at=now)
    wish = work(**shown)
    moderation.ask(wish)
    hall = Exhibit.objects.create(slug="hills", title="Hills", published_at=now)
    Picture.objects.create(exhibit=hall, after_work=dream, position=1)
    Upload.objects.create(picture=file(), width=64, height=48, size=9, sha256="0" * 64)
    failed = work(state=State.FAILED, message="It failed.", original=original)
    return Studio(world, original, dream, wish, work(**shown, hidden_at=now), failed, journey)


def answer(client: Client, method: str, address: str, fields: Any) -> Any:
    """What is answered; nothing of it stays."""
    with transaction.atomic():
        said = getattr(client, method)(address, fields)
        if getattr(said, "streaming", False):
            said.close()
        transaction.set_rollback(True)
    return said


def told(said: Any) -> str:
    """What is wrong with an answer."""
    words = b"".join(said.content.split(b"\n")) if not getattr(said, "streaming", False) else b""
    if said.status_code == 503 and b"cannot reach" not in words and b"cannot be reached" not in words:
        return f"503 without a sentence: {words[:200]!r}"
    met = getattr(said, "exc_info", None)
    return f"500 {met and met[1]!r}" if said.status_code == 500 else ""


@pytest.mark.parametrize("trouble", TROUBLES)
def test_every_page_and_action_of_the_studio_says_that_the_storage_is_away(
    studio: Studio, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, away = [], 0
    for role, method, address, fields in studio.asked():
        client = studio.world.visitor(role)
        with monkeypatch.context() as patch:
            TROUBLES[trouble](patch)
            said = answer(client, method, address, fields)
        away += said.status_code == 503
        if wrong := told(said):
            found.append(f"{role} {method} {address} {str(fields)[:80]}: {wrong}")
    assert not found, "\n".join(found)
    assert away > 0 or trouble == "delete", "something needed it"


def test_no_address_of_the_site_breaks_where_all_of_the_storage_is_away(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, client = [], studio.world.visitor("admin")
    asked = []
    for key, row in TABLE.items():
        name, given = key.split(" ")[0], {a: v(studio.world) if callable(v) else v for a, v in row.args.items()}
        if not name.startswith(("account_logout", "account_close", "studio")):
            asked.append((row.path or reverse(name, kwargs=given)) + row.query)
    for address in asked:
        for method in ("get", "post"):
            with monkeypatch.context() as patch:
                for trouble in TROUBLES.values():
                    trouble(patch)
                said = answer(client, method, address, {})
            if wrong := told(said):
                found.append(f"{method} {address}: {wrong}")
    assert not found, "\n".join(found)


def test_nothing_is_hidden_while_the_storage_is_away_and_nothing_is_left_behind(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    moderator, dream = studio.world.people["moderator"], studio.dream
    names = sorted(default_storage.listdir("studio")[1])
    saved, save = [], storage.DurableStorage._save

    def full(self: Any, *args: Any) -> str:
        if len(saved) == 2:
            raise StorageUnavailable("no room")
        saved.append(save(self, *args))
        return str(saved[-1])

    with monkeypatch.context() as patch:
        patch.setattr(storage.DurableStorage, "_save", full)
        with django_capture_on_commit_callbacks(execute=True), pytest.raises(StorageUnavailable):
            moderation.hide(dream, moderator)
    dream.refresh_from_db()
    assert dream.hidden_at is None and len(saved) == 2
    assert sorted(default_storage.listdir("studio")[1]) == names, "the two copies are gone again"
    old = [*(str(one.name) for one in dream.files), str(studio.original.picture.name)]
    with django_capture_on_commit_callbacks(execute=True):
        assert moderation.hide(dream, moderator)
    assert not any(map(default_storage.exists, old)), "the picture from before was shown with it, and has moved, too"
    with django_capture_on_commit_callbacks(execute=True):
        assert moderation.show_again(dream, moderator)
    dream.refresh_from_db()
    page = Client().get(dream.get_absolute_url()).content.decode()
    original = Original.objects.get(pk=studio.original.pk)
    for shown in (dream.picture, dream.gif, original.picture):
        assert shown.url in page and Client().get(shown.url).status_code == 200, "it has an address again"
    assert not any(map(default_storage.exists, old)), "and the old one leads nowhere"


def test_what_cannot_be_deleted_now_goes_later(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    names = [str(one.name) for one in studio.dream.files]
    names += [str(studio.original.picture.name), str(studio.original.large.name)]
    client = studio.world.visitor("user")
    with monkeypatch.context() as patch:
        _keeps(patch)
        with django_capture_on_commit_callbacks(execute=True):
            for page in (studio.dream, studio.original):
                assert client.post(f"{page.get_absolute_url()}delete/").status_code == 302
    assert not Work.objects.filter(pk=studio.dream.pk).exists() and all(map(default_storage.exists, names))
    assert set(names) <= set(PendingDeletion.objects.values_list("name", flat=True)), "it is known that they must go"
    delete_pending()
    assert not any(map(default_storage.exists, names))


def test_a_lost_file_is_told_in_words(studio: Studio) -> None:
    client, address = studio.world.visitor("user"), f"{studio.dream.get_absolute_url()}picture.png"
    Path(default_storage.path(str(studio.dream.picture.name))).write_bytes(jpeg()[:200])
    assert "lost or damaged" in client.get(address, follow=True).content.decode()
    default_storage.delete(str(studio.dream.picture.name))
    assert "lost or damaged" in client.get(address, follow=True).content.decode()
