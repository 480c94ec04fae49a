"""The feed of what others draw beside one's strokes: what it tells, whom, and what it keeps to itself."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ElementTree
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from canvas import journal, wire
from canvas.degrees import SHUT_OUT
from canvas.models import Canvas, Frame, Sanction, Stroke, secret_slug
from dreamsite import logs
from dreamsite.accounts import closing, export
from dreamsite.core.models import User
from gallery.beside import finding
from gallery.models import BesideFeed
from tests.gallery.test_drawn_over import draw, dream
from tests.rows import every_value

pytestmark = pytest.mark.django_db
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def bea(db: None) -> User:
    return User.objects.create_user("bea")


@pytest.fixture
def address(ada: User) -> str:
    client = Client()
    client.force_login(ada)
    assert client.post("/history/mine/feed/", {"act": "on"})["Location"] == "/account/#feed"
    found = BesideFeed.objects.get(user=ada).get_absolute_url()
    assert found in client.get("/account/").content.decode()
    return found


def entries(address: str, **headers: str) -> list[ElementTree.Element]:
    answer = Client().get(address, headers=headers)
    assert answer.status_code == 200
    return ElementTree.fromstring(answer.content).findall(f"{ATOM}entry")


def text(entry: ElementTree.Element, name: str) -> str:
    return entry.findtext(f"{ATOM}{name}") or ""


def test_only_what_came_later_and_near_one_entry_a_place(canvas: Canvas, ada: User, bea: User, address: str) -> None:
    early, far, out = (User.objects.create_user(name) for name in ("early-one", "far-one", "out-one"))
    draw(canvas, early, 120, 100)
    draw(canvas, ada, 100, 100)
    assert entries(address) == [], "nobody has drawn since"
    draw(canvas, bea, 130, 100)  # beside, not over
    draw(canvas, bea, 140, 110)
    draw(canvas, far, 100 + 12 + finding.DISTANCE + 20, 100)
    draw(canvas, out, 100, 100)
    Sanction.objects.create(user=out, degree=SHUT_OUT[0], reason="x")
    (entry,) = entries(address)
    assert text(entry, "title") == "bea drew beside your strokes"
    assert "2 strokes on" in text(entry, "summary") and "<img" not in text(entry, "summary")
    links = {link.get("rel"): link.get("href", "") for link in entry.findall(f"{ATOM}link")}
    assert "/#x=14" in links["alternate"] and "enclosure" not in links
    told = ElementTree.tostring(entry, "unicode")
    assert not [name for name in ("early-one", "far-one", "out-one") if name in told]

    frame = dream(canvas, bea)
    (dreamed,) = entries(address)
    assert text(dreamed, "id") == text(entry, "id"), "the same entry, with more in it"
    assert frame.thumbnail.name in text(dreamed, "summary") and "/history/2" in text(dreamed, "summary")
    Frame.objects.filter(pk=frame.pk).update(hidden_at=timezone.now())
    assert "<img" not in text(entries(address)[0], "summary")


def test_hidden_ink_and_ink_taken_back_are_left_out(canvas: Canvas, ada: User, bea: User, address: str) -> None:
    draw(canvas, ada, 100, 100)
    hidden = draw(canvas, bea, 100, 100)
    undone = draw(canvas, bea, 110, 100)
    assert len(entries(address)) == 1
    journal.append(canvas, [wire.Hide((hidden,), False)])
    stroke = Stroke.objects.get(canvas=canvas, first_seq=undone)
    journal.append(canvas, [wire.Undo(stroke.stroke_id, bea.pk)])
    assert entries(address) == []


def test_old_strokes_are_no_longer_ones_own_and_old_news_are_none(
    canvas: Canvas, ada: User, bea: User, address: str
) -> None:
    draw(canvas, ada, 100, 100)
    draw(canvas, bea, 100, 100)
    now = timezone.now()
    assert len(finding.find(ada, now)) == 1
    assert finding.find(ada, now + finding.NEWS_DAYS + timedelta(hours=1)) == []
    Stroke.objects.filter(author=ada.pk).update(ended_at=now - finding.OWN_DAYS - timedelta(hours=1))
    assert finding.find(ada, now) == []


def test_one_entry_an_hour_and_place_however_many_draw(canvas: Canvas, ada: User, address: str) -> None:
    draw(canvas, ada, 100, 100)
    people = [User.objects.create_user(f"person-{n}") for n in range(5)]
    for person in people:
        draw(canvas, person, 120, 110)
    Stroke.objects.exclude(author=ada.pk).update(ended_at=timezone.now().replace(minute=30) - timedelta(hours=1))
    Stroke.objects.filter(author=ada.pk).update(ended_at=timezone.now() - timedelta(hours=3))
    (entry,) = entries(address)
    assert text(entry, "title") == "person-4, person-3, person-2 and 2 more drew beside your strokes"
    User.objects.exclude(pk=ada.pk).update(closed_at=timezone.now())
    assert text(entries(address)[0], "title") == "5 people drew beside your strokes"


def test_members_canvases_only_for_their_maker(ada: User, bea: User, address: str) -> None:
    own, theirs = (
        Canvas.objects.create(slug=secret_slug(), title=title, maker=maker, by_member=True, listed=False)
        for title, maker in (("Her own", ada), ("Of another", bea))
    )
    for canvas in (own, theirs):
        draw(canvas, ada, 100, 100)
        draw(canvas, bea, 100, 100)
    (entry,) = entries(address)
    assert "Her own" in text(entry, "summary") and own.slug in text(entry, "summary")
    Canvas.objects.filter(pk=own.pk).update(deleted_at=timezone.now())
    assert entries(address) == []


def test_another_address_no_address_and_nobody_elses(ada: User, bea: User, address: str) -> None:
    client, other = Client(), Client()
    client.force_login(ada)
    other.force_login(bea)
    other.post("/history/mine/feed/", {"act": "on"})
    theirs = BesideFeed.objects.get(user=bea).get_absolute_url().split("/")[-2]
    assert client.get(f"/feeds/beside/{ada.pk}/{theirs}/").status_code == 404
    client.post("/history/mine/feed/", {"act": "renew"})
    renewed = BesideFeed.objects.get(user=ada).get_absolute_url()
    assert renewed != address and client.get(address).status_code == 404
    client.post("/history/mine/feed/", {"act": "off"})
    assert client.get(renewed).status_code == 404 and not BesideFeed.objects.filter(user=ada).exists()
    client.post("/history/mine/feed/", {"act": "renew"})
    assert not BesideFeed.objects.filter(user=ada).exists()
    guest = Client()
    guest.post("/accounts/guest/")
    assert guest.post("/history/mine/feed/", {"act": "on"})["Location"] == "/accounts/keep/"


def test_who_is_suspended_or_leaves_reads_nothing(canvas: Canvas, ada: User, bea: User, address: str) -> None:
    draw(canvas, ada, 100, 100)
    draw(canvas, bea, 100, 100)
    sanction = Sanction.objects.create(user=ada, degree=SHUT_OUT[0], reason="x")
    assert entries(address) == []
    sanction.delete()
    assert len(entries(address)) == 1
    closing.close(ada)
    assert Client().get(address).status_code == 404
    User.objects.filter(pk=ada.pk).update(closes_at=timezone.now())
    assert closing.scrub_due() == 1 and not BesideFeed.objects.exists()


def test_the_key_is_in_no_row_no_log_and_no_export(ada: User, address: str, settings: Any) -> None:
    key = address.split("/")[-2]
    assert len(key) == 32 and key not in logs.redact(f"Not Found: {address}")
    assert not [where for where, value in every_value() if key in value]
    archive = zipfile.ZipFile(io.BytesIO(b"".join(export.chunks(ada))))
    assert json.loads(archive.read("profile.json"))["feed_of_ink_beside_yours"] == "on"
    feed = BesideFeed.objects.get()
    assert not [name for name in archive.namelist() for word in (key, feed.nonce) if word in str(archive.read(name))]
    before = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [before]
    assert feed.get_absolute_url() != address and feed.opens_with(key)
    settings.SECRET_KEY_FALLBACKS = []
    assert not feed.opens_with(key)


def test_it_is_private_small_the_second_time_and_not_too_often(
    canvas: Canvas, ada: User, bea: User, address: str, settings: Any
) -> None:
    client = Client()
    empty = client.get(address)
    assert empty.content == client.get(address).content, "nothing in it changes by itself"
    draw(canvas, ada, 100, 100)
    draw(canvas, bea, 100, 100)
    first = client.get(address)
    assert first["ETag"] != empty["ETag"] and first["Cache-Control"].startswith("private")
    assert "Cookie" not in first.get("Vary", "") and "Last-Modified" in first
    again = client.get(address, headers={"if-none-match": first["ETag"]})
    assert again.status_code == 304 and not again.content and again["ETag"] == first["ETag"]
    assert client.head(address).status_code == 200 and client.post(address).status_code == 405
    settings.ACCOUNT_RATE_LIMITS = {"beside_feed": "1/h/key"}
    ElementTree.fromstring(client.get(address).content)
    limited = client.get(address)
    assert limited.status_code == 429 and int(limited["Retry-After"]) > 0
    settings.ACCOUNT_RATE_LIMITS = {"beside_switch": "1/h/user"}
    client.force_login(ada)
    assert [client.post("/history/mine/feed/", {"act": "on"}).status_code for _ in range(2)] == [302, 429]


def test_in_the_language_of_the_account(canvas: Canvas, ada: User, bea: User, address: str) -> None:
    draw(canvas, ada, 100, 100)
    draw(canvas, bea, 100, 100)
    User.objects.filter(pk=ada.pk).update(language="de")
    answer = Client().get(address)
    assert answer["Content-Language"] == "de" and 'xml:lang="de"' in answer.content.decode()
    assert "bea hat neben deinen Strichen gezeichnet" in answer.content.decode()


def test_its_cost_does_not_grow_with_what_was_drawn(canvas: Canvas, ada: User, bea: User, address: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert len(entries(address)) == 1
        return len(captured)

    draw(canvas, ada, 100, 100)
    draw(canvas, bea, 100, 100)
    entries(address)
    few = queries()
    for n in range(40):
        draw(canvas, ada, 100 + n % 7, 100)
        draw(canvas, bea, 100, 100 + n % 7)
    entries(address)
    assert queries() == few
