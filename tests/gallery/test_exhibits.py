"""Exhibits: what hangs, what vanishes, and how staff hangs it."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from canvas import frames
from canvas.models import Frame
from canvas.moderation.models import Act
from dreamsite.core.models import User
from gallery.exhibits.admin import PictureForm
from gallery.exhibits.models import Exhibit, Picture
from gallery.studio.models import Work
from gallery.uploads import pictures
from gallery.uploads.models import Upload
from tests.gallery import hostile

pytestmark = pytest.mark.django_db
FILE = hostile.encoded(hostile.photo(), "PNG")


@pytest.fixture
def exhibit(kept: Frame, staff: User) -> Exhibit:
    made = Exhibit.objects.create(
        title="Skies", slug="skies", statement="All **blue**.", curator=staff, published_at=timezone.now()
    )
    Picture.objects.create(exhibit=made, after_frame=kept, caption="Noon", credit="Ada, CC0")
    return made


def form(count: int = 1, initial: int = 0, **fields: Any) -> dict[str, Any]:
    management = {"TOTAL_FORMS": count, "INITIAL_FORMS": initial, "MIN_NUM_FORMS": 0, "MAX_NUM_FORMS": 1000}
    words = {
        "title": "Seas",
        "slug": "seas",
        "statement": "",
        "curator": "",
        "published_at_0": "",
        "published_at_1": "",
    }
    return {**words, **{f"pictures-{name}": value for name, value in management.items()}, **fields}


def test_it_hangs_with_its_words(client: Client, exhibit: Exhibit, kept: Frame) -> None:
    words = client.get("/exhibits/skies/").content.decode()
    assert "<strong>blue</strong>" in words and "Noon" in words and "Ada, CC0" in words
    assert kept.picture.url in words and kept.get_absolute_url() in words
    assert "Skies" in client.get("/exhibits/").content.decode()
    answer = client.get("/exhibits/skies.json").json()
    assert answer["pictures"][0]["caption"] == "Noon"


def test_its_card_is_the_picture_wherever_that_lies(client: Client, exhibit: Exhibit, settings: Any) -> None:
    for media, found in (
        ("/media/", "http://localhost:8000/media/"),
        ("https://files.example/", "https://files.example/"),
    ):
        settings.MEDIA_URL = media
        page = client.get(exhibit.get_absolute_url()).content.decode()
        assert f'<meta property="og:image" content="{found}' in page


def test_a_hidden_frame_takes_its_place_with_it(client: Client, exhibit: Exhibit, kept: Frame) -> None:
    frames.hide(kept)
    kept.refresh_from_db()
    for address in ("/exhibits/skies/", "/exhibits/", "/exhibits/skies.json"):
        words = client.get(address).content.decode()
        assert kept.picture.url not in words and kept.thumbnail.url not in words and "Noon" not in words
    assert "This exhibit has no pictures" in client.get("/exhibits/skies/").content.decode()


def test_an_exhibit_without_pictures_is_listed_for_the_staff_alone(
    client: Client, exhibit: Exhibit, staff: User
) -> None:
    exhibit.pictures.all().delete()
    assert exhibit.title not in client.get("/exhibits/").content.decode()
    client.force_login(staff)
    assert exhibit.title in client.get("/exhibits/").content.decode()


def test_a_hidden_before_leaves_the_after(client: Client, exhibit: Exhibit, kept: Frame, as_staff: Client) -> None:
    upload = Upload.objects.build(_cleaned(), by=None)
    upload.save()
    Picture.objects.create(exhibit=exhibit, before_frame=kept, after_upload=upload, caption="Evening", position=9)
    assert "data-compare" in client.get("/exhibits/skies/").content.decode()
    frames.hide(kept)
    words = client.get("/exhibits/skies/").content.decode()
    assert "Evening" in words and "data-compare" not in words


def test_drafts_and_what_is_to_open_later_are_for_the_staff(
    client: Client, exhibit: Exhibit, staff: User, settings: Any
) -> None:
    for opens in (None, timezone.now() + timedelta(days=1)):
        Exhibit.objects.update(published_at=opens)
        assert client.get("/exhibits/skies/").status_code == 404
        assert client.get("/exhibits/skies.json").status_code == 404
        assert "Skies" not in client.get("/exhibits/").content.decode()
        other = Client()
        other.force_login(staff)
        settings.ADMIN_TWO_FACTOR = True
        assert other.get("/exhibits/skies/").status_code == 404, "a session without the second factor"
        settings.ADMIN_TWO_FACTOR = False
        assert other.get("/exhibits/skies/").status_code == 200
        helper = User.objects.create(username="helper" if opens else "second-helper", is_staff=True)
        other.force_login(helper)
        assert other.get("/exhibits/skies/").status_code == 404, "staff without the permission"


def test_an_empty_list_leads_on(client: Client) -> None:
    assert reverse("history") in client.get("/exhibits/").content.decode().split("<main")[1]


def test_pages_cost_the_same_for_one_picture_and_for_twenty(
    client: Client, exhibit: Exhibit, kept: Frame, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        Picture.objects.create(exhibit=exhibit, after_frame=kept, before_frame=kept, position=number)
    with django_assert_max_num_queries(6):
        client.get("/exhibits/skies/")
    with django_assert_max_num_queries(6):
        client.get("/exhibits/")


def test_a_curator_hangs_a_frame_and_a_file_in_one_step(as_staff: Client, staff: User, kept: Frame) -> None:
    data = form(
        2,
        **{
            "pictures-0-position": "2",
            "pictures-0-after_frame": kept.pk,
            "pictures-0-caption": "Second",
            "pictures-1-position": "1",
            "pictures-1-caption": "First",
            "pictures-1-after_file": SimpleUploadedFile("../../x.php", FILE, "text/html"),
            "pictures-1-before_file": SimpleUploadedFile("b.png", FILE),
        },
    )
    answer = as_staff.post(reverse("admin:gallery_exhibit_add"), data)
    assert answer.status_code == 302, answer.context["errors"]
    first, second = Exhibit.objects.get(slug="seas").pictures.all()
    assert (first.caption, second.caption, second.after_frame) == ("First", "Second", kept)
    assert first.after_upload and first.before_upload and first.after_upload.by == staff
    assert first.after_upload.picture.name.startswith("uploads/") and first.after_upload.picture.name.endswith(".jpg")
    assert Act.objects.filter(verb="admin-add", by=staff).exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Choose what to show"),
        ({"after_file": b"<svg></svg>"}, "not a JPEG, PNG or WebP"),
        ({"after_file": hostile.png_claiming(60_000, 60_000)}, "at most 48 million pixels"),
        ({"after_file": FILE, "before_drawing": "on"}, "Only a frame from the history"),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_is_stored(as_staff: Client, fields: dict[str, Any], words: str) -> None:
    named = {"pictures-0-position": "1", "pictures-0-caption": "c"}
    for name, value in fields.items():
        named[f"pictures-0-{name}"] = SimpleUploadedFile("x", value) if isinstance(value, bytes) else value
    answer = as_staff.post(reverse("admin:gallery_exhibit_add"), form(1, **named))
    assert answer.status_code == 200 and words in answer.content.decode()
    assert not Exhibit.objects.exists() and not Upload.objects.exists()


def test_a_dream_that_hangs_is_what_is_shown_and_what_is_named_beside_it_is_refused_where_it_is_named(
    exhibit: Exhibit, kept: Frame, staff: User
) -> None:
    work = Work.objects.create(owner=staff, kind=Work.Kind.DREAM, network="house")
    hung = Picture.objects.create(exhibit=exhibit, after_work=work, position=2)
    sent = {"position": "2", "caption": "A dream"}
    assert PictureForm(sent, instance=hung).is_valid()
    for name, files in (("after_frame", {}), ("after_file", {"after_file": SimpleUploadedFile("x", FILE)})):
        refused = PictureForm({**sent, **({name: kept.pk} if not files else {})}, files, instance=hung)
        assert list(refused.errors) == [name] and "Choose only one" in refused.errors[name][0]
    drawn = PictureForm({**sent, "before_drawing": "on"}, instance=hung)
    assert list(drawn.errors) == ["before_drawing"], "a dream of the studio has no drawing"


def test_an_upload_goes_with_its_file_unless_it_hangs(
    as_staff: Client, exhibit: Exhibit, django_capture_on_commit_callbacks: Any
) -> None:
    answer = as_staff.post(
        reverse("admin:gallery_upload_add"), {"title": "A meadow", "file": SimpleUploadedFile("m.png", FILE)}
    )
    assert answer.status_code == 302
    upload = Upload.objects.get(title="A meadow")
    assert Client().get(reverse("upload", args=[upload.key]))["Location"] == upload.picture.url
    page = as_staff.get(reverse("admin:gallery_upload_change", args=[upload.pk])).content.decode()
    assert f"![A meadow](/uploads/{upload.key})" in page
    assert len(upload.key) == 32 and Client().get(f"/uploads/{upload.pk}").status_code == 404, "not to be counted out"
    picture = Picture.objects.create(exhibit=exhibit, after_upload=upload)
    address = reverse("admin:gallery_upload_delete", args=[upload.pk])
    as_staff.post(address, {"post": "yes"})
    assert Upload.objects.filter(pk=upload.pk).exists(), "it hangs"
    picture.delete()
    with django_capture_on_commit_callbacks(execute=True):
        as_staff.post(address, {"post": "yes"})
    assert not Upload.objects.filter(pk=upload.pk).exists()
    assert not default_storage.exists(upload.picture.name)


def test_who_is_no_curator_uploads_nothing(client: Client, ada: User) -> None:
    client.force_login(ada)
    answer = client.post(reverse("admin:gallery_upload_add"), {"file": SimpleUploadedFile("m.png", FILE)})
    assert answer.status_code in (302, 403) and not Upload.objects.exists()


def _cleaned() -> pictures.CleanedPicture:
    return pictures.clean(io.BytesIO(FILE))
