"""The catalogues in locale/: `python -m tests.translations` brings them up to date and says what is missing.

Texts are read from where they are marked: `gettext` and its kin in Python and in browser modules, `translate` and
`blocktranslate` in templates. Python and templates are in django.po, browser modules in djangojs.po.
docs/translating.md says how to translate.

    python -m tests.translations            # writes .po and .mo; ends with 1 where a text or page has no translation
    python -m tests.translations --check    # writes nothing: says what is missing, or not as it would be written
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation import to_locale
from django.utils.translation.template import templatize

from dreamer.library import labels

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("canvas", "dreamer", "dreamsite", "gallery", "templates")
# In browser modules texts are in double quotes: readers of JavaScript lose their way in template literals.
JS_TEXT = r'"((?:[^"\\\n]|\\.)*)"'
JS_CALL = re.compile(rf"\b(n?gettext|gettext_noop)\(\s*{JS_TEXT}(?:\s*,\s*{JS_TEXT})?")
SENT = ("canvas/degrees.py",)  # whose texts go to browsers in English, and are looked up there
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "_": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
}
CLASSES = "dreamer/house/models/house/labels.txt"  # what the network that comes with the program can name
SHELVES = ("dreamer/library/shelves", "dreamer/house/models/house/shelf.json")  # titles of styles
PLURALS = {"de": "n != 1", "es": "n != 1", "fr": "n > 1", "pt_BR": "n > 1", "ja": "0"}  # gettext's rules
PLACEHOLDER = re.compile(r"%\(\w+\)[.\d]*[sdf]|%[.\d]*[sdf]|\{\w*\}")


def locales() -> list[str]:
    """Every language but the English of the code."""
    return [to_locale(code) for code, _name in settings.LANGUAGES if code != "en"]


def path(locale: str, domain: str) -> Path:
    return ROOT / "locale" / locale / "LC_MESSAGES" / f"{domain}.po"


def sources(pattern: str, *parts: str) -> list[Path]:
    """Files that git knows, or would."""
    asked = ["git", "ls-files", "-co", "--exclude-standard", "-z", "--", *parts]
    found = subprocess.run(asked, cwd=ROOT, check=True, capture_output=True).stdout.decode().split("\0")
    return sorted(ROOT / name for name in found if Path(name).match(pattern) and (ROOT / name).is_file())


def _texts(domain: str) -> Iterator[tuple[str, object, list[str], str | None]]:
    """File, text or (one, many), comments, context."""
    for file in sources("*.json", *SHELVES):
        for style in json.loads(file.read_text()):
            yield file.name, style.get("title", ""), [], None
    for label in (ROOT / CLASSES).read_text(encoding="utf-8").splitlines():
        yield CLASSES, labels.word(label), [], None
    if domain == "djangojs":
        for file in sources("*.js", "static"):
            for name, one, many in JS_CALL.findall(file.read_text()):
                unescaped = [json.loads(f'"{text}"') for text in (one, many)]
                yield file.name, tuple(unescaped) if name == "ngettext" else unescaped[0], [], None
        for name in SENT:
            with (ROOT / name).open("rb") as code:
                for _line, text, comments, context in extract("python", code, KEYWORDS, ["Translators:"]):
                    yield name, text, comments, context
        return
    for file in sources("*.py", *PARTS):
        with file.open("rb") as code:
            for _line, text, comments, context in extract("python", code, KEYWORDS, ["Translators:"]):
                yield file.name, text, comments, context
    for file in [*sources("*.html", *PARTS), *sources("*.txt", *PARTS)]:
        # Django writes a template as code in which all that is not marked is a row of X.
        lines = templatize(file.read_text(), origin=str(file)).splitlines()
        code = io.BytesIO("\n".join(line.strip() for line in lines).encode())
        for _line, text, comments, context in extract("python", code, KEYWORDS, ["Translators:"]):
            yield file.name, text, comments, context


def extracted(domain: str) -> Catalog:
    """Every marked text, in the order of files and lines; no places, which would change with each line of code."""
    found = Catalog(charset="utf-8")
    for _file, text, comments, context in _texts(domain):
        if text and text != ("", ""):
            found.add(text, context=context, auto_comments=comments)
    return found


def read(locale: str, domain: str) -> Catalog:
    file = path(locale, domain)
    if not file.exists():
        return Catalog(locale)
    with file.open("rb") as text:
        return read_po(text, locale, domain)


def updated(locale: str, domain: str, wanted: Catalog) -> Catalog:
    """The catalogue as it should be: each marked text in order, with the translation that it has, or none.

    A text of the other domain is translated alike.
    """
    known = read(locale, domain)
    other = read(locale, "django" if domain == "djangojs" else "djangojs")
    made = Catalog(locale, charset="utf-8")
    made._num_plurals = forms(locale)  # as gettext counts them; Unicode has one more for millions in Romance languages
    for message in wanted:
        if not message.id:
            continue
        old = known.get(message.id, message.context) or other.get(message.id, message.context)
        string = old.string if old is not None and old.pluralizable == message.pluralizable else None
        if string and message.pluralizable and len(string) != forms(locale):
            string = None
        if not string and message.pluralizable:
            string = ("",) * forms(locale)
        made.add(message.id, string, context=message.context, auto_comments=message.auto_comments)
    return made


def forms(locale: str) -> int:
    return 1 if PLURALS[locale] == "0" else 2


def head(locale: str, domain: str) -> str:
    return (
        'msgid ""\nmsgstr ""\n"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
        f'"Content-Transfer-Encoding: 8bit\\n"\n"Language: {locale}\\n"\n'
        f'"Plural-Forms: nplurals={forms(locale)}; plural=({PLURALS[locale]});\\n"\n\n'
    )


def po(locale: str, domain: str, catalogue: Catalog) -> bytes:
    """The file's bytes, without dates and places."""
    out = io.BytesIO()
    write_po(out, catalogue, width=0, no_location=True, omit_header=True)
    return head(locale, domain).encode() + out.getvalue()


class _AsWritten(Catalog):
    """With the head of its file; Babel would write one with dates and plurals of its own."""

    first = ""

    def __iter__(self) -> Iterator[Message]:
        yield Message("", self.first)
        yield from (message for message in super().__iter__() if message.id and not empty(message))


def mo(data: bytes, locale: str, domain: str) -> bytes:
    """What gettext reads, of a .po file's bytes."""
    made = _AsWritten(locale, charset="utf-8")
    made.first = "\n".join(re.findall(r'^"(.*)\\n"$', data.decode().split("\n\n", 1)[0], re.MULTILINE)) + "\n"
    for message in read_po(io.BytesIO(data), locale, domain):
        if message.id:
            made.add(message.id, message.string, context=message.context)
    out = io.BytesIO()
    write_mo(out, made)
    return out.getvalue()


def empty(message: Message) -> bool:
    strings = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    return message.fuzzy or not all(strings)


def placeholders(text: str) -> list[str]:
    return sorted(PLACEHOLDER.findall(text))


def differing(message: Message, locale: str) -> bool:
    """Whether a translation does not fill in what the text does. A singular may leave its number out: "one key"."""
    if empty(message):
        return False
    if not isinstance(message.id, (tuple, list)):
        return placeholders(message.id) != placeholders(message.string)
    wanted = set(placeholders(message.id[1]))
    last = message.string[-1]
    return set(placeholders(last)) != wanted or any(not set(placeholders(one)) <= wanted for one in message.string)


def untranslated(tell: Callable[[str], None]) -> int:
    """How many texts have no translation, or one that fills in something else; `tell` is told each."""
    count = 0
    for domain in ("django", "djangojs"):
        wanted = extracted(domain)
        for locale in locales():
            for message in updated(locale, domain, wanted):
                if message.id and (empty(message) or differing(message, locale)):
                    what = "no translation of" if empty(message) else "other placeholders in"
                    tell(f"{locale} {domain}: {what} {message.id!r}")
                    count += 1
    return count


def stale() -> list[Path]:
    """Files that are not what `write` would make of them."""
    return [file for file, data in _files() if not file.exists() or file.read_bytes() != data]


def _files() -> Iterator[tuple[Path, bytes]]:
    for domain in ("django", "djangojs"):
        wanted = extracted(domain)
        for locale in locales():
            data = po(locale, domain, updated(locale, domain, wanted))
            yield path(locale, domain), data
            yield path(locale, domain).with_suffix(".mo"), mo(data, locale, domain)


PAGES = ROOT / "gallery" / "pages" / "markdown"
ADDRESS = re.compile(r"\]\(([^)]*)\)")


def pages_to_translate() -> list[str]:
    """What is wrong with the pages' translations: missing, of an older English text, or of another shape."""
    found = []
    for english in sorted(PAGES.glob("*.md")):
        digest = hashlib.sha256(english.read_bytes()).hexdigest()[:12]
        for locale in locales():
            file = PAGES / locale / english.name
            name = file.relative_to(ROOT)
            if not file.exists():
                found.append(
                    f"{name} is missing: translate {english.name}, with `title: …` and `of: {digest}` as its head"
                )
            elif f"\nof: {digest}\n" not in file.read_text():
                found.append(
                    f"{name} translates an older {english.name}: bring it up to date, then write `of: {digest}`"
                )
            elif page_shape(file) != page_shape(english):
                found.append(f"{name} has other headings or links than {english.name}")
    known = {english.name for english in PAGES.glob("*.md")}
    return found + [
        f"{file.relative_to(ROOT)} translates nothing" for file in PAGES.glob("*/*") if file.name not in known
    ]


def page_shape(file: Path) -> tuple[int, list[str]]:
    """Headings and addresses, which are the same in every language."""
    text = file.read_text()
    return len(re.findall(r"^#+ ", text, re.MULTILINE)), sorted(ADDRESS.findall(text))


def write() -> None:
    for file, data in list(_files()):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


def main() -> int:
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dreamsite.settings")
    import django

    django.setup()
    if "--check" in sys.argv:
        for file in (late := stale()):
            print(f"{file.relative_to(ROOT)} is not what the code gives: run python -m tests.translations")
    else:
        write()
        late = []
    pages = pages_to_translate()
    for page in pages:
        print(page)
    missing = untranslated(print) + len(pages)
    print(f"{missing} texts to translate." if missing else "Every text is translated.")
    return 1 if missing or late else 0


if __name__ == "__main__":
    sys.exit(main())
