"""Addresses, as digests that fade: enough to notice many accounts from one address, not enough to find the address.

A digest is keyed with the site's secret and with a salt of its period. When the period ends the salt is thrown away:
from then on nobody, not even the site, can tell which address a digest came from. The digests go after thirty days.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from datetime import datetime, timedelta
from typing import Any

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone

from canvas.moderation.models import IpDigest, Report, Salt

PERIOD_DAYS = 10  # a salt's life; accounts from one address are noticed within it
LIFE = timedelta(days=30)  # a digest's


def digest(request: HttpRequest) -> str:
    """The digest of the address this request came from, 32 hex digits; of IPv6 its /64, which is one household's."""
    return digest_of(address(request), timezone.now())


def digest_of(ip: str, now: datetime) -> str:
    key = settings.SECRET_KEY.encode() + _salt(now)
    return hmac.new(key, _network(ip).encode(), hashlib.sha256).hexdigest()[:32]


def address(request: HttpRequest) -> str:
    """The visitor's address as the rate limits see it; "" where there is none, as from a Unix socket."""
    try:
        return str(get_adapter().get_client_ip(request))
    except PermissionDenied:
        return ""


def _network(ip: str) -> str:
    try:
        found = ipaddress.ip_address(ip)
    except ValueError:
        return ip
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def lock() -> None:
    """Others who come here wait until this transaction ends. What is counted meanwhile holds."""
    now = timezone.now()
    _salt(now)
    Salt.objects.select_for_update().get(period=_period(now))


def _period(now: datetime) -> int:
    return int(now.timestamp() // 86400) // PERIOD_DAYS


def _salt(now: datetime) -> bytes:
    period = _period(now)
    salt, new = Salt.objects.get_or_create(period=period, defaults={"secret": secrets.token_bytes(32)})
    if new:
        Salt.objects.filter(period__lt=period).delete()
    return bytes(salt.secret)


def purge(now: datetime | None = None) -> int:
    """Forgets digests older than thirty days, and salts of periods that are over; how many digests went."""
    now = now or timezone.now()
    gone, _ = IpDigest.objects.filter(at__lt=now - LIFE).delete()
    gone += Report.objects.filter(at__lt=now - LIFE).exclude(address="").update(address="")
    Salt.objects.filter(period__lt=_period(now)).delete()
    return gone


def _record(request: HttpRequest | None, user: Any, what: str) -> None:
    if request is None or not (ip := address(request)):  # many people without an address do not come from one address
        return
    IpDigest.objects.create(person=user, what=what, digest=digest_of(ip, timezone.now()))
    purge()  # a site where people come in needs no timetable to keep its promise


def signed_in(sender: Any, request: HttpRequest | None, user: Any, **_: Any) -> None:
    """Receiver of django.contrib.auth's user_logged_in."""
    _record(request, user, IpDigest.What.SIGN_IN)


def signed_up(sender: Any, request: HttpRequest | None, user: Any, **_: Any) -> None:
    """Receiver of allauth's user_signed_up, which comes before the first sign-in."""
    _record(request, user, IpDigest.What.SIGN_UP)
