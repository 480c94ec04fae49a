"""What suspended people may still do: take their data with them, and leave. They come with a link of the suspension."""

from __future__ import annotations

from allauth.decorators import rate_limit
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from canvas.moderation.sanctions import middleware
from dreamsite.accounts import closing
from dreamsite.accounts.views import data_of
from dreamsite.core.errors import NotFound
from dreamsite.core.models import User


@require_POST
@never_cache
@rate_limit(action="suspended")
def suspended_export(request: HttpRequest, token: str) -> HttpResponseBase:
    """What the site knows about people is theirs, suspended or not."""
    return data_of(request, _person(token))


@require_POST
@never_cache
@rate_limit(action="suspended")
def suspended_close(request: HttpRequest, token: str) -> HttpResponse:
    person = _person(token)
    try:
        closing.close(person)
    except closing.LastOwner as error:
        raise PermissionDenied(str(error)) from None
    return render(request, "account/closed.html", {"until": person.closes_at})


def _person(token: str) -> User:
    """Whose link it is, for as long as their sign-in is recent."""
    try:
        return get_object_or_404(User, pk=middleware.user_of(token, proved=True), closed_at=None)
    except signing.BadSignature:
        raise NotFound(_("Sign in again first. After that you have some minutes to do this.")) from None
