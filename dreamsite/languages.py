"""The addresses of languages: the page where one is chosen, and the words of the browser modules."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import translation
from django.utils.cache import patch_cache_control
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language_info
from django.views.decorators.http import require_http_methods, require_safe

from dreamsite.core import languages
from dreamsite.core.errors import NotFound
from dreamsite.core.models import User


@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest) -> HttpResponse:
    """GET: every language by its own name. POST `language`: it is kept, and one is back where one was (`next`)."""
    following = request.POST.get("next") or request.GET.get("next") or "/"
    if not url_has_allowed_host_and_scheme(following, {request.get_host()}, request.is_secure()):
        following = "/"
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES):
        known = [get_language_info(code) for code, _name in settings.LANGUAGES]
        return render(request, "language.html", {"languages": known, "next": following})
    if isinstance(request.user, User):
        User.objects.filter(pk=request.user.pk).update(language=language)
    translation.activate(language)
    response = HttpResponseRedirect(following)
    languages.remember(response, language)
    return response


@require_safe
def words(request: HttpRequest, language: str, version: str) -> HttpResponse:
    """What the browser modules say, in a language; the address changes with the words."""
    known = language in dict(settings.LANGUAGES)  # before a catalogue is built: an address may name any
    if not known or not version or version != languages.digest(language):
        raise NotFound("These words have changed. Reload the page.")
    answer = HttpResponse(languages.catalogue(language), "application/json")
    answer.headers["Content-Language"] = language
    patch_cache_control(answer, public=True, max_age=365 * 24 * 3600, immutable=True)
    return answer
