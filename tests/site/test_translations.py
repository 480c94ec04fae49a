"""Every text is marked and translated, and the catalogues are what the code gives.

`python -m tests.translations` writes the catalogues and says what is missing (docs/translating.md).
"""

from __future__ import annotations

import gettext
import re
import shutil
from datetime import UTC, datetime
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

import pytest
from django.template.base import Lexer, TokenType
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import to_language

from tests import translations
from tests.translations import ROOT, sources

LETTERS = re.compile(r"[^\W\d_]{2,}")
SPOKEN = {"title", "aria-label", "alt", "placeholder", "aria-description", "aria-roledescription"}
# Said alike in every language: names of things that have no other, units, keys, formats.
ALIKE = {
    *(
        "px",
        "UTC",
        "Esc",
        "Ctrl",
        "Alt",
        "JSON",
        "SHA",
        "Atom",
        "QR",
        "PNG",
        "kbd",
        "MB",
        "dpi",
        "CC0",
        "oEmbed",
        "Enter",
    ),
    *("ACC", "FPS", "SVG", "HTML", "DNS", "ID", "GIF", "MP", "EUR", "Bitcoin", "PayPal", "Python", "Tab"),
}
# Where templates show what is typed, or is read by machines.
CODE = {"code", "pre", "kbd", "script", "style", "samp"}


NO_TEXT = ("block body_class", "block main_id")  # names of classes


class _Visible(HTMLParser):
    """What of a page can be read, and is not from a tag of Django's."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in CODE:
            self.inside.append(tag)
        for name, value in attrs:
            if name in SPOKEN or (tag, name) == ("meta", "content"):
                self._look(value or "" if name in SPOKEN else "")

    def handle_endtag(self, tag: str) -> None:
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self._look(data)

    def _look(self, text: str) -> None:
        words = [word for word in LETTERS.findall(text) if word not in ALIKE]
        if words:
            self.found.append(" ".join(text.split())[:80])


def unmarked(template: str) -> list[str]:
    """Texts of a template that nobody marked for translation."""
    kept, marked = [], False
    for token in Lexer(template).tokenize():
        first = token.contents.split(" ", 1)[0] if token.token_type == TokenType.BLOCK else ""
        if first in ("blocktranslate", "blocktrans", "comment") or token.contents in NO_TEXT:
            marked = True
        elif first in ("endblocktranslate", "endblocktrans", "endcomment", "endblock"):
            marked = False
        elif token.token_type == TokenType.TEXT and not marked:
            kept.append(token.contents)
        else:
            kept.append("·" if token.token_type == TokenType.VAR or first in ("translate", "trans") else "")
    reader = _Visible()
    reader.feed("".join(kept))
    return reader.found


PAGES = [file for file in sources("*.html", "templates") if "/admin/" not in str(file) or "dreamer" in str(file)]


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT / "templates")))
def test_templates_show_nothing_that_is_not_marked(file: Path) -> None:
    assert not unmarked(file.read_text()), "use {% translate %} or {% blocktranslate %}"


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("<p>Hello there</p>", ["Hello there"]),
        ('<a title="Hello" href="/x">{{ name }}</a>', ["Hello"]),
        ('<p aria-label="{% translate "Hello" %}">{% blocktranslate %}Hello {{ x }}{% endblocktranslate %}</p>', []),
        ("<code>manage.py up</code> {# a comment #} 12 px", []),
        ("{% if a %}Yes{% else %}{% translate 'No' %}{% endif %}", ["Yes·"]),
    ],
)
def test_the_test_of_templates_finds_what_it_should(template: str, found: list[str]) -> None:
    assert unmarked(template) == found


# What a module shows is given to one of these; a literal there with two words, or a capital, is a text.
SHOWS = re.compile(
    r"(?:\.(?:textContent|title|alt|placeholder|ariaLabel|ariaValueText)\s*=|"
    r"(?:setAttribute\(\s*\"(?:aria-label|aria-valuetext|title|alt|placeholder)\",)|"
    r"(?:\.|\b)(?:notify|announce|trouble|reload|showTrouble|show)\(|"
    r"\b(?:title|label|hint|detail|help):|new Option\()(?P<rest>[^\n]*)"
)
CALL = re.compile(r"\b(?:n?gettext|gettext_noop)\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)")
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`')
IN_BRACES = re.compile(r"\$?\{[^{}]*\}")


def shown_unmarked(module: str) -> list[str]:
    """Literals that a module shows as they are: with a letter, and either a space beside words or a capital first."""
    code = re.sub(r"^\s*(?:\*|//|/\*).*$", "", module, flags=re.MULTILINE)
    found = []
    for match in SHOWS.finditer(code):
        rest = match["rest"]
        while (less := CALL.sub("·", rest)) != rest:
            rest = less
        for one, other in LITERAL.findall(rest):
            text = one or other
            while (less := IN_BRACES.sub("·", text)) != text:
                text = less
            words = [word for word in LETTERS.findall(text) if word not in ALIKE]
            is_text = re.search(r"[^\W\d_]{2,} [^\W\d_]", text) or re.match(r"[A-Z][a-z]+\b", text)
            if words and is_text and not re.match(r"[.#\[/]", text):
                found.append(text)
    return found


MODULES = sources("*.js", "static")


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(ROOT / "static")))
def test_modules_show_nothing_that_is_not_marked(file: Path) -> None:
    assert not shown_unmarked(file.read_text()), "use gettext or ngettext of static/i18n.js"


@pytest.mark.parametrize(
    ("module", "found"),
    [
        ('notices.show("Link copied.");', ["Link copied."]),
        ("button.title = `Go to ${name}`;", ["Go to ·"]),
        ('button.title = gettext("Go to %(name)s", { name: f(g(x)) });', []),
        ('element.setAttribute("aria-label", `Colour ${n}`);', ["Colour ·"]),
        ('page.setAttribute("class", "one two");', []),
        ('return { label: "Next dream", title };', ["Next dream"]),
    ],
)
def test_the_test_of_modules_finds_what_it_should(module: str, found: list[str]) -> None:
    assert shown_unmarked(module) == found


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(ROOT / "static")))
def test_marks_of_modules_hold_whole_texts(file: Path) -> None:
    """A text that is put together cannot be extracted: values stand in it as %(name)s."""
    code = re.sub(r"^\s*(?:\*|//|/\*).*$", "", file.read_text(), flags=re.MULTILINE)
    assert not re.findall(r"\b(?:n?gettext|gettext_noop)\(\s*`[^`]*`?", code)


# Dates are written by the formats of dreamsite/formats: an order of day, month and year is one language's.
NEUTRAL = {"c", "U", "H:i", "H:i:s", "j", "D", "F", "Y", "Y-m-d", "Y-m-d H:i", "Y-m-d H:i:s"}
DATES = re.compile(r"(?:\|(?:date|time|moment):|date_format\([^\n]*?)([\"'])((?:(?!\1).)*)\1")


@pytest.mark.parametrize("file", [*sources("*.html", "templates"), *sources("*.txt", "templates")], ids=str)
def test_dates_are_in_the_order_of_the_language(file: Path) -> None:
    used = {name for _quote, name in DATES.findall(file.read_text())} - NEUTRAL
    assert all(name in FORMATS["en"] for name in used), f"{used}: use a name of dreamsite/formats"


# What says an hour: a format of dreamsite/formats, or Django's letters. Staff work by UTC, and their pages say so.
HOURS = re.compile(
    r"\{\{\s*(?P<what>\w+)[^}]*\|(?:date|time):[\"'](?:\w*TIME\w*|\w*SECONDS\w*|[^\"']*H:i[^\"']*)[\"'][^}]*\}\}[^<]{0,6}"
)
STAFF = {"moderation", "admin"}


def _of_staff(file: Path) -> bool:
    return bool(STAFF & set(file.parts)) and file.name != "user_status.html"


@pytest.mark.parametrize(
    "file", [file for file in sources("*.html", "templates") if not _of_staff(file)], ids=lambda file: file.name
)
def test_hours_are_the_readers_own(file: Path) -> None:
    """By the reader's zone, which their browser told (`timezone:zone`), or in a <time> that ends with UTC, which
    static/site.js turns into theirs."""
    text = file.read_text()
    found = []
    for match in HOURS.finditer(text):
        before = text[: match.start()]
        in_time = before.rfind("<time") > max(before.rfind("</time>"), before.rfind("<p"), before.rfind("<li"))
        own = "|timezone:" in match.group(0) or re.search(rf"\b{match['what']}=[\w.]+\|timezone:", before)
        if not own and not (in_time and "UTC" in match.group(0)):
            found.append(match.group(0))
    assert not found, "use |timezone:zone, or |moment:… with UTC behind it (dreamsite/core/templatetags/moments.py)"


def test_dates_in_python_are_in_the_order_of_the_language() -> None:
    found = [
        (file.name, name)
        for file in sources("*.py", *translations.PARTS)
        for _q, name in DATES.findall(file.read_text())
    ]
    assert len(found) > 5 and not [each for each in found if each[1] not in NEUTRAL | FORMATS["en"].keys()]


FORMATS = {
    locale: {
        name: value
        for name, value in vars(import_module(f"dreamsite.formats.{locale}.formats")).items()
        if name.endswith("_FORMAT")
    }
    for locale in ("en", *translations.locales())
}


def test_every_language_writes_every_kind_of_date() -> None:
    moment = datetime(2026, 11, 30, 13, 5, 9, tzinfo=UTC)
    for locale, formats in FORMATS.items():
        assert formats.keys() == FORMATS["en"].keys(), locale
        with translation.override(to_language(locale)):
            for name in formats:
                written = date_format(moment, name)
                assert ("13:05" in written) == ("TIME" in name or "SECONDS" in name), (locale, name, written)
                assert ("30" in written) == (name not in ("YEAR_MONTH_FORMAT", "TICK_MONTH_FORMAT", "TIME_FORMAT"))
            long = date_format(moment, "WEEKDAY_FORMAT")
        assert long == LONG[locale]


LONG = {
    "en": "Monday, 30 November 2026",
    "de": "Montag, 30. November 2026",
    "fr": "lundi 30 novembre 2026",
    "es": "lunes, 30 de noviembre de 2026",
    "pt_BR": "Segunda-feira, 30 de Novembro de 2026",
    "ja": "2026年11月30日（月）",
}


# Sides of pictures and of lines of time, which run from left to right in every language.
ALWAYS_LEFT = {
    *("50%", "var(--from)", "var(--x)", "var(--at)"),
    "clamp(0px, calc(var(--across) - var(--target) / 2), calc(100% - var(--target)))",
}
PHYSICAL = re.compile(
    r"(?<![\w-])(?:(?:margin|padding|border)-(?:left|right)|border-(?:top|bottom)-(?:left|right)-radius|float"
    r"|text-align:\s*(?:left|right)|left|right)(?:[\w-]*):\s*([^;}]*)"
)


@pytest.mark.parametrize("file", sources("*.css", "static"), ids=lambda file: file.name)
def test_style_sheets_know_no_left_and_right(file: Path) -> None:
    code = re.sub(r"/\*.*?\*/", "", file.read_text(), flags=re.DOTALL)
    found = [match.group(0) for match in PHYSICAL.finditer(code) if match.group(1).strip() not in ALWAYS_LEFT]
    assert not found, "use margin-inline-start, inset-inline-end and so on"


@pytest.fixture(scope="module")
def late() -> list[Path]:
    return translations.stale()


@pytest.mark.parametrize("locale", translations.locales())
def test_catalogues_are_what_the_code_gives(locale: str, late: list[Path]) -> None:
    assert not [file for file in late if f"/{locale}/" in str(file)], "run: python -m tests.translations"


@pytest.mark.parametrize("domain", ["django", "djangojs"])
def test_every_text_is_translated_in_every_language(domain: str) -> None:
    wanted = translations.extracted(domain)
    missing = [
        (locale, message.id)
        for locale in translations.locales()
        for message in translations.updated(locale, domain, wanted)
        if message.id and (translations.empty(message) or translations.differing(message, locale))
    ]
    assert not missing, "python -m tests.translations says which"


def test_every_page_is_translated_as_it_stands() -> None:
    assert not translations.pages_to_translate()


def test_missing_and_stale_translations_of_pages_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "markdown"
    shutil.copytree(translations.PAGES, folder)
    monkeypatch.setattr(translations, "PAGES", folder)
    monkeypatch.setattr(translations, "ROOT", tmp_path)
    (folder / "de" / "faq.md").unlink()
    (folder / "ja" / "news.md").write_text("title: x")
    about = folder / "about.md"
    about.write_text(about.read_text() + "\nOne more sentence.\n")
    shape = folder / "fr" / "donate.md"
    shape.write_text(shape.read_text() + "\n[more](/elsewhere/)\n")
    found = translations.pages_to_translate()
    assert sum("translates an older about.md" in line for line in found) == len(translations.locales())
    others = sorted(line for line in found if "about.md" not in line)
    assert [line.split()[0] for line in others] == [
        f"markdown/{name}" for name in ("de/faq.md", "fr/donate.md", "ja/news.md")
    ]


def test_the_same_text_is_translated_alike_everywhere() -> None:
    for locale in translations.locales():
        pages = {message.id: message.string for message in translations.read(locale, "django") if message.id}
        for message in translations.read(locale, "djangojs"):
            if message.id and message.id in pages:
                assert message.string == pages[message.id], (locale, message.id)


@pytest.mark.parametrize("locale", translations.locales())
def test_gettext_reads_them_with_the_plurals_of_the_language(locale: str) -> None:
    found = gettext.translation("django", ROOT / "locale", [locale])
    for n in (0, 1, 2, 5, 21, 100, 1000):
        text = found.ngettext("%(count)s frame", "%(count)s frames", n)
        assert "%(count)s" in text and "frame" not in text.split()
        one = translations.forms(locale) == 1 or (n in (0, 1) if locale in ("fr", "pt_BR") else n == 1)
        other = found.ngettext("%(count)s frame", "%(count)s frames", 1)
        assert (text == other) == one, (locale, n)


def test_placeholders_are_compared() -> None:
    from babel.messages.catalog import Message

    assert not translations.differing(Message("%(n)s of %(all)s", "%(all)s: %(n)s"), "de")
    assert translations.differing(Message("%(n)s of %(all)s", "%(n)s"), "de")
    assert translations.differing(Message("%s here", "hier"), "de")
    assert not translations.differing(Message(("%(n)s key", "%(n)s keys"), ("ein Schlüssel", "%(n)s Schlüssel")), "de")
    assert translations.differing(Message(("%(n)s key", "%(n)s keys"), ("ein Schlüssel", "Schlüssel")), "de")
    assert translations.empty(Message("a", "")) and translations.empty(Message(("a", "b"), ("", "c")))
