"""Who has a feed of what others draw beside their strokes. The row has no address: that takes the site's secret too."""

from __future__ import annotations

import base64
import secrets
from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

NONCE_BYTES = 16  # 128 random bits
KEY_BYTES = 20  # 32 letters and digits, which dreamsite.logs knows as a key, and masks


def _nonce() -> str:
    return secrets.token_hex(NONCE_BYTES)


class BesideFeed(models.Model):
    """There is one where somebody has switched the feed on. Another nonce is another address."""

    user: Any = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="beside_feed"
    )
    nonce = models.CharField(max_length=2 * NONCE_BYTES, default=_nonce, editable=False)
    switched_on_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return str(self.user)

    def get_absolute_url(self) -> str:
        return reverse("beside_feed", args=[self.pk, self._key(settings.SECRET_KEY)])

    def opens_with(self, key: str) -> bool:
        """Whether this is the key in its address; SECRET_KEY_FALLBACKS still open what they made."""
        secrets_ = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
        return any(constant_time_compare(key, self._key(secret)) for secret in secrets_)

    def renew(self) -> None:
        """The old address leads nowhere from now on."""
        self.nonce = _nonce()
        self.save(update_fields=["nonce"])

    def _key(self, secret: str | bytes) -> str:
        mac = salted_hmac("gallery.beside", f"{self.pk} {self.nonce}", secret=secret, algorithm="sha256").digest()
        return base64.b32encode(mac[:KEY_BYTES]).decode().lower()
