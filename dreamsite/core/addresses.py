"""Whose address a request comes from, and which addresses count as one when something is bounded by address."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

IPV6_PREFIX = 64  # bits: one household, or one rented server, has them all


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
