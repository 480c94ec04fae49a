"""The site's own name, colour and logo, and the owner's first steps."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from canvas.models import Canvas
from canvas.moderation.models import Act
from dreamsite.core import appearance
from dreamsite.core.models import Appearance, SiteState, User
from tests.running import ROOT

pytestmark = pytest.mark.django_db
PAGE = "/staff/core/appearance/1/change/"


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    appearance.forget()
    yield
    appearance.forget()


@pytest.fixture
def owner(settings: Any) -> Client:
    settings.ADMIN_TWO_FACTOR = False
    client = Client()
    client.force_login(User.objects.create_superuser("vera", "vera@example.org", "a long walk by the sea"))
    return client


def picture(width: int, height: int, kind: str = "PNG", mode: str = "RGBA") -> SimpleUploadedFile:
    buffer = io.BytesIO()
    Image.radial_gradient("L").resize((width, height)).convert(mode).save(buffer, kind)
    return SimpleUploadedFile(f"logo.{kind.lower()}", buffer.getvalue())


def test_a_name_stands_on_every_page_and_where_it_is_shared(owner: Client, settings: Any) -> None:
    canvas = Canvas.objects.default()
    assert "<title>Dreamsite</title>" in (before := owner.get("/").content.decode()) and "wordmark" in before
    answer = owner.post(PAGE, {"name": "  Night   Owls ", "accent": ""}, follow=True)
    assert answer.redirect_chain[-1][0] == reverse("first_steps")
    canvas.refresh_from_db()
    assert canvas.title == "Night Owls"
    for address in ("/", "/history/", "/accounts/login/", "/nothing/here/", "/studio/"):
        page = Client().get(address).content.decode()
        assert re.search(r"<title>[^<]*Night Owls</title>", page) and "Dreamsite</title>" not in page, address
        assert 'class="site-name"' in page and "wordmark" not in page, address
    assert 'og:site_name" content="Night Owls"' in Client().get("/").content.decode()
    manifest = Client().get(reverse("webmanifest"), headers={"accept-language": "de"})  # caches keep it for everybody
    assert json.loads(manifest.content)["short_name"] == "Night Owls" and b"Draw together" in manifest.content
    embedding = Client().get(reverse("oembed"), {"url": f"{settings.SITE_URL}/", "format": "json"})
    assert embedding.json()["provider_name"] == "Night Owls"
    assert Act.objects.filter(by__username="vera").exists(), "it is in the log"


def test_no_template_has_a_name_of_its_own() -> None:
    named = {path for path in (ROOT / "templates").rglob("*.*") if "Dreamsite" in path.read_text()}
    assert named == {ROOT / "templates/parts/wordmark.svg"}


def test_a_colour_is_served_readable(owner: Client) -> None:
    assert "accent_css" not in owner.get("/history/").content.decode()
    wrong = owner.post(PAGE, {"name": "Dreamsite", "accent": "red"})
    assert wrong.status_code == 200 and "Write a colour like" in wrong.content.decode()
    owner.post(PAGE, {"name": "Dreamsite", "accent": "#1122AA"})
    (link,) = re.findall(r'href="(/look/\w+\.css)"', owner.get("/history/").content.decode())
    answer = owner.get(link)
    assert answer["Content-Type"] == "text/css" and "immutable" in answer["Cache-Control"]
    assert "prefers-color-scheme: light" in answer.content.decode() and "--dawn: #1122aa" in answer.content.decode()
    assert owner.get("/look/000000000000.css").status_code == 404


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_every_colour_can_be_read(colour: tuple[int, int, int]) -> None:
    css = appearance.accent_css("#" + "".join(f"{part:02x}" for part in colour))
    found = [(int(red, 16), int(green, 16), int(blue, 16)) for red, green, blue in re.findall(r"#(..)(..)(..);", css)]
    assert len(found) == 6
    for accent, bright, on, ground in ((*found[:3], appearance.DARK), (*found[3:], appearance.LIGHT)):
        for shown in (accent, bright):
            assert appearance.contrast(shown, ground) >= appearance.READABLE
        assert appearance.contrast(on, accent) >= appearance.READABLE


@pytest.mark.parametrize(("size", "square"), [((64, 64), True), ((900, 200), False), ((1500, 1500), True)])
@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGBA"), ("JPEG", "L"), ("WEBP", "RGBA")])
def test_a_logo_is_a_small_png_whatever_was_sent(
    owner: Client, size: tuple[int, int], square: bool, kind: str, mode: str
) -> None:
    owner.post(PAGE, {"name": "Owls", "accent": "", "picture": picture(*size, kind, mode)})
    page = owner.get("/history/").content.decode()
    (address,) = set(re.findall(r'src="(/look/\w+\.png)"', page))
    assert (f'rel="icon" href="{address}"' in page) == square and 'alt="Owls"' in page
    answer = owner.get(address)
    stored = Image.open(io.BytesIO(answer.content))
    assert stored.format == "PNG" and max(stored.size) <= appearance.LOGO_SIDE
    assert len(answer.content) <= appearance.LOGO_BYTES
    owner.post(PAGE, {"name": "Owls", "accent": "", "without": "on"})
    assert "site-logo" not in owner.get("/history/").content.decode() and owner.get(address).status_code == 404


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (lambda: picture(1, 20_000, "PNG", "L"), "1 × 20000"),
        (lambda: picture(30, 30, "BMP", "RGB"), "JPEG, PNG or WebP"),
        (lambda: SimpleUploadedFile("logo.png", b"<svg/>"), "JPEG, PNG or WebP"),
        (lambda: SimpleUploadedFile("logo.png", picture(99, 99).read()[:300]), "no picture can be read"),
    ],
)
def test_what_is_no_logo_is_told_in_words(owner: Client, file: Any, words: str) -> None:
    answer = owner.post(PAGE, {"name": "Owls", "accent": "", "picture": file()})
    assert answer.status_code == 200 and words in answer.content.decode()
    assert not Appearance.objects.exclude(logo=b"").exists()


def test_noise_becomes_small_enough() -> None:
    assert len(appearance.as_logo(Image.effect_noise((2000, 2000), 200).convert("RGB"))) <= appearance.LOGO_BYTES


def test_only_owners_choose(owner: Client) -> None:
    staff = Client()
    staff.force_login(User.objects.create_user("stan", is_staff=True))
    for client, status in ((staff, 403), (Client(), 302)):
        assert client.post(PAGE, {"name": "Mine", "accent": ""}).status_code == status
    assert appearance.current().name == "Dreamsite"


# --- first steps ----------------------------------------------------------------------------------------------------


def undone(client: Client) -> set[str]:
    page = client.get(reverse("first_steps")).content.decode()
    return set(re.findall(r'<li class="step" id="([\w-]+)"', page))


def test_they_tick_themselves_off(owner: Client, settings: Any) -> None:
    settings.ADMIN_TWO_FACTOR = True
    before = undone(owner)
    assert {"second-factor", "look", "contact", "mail", "moderators", "donations", "backup"} <= before
    settings.CONTACT, settings.EMAIL_HOST = "mailto:vera@example.org", "mail.example.org"
    settings.DONATE_PAYPAL = "https://paypal.me/vera"
    SiteState.objects.update_or_create(id=1, defaults={"backed_up_at": timezone.now()})  # as `manage.py backup` does
    Appearance.objects.create(name="Owls")
    mod = User.objects.create_user("mo")
    mod.groups.add(Group.objects.get(name="Moderators"))
    assert before - undone(owner) == {"contact", "mail", "donations", "backup", "look", "moderators"}


def test_one_is_left_out_and_taken_up_again(owner: Client) -> None:
    there = undone(owner)
    owner.post(reverse("first_steps"), {"skip": "donations"})
    assert there - undone(owner) == {"donations"}
    for name in ("backup", "nothing", "9" * 5000):  # what may not be left out stays
        owner.post(reverse("first_steps"), {"skip": name})
    assert "backup" in undone(owner)
    owner.post(reverse("first_steps"), {"unskip": "donations"})
    assert undone(owner) == there


def test_a_letter_is_tried(owner: Client, settings: Any) -> None:
    settings.EMAIL_HOST = "mail.example.org"
    page = owner.post(reverse("first_steps"), {"mail": "1"}, follow=True).content.decode()
    assert "on its way to vera@example.org" in page
    assert [letter.to for letter in mail.outbox] == [["vera@example.org"]]


def test_a_refused_letter_is_told_in_words(owner: Client, settings: Any) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    page = owner.post(reverse("first_steps"), {"mail": "1"}, follow=True).content.decode()
    assert "127.0.0.1 did not take it" in page


RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
DARK = re.compile(r"background(?:-color)?:\s*(?:rgb\((\d+) (\d+) (\d+)(?: / (\d+)%)?\)|#(?:[0-2][0-9a-f]){3}\b|#000\b)")
INK = re.compile(r"(?<![\w-])color:\s*#")
WORDLESS = {".dialog::backdrop", ".region.cover", ".slideshow", "#slideshow", ".work-film", ".journey-film"}


def unreadable_by_day(sheet: str) -> list[str]:
    """Selectors whose ground is dark in both schemes while their text is the scheme's: dark, by day."""
    found = []
    for selector, body in RULE.findall(re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)):
        ground = DARK.search(body)
        if ground is None or selector.strip() in WORDLESS or INK.search(body):
            continue
        red, green, blue, share = ground.groups()
        if red is None or (max(map(int, (red, green, blue))) < 64 and int(share or 100) >= 50):
            found.append(selector.strip())
    return found


def test_what_is_always_dark_has_light_text_in_both_schemes() -> None:
    for sheet in sorted((ROOT / "static").rglob("*.css")):
        assert unreadable_by_day(sheet.read_text()) == [], sheet
    assert unreadable_by_day(".a { background: rgb(9 8 7 / 80%); color: var(--text); } .b { background: #000; }") == [
        ".a",
        ".b",
    ]
    assert unreadable_by_day(".a { background: rgb(9 8 7 / 30%); } .b { background: #111213; color: #fff; }") == []
