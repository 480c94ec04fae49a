"""allauth's forms in the site's words."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as account
from allauth.mfa.webauthn import forms as keys
from django.utils.translation import gettext as _

from dreamsite.core import names
from dreamsite.core.models import User


class LoginForm(account.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        by_address = "email" in account.app_settings.LOGIN_METHODS
        self.fields["login"].label = _("Name or e-mail") if by_address else _("Name")
        # "webauthn": a browser offers passkeys in the field itself.
        self.fields["login"].widget.attrs["autocomplete"] = "username webauthn"


class SignupForm(account.SignupForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("Name")
        self.fields["username"].help_text = _(
            "2 to 24 letters, digits, dots, dashes or underscores. Everybody sees it."
        )
        if "email" in self.fields:
            self.fields["email"].label = _("E-mail")
            self.fields["email"].help_text = _(
                "Nobody sees it. We send a code there now, and nothing you did not ask for."
            )


class KeepForm(SignupForm):
    """A guest's: the name they have is theirs to keep."""

    def __init__(self, *args: Any, guest: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.guest = guest

    def clean_username(self) -> str:
        name = self.cleaned_data["username"]
        if name.lower() == self.guest.username.lower():
            return self.guest.username
        if names.skeleton(name) == self.guest.skeleton and not names.is_reserved(name):
            return str(name)  # written otherwise, and still their own
        return str(super().clean_username())


class AddEmailForm(account.AddEmailForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail")


class RequestLoginCodeForm(account.RequestLoginCodeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail")


class ResetPasswordForm(account.ResetPasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail")


class ChangePasswordForm(account.ChangePasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].label = _("Password now")
        self.fields["password1"].label = _("New password")
        self.fields["password2"].label = _("The new one again")


class AddKeyForm(keys.AddWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("What you call it")
        self.fields["name"].widget.attrs["autocomplete"] = "off"
        self.fields["passwordless"].label = _("Sign in with it alone, without a password")
        self.fields["passwordless"].help_text = _("It asks for your finger, your face or its PIN instead.")
        self.fields["passwordless"].initial = True
