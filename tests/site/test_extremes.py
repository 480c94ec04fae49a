"""Any number, date or text, in any address, query or JSON body, of anybody: no 500, whatever it is."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.http import HttpRequest, QueryDict
from django.test import Client
from django.urls import NoReverseMatch, reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.running import ROOT
from tests.site.urls_table import TABLE
from tests.site.world import World

pytestmark = pytest.mark.django_db

NUMBERS = ["0", "-1", "1e400", "nan", "inf", "1.5", "²", "٣", "1_0", str(2**31), str(2**63), str(2**64)]
NUMBERS += [
    str(10**100),
    "9" * 5000,
    "NaN",
    "-inf",
    "0x10",
    "١٢٣",
    "\0",
    "7\0",
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
]
WHOLE = ["0", str(2**31), str(2**63 - 1), str(2**63), "9" * 5000]
DATES = [
    *("0001-01-01", "0000-00-00", "9999-12-31", "2026-02-30", "9000-12-31", "2000-01-01", "99999-01-01"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-23:59", "2026-11-20T24:00:00Z", "2026-11-20T12:34:60Z"),
    *("2000-01-01T00:00:00Z", "9000-12-31T23:59:59Z", "2026-W01-1", "١٢٣٤-٠١-٠١", "1970-01-01T00:00:00+00:00:01"),
]
ROUNDS = 12  # of the values above, on each page
DAYS = ["0001-01-01", "2000-01-01", "9000-12-31", "9999-12-31", "2026-02-30", "0000-01-01"]
WHENS = [f"{day}T{time}Z" for day in DAYS for time in ("00:00:00", "23:59:59.999999")]
WHENS += ["2026-11-20T24:00:00Z", "2026-11-20T23:59:60Z"]
ARGUMENTS = {
    "pk": WHOLE,
    "year": WHOLE,
    "number": WHOLE,
    "part": WHOLE,
    "day": DAYS,
    "moment": WHENS,
    "month": [day[:7] for day in DAYS],
}
# Whatever the code asks a request for, by the words with which it asks.
_ASKED = re.compile(
    r"""(?:GET|POST|data|body|fields|asked|given|query)\.get\(\s*["'](\w+)["']|(?:number|moment|integer|whole)\(\s*\w+(?:\.GET|\.POST)?,\s*["'](\w+)["']"""
)


@functools.cache
def parameters() -> list[str]:
    found = set()
    for folder in ("canvas", "dreamer", "dreamsite", "gallery"):
        for path in (ROOT / folder).rglob("*.py"):
            found |= {one or other for one, other in _ASKED.findall(path.read_text())}
    return sorted(found - {"csrfmiddlewaretoken", "next"})


def addresses(world: World) -> Iterator[tuple[str, str]]:
    """Every address of the table as it is, and the key it has there."""
    for key, row in TABLE.items():
        given = {name: make(world) if callable(make) else make for name, make in row.args.items()}
        try:
            yield key, row.path or reverse(key.split(" ")[0], kwargs=given)
        except NoReverseMatch:
            yield key, row.path


@pytest.fixture
def owner(settings: Any) -> tuple[World, Client]:
    settings.ACCOUNT_RATE_LIMITS = False
    settings.ADMIN_TWO_FACTOR = False
    world = World()
    world.begin()
    client = Client(raise_request_exception=False)
    client.force_login(world.people["admin"])
    return world, client


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What requests were asked for since it was last cleared: words of the query and of forms, and "the body"."""
    words: set[str] = set()

    def noted(ask: Any) -> Any:
        @functools.wraps(ask)
        def asking(self: Any, key: Any, *more: Any, **options: Any) -> Any:
            words.add(str(key))
            return ask(self, key, *more, **options)

        return asking

    for name in ("get", "getlist", "__getitem__", "__contains__"):
        monkeypatch.setattr(QueryDict, name, noted(getattr(QueryDict, name)))
    body = HttpRequest.body
    monkeypatch.setattr(HttpRequest, "body", property(lambda self: (words.add("the body"), body.fget(self))[1]))
    return words


def broken(client: Client, address: str, method: str = "get", *more: Any, **options: Any) -> str:
    answer = getattr(client, method)(address, *more, **options)
    if answer.status_code >= 500 and answer.status_code != 501:  # 501: a format that oEmbed may ask for and nobody has
        exception = getattr(answer, "exc_info", None)
        return f"{method.upper()} {address[:120]}: {answer.status_code} {exception[1] if exception else ''}"
    if getattr(answer, "streaming", False):
        answer.close()
    return ""


def test_the_words_of_requests_are_found() -> None:
    assert {"at", "zone", "canvas", "page"} <= set(parameters()), parameters()


def test_numbers_and_dates_in_addresses(owner: tuple[World, Client]) -> None:
    world, client = owner
    found, stranger = set(), Client(raise_request_exception=False)
    for key, row in TABLE.items():
        name, *arguments = key.split(" ")
        if row.path:
            continue
        given = {one: make(world) if callable(make) else make for one, make in row.args.items()}
        marks = {one: f"\0{one}\0" for one in arguments if one in ARGUMENTS}
        if not marks:
            continue
        usual = reverse(name, kwargs=given)
        for one in marks:
            # The argument's place in the address, whatever its converter would allow.
            from gallery.converters import utc_iso

            value = given[one]
            written = {"moment": lambda v: utc_iso(v), "month": lambda v: f"{v:%Y-%m}"}.get(one, str)(value)
            assert written in usual, (usual, one, written)
            for extreme in ARGUMENTS[one]:
                for method in ("get",) if row.post.startswith("405") else ("get", "post"):
                    found.add(broken(client, usual.replace(written, extreme, 1), method))
            for extreme in ARGUMENTS[one][-2:]:
                found.add(broken(stranger, usual.replace(written, extreme, 1)))
    assert not found - {""}, "\n".join(sorted(found))


def test_numbers_and_dates_in_queries(owner: tuple[World, Client], read: set[str]) -> None:
    world, client = owner
    found, known, stranger = set(), parameters(), Client(raise_request_exception=False)
    values, turn = [*NUMBERS, *DATES], 0
    for key, address in addresses(world):
        if not key or TABLE[key].get.startswith("405"):
            continue
        for extreme in ("9" * 30, "7\0"):
            found.add(broken(stranger, address, "get", dict.fromkeys(known, extreme)))
        read.clear()
        found.add(broken(client, address))
        words: list[str] = []
        # Only the words that this page asks for; each answer may lead it on to the next. What the parts that all pages
        # share ask for meets every value on one page or another.
        for _ in range(ROUNDS):
            words = sorted(read - {"csrfmiddlewaretoken"})
            if words:
                query = {name: values[(turn + 7 * place) % len(values)] for place, name in enumerate(words)}
                found.add(broken(client, address, "get", query))
            turn += 1
        for query in ("&".join(f"a{number}=1" for number in range(3000)), "at=%ff%00&page=%"):
            found.add(broken(stranger, f"{address}?{query}"))
        for name in words if len(words) > 1 else ():  # and each alone, where one wrong word hides the next
            for extreme in ("9" * 5000, "9999-12-31", "nan"):
                found.add(broken(client, address, "get", {name: extreme}))
    assert not found - {""}, "\n".join(sorted(found))


def test_numbers_in_forms_and_bodies(owner: tuple[World, Client], read: set[str]) -> None:
    world, client = owner
    found, known = set(), parameters()
    values: list[Any] = [0, -1, 2**31, 2**63, 2**70, 10**400, 1.5, float("nan"), float("inf"), None, [], {}, "", "x"]
    for key, address in addresses(world):
        if not key or TABLE[key].post.startswith("405") or key.startswith(("account_logout", "account_close")):
            continue
        for extreme in ("9" * 30, "-1", "nan", "9999-12-31T23:59:59", "7\0"):
            found.add(broken(client, address, "post", dict.fromkeys(known, extreme)))
        read.clear()
        found.add(broken(client, address, "post", "{}", content_type="application/json"))
        if "the body" not in read:
            continue  # a form, which finds nothing in what is not one
        for value in values:
            body = json.dumps(dict.fromkeys(known, value))
            found.add(broken(client, address, "post", body, content_type="application/json"))
        for body in ("", "[]", "3", "null", '"x"', "{", "[" * 5000, "9" * 5000):
            found.add(broken(client, address, "post", body, content_type="application/json"))
    assert not found - {""}, "\n".join(sorted(found))


def test_numbers_and_dates_in_the_administration(owner: tuple[World, Client]) -> None:
    _, client = owner
    found = set()
    for model in admin.site._registry:
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        changelist = reverse(f"{base}_changelist")
        for extreme in (str(2**63), "9" * 5000, "nan"):
            query = {"p": extreme, "pk": extreme, "id__exact": extreme, "year": extreme, "_changelist_filters": "p=9"}
            for name, value in query.items():
                found.add(broken(client, changelist, "get", {name: value}))
            found.add(broken(client, f"{changelist}{extreme}/change/"))
            found.add(broken(client, f"{changelist}{extreme}/history/"))
    assert not found - {""}, "\n".join(sorted(found))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    data=st.data(),
    value=st.one_of(
        st.integers().map(str),
        st.floats().map(str),
        st.dates().map(str),
        st.datetimes().map(lambda at: at.isoformat()),
        st.datetimes().map(lambda at: at.isoformat() + "Z"),
        st.text(max_size=20),
    ),
)
def test_whatever_anybody_writes(data: st.DataObject, value: str) -> None:
    pages = [
        "/history/",
        "/history/timeline.json",
        "/ink/",
        "/films/",
        "/films.json",
        "/calendar/",
        "/oembed/",
        "/now/",
    ]
    client = Client(raise_request_exception=False)
    address = data.draw(st.sampled_from(pages))
    name = data.draw(st.sampled_from(parameters()))
    assert not broken(client, address, "get", {name: value})
