"""Which language a request, a letter and a machine get, and what browser modules are given of it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import mail
from django.template.loader import render_to_string
from django.test import Client
from django.utils import translation

from canvas.models import Canvas
from dreamer.house import BUILTIN
from dreamer.library import labels
from dreamsite.core import languages
from dreamsite.core.models import User

pytestmark = pytest.mark.django_db
CODES = [code for code, _name in settings.LANGUAGES]


@pytest.fixture(autouse=True)
def canvas() -> Canvas:
    return Canvas.objects.default()


def spoken(response: Any) -> str:
    """The page's language, which its head and its header agree on."""
    language = response.headers["Content-Language"]
    assert f'<html lang="{language}"' in response.content.decode()
    return str(language)


@pytest.mark.parametrize(("asked", "given"), [("de-AT,de;q=0.9", "de"), ("pt-BR", "pt-br"), ("xx", "en"), ("", "en")])
def test_the_browser_is_asked(client: Client, asked: str, given: str) -> None:
    page = client.get("/history/", headers={"Accept-Language": asked} if asked else {})
    assert spoken(page) == given
    assert {"accept-language", "cookie"} <= {part.strip().lower() for part in page.headers["Vary"].split(",")}


def test_a_choice_outranks_the_browser_and_is_kept(client: Client) -> None:
    answer = client.post("/language/", {"language": "ja", "next": "/history/?day=1"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/history/?day=1")
    assert spoken(client.get("/history/", headers={"Accept-Language": "fr"})) == "ja"
    cookie = client.cookies[settings.LANGUAGE_COOKIE_NAME]
    assert int(cookie["max-age"]) > 300 * 24 * 3600 and cookie["httponly"] and cookie["samesite"] == "Lax"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_nobody_is_sent_elsewhere(client: Client, elsewhere: str) -> None:
    assert client.post("/language/", {"language": "de", "next": elsewhere}).headers["Location"] == "/"


@pytest.mark.parametrize("wrong", ["", "xx", "../en", "de\n"])
def test_an_unknown_language_is_asked_for_again(client: Client, wrong: str) -> None:
    answer = client.post("/language/", {"language": wrong})
    assert answer.status_code == 200 and settings.LANGUAGE_COOKIE_NAME not in client.cookies


def test_every_language_is_offered_by_its_own_name(client: Client) -> None:
    page = client.get("/language/").content.decode()
    for code in CODES:
        assert f'value="{code}" lang="{code}"' in page
    assert "Deutsch" in page and "日本語" in page
    assert 'href="/language/?next=/history/"' in client.get("/history/").content.decode()


def test_the_account_brings_its_language_along(client: Client) -> None:
    user = User.objects.create_user("wanda", password="three blue birds")
    client.force_login(user)
    client.post("/language/", {"language": "fr"})
    elsewhere = Client(headers={"Accept-Language": "de"})
    elsewhere.post("/accounts/login/", {"login": "wanda", "password": "three blue birds"})
    assert spoken(elsewhere.get("/history/")) == "fr"


def test_an_account_remembers_what_it_was_made_in(client: Client) -> None:
    client.post("/accounts/guest/", headers={"Accept-Language": "es"})
    assert [user.language for user in User.objects.all()] == ["es"]
    user = User.objects.create_user("sol", password="three blue birds")
    client.post("/accounts/login/", {"login": "sol", "password": "three blue birds"}, headers={"Accept-Language": "es"})
    user.refresh_from_db()
    assert user.language == "es"


def test_letters_are_in_the_receivers_language(client: Client) -> None:
    for language in CODES:
        user = User.objects.create_user(f"p-{language}", f"{language}@example.org", "x", language=language)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        client.post("/accounts/password/reset/", {"email": user.email}, headers={"Accept-Language": "en"})
    assert len(mail.outbox) == len(CODES)
    first = {letter.body.partition("http")[0] for letter in mail.outbox}
    assert len(first) == len(CODES), "two languages say the same"


def test_machines_get_one_language(client: Client) -> None:
    for address in ("/history/feed/", "/history.json", "/oembed?url=http://testserver/"):
        answers = [client.get(address, headers={"Accept-Language": code}) for code in ("en", "de", "ja")]
        assert len({re.sub(rb"<updated>.*?</updated>", b"", answer.content) for answer in answers}) == 1, address
        assert {answer.headers["Content-Language"] for answer in answers} == {"en"}, address
        assert all("language" not in answer.headers.get("Vary", "").lower() for answer in answers), address
    assert 'xml:lang="en"' in client.get("/history/feed/", headers={"Accept-Language": "de"}).content.decode()


def test_modules_are_given_the_pages_words_for_ever(client: Client) -> None:
    assert "data-words" not in client.get("/history/").content.decode(), "English needs none"
    for code in CODES[1:]:
        address = f"/words/{code}-{languages.digest(code)}.json"
        assert f'href="{address}"' in client.get("/history/", headers={"Accept-Language": code}).content.decode()
        answer = client.get(address)
        assert "immutable" in answer.headers["Cache-Control"] and answer.headers["Content-Language"] == code
        assert "Set-Cookie" not in answer.headers and "language" not in answer.headers.get("Vary", "").lower()
        found = json.loads(answer.content)
        assert found["messages"]["Next dream"] != "Next dream" and len(found["plurals"]) == 200
        assert client.get(f"/words/{code}-0.json").status_code == 404
    assert client.get("/words/xx-0.json").status_code == 404


def test_strangers_are_told_in_twenty_words_at_most() -> None:
    told = "Every %(seconds)s seconds a neural network paints in what it thinks it sees. Draw with us."
    for code in CODES:
        with translation.override(code):
            said = translation.gettext(told)
        assert code == "en" or said != told
        assert len(said.split()) <= 20 and len(said) <= 110, said


def test_names_of_classes_are_said_in_the_readers_language() -> None:
    """Those of the network that comes with the program in every language; others in English, marked as such."""
    names = [labels.word(label) for label in (BUILTIN / "house" / "labels.txt").read_text().splitlines()]
    assert len(names) > 100 and not any("_" in name for name in names)
    for code in CODES:
        with translation.override(code):
            said = [languages.word(name) for name in names]
            assert [lang for _text, lang in said] == [""] * len(names), code
            teapot = languages.word("teapot")
            assert teapot == ("teapot", "" if code == "en" else "en")
            catalogue = json.loads(languages.catalogue(code) or b'{"messages": {}}')["messages"]
            assert code == "en" or [catalogue[name] for name in names] == [text for text, _lang in said]
        assert (
            code == "en" or sum(text == name for (text, _), name in zip(said, names, strict=True)) < len(names) / 3
        ), code


def test_a_class_is_found_by_its_name_in_the_readers_language() -> None:
    known = ("dog", "hotdog, hot dog, red hot", "leopard_spots", "teapot")
    with translation.override("de"):
        assert labels.matching(known, "hun", 9, translation.gettext) == ["dog"]
        assert labels.matching(known, "flecken", 9, translation.gettext) == ["leopard_spots"]
        assert labels.matching(known, "dog", 9, translation.gettext) == ["dog", "hotdog, hot dog, red hot"]
    assert labels.matching(known, "hun", 9) == [] and labels.matching(known, "tea", 9) == ["teapot"]


def test_no_catalogue_is_built_for_a_language_that_is_none(client: Client) -> None:
    for code in CODES:
        languages.digest(code)
    before = languages.catalogue.cache_info().currsize, languages.digest.cache_info().currsize
    for ending in ("aaaa", "aaab", "AT"):
        assert client.get(f"/words/de-{ending}-0.json").status_code == 404
        assert client.get(f"/words/de-{ending}-{languages.digest('de')}.json").status_code == 404
    assert (languages.catalogue.cache_info().currsize, languages.digest.cache_info().currsize) == before


def test_right_to_left_is_said() -> None:
    with translation.override("ar"):
        assert '<html lang="ar" dir="rtl">' in render_to_string("404.html")
