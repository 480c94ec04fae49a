"""Every address of the site, asked by everybody: the answers stand in urls_table.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.site.urls_table import TABLE
from tests.site.world import ROLES, World

pytestmark = pytest.mark.django_db
SIGN_IN = "/accounts/login/", f"/{settings.ADMIN_PATH}/login/"
AGAIN = "/accounts/reauthenticate/", "/accounts/2fa/reauthenticate/", "/accounts/2fa/webauthn/reauthenticate/"


@pytest.fixture(autouse=True)
def unlimited(settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = False


def patterns(
    found: list[Any], namespace: str = "", arguments: tuple[str, ...] = ()
) -> Iterator[tuple[str, URLPattern]]:
    """Key and pattern of every address below `found`; the key is its name, then its arguments' names."""
    for pattern in found:
        more = (*arguments, *pattern.pattern.regex.groupindex)
        if isinstance(pattern, URLResolver):
            inside = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from patterns(pattern.url_patterns, inside, more)
        else:
            yield " ".join((namespace + (pattern.name or str(pattern.pattern)), *more)), pattern


def keys(admin: bool) -> list[str]:
    found = dict(patterns(get_resolver().url_patterns))
    return [key for key in found if key.startswith("admin:") == admin]


def outcome(answer: HttpResponse) -> str:
    """The status; for redirects "login", "again" or "out", as urls_table.py has them."""
    if answer.status_code == 403 and b'"error": "suspended"' in answer.content:
        return "out"
    if answer.status_code != 302:
        return str(answer.status_code)
    words = {"login": SIGN_IN, "again": AGAIN, "out": "/suspended/"}
    return next((word for word, begins in words.items() if answer["Location"].startswith(begins)), "302")


def outcomes(world: World, method: str, address: str) -> str:
    """One word for each role. Nothing that a request does stays."""
    answers = []
    for role in ROLES:
        visitor = world.visitor(role)
        with transaction.atomic():
            answers.append(outcome(getattr(visitor, method)(address)))
            transaction.set_rollback(True)
    return " ".join(answers)


def test_every_address_is_in_the_table() -> None:
    found = set(keys(admin=False))
    missing, left = sorted(found - TABLE.keys()), sorted(TABLE.keys() - found)
    assert not missing, f"add rows to tests/site/urls_table.py: {missing}"
    assert not left, f"rows of addresses that are not there: {left}"


def test_who_is_told_what() -> None:
    world, wrong = World(), {}
    world.begin()
    for key, row in TABLE.items():
        name, *arguments = key.split(" ")
        assert row.path or set(arguments) == row.args.keys(), f"the row of {key!r} must give {arguments}"
        given = {argument: make(world) if callable(make) else make for argument, make in row.args.items()}
        address = row.path or reverse(name, kwargs=given) + row.query
        answers = outcomes(world, "get", address), outcomes(world, "post", address)
        for method, got, wanted in zip(("GET", "POST"), answers, (row.get, row.post), strict=True):
            if got != wanted:
                wrong[f"{key} {method}"] = f"{got}, expected {wanted} ({address})"
    assert not wrong, "\n".join(f"{key}: {answers}" for key, answers in wrong.items())


def test_the_administration_is_for_staff_with_a_second_factor(settings: Any) -> None:
    """Every address below it, those of each model too: nobody else learns more than where to sign in."""
    settings.ADMIN_TWO_FACTOR = True
    world, answers_by_name = World(), {}
    for key in keys(admin=True):
        name, *arguments = key.split(" ")
        if "<" in name:
            continue  # without a name: addresses of old versions of the administration, which lead to the new ones
        given = {"app_label": "canvas", "content_type_id": 1, "object_id": "1", "url": "nothing"}
        address = reverse(name, kwargs={argument: given.get(argument, "1") for argument in arguments})
        answers_by_name[name] = [outcome(world.visitor(role).get(address)) for role in ROLES]
    expected = {"login": ["login", "403", "out", "403", "200"], "logout": ["302", "302", "out", "302", "302"]}
    assert len(answers_by_name) > 30
    for name, answers in answers_by_name.items():
        assert answers == expected.get(name.removeprefix("admin:"), ["login", "login", "out", "login", "login"]), name


@pytest.mark.parametrize("role", ["user", "moderator"])
def test_the_administration_is_not_for_others_without_it_either(role: str) -> None:
    world = World()
    for key in keys(admin=True):
        name, *arguments = key.split(" ")
        if not arguments and name not in ("admin:login", "admin:logout"):
            assert outcome(world.visitor(role).get(reverse(name))) == "login", name
