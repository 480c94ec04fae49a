"""Whose address a request comes from, and which addresses count as one when something is bounded by address."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from zoneinfo import ZoneInfo

IPV6_PREFIX = 64  # bits: one household, or one rented server, has them all

_ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]{1,5})?")


def forwarded(peer: str, headers: Iterable[str], proxies: int) -> str:
    """The address that the outermost of our `proxies` saw, from the values of X-Forwarded-For.

    Each proxy adds the address that it saw at the end; whatever stands before the entries of ours is what the client
    says of itself. With fewer entries than proxies the request came round them, and `peer` is the client.
    """
    entries = [entry.strip() for header in headers for entry in header.split(",")]
    if proxies < 1 or len(entries) < proxies:
        return peer
    entry = entries[-proxies]
    if entry.startswith("["):  # [2001:db8::1]:4711
        entry = entry[1:].partition("]")[0]
    elif entry.count(":") == 1:  # 192.0.2.1:4711
        entry = entry.partition(":")[0]
    try:
        return str(ipaddress.ip_address(entry))
    except ValueError:
        return peer


def embedders(text: str) -> list[str]:
    """The sources of `frame-ancestors`: `*`, `none`, or origins by spaces. Raises ValueError for anything else."""
    words = text.split()
    if words in (["*"], ["none"]):
        return ["*"] if words == ["*"] else ["'none'"]
    if not words or not all(_ORIGIN.fullmatch(word) for word in words):
        raise ValueError("expected *, none, or origins by spaces, as https://blog.example or https://*.example.org")
    return words


def zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name. Raises ValueError where there is none of this name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("expected a time zone, as UTC or Europe/Berlin") from None


def network(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 around an IPv6 one. "" for what is no address."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, IPV6_PREFIX), strict=False))
    return str(found)
