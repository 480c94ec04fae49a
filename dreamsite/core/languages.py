"""The languages of the site: which one a request gets, what browser modules need of it, and whose letters are in which.

A language is chosen in this order: by the person (a cookie, which signing in brings to every browser from the account),
by the browser (Accept-Language), by LANGUAGE_CODE. What machines read (feeds, oEmbed, data) is always in LANGUAGE_CODE.
"""

from __future__ import annotations

import gettext
import hashlib
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_vary_headers

from dreamsite.core.models import User

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)

KEPT = 365 * 24 * 3600  # s that a choice is remembered by a browser
SPOKEN = ("text/html", "application/json", "text/plain")  # answers whose words depend on the language


class LanguageMiddleware(LocaleMiddleware):
    """Django's, but what is the same in every language (pictures, feeds) varies with none."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if (chosen := getattr(request, "keep_language", None)) is not None:
            remember(response, chosen)
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        if kind in SPOKEN and "Content-Language" not in response.headers:
            response.headers["Content-Language"] = translation.get_language() or settings.LANGUAGE_CODE
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response


def remember(response: HttpResponseBase, language: str) -> None:
    """Makes a browser keep this language."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=KEPT,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


@receiver(user_logged_in)
def bring_along(request: HttpRequest | None, user: User, **_: Any) -> None:
    """The browser speaks the account's language from now on; an account without one takes the browser's."""
    spoken = translation.get_language() or settings.LANGUAGE_CODE
    if not user.language:
        User.objects.filter(pk=user.pk).update(language=spoken)
        user.language = spoken
    elif user.language != spoken and request is not None:
        request.keep_language = user.language  # type: ignore[attr-defined]


def speaking_to(user: Any) -> AbstractContextManager[None]:
    """`with speaking_to(somebody):` texts are in their language, for letters."""
    language = getattr(user, "language", "")
    known = language in dict(settings.LANGUAGES)
    return translation.override(language if known else settings.LANGUAGE_CODE)


def in_one_language(view: Callable[P, R]) -> Callable[P, R]:
    """For what machines read: the same words for everybody, in LANGUAGE_CODE."""

    @wraps(view)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        with translation.override(settings.LANGUAGE_CODE):
            response = view(*args, **kwargs)
        response.headers["Content-Language"] = settings.LANGUAGE_CODE
        return response

    return wrapper


# --- browser modules --------------------------------------------------------------------------------------------------

PLURALS = 200  # no language's rule looks at more than the last two digits, and at whether there are more


@lru_cache
def catalogue(language: str) -> bytes:
    """What static/i18n.js needs, as JSON; b"" where the modules' own English will do.

    {"messages": {text: translation or list of plural forms}, "plurals": the form's index for n = 0 .. 199}
    """
    locales = [translation.to_locale(language)]
    found = gettext.translation("djangojs", settings.LOCALE_PATHS[0], locales, fallback=True)
    if not isinstance(found, gettext.GNUTranslations):
        return b""
    messages: dict[str, Any] = {}
    for key, text in sorted(found._catalog.items(), key=str):  # type: ignore[attr-defined]
        if isinstance(key, tuple):  # (text, index of the form), in order
            messages.setdefault(key[0], []).append(text)
        elif key:
            messages[key] = text
    plurals = [found.plural(n) for n in range(PLURALS)]  # type: ignore[attr-defined]
    return json.dumps({"messages": messages, "plurals": plurals}, ensure_ascii=False).encode()


@lru_cache
def digest(language: str) -> str:
    """Changes with the catalogue; "" where there is none."""
    content = catalogue(language)
    return hashlib.sha256(content).hexdigest()[:12] if content else ""


@lru_cache
def _translated(language: str) -> frozenset[str]:
    content = catalogue(language)
    return frozenset(json.loads(content)["messages"]) if content else frozenset()


def word(english: str) -> tuple[str, str]:
    """A word that comes in English, such as the name of a network's class: how the language of the request says it,
    and "en" where it has no word for it, to be marked as such (`lang`), else ""."""
    language = translation.get_language() or settings.LANGUAGE_CODE
    if language.startswith("en") or english in _translated(language):
        return translation.gettext(english) if english else "", ""
    return english, "en"


def context(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the `words` of the page's language for its modules, as an address, or ""."""
    language = translation.get_language() or settings.LANGUAGE_CODE
    version = digest(language)
    return {"words": reverse("words", args=[language, version]) if version else ""}
