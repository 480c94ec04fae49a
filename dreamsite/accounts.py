"""Accounts: what django-allauth leaves to the site, and the page where one's own account lies open."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from dreamsite.models import User

# Names that would let a stranger speak for the site.
RESERVED = {
    *("admin", "administrator", "mod", "moderator", "moderators", "official", "owner", "root", "security", "staff"),
    *("support", "system", "team", "webmaster", "canvas", "dreamer", "dreamsite", "help", "history", "site"),
    *("anonymous", "everybody", "everyone", "nobody", "null", "undefined"),
}


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's adapter, with names that nobody may take at sign-up."""

    def clean_username(self, username: str, shallow: bool = False) -> str:
        if username.lower().strip("._-") in RESERVED:
            raise ValidationError(_("This name is kept back. Choose another one."))
        return str(super().clean_username(username, shallow=shallow))


@login_required
def account(request: HttpRequest) -> HttpResponse:
    """One's own page: name, way back in, and what one has drawn on."""
    user = request.user
    assert isinstance(user, User)
    latest = list(user.frames.visible().select_related("canvas").order_by("-id")[:6])
    address = EmailAddress.objects.filter(user=user).order_by("-primary", "-verified", "pk").first()
    context = {"latest": latest, "email": address and address.email, "section": "account"}
    return render(request, "account/overview.html", context)
