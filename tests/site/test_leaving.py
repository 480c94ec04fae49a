"""One's sessions, one's public page, and the two ways out: with one's data, and for good."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.core.management import call_command
from django.db import connection
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from canvas import frames, strokes, wire
from canvas.models import Batch, Canvas, Frame, Sanction
from canvas.people import DatabasePeople
from dreamsite.accounts import closing, export
from dreamsite.core.models import User
from tests.conftest import PASSWORD
from tests.rows import many_canvases

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"


def signed_in(name: str = "ada", **headers: str) -> Client:
    client = Client(**headers)
    assert client.post("/accounts/login/", {"login": name, "password": PASSWORD}).status_code == 302
    return client


def confirm(client: Client) -> None:
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302


@pytest.fixture
def drawn(ada: User) -> Frame:
    """Ada drew a stroke of two pieces; it is in a frame."""
    canvas = Canvas.objects.default()
    pieces = [
        wire.Stroke(7, 0, (20, 40, 200), 255, 0, ((80, 160, 40), (88, 168, 48)), False, ada.pk),
        wire.Stroke(7, 1, (20, 40, 200), 255, 0, ((88, 168, 48), (96, 176, 56)), True, ada.pk),
    ]
    payload = b"".join(wire.encode(piece) for piece in pieces)
    Batch.objects.create(canvas=canvas, first=1, last=2, at=timezone.now(), payload=payload)
    Canvas.objects.filter(pk=canvas.pk).update(head=2)
    made = frames.encode(np.full((96, 96, 3), 128, np.uint8), Frame.Kind.DREAM)
    return frames.keep(frames.NewFrame(canvas, made, Frame.Kind.DREAM, 2, authors=[ada.pk], seconds=1.0))


def test_sessions_are_listed_and_closed_one_by_one(ada: User) -> None:
    here, phone, third = (signed_in(HTTP_USER_AGENT=agent) for agent in (FIREFOX, IPHONE, FIREFOX))
    page = here.get("/accounts/sessions/").content.decode()
    assert "Firefox on Linux" in page and "Safari on iPhone" in page and page.count("this one") == 1
    assert "127.0.0.0" in page and "127.0.0.1" not in page, "the end of an address is not kept"
    row = UserSession.objects.get(user_agent=IPHONE)
    here.post("/accounts/sessions/", {"session": row.pk})
    assert [client.get("/account/").status_code for client in (here, phone, third)] == [200, 302, 200]
    here.post("/accounts/sessions/", {"session": "others"})
    assert [client.get("/account/").status_code for client in (here, phone, third)] == [200, 302, 302]


def test_sessions_of_others_are_nobodys(ada: User) -> None:
    User.objects.create_user("eve", password=PASSWORD)
    mine, eve = signed_in(), signed_in("eve")
    row = UserSession.objects.get(user=ada)
    eve.post("/accounts/sessions/", {"session": row.pk})
    assert mine.get("/account/").status_code == 200


def test_a_session_older_than_the_list_comes_into_it(client: Client, ada: User) -> None:
    client.force_login(ada)
    client.get("/account/")
    assert UserSession.objects.filter(user=ada).count() == 1


def test_the_public_page(client: Client, ada: User, drawn: Frame) -> None:
    strokes.index(drawn.canvas)
    page = client.get("/people/ada/").content.decode()
    assert "<dd>1</dd>" in page and drawn.get_absolute_url() in page
    assert client.get("/people/ADA/")["Location"] == "/people/ada/"
    assert client.get("/people/nobody-here/").status_code == 404
    EmailAddress.objects.create(user=ada, email="ada@example.org")
    assert "example.org" not in client.get("/people/ada/").content.decode()


def read(answer: Any) -> dict[str, Any]:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert archive.testzip() is None
    files = {name: archive.read(name).decode() for name in archive.namelist()}
    return {
        name: [json.loads(line) for line in text.splitlines()] if name.endswith(".jsonl") else text
        for name, text in files.items()
    }


def test_everything_about_oneself_in_one_file(ada: User, drawn: Frame) -> None:
    EmailAddress.objects.create(user=ada, email="ada@example.org", verified=True)
    Sanction.objects.create(user=ada, degree="warn", reason="Mind the others")
    Sanction.objects.create(user=User.objects.create_user("eve"), degree="warn", reason="Somebody else’s")
    client = signed_in()
    assert client.post("/account/export/")["Location"].startswith("/accounts/reauthenticate/")
    confirm(client)
    answer = client.post("/account/export/")
    assert answer["Content-Type"] == "application/zip" and "no-store" in answer["Cache-Control"]
    files = read(answer)
    profile = json.loads(files["profile.json"])
    assert profile["name"] == "ada" and profile["email"][0]["email"] == "ada@example.org" and profile["sessions"]
    assert [row["reason"] for row in files["sanctions.jsonl"]] == ["Mind the others"]
    assert files["frames.jsonl"] == [
        {
            "canvas": "main",
            "number": 1,
            "made_at": files["frames.jsonl"][0]["made_at"],
            "title": "",
            "page": drawn.get_absolute_url(),
        }
    ]
    (stroke,) = files["strokes.jsonl"]
    assert stroke["points"] == [[10, 20, 5], [11, 21, 6], [12, 22, 7]] and stroke["colour"] == "#1428c8"
    assert "argon2" not in str(files) and "md5$" not in str(files)


def test_strokes_are_found_without_a_look_at_every_canvas(ada: User, drawn: Frame) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as made:
            assert len(list(export.drawn(ada))) == 1
        return len(made)

    queries()
    few = queries()
    many_canvases()
    assert queries() == few


@pytest.mark.django_db(transaction=True)
async def test_the_file_comes_in_pieces_under_asgi(ada: User) -> None:
    client = AsyncClient()
    await client.aforce_login(ada)
    assert (await client.post("/accounts/reauthenticate/", {"password": PASSWORD})).status_code == 302
    answer = await client.post("/account/export/")
    assert answer.is_async
    data = b"".join([chunk async for chunk in answer.streaming_content])
    assert "profile.json" in zipfile.ZipFile(io.BytesIO(data)).namelist()


def close(client: Client) -> str:
    confirm(client)
    return client.post("/account/close/").content.decode()


def test_an_account_is_closed_and_comes_back_with_the_next_sign_in(ada: User, drawn: Frame) -> None:
    client, other = signed_in(), signed_in()
    assert "everybody’s" in Client().get("/accounts/signup/").content.decode(), "said before anybody signs up"
    assert "14 days" in client.get("/account/close/").content.decode()
    assert client.post("/account/close/")["Location"].startswith("/accounts/reauthenticate/")
    assert "Thank you for drawing" in close(client)
    assert client.get("/account/").status_code == other.get("/account/").status_code == 302
    assert client.get("/people/ada/").status_code == 404
    ada.refresh_from_db()
    assert ada.closes_at is not None and timedelta(days=13) < ada.closes_at - timezone.now() < timedelta(days=15)
    assert closing.scrub_due() == 0
    back = signed_in()
    assert back.get("/account/").status_code == back.get("/people/ada/").status_code == 200
    ada.refresh_from_db()
    assert ada.closes_at is None


def test_after_the_grace_nothing_is_known_of_them_and_their_ink_stays(ada: User, drawn: Frame, capsys: Any) -> None:
    EmailAddress.objects.create(user=ada, email="ada@example.org", verified=True)
    close(signed_in())
    User.objects.filter(pk=ada.pk).update(closes_at=timezone.now() - timedelta(minutes=1))
    call_command("close_accounts")
    call_command("close_accounts")
    assert capsys.readouterr().out.split("\n")[:2] == ["1 accounts closed for good.", "0 accounts closed for good."]
    ada.refresh_from_db()
    assert ada.username == f"~{ada.pk}" and not ada.is_active and not ada.has_usable_password()
    assert not EmailAddress.objects.exists() and not UserSession.objects.exists()
    assert Client().post("/accounts/login/", {"login": "ada", "password": PASSWORD}).status_code == 200
    assert not drawn.contributors.exists()
    assert Batch.objects.count() == 1
    assert DatabasePeople().names([ada.pk]) == {}
    again = Client().post("/accounts/signup/", {"username": "ada", "password1": PASSWORD})
    assert again.status_code == 302, "the name is free again"


def test_the_last_owner_cannot_leave_by_any_way(staff: User, ada: User, settings: Any) -> None:
    settings.ADMIN_TWO_FACTOR = False
    client = signed_in("boss")
    confirm(client)
    for answer in (client.get("/account/close/"), client.post("/account/close/")):
        assert answer.status_code == 409 and "last owner" in answer.content.decode()
    change, delete = (reverse(f"admin:core_user_{what}", args=[staff.pk]) for what in ("change", "delete"))
    form = {"username": "boss", "is_staff": "on", "is_superuser": "on", "is_active": "on"}
    for missing in ("is_superuser", "is_active"):
        sent = {name: value for name, value in form.items() if name != missing}
        assert "last owner" in client.post(change, sent).content.decode()
    assert client.post(delete, {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [staff.pk], "post": "yes"}
    client.post(reverse("admin:core_user_changelist"), chosen)
    staff.refresh_from_db()
    assert staff.is_superuser and staff.is_active and staff.closes_at is None
    # With a second owner each may leave, and then the other may not.
    User.objects.filter(pk=ada.pk).update(is_superuser=True)
    assert client.post("/account/close/").status_code == 200
    assert User.objects.get(pk=staff.pk).closes_at is not None and User.objects.get(pk=ada.pk).is_last_owner()
