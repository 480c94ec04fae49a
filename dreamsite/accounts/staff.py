"""Access to the administration: sign-in on the site's own page, with its rate limits, and then a second factor.

A session has proved it when it signed in with one, was asked for one since, or set one up. Staff without any is led
to where one is set up; nobody is locked out by this.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from canvas.moderation.audit.recorded_admin import RecordedAdmin
from dreamsite.core.models import User

SECOND_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
_SET_UP = "second-factor-set-up"


@receiver(signals.authenticator_added)
def set_up(sender: Any, request: HttpRequest, authenticator: Authenticator, **kwargs: Any) -> None:
    """Setting up takes a code or a key at hand: as good as being asked for it."""
    if authenticator.type in SECOND_FACTORS:
        request.session[_SET_UP] = authenticator.pk


def second_factors(user: User) -> set[str]:
    return set(Authenticator.objects.filter(user=user, type__in=SECOND_FACTORS).values_list("type", flat=True))


def proved(request: HttpRequest, user: User) -> bool:
    """Whether this session proved a second factor that its account still has."""
    records = get_authentication_records(request, user)
    seen = {record.get("id") for record in records if record.get("method") == "mfa"} | {request.session.get(_SET_UP)}
    # A recovery code stands for the factor that was lost.
    return Authenticator.objects.filter(user=user, pk__in=seen - {None}).exists() and bool(second_factors(user))


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
    site_header = site_title = "Dreamsite"
    index_title = "Administration"

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
            return redirect(following)
        factors = second_factors(user)
        if not factors:
            return render(request, "account/second_factor_wanted.html", {"section": "account"})
        ask = "mfa_reauthenticate" if Authenticator.Type.TOTP in factors else "mfa_reauthenticate_webauthn"
        return redirect_to_login(following, reverse(ask))
