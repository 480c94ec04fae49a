"""Who owns a new site: the first to follow the link that its first start prints. There is never a default password."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.password_validation import validate_password
from django.core.signing import BadSignature, SignatureExpired, TimestampSigner
from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from dreamsite.core.models import SiteState, User

LINK_SECONDS = 7 * 24 * 3600  # a link in an old log should not be a key for ever; a restart prints a fresh one
_signer = TimestampSigner(salt="dreamsite.claim")


def is_claimed() -> bool:
    """Whether the site has an owner: somebody followed the link, or `createsuperuser` made one."""
    return (
        SiteState.objects.filter(claimed_at__isnull=False).exists()
        or User.objects.filter(is_superuser=True, is_active=True).exists()
    )


@receiver(post_save, sender=User)
def _somebody_owns_it(instance: User, **kwargs: Any) -> None:
    """Whoever becomes an owner, by whatever way, ends the link for good: also when they are gone again."""
    if instance.is_superuser:
        SiteState.objects.get_or_create(id=1)
        SiteState.objects.filter(id=1, claimed_at=None).update(claimed_at=timezone.now())


def claim_link() -> str | None:
    """The address at which the site's owner claims it, or None when somebody has."""
    if is_claimed():
        return None
    return settings.SITE_URL + reverse("claim", args=[_signer.sign("owner")])


class OwnerForm(forms.ModelForm[User]):
    """A name and a password for the account that will administer the site."""

    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = User
        fields = ["username"]
        labels = {"username": gettext_lazy("Name")}
        widgets = {"username": forms.TextInput(attrs={"autocomplete": "username", "autofocus": True})}

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if password := data.get("password"):
            try:
                validate_password(password, User(username=data.get("username", "")))
            except forms.ValidationError as error:
                self.add_error("password", error)
        return data


@never_cache
@sensitive_post_parameters("password")
def claim(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind the link. Only sending its form claims: chat programs fetch links to show what is behind them."""
    if trouble := _trouble(token):
        return render(request, "claim_dead.html", {"why": trouble}, status=404 if trouble == "wrong" else 410)
    visitor = request.user if isinstance(request.user, User) else None
    form = None if visitor else OwnerForm(request.POST or None)
    if request.method == "POST" and (form is None or form.is_valid()):
        owner = visitor if form is None else form.save(commit=False)
        assert owner is not None
        if form is not None:
            owner.set_password(form.cleaned_data["password"])
        if not _make_owner(owner):
            return render(request, "claim_dead.html", {"why": "claimed"}, status=410)
        login(request, owner)
        messages.success(request, _("This site is yours now. Welcome, %(name)s.") % {"name": owner.username})
        return redirect("first_steps")
    return render(request, "claim.html", {"form": form})


def _trouble(token: str) -> str:
    """Why this link cannot claim the site: "claimed", "old", "wrong", or nothing."""
    try:
        _signer.unsign(token, max_age=LINK_SECONDS)
    except SignatureExpired:
        return "claimed" if is_claimed() else "old"
    except BadSignature:
        return "wrong"
    return "claimed" if is_claimed() else ""


@transaction.atomic
def _make_owner(owner: User) -> bool:
    """Makes this account the owner unless somebody else just was; the conditional UPDATE lets exactly one through."""
    SiteState.objects.get_or_create(id=1)
    if not SiteState.objects.filter(id=1, claimed_at=None).update(claimed_at=timezone.now()):
        return False
    owner.is_staff = owner.is_superuser = True
    owner.save()
    return True
