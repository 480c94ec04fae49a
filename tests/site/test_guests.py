"""People who draw before they sign up, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from canvas import frames, gate, user_status
from canvas.models import Canvas, CleanHours, Frame, Rules, Stroke
from canvas.moderation.models import Act
from canvas.moderation.switches import services as switches
from dreamsite.accounts import export, guests
from dreamsite.accounts import views as accounts
from dreamsite.core.models import SiteState, User
from dreamsite.core.turns import Turns
from gallery.models import Film
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def guest(client: Client) -> User:
    answer = client.post("/accounts/guest/")
    assert answer.status_code == 200
    return User.objects.get(pk=answer.json()["id"])


def drawn_by(user: User) -> Stroke:
    now = timezone.now()
    return Stroke.objects.create(
        canvas=Canvas.objects.default(),
        author=user.pk,
        stroke_id=1,
        first_seq=1,
        last_seq=1,
        began_at=now,
        ended_at=now,
        left=0,
        top=0,
        right=9,
        bottom=9,
        colour="#000000",
        opacity=255,
        width=9,
        pieces=1,
        points=1,
    )


def keep(client: Client, name: str, password: str = PASSWORD, **more: str) -> Any:
    return client.post("/accounts/keep/", {"username": name, "password1": password, **more})


def test_a_stranger_becomes_a_guest_with_a_name_and_stays_the_same_one(client: Client, guest: User) -> None:
    guest.full_clean()  # a name like any other
    assert guest.guest and not guest.has_usable_password()
    assert client.session["_auth_user_id"] == str(guest.pk)
    again = client.post("/accounts/guest/").json()
    assert (again["id"], again["name"]) == (guest.pk, guest.username)
    assert User.objects.count() == 1


def test_every_made_up_name_is_one_that_an_account_can_have() -> None:
    for first in guests.FIRST:
        for second in guests.SECOND:
            User(username=f"{first}-{second}-999999").clean_fields(exclude=["password"])
    with pytest.raises(ValidationError):
        User(username="x" * 25).clean_fields(exclude=["password"])


def test_the_token_that_is_told_is_the_one_that_counts() -> None:
    client = Client(enforce_csrf_checks=True)
    client.get("/")
    first = client.cookies["csrf"].value
    token = client.post("/accounts/guest/", headers={"X-CSRFToken": first}).json()["token"]
    answer = client.post("/accounts/logout/", headers={"X-CSRFToken": token})
    assert answer.status_code == 302
    assert Client(enforce_csrf_checks=True).post("/accounts/guest/").status_code == 403


def test_the_owner_can_switch_guests_off(client: Client, settings: Any) -> None:
    assert 'data-guest="/accounts/guest/"' in client.get("/").content.decode()
    settings.GUESTS = False
    assert 'data-guest=""' in client.get("/").content.decode()
    answer = client.post("/accounts/guest/")
    assert (answer.status_code, answer.json()["error"]) == (403, "members-only")
    assert not User.objects.exists()


def test_no_guests_after_the_end(client: Client) -> None:
    SiteState.end(timezone.now() - timedelta(minutes=1))
    assert client.post("/accounts/guest/").status_code == 403


def test_one_address_makes_only_so_many(client: Client) -> None:
    statuses = [Client().post("/accounts/guest/").status_code for _ in range(13)]
    assert statuses == [200] * 12 + [429]


def test_a_guest_stays_a_newcomer_until_they_are_a_member(guest: User) -> None:
    guest.date_joined = timezone.now() - timedelta(days=60)
    guest.save()
    CleanHours.objects.create(user=guest, hours=50)
    status = user_status.read([guest.pk])[guest.pk]
    assert (status.guest, status.hours, status.trusted) == (True, 0, False)
    assert gate.allowance(gate.Rules(), status, 0) == gate.allowance(gate.Rules(), gate.UserStatus(), 0)
    User.objects.update(guest=False)
    status = user_status.read([guest.pk])[guest.pk]
    assert (status.guest, status.hours, status.trusted) == (False, 50, True)


def test_moderators_switch_guests_off_on_one_canvas(client: Client, guest: User, staff: User) -> None:
    canvas = Canvas.objects.default()
    act = switches.turn(canvas, "members_only", True, staff)
    assert Rules.objects.of(canvas).members_only and switches.state(canvas)["members_only"] is True
    assert 'data-guest=""' in Client().get("/").content.decode()
    switches.reverse(act, staff)
    assert not Rules.objects.of(canvas).members_only
    assert [one.verb for one in Act.objects.order_by("pk")] == ["members-only", "undo"]


def test_becoming_a_member_keeps_name_strokes_films_and_session(client: Client, guest: User) -> None:
    drawn_by(guest)
    now, canvas = timezone.now(), Canvas.objects.default()
    picture = frames.encode(np.full((64, 64, 3), 200, np.uint8), Frame.Kind.DREAM)
    frame = frames.keep(frames.NewFrame(canvas, picture, Frame.Kind.DREAM, 1, [guest.pk]))
    film = Film.objects.create(
        canvas=canvas, kind=Film.Kind.MINE, starts_at=now, ends_at=now + timedelta(1), owner=guest, requested_by=guest
    )
    assert client.get(film.get_absolute_url()).status_code == 200
    page = client.get("/accounts/keep/?next=/history/").content.decode()
    assert guest.username in page and "You drew one stroke" in page
    answer = keep(client, guest.username, next="/history/")
    assert (answer.status_code, answer["Location"]) == (302, "/history/")
    guest.refresh_from_db()
    assert not guest.guest and guest.check_password(PASSWORD)
    assert client.get("/account/").status_code == 200
    assert Stroke.objects.by(guest).count() == 1
    other = Client()
    assert other.post("/accounts/login/", {"login": guest.username, "password": PASSWORD}).status_code == 302
    # Somewhere else, the next day: their dreams, their strokes and their film.
    for address in (f"/people/{guest.username}/", "/account/"):
        assert frame.get_absolute_url() in other.get(address).content.decode(), address
    assert "1 stroke" in other.get("/history/mine/").content.decode()
    assert other.get(film.get_absolute_url()).status_code == 200
    assert film.get_absolute_url() in other.get("/films/mine/").content.decode()
    assert Client().get(film.get_absolute_url()).status_code == 404, "it is still nobody else's"


def test_looking_at_ones_own_page_reads_the_canvases_at_a_pace(
    client: Client, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[None] = []
    monkeypatch.setattr(accounts.strokes, "index_all", lambda: read.append(None))
    monkeypatch.setattr(accounts, "_reading", Turns("the newest strokes", 1, patience=0.0, waiting=0))
    client.force_login(ada)
    with accounts._reading.take():  # somebody else's page reads just now
        assert client.get("/account/").status_code == 200 and not read
    for _ in range(30):
        assert client.get("/account/").status_code == 200
    assert 1 <= len(read) < 30


def test_another_name_can_be_chosen_but_not_somebody_elses(client: Client, guest: User, ada: User) -> None:
    assert keep(client, "ADA").status_code == 200
    assert keep(client, "admin").status_code == 200
    assert keep(client, "mira", "short").status_code == 200
    guest.refresh_from_db()
    assert guest.guest
    assert keep(client, "mira", next="https://evil.example/")["Location"] == "/"
    guest.refresh_from_db()
    assert (guest.username, guest.guest) == ("mira", False)


def test_with_a_mail_server_the_address_is_confirmed(client: Client, guest: User, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"]
    assert keep(client, "mira").status_code == 200
    assert keep(client, "mira", email="mira@example.org").status_code == 302
    address = EmailAddress.objects.get(user=guest)
    assert (address.email, address.verified) == ("mira@example.org", False)
    assert [letter.to for letter in mail.outbox] == [["mira@example.org"]]


def test_sign_up_leads_guests_to_their_name_and_sign_in_lets_them_in(client: Client, guest: User, ada: User) -> None:
    assert client.get("/accounts/signup/?next=/history/")["Location"] == "/accounts/keep/?next=%2Fhistory%2F"
    assert client.get("/accounts/login/").status_code == 200
    answer = client.post("/accounts/login/", {"login": "ada", "password": PASSWORD})
    assert answer.status_code == 302 and client.session["_auth_user_id"] == str(ada.pk)
    assert client.get("/accounts/keep/")["Location"] == "/account/"
    assert Client().get("/accounts/keep/")["Location"] == "/accounts/signup/"


def test_what_costs_much_is_for_members(client: Client, guest: User) -> None:
    answer = client.post("/studio/noise/")
    assert answer.status_code == 302 and answer["Location"].startswith("/accounts/keep/")


def test_the_export_says_what_they_are(guest: User) -> None:
    assert export.profile(guest)["guest"] is True
    assert 'class="badge">guest' in Client().get(f"/people/{guest.username}/").content.decode()


def test_guests_who_never_drew_are_forgotten() -> None:
    old = timezone.now() - timedelta(days=3)
    drew, draws, _, fresh = (guests.create() for _ in range(4))
    User.objects.exclude(pk=fresh.pk).update(date_joined=old)
    CleanHours.objects.dreamed([draws.pk], old)
    member = User.objects.create_user("member", date_joined=old)
    drawn_by(drew)
    assert guests.forget_idle() == 1
    assert set(User.objects.all()) == {drew, draws, fresh, member}
