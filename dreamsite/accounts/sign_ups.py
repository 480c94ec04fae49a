"""How many accounts one address may make: some at once, then each for some seconds of a browser's work, then none.

The work is a number that makes a SHA-256 begin with zeros (Hashcash, Back 1997). The question is signed, good for ten
minutes and for one account. It slows whoever makes accounts by the dozen, and nobody who makes one; no third party.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from allauth.account import views as allauth
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import perform_login
from allauth.account.models import Login
from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from dreamsite.core import counters
from dreamsite.core.addresses import network
from dreamsite.core.models import User

WITHIN = 3600  # seconds: an address' accounts are counted from one full hour to the next
MOST = 60
CLICKED_TWICE = timedelta(minutes=5)
BITS, HARDEST = 16, 20  # half a second and ten seconds of a browser; one more bit for every four accounts
QUESTION_SECONDS = 600
_signer = signing.TimestampSigner(salt="dreamsite.sign_ups")


def _key(request: HttpRequest) -> str:
    return f"sign-ups:{network(get_adapter().get_client_ip(request))}"


def bits(request: HttpRequest) -> int:
    """How many zero bits an account from here costs now; 0: none."""
    made, free = counters.counted(_key(request), WITHIN), settings.SIGN_UPS_PER_ADDRESS
    return 0 if made < free else min(HARDEST, BITS + (made - free) // 4)


def too_many(request: HttpRequest) -> bool:
    return counters.counted(_key(request), WITHIN) >= max(MOST, settings.SIGN_UPS_PER_ADDRESS)


def count(request: HttpRequest) -> None:
    """An account was made."""
    counters.count(_key(request), WITHIN)


def question(request: HttpRequest) -> dict[str, Any]:
    """For the page: what to find, or nothing."""
    needed = bits(request)
    return {"work": _signer.sign(f"{needed}.{secrets.token_urlsafe(12)}"), "work_bits": needed} if needed else {}


def is_done(asked: str, answer: str) -> bool:
    """Whether the work was done for a question of ours that nobody has used before."""
    try:
        value = _signer.unsign(asked, max_age=QUESTION_SECONDS)
        needed = int(value.partition(".")[0])
    except (signing.BadSignature, ValueError):
        return False
    if len(answer) > 20 or zero_bits(hashlib.sha256(f"{asked}:{answer}".encode()).digest()) < needed:
        return False
    return cache.add(f"sign-ups:used:{value}", 1, 2 * QUESTION_SECONDS)


def zero_bits(digest: bytes) -> int:
    number = int.from_bytes(digest)
    return 8 * len(digest) - number.bit_length()


class SignUp(allauth.SignupView):
    """allauth's page, bounded by address, and for those who clicked twice.

    The second click finds the account of the first, and goes on with it.
    """

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | question(self.request)

    def form_valid(self, form: Any) -> HttpResponseBase:
        request = self.request
        if too_many(request):
            form.add_error(None, _("Too many accounts were made from this network. Come back in an hour."))
        elif bits(request) and not is_done(request.POST.get("work", ""), request.POST.get("answer", "")):
            form.add_error(
                None,
                _(
                    "Many accounts were made from this network lately, so your browser has to work for this one. Send "
                    "it once more. Without scripts, or without https, come back in an hour."
                ),
            )
        answer: HttpResponseBase
        if form.errors:
            answer = super().form_invalid(form)
            return answer
        answer = super().form_valid(form)
        if self.user is not None:  # None: the address has an account already, which its owner is told by mail
            count(request)
        return answer

    def form_invalid(self, form: Any) -> HttpResponseBase:
        name, password = form.data.get("username", ""), form.data.get("password1", "")
        lately = timezone.now() - CLICKED_TWICE
        if form.has_error("username", "username_taken") and User.objects.filter(
            username=name, date_joined__gt=lately, closes_at=None, is_active=True
        ):
            try:
                user = get_adapter().authenticate(self.request, username=name, password=password)
            except ValidationError:  # guessed too often
                user = None
            if user is not None:
                following = self.get_next_url() or settings.LOGIN_REDIRECT_URL
                answer: HttpResponseBase = perform_login(self.request, Login(user=user, redirect_url=following))
                return answer
        invalid: HttpResponseBase = super().form_invalid(form)
        return invalid


sign_up = SignUp.as_view()
