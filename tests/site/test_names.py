"""Names that look like somebody else's, or like the site's own."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from canvas.moderation.permissions import MODERATORS
from dreamsite.core.models import User
from dreamsite.core.names import RESERVED, is_reserved, skeleton
from tests.conftest import PASSWORD

ALIKE = [
    ("boss", "boss_"),
    ("boss", "b.o.s.s"),
    ("boss", "B0SS"),
    ("boss", "8oss"),
    ("mona", "rnona"),
    ("mona", "RNONA"),
    ("will", "wiII"),
    ("will", "w1ll"),
    ("owen", "0vven"),
    ("dave", "clave"),
    ("eve", "3v3"),
    ("tess", "7e55"),
    ("x-y", "xy"),
    ("Zoe", "2oe"),
    ("gogo", "9090"),
]
POSING = [
    *("Admin1", "M0derator", "admin_", "4dmin", "ADM1N", "the.admin", "TheAdmin", "admin-team", "dreamsite_help"),
    *("rnoderator", "Mod3rator", "support24", "st4ff", "0fficial", "S.y.s.t.e.m", "nob0dy", "root-access", "realowner"),
]


def sign_up(name: str, number: int = 1) -> Any:
    return Client(REMOTE_ADDR=f"198.51.100.{number}").post(
        "/accounts/signup/", {"username": name, "password1": PASSWORD}
    )


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "other"), ALIKE)
def test_nobody_takes_a_name_that_looks_like_anothers(name: str, other: str) -> None:
    assert sign_up(name).status_code == 302
    answer = sign_up(other, 2)
    assert answer.status_code == 200 and "one that looks like it" in answer.content.decode()
    assert User.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("name", POSING)
def test_nobody_poses_as_the_site(name: str) -> None:
    answer = sign_up(name)
    assert answer.status_code == 200 and "kept back" in answer.content.decode()
    assert not User.objects.exists()


@pytest.mark.parametrize("name", ["badminton", "Modesto", "rooter", "Teamwork", "Ernst", "stella1", "moderne", "Teddy"])
def test_names_that_only_contain_such_letters_are_welcome(name: str) -> None:
    assert not is_reserved(name)


@pytest.mark.django_db
def test_the_staff_are_told_so_too(staff: User, settings: Any) -> None:
    settings.ADMIN_TWO_FACTOR = False
    User.objects.create_user("mona", password=PASSWORD)
    owner = Client()
    owner.force_login(staff)
    answer = owner.post("/staff/core/user/add/", {"username": "rnona", "password1": PASSWORD, "password2": PASSWORD})
    assert "one that looks like it" in answer.content.decode() and User.objects.count() == 2


@pytest.mark.django_db
def test_moderators_have_a_mark_that_no_name_gives(client: Client) -> None:
    judge, poser = (User.objects.create_user(name, password=PASSWORD) for name in ("judge", "poser"))
    judge.groups.add(Group.objects.get(name=MODERATORS))
    assert ">Moderator</span>" in client.get("/people/judge/").content.decode()
    assert "Moderator" not in client.get(f"/people/{poser.username}/").content.decode()


NAMES = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{1,23}\Z")


@given(NAMES)
def test_case_dots_and_digits_change_no_skeleton(name: str) -> None:
    found = skeleton(name)
    assert found == skeleton(name.upper()) == skeleton(name.lower()) == skeleton(name + "_") == skeleton("." + name)
    assert skeleton(name.translate(str.maketrans("oOiIlL", "001111"))) == found
    assert len(found) <= len(name)


@given(st.sampled_from(sorted(RESERVED)), st.sampled_from(["", "1", "_", "42", ".", "-7"]))
def test_reserved_names_are_reserved_however_they_end(name: str, end: str) -> None:
    assert is_reserved(name + end) and is_reserved(name.upper() + end) and is_reserved(name.replace("o", "0") + end)
