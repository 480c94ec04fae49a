"""How people can donate, according to the environment."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from gallery.donations import addresses


@dataclass(frozen=True)
class DonationOptions:
    """Empty strings and no links where the owner named none; false if there are none at all."""

    bitcoin: str
    paypal: str
    links: tuple[addresses.Link, ...]

    def __bool__(self) -> bool:
        return bool(self.bitcoin or self.paypal or self.links)

    @property
    def bitcoin_uri(self) -> str:
        return addresses.bitcoin_uri(self.bitcoin, urlsplit(settings.SITE_URL).hostname or "")


def donation_options() -> DonationOptions:
    return DonationOptions(settings.DONATE_BITCOIN, settings.DONATE_PAYPAL, settings.DONATE_LINKS)
