"""Access to the administration: sign-in on the site's own page, with its rate limits, and then a second factor.

A session has proved it when it signed in with one, was asked for one since, or set one up. Staff without any is led
to where one is set up; nobody is locked out by this.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from canvas.moderation.audit.recorded_admin import RecordedAdmin
from dreamsite.core import appearance, upload_pass
from dreamsite.core.models import User

SECOND_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
_SET_UP, _SET_UP_AT = "second-factor-set-up", "second-factor-set-up-at"
ASKED_AGAIN = 12 * 3600.0  # seconds after which a session shows its second factor again


@receiver(signals.authenticator_added)
def set_up(sender: Any, request: HttpRequest, authenticator: Authenticator, **kwargs: Any) -> None:
    """Setting up takes a code or a key at hand: as good as being asked for it."""
    if authenticator.type in SECOND_FACTORS:
        request.session[_SET_UP] = authenticator.pk
        request.session[_SET_UP_AT] = time.time()


def second_factors(user: User) -> set[str]:
    return set(Authenticator.objects.filter(user=user, type__in=SECOND_FACTORS).values_list("type", flat=True))


def proved(request: HttpRequest, user: User) -> bool:
    """Whether this session proved a second factor that its account still has, in the last twelve hours."""
    since = time.time() - ASKED_AGAIN
    records = get_authentication_records(request, user)
    seen = {one.get("id") for one in records if one.get("method") == "mfa" and one.get("at", 0.0) > since}
    if request.session.get(_SET_UP_AT, 0.0) > since:
        seen.add(request.session.get(_SET_UP))
    # A recovery code stands for the factor that was lost.
    return Authenticator.objects.filter(user=user, pk__in=seen - {None}).exists() and bool(second_factors(user))


def second_factor_given(request: HttpRequest) -> bool:
    """Whether what is not public may be shown to this session: `proved`, where the site asks for it."""
    return not settings.ADMIN_TWO_FACTOR or (isinstance(request.user, User) and proved(request, request.user))


@never_cache
@require_safe
@login_required
def second_factor(request: HttpRequest) -> HttpResponse:
    """Leads whoever moderates or administers to their second factor, or to where one is set up, and then to `next`."""
    following = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(following, {request.get_host()}, request.is_secure()):
        following = reverse("canvas")
    if second_factor_given(request):
        return HttpResponseRedirect(following)  # an address, and never the name of a view
    return _ask(request, following)


def _ask(request: HttpRequest, following: str) -> HttpResponse:
    assert isinstance(request.user, User)
    factors = second_factors(request.user)
    if not factors:
        return render(request, "account/second_factor_wanted.html", {"section": "account"})
    ask = "mfa_reauthenticate" if Authenticator.Type.TOTP in factors else "mfa_reauthenticate_webauthn"
    return redirect_to_login(following, reverse(ask))


# Apps whose rows say who somebody is and what they may do: rights, groups, addresses, second factors, sessions.
OF_OWNERS = {"auth", "account", "mfa", "socialaccount", "usersessions", "sessions"}


class ForOwners(admin.ModelAdmin[Any]):
    """Rows that staff may be shown, and only owners change: with them, somebody makes themselves anybody."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser and super().has_delete_permission(request, obj)


class AdminSite(admin.AdminSite):
    index_title = "Administration"

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        name = appearance.current().name
        return {**super().each_context(request), "site_header": name, "site_title": name}

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """As Django's; what is done on any model's pages, also on those of other apps, goes into the log of acts.

        What makes an account powerful is for owners: allauth's own pages, and Django's, know nothing of them.
        """
        shown = admin_class or admin.ModelAdmin
        models: Iterable[Any] = [model_or_iterable] if isinstance(model_or_iterable, type) else model_or_iterable
        for model in models:
            closed = (ForOwners,) if model._meta.app_label in OF_OWNERS else ()
            super().register(model, type(shown.__name__, (RecordedAdmin, *closed, shown), {}), **options)

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        if not super().has_permission(request) or not isinstance(user, User):
            return False
        return not settings.ADMIN_TWO_FACTOR or proved(request, user)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """As Django's; whoever may be here may send large files: pictures, tracks of films, networks."""
        inner = super().admin_view(view, cacheable)

        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            response: HttpResponse = inner(request, *args, **kwargs)
            if request.method == "GET" and self.has_permission(request):
                # What is somewhat too large comes as far as its form, which says in words how large it may be.
                upload_pass.grant(response, 2 * settings.NETWORK_UPLOAD)
            return response

        return csrf_exempt(answer) if getattr(inner, "csrf_exempt", False) else answer

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Where Django sends everybody whom `has_permission` refuses: on to whatever is missing."""
        following = request.GET.get("next", "")
        if not url_has_allowed_host_and_scheme(following, {request.get_host()}, request.is_secure()):
            following = reverse("admin:index")
        user = request.user
        if not isinstance(user, User):
            return redirect_to_login(following)
        if not super().has_permission(request):
            raise PermissionDenied
        if self.has_permission(request):
            return HttpResponseRedirect(following)  # an address, and never the name of a view
        return _ask(request, following)
