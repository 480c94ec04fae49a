"""Guests: people who draw before they sign up.

A guest is an account with a made-up name and no way in but the browser's session. Every rule for people holds for them;
their ink stays a newcomer's, they are never trusted, and what costs the machine much is for members. Becoming a member
is the same account with a name, a password and so on: strokes and history stay where they are.
"""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta
from functools import wraps
from typing import Any

from allauth.account import views as allauth_views
from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.core import ratelimit
from django.conf import settings
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, ProtectedError
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from canvas.models import Stroke
from dreamsite.accounts import sign_ups
from dreamsite.accounts.forms import KeepForm
from dreamsite.core.errors import json_error
from dreamsite.core.members import View
from dreamsite.core.models import User

log = logging.getLogger(__name__)

FIRST = (
    *("amber", "azure", "bright", "calm", "copper", "coral", "dusky", "early", "gentle", "golden", "hazel", "indigo"),
    *("ivory", "jade", "late", "lilac", "lively", "lunar", "mellow", "misty", "mossy", "opal", "pearl", "plum"),
    *("quiet", "rosy", "ruby", "russet", "sandy", "silver", "sunny", "velvet", "violet", "wandering", "warm", "winter"),
)
SECOND = (
    *("badger", "beetle", "bison", "cedar", "comet", "crane", "dove", "falcon", "fern", "finch", "fox", "gecko"),
    *("hare", "heron", "ibis", "jackdaw", "kite", "lark", "lynx", "maple", "marten", "moth", "newt", "otter"),
    *("owl", "panda", "puffin", "quail", "raven", "robin", "seal", "sparrow", "swift", "tern", "willow", "wren"),
)
TRIES = 8  # for a name that nobody has
NEVER_DREW = timedelta(days=2)  # after which a guest without a stroke is forgotten


@never_cache
@require_POST
def enter(request: HttpRequest) -> HttpResponseBase:
    """Makes a guest of whoever has no account here: {id, name, token}. Who is somebody already stays it."""
    if not request.user.is_authenticated:
        if not settings.GUESTS or not get_adapter().is_open_for_signup(request):
            return json_error(403, "members-only", _("Only members can draw here. Signing up takes a few seconds."))
        if not ratelimit.consume(request, action="guest"):
            return json_error(429, "rate-limited", _("Too many guests came from your address. Sign up, or try later."))
        login(request, create(), backend=settings.AUTHENTICATION_BACKENDS[0])
    assert isinstance(request.user, User)
    # Signing in has changed the token that the page was made with.
    return JsonResponse({"id": request.user.pk, "name": request.user.username, "token": get_token(request)})


def create() -> User:
    """A guest with a name that nobody else has."""
    for attempt in range(TRIES):
        name = f"{secrets.choice(FIRST)}-{secrets.choice(SECOND)}-{secrets.randbelow(10 ** (2 + attempt))}"
        user = User(username=name, guest=True)
        user.set_unusable_password()
        try:
            with transaction.atomic():
                user.save()
        except IntegrityError:
            continue
        return user
    raise RuntimeError(f"{TRIES} made-up names were all taken")


@never_cache
def keep(request: HttpRequest) -> HttpResponseBase:
    """A guest becomes a member: the same account, with a name of their choice and a password."""
    user = request.user
    following = request.POST.get("next") or request.GET.get("next") or "/"
    if not url_has_allowed_host_and_scheme(following, {request.get_host()}, request.is_secure()):
        following = "/"
    if not (isinstance(user, User) and user.guest):
        return redirect("account" if user.is_authenticated else "account_signup")
    if not get_adapter().is_open_for_signup(request):
        return render(request, "account/signup_closed.html")
    form = KeepForm(request.POST or None, initial={"username": user.username}, guest=user)
    if request.method == "POST" and form.is_valid():
        become_member(request, user, form)
        return HttpResponseRedirect(following)  # an address, and never the name of a view
    drawn = Stroke.objects.by(user).count()
    return render(request, "account/keep.html", {"form": form, "next": following, "drawn": drawn})


def become_member(request: HttpRequest, user: User, form: KeepForm) -> None:
    data = form.cleaned_data
    user.username, user.guest = data["username"], False
    user.set_password(data["password1"])
    user.save(update_fields=["username", "guest", "password"])
    update_session_auth_hash(request, user)
    address = data.get("email")
    if not address:
        return
    if form.account_already_exists:
        # Somebody has it. The page must not tell; the letter does, and the account has no address.
        get_adapter().send_account_already_exists_mail(address)
    else:
        EmailAddress.objects.add_email(request, user, address, confirm=True)


def as_nobody(view: View) -> View:
    """For a page of those who are not signed in: to a guest it is what it is to a stranger."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if getattr(request.user, "guest", False):
            request.user = AnonymousUser()
        return view(request, *args, **kwargs)

    return wrapper


def sign_up(request: HttpRequest) -> HttpResponseBase:
    """allauth's page; guests keep what they have."""
    if getattr(request.user, "guest", False):
        query = request.GET.urlencode()
        return redirect(reverse("account_keep") + (f"?{query}" if query else ""))
    response: HttpResponseBase = sign_ups.sign_up(request)
    return response


sign_in = as_nobody(allauth_views.login)


def forget_idle() -> int:
    """Forgets guests who never drew; how many there were."""
    drew = Stroke.objects.filter(author=OuterRef("pk"))
    # Rooms say who draws at once; the index of strokes may be behind.
    idle = User.objects.filter(guest=True, clean_hours=None, date_joined__lt=timezone.now() - NEVER_DREW)
    idle = idle.exclude(Exists(drew))
    gone = 0
    for guest in idle[:1000]:
        try:
            guest.delete()
            gone += 1
        except ProtectedError:
            continue  # they reported something, or were: that stays
    return gone
