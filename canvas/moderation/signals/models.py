"""What the site notices by itself and shows to moderators: addresses as digests that fade, and odd ways to draw."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Salt(models.Model):
    """The secret that turns addresses into digests during one period. With it gone, nothing leads back."""

    period = models.PositiveIntegerField(primary_key=True)  # days since 1970, divided by the period's length
    secret = models.BinaryField(editable=False)

    def __str__(self) -> str:
        return str(self.period)


class IpDigest(models.Model):
    """Somebody signed up or in from an address, of which only a digest is known, for thirty days."""

    class What(models.TextChoices):
        SIGN_UP = "sign-up", _("Signed up")
        SIGN_IN = "sign-in", _("Signed in")

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="ip_digests")
    what = models.CharField(max_length=8, choices=What.choices)
    digest = models.CharField(max_length=32, db_index=True)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"{self.digest[:6]} {self.at:%Y-%m-%d}"


class Signal(models.Model):
    """Something odd about how a person draws or came here. Listed, never acted upon by itself."""

    class Kind(models.TextChoices):
        RATE = "rate", _("Strokes per minute")
        AREA = "area", _("Area per minute")
        REGULAR = "regular", _("Perfectly regular timing")
        SESSION = "session", _("Session length")
        ADDRESS = "address", _("Many accounts from one address")

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="signals")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    day = models.DateField(help_text=_("UTC. The strongest finding of each kind and day is kept."))
    value = models.FloatField()
    limit = models.FloatField(help_text=_("What a value has to pass to be listed."))
    details: Any = models.JSONField(default=dict, blank=True)
    found_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(null=True, blank=True)
    seen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["-day", "-value"]
        constraints = [models.UniqueConstraint(fields=["person", "kind", "day"], name="signal_once_a_day")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.value:g}"
