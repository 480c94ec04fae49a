"""Prints: a dream that is liked, once more on its picture as large as it came; and PNG."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from PIL import Image

from dreamer.engine.pictures import read_recipe
from dreamsite.core.models import User
from dreamsite.core.tasks import STUDIO, worker
from dreamsite.core.tasks.jobs import State
from gallery.studio import jobs, moderation, periodic_tasks, prints
from gallery.studio.models import Original, Work
from gallery.studio.views import uploads
from gallery.uploads import pictures
from tests.studio.sending import painted, picked, pixels_of, uploaded

JSON = {"Accept": "application/json"}


@pytest.fixture(autouse=True)
def one_style(house: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "SHEET", 1)
    monkeypatch.setattr(pictures, "STORED_SIDE", 160)  # instead of 3840: what is larger is kept for prints


def sharp(width: int = 480, height: int = 360) -> SimpleUploadedFile:
    """Hills, and fine stripes on them, which a smaller version has not."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    hills = [128 + 70 * np.sin(x / 40 + k) * np.cos(y / 30 - k) for k in range(3)]
    pixels = (np.stack(hills, -1) + 12 * (x % 2 * 2 - 1)[:, :, None]).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95, subsampling=0)
    return SimpleUploadedFile("x.jpg", buffer.getvalue(), "image/jpeg")


@pytest.fixture
def original(client: Client) -> Original:
    response = client.post("/studio/upload/", {"picture": sharp()}, headers=JSON)
    assert response.status_code == 201, response.content
    worker.empty(STUDIO)
    return Original.objects.get(key=response.json()["url"].split("/")[-2])


def dreamed(client: Client, original: Original, **more: Any) -> Work:
    key = picked(client, original, **more).json()["key"]
    worker.empty(STUDIO)
    work = Work.objects.get(key=key)
    assert work.state == State.DONE, work.message
    return work


def ordered(client: Client, work: Work, kind: str = "jpg") -> Any:
    return client.post(f"{work.get_absolute_url()}print/", {"type": kind}, follow=True)


def printed(client: Client, work: Work, kind: str = "jpg") -> Work:
    ordered(client, work, kind)
    made = work.prints.get()
    worker.empty(STUDIO)
    made.refresh_from_db()
    assert made.state == State.DONE, made.message
    return made


def test_a_liked_dream_is_made_once_more_as_large_as_its_picture_came(client: Client, original: Original) -> None:
    assert (original.width, original.height) == (160, 120), "pages work on a small one"
    assert (original.large_width, original.large_height) == (480, 360)
    work = dreamed(client, original)
    page = client.get(work.get_absolute_url()).content.decode()
    for told in (
        "480 × 360 pixels",
        "Print at 150 dpi",
        "8.1 × 6.1 cm",
        "Print at 200 dpi",
        "6.1 × 4.6 cm",
        "4.1 × 3.0 cm",
    ):
        assert told in page, told
    assert "s of work:" in page and "units you have left today" in page, "the cost is told before"
    assert "Large, to print" not in Client().get(work.get_absolute_url()).content.decode(), "it is its maker's"
    answer = ordered(client, work)
    made = work.prints.get()
    assert "data-print=" in answer.content.decode() and made.units > 0
    assert "Another large version" in ordered(client, work).content.decode(), "one at a time"
    worker.empty(STUDIO)
    made.refresh_from_db()
    assert (made.state, made.width, made.height) == (State.DONE, 480, 360), made.message
    large, small = pixels_of(made.picture), pixels_of(work.picture)
    assert large.shape == (360, 480, 3)
    change = small.astype(int) - pixels_of(original.picture)
    grown = large.astype(int) - pixels_of(original.large)
    shrunk = grown.reshape(120, 3, 160, 3, 3).mean(axis=(1, 3))
    alike = float(np.corrcoef(change.ravel(), shrunk.ravel())[0, 1])
    assert alike > 0.8, f"it is the same dream, {alike:.2f} alike"
    stripes = np.abs(np.diff(large.astype(int), axis=1)).mean()
    assert stripes > 12, f"with the picture's own detail: {stripes:.1f}"
    page = client.get(work.get_absolute_url()).content.decode()
    assert made.picture.url in page and "It is kept until" in page
    assert client.get(made.get_absolute_url())["Location"] == f"{work.get_absolute_url()}#print"


def test_the_command_makes_the_same_print(client: Client, original: Original, tmp_path: Path) -> None:
    work = dreamed(client, original)
    made = printed(client, work, "png")
    with default_storage.open(made.picture.name) as file, Image.open(file) as image:
        assert image.format == "PNG"
        web = np.asarray(image.convert("RGB"))
    (tmp_path / "photo.jpg").write_bytes(default_storage.open(original.large.name).read())
    (tmp_path / "print.png").write_bytes(default_storage.open(made.picture.name).read())
    out = tmp_path / "own.png"
    call_command("dream", str(tmp_path / "photo.jpg"), str(out), "--recipe", str(tmp_path / "print.png"), threads=1)
    assert np.array_equal(np.asarray(Image.open(out)), web), "to the byte: its recipe is in the file"
    small = tmp_path / "small.jpg"
    small.write_bytes(default_storage.open(work.picture.name).read())
    assert read_recipe(out)["finest"] == pytest.approx(read_recipe(small)["finest"] / 3)


def test_a_dream_of_the_coarsest_recipe_has_a_print_too(client: Client, original: Original) -> None:
    work = dreamed(client, original)
    work.recipe |= {"finest": prints.FINEST, "min_size": 1}
    work.width, work.height = 1920, 1440
    assert work.original is not None
    work.original.large_width, work.original.large_height = 12_000, 9_000
    assert prints.new(work).recipe["finest"] == prints.FINEST


def test_a_print_whose_large_picture_has_gone_meanwhile_says_so(client: Client, original: Original) -> None:
    work = dreamed(client, original)
    assert client.post(f"{work.get_absolute_url()}print/").status_code == 302
    Original.objects.filter(pk=original.pk).update(large="", large_width=0, large_height=0)
    worker.empty(STUDIO)
    made = work.prints.get()
    assert made.state == State.FAILED and "no larger version" in made.message and not made.picture


def test_a_mask_spares_the_same_part(client: Client, original: Original) -> None:
    made = printed(client, dreamed(client, original, mask=painted(spared=slice(0, 30))))
    apart = np.abs(pixels_of(made.picture).astype(int) - pixels_of(original.large)).mean(axis=(0, 2))
    assert apart[:200].mean() < 4 < apart[280:].mean(), "the left half is spared"


def test_what_cannot_be_printed_is_said_in_words(
    client: Client, original: Original, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = dreamed(client, original)
    stranger = Client()
    stranger.force_login(User.objects.create_user("eve", password="hunter2 hunter2"))
    assert stranger.post(f"{work.get_absolute_url()}print/").status_code == 404
    with monkeypatch.context() as patched:
        patched.setattr("gallery.studio.cost.DAILY", ((0, 0.0),))
        assert "units" in ordered(client, work).content.decode() and not work.prints.exists()
    client.post(f"{original.get_absolute_url()}delete/")
    assert "no larger version" in ordered(client, work).content.decode() and not work.prints.exists()
    monkeypatch.setattr(pictures, "STORED_SIDE", 3840)
    plain = uploaded(client)
    assert not plain.large
    worker.empty(STUDIO)
    plain.refresh_from_db()
    assert "Large, to print" not in client.get(dreamed(client, plain).get_absolute_url()).content.decode()


def test_a_print_goes_after_a_week_with_its_dream_and_when_that_is_hidden(
    client: Client, original: Original, django_capture_on_commit_callbacks: Any
) -> None:
    work = dreamed(client, original)

    def gone(name: str) -> bool:
        return not work.prints.exists() and not default_storage.exists(name)

    name = str(printed(client, work).picture.name)
    Work.objects.filter(of=work).update(created_at=timezone.now() - timedelta(days=8))
    with django_capture_on_commit_callbacks(execute=True):
        periodic_tasks.forget()
    assert gone(name) and Work.objects.filter(pk=work.pk).exists()
    name = str(printed(client, work).picture.name)
    with django_capture_on_commit_callbacks(execute=True):
        moderation.hide(work, None)
    assert gone(name)
    moderation.show_again(work, None)
    work.refresh_from_db()
    name = str(printed(client, work).picture.name)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"{original.get_absolute_url()}delete/")
    assert not default_storage.exists(original.large.name) and default_storage.exists(name), "what was made stays"
    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"{work.get_absolute_url()}delete/")
    assert gone(name)


def test_the_picture_from_before_moves_whether_or_not_it_is_shown_now(
    client: Client, original: Original, django_capture_on_commit_callbacks: Any
) -> None:
    """It may have been shown with the dream until its maker thought better of it; its address was public then."""
    work, address = dreamed(client, original), str(original.picture.name)
    stale = Work.objects.select_related("original").get(pk=work.pk)  # by a worker that has just taken it up
    with django_capture_on_commit_callbacks(execute=True):
        assert not work.show_before and moderation.hide(work, None)
    original.refresh_from_db()
    assert original.picture.name != address and not default_storage.exists(address)
    assert default_storage.exists(original.picture.name) and jobs.source_of(stale) is not None


def test_only_a_persons_newest_pictures_are_kept_in_large(
    client: Client, original: Original, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setattr(uploads, "LARGE", 1)
    whole = original.large.name
    small = client.post("/studio/upload/", {"picture": sharp(64, 48), "small": "1"}, headers=JSON).json()["url"]
    assert default_storage.exists(whole), "a small version that travels first is no large one"
    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"{small}full/", {"picture": sharp()}, headers=JSON)
    original.refresh_from_db()
    assert not original.large and not default_storage.exists(whole) and default_storage.exists(original.picture.name)
    assert Original.objects.get(key=small.split("/")[-2]).large_width == 480


def test_a_dream_is_given_as_a_png_and_nothing_more_is_kept(client: Client, original: Original, tmp_path: Path) -> None:
    work = dreamed(client, original)
    kept = sorted(path for path in Path(default_storage.path("")).rglob("*") if path.is_file())
    answer = client.get(f"{work.get_absolute_url()}picture.png")
    assert answer["Content-Type"] == "image/png" and f'filename="{work.key}.png"' in answer["Content-Disposition"]
    (tmp_path / "dream.png").write_bytes(b"".join(answer.streaming_content))
    assert np.array_equal(np.asarray(Image.open(tmp_path / "dream.png")), pixels_of(work.picture))
    assert read_recipe(tmp_path / "dream.png")["target"] == work.recipe["target"]
    assert sorted(path for path in Path(default_storage.path("")).rglob("*") if path.is_file()) == kept
    assert f"{work.get_absolute_url()}picture.png" in client.get(work.get_absolute_url()).content.decode()
