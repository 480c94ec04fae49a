"""Where django-allauth asks the site: who may be called what, who must confirm an address, how second factors look."""

from __future__ import annotations

import base64
import hashlib
import io
from contextlib import nullcontext
from typing import Any

import segno
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.account.stages import EmailVerificationStage
from allauth.core.internal import ratelimit
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dreamsite.accounts import known
from dreamsite.core import appearance, names
from dreamsite.core.addresses import network
from dreamsite.core.languages import speaking_to
from dreamsite.core.models import TAKEN, SiteState, User


class Adapter(DefaultAccountAdapter):
    """allauth's adapter for accounts."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": gettext_lazy("Name and password do not belong together."),
        "email_password_mismatch": gettext_lazy("Address and password do not belong together."),
        "too_many_login_attempts": gettext_lazy("Too many failed attempts. Wait five minutes, then try again."),
        "incorrect_code": gettext_lazy("That is not the code."),
        "incorrect_password": gettext_lazy("That is not the password."),
        "enter_current_password": gettext_lazy("That is not the password you have now."),
        "rate_limited": gettext_lazy("That was tried too often. Wait a few minutes, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Not after the end. Who has an account may still sign in, and fetch their data."""
        return not SiteState.ended()

    def clean_username(self, username: str, shallow: bool = False) -> str:
        if names.is_reserved(username):
            raise ValidationError(_("This name is kept back. Choose another one."))
        if not shallow and User.objects.looking_like(username).exists():
            raise ValidationError(TAKEN, code="username_taken")
        return str(super().clean_username(username, shallow=shallow))

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Guessing is bounded by account and address together; a browser that signed in before counts by itself.

        By the account alone a stranger could lock anybody out, by five wrong guesses at a public name.
        """
        action, key = "login_failed", network(self.get_client_ip(request))
        if (login := known.login_of(request, credentials)) is not None:
            action, key = "login_known", login
        self._login_failed_rl_usage = ratelimit.consume(
            request,
            app="allauth.account",
            action=action,
            key=f"{self._get_login_attempts_cache_key(request, **credentials)}:{key}",
        )
        if not self._login_failed_rl_usage:
            raise self.validation_error("too_many_login_attempts")

    def generate_unique_username(self, txts: list[str | None], regex: str | None = None) -> str:
        """A first guess for those who come through another site; they are shown it, and may change it."""
        return str(super().generate_unique_username(txts, regex or r"[^A-Za-z0-9._-]"))

    def format_email_subject(self, subject: str) -> str:
        return f"{appearance.current().name}: {subject}"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """In the receiver's language, whoever asked for the letter; a stranger's is that of the page."""
        user = context.get("user")
        with speaking_to(user) if getattr(user, "language", "") else nullcontext():
            super().send_mail(template_prefix, email, context)

    def get_login_stages(self) -> list[str]:
        ours = f"{ConfirmAddressStage.__module__}.{ConfirmAddressStage.__qualname__}"
        theirs = f"{EmailVerificationStage.__module__}.{EmailVerificationStage.__qualname__}"
        return [ours if stage == theirs else stage for stage in super().get_login_stages()]

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account")

    def get_email_verification_redirect_url(self, email_address: EmailAddress) -> str:
        return (
            reverse("account") if self.request.user.is_authenticated else super().get_login_redirect_url(self.request)
        )

    def get_reauthentication_methods(self, user: User | AnonymousUser) -> list[dict[str, Any]]:
        """A key is pressed more easily than a code is typed, and a code more easily than a password."""
        order = ("mfa_reauthenticate_webauthn", "mfa_reauthenticate")
        found: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return sorted(found, key=lambda method: order.index(method["id"]) if method["id"] in order else len(order))


class ConfirmAddressStage(EmailVerificationStage):
    """Whoever has an address confirms it. Accounts older than the mail server may have none, and stay open."""

    def handle(self) -> tuple[Any, bool]:
        user = self.login.user
        if user and not self.login.signup and not user.email and not EmailAddress.objects.filter(user=user).exists():
            return None, True
        result: tuple[Any, bool] = super().handle()
        return result


class SocialAdapter(DefaultSocialAccountAdapter):
    """allauth's adapter for sign-in through other sites: their names for people may not fit ours."""

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> User:
        user: User = super().populate_user(request, sociallogin, data)
        user.first_name = user.last_name = ""  # nobody asked for them
        return user


class SecondFactorAdapter(DefaultMFAAdapter):
    """allauth's adapter for second factors: QR codes in our colours, secrets that a stolen database does not tell."""

    error_messages = {**DefaultMFAAdapter.error_messages, "incorrect_code": gettext_lazy("That is not the code.")}

    def build_totp_svg(self, url: str) -> str:
        # Dark on light whatever the page's colours: not every reader takes the inverse.
        drawn = io.BytesIO()
        segno.make(url, error="m").save(
            drawn, kind="svg", xmldecl=False, omitsize=True, border=3, dark="#0d0c11", light="#f4f1ec"
        )
        return drawn.getvalue().decode()

    def get_totp_label(self, user: User) -> str:
        return user.username

    def get_totp_issuer(self) -> str:
        return f"{appearance.current().name} {settings.SITE_HOST}"

    def _get_user_identifier(self, user: User) -> str:
        return user.username

    def encrypt(self, text: str) -> str:
        return _ciphers().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _ciphers().decrypt(encrypted_text.encode()).decode()


def _ciphers() -> MultiFernet:
    """The newest key first; SECRET_KEY_FALLBACKS still open what older keys closed."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    digests = (hashlib.blake2b(str(key).encode(), digest_size=32, person=b"dreamsite.totp").digest() for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
