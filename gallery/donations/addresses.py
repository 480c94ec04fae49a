"""Where donations go, from the environment. With a mistyped address, which would lose money, the site does not start.

They are not rows, which somebody who broke into the administration could change unseen. Plain Python.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_SUM, _BECH32M_SUM = 1, 0x2BC830A3  # BIP 173, BIP 350
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PAYPAL_HOSTS = {"paypal.com", "www.paypal.com", "paypal.me", "www.paypal.me"}


@dataclass(frozen=True)
class Link:
    """Another way to donate, by its name."""

    name: str
    address: str


def bitcoin(raw: str) -> str:
    """The address, if its checksum holds and it is one of bitcoin's main network; ValueError says what is wrong."""
    raw = raw.strip()
    if raw.lower().startswith("bc1"):
        _check_segwit(raw)
        return raw.lower()
    if raw[:1] in ("1", "3") and raw:
        _check_base58(raw)
        return raw
    raise ValueError("it begins with none of “1”, “3” and “bc1”, as addresses of bitcoin's main network do")


def _check_base58(raw: str) -> None:
    """Base58Check: version, 20 bytes, and the first four bytes of the double SHA-256 of both."""
    number = 0
    for char in raw:
        if char not in _BASE58:
            raise ValueError(f"“{char}” is in no such address")
        number = number * 58 + _BASE58.index(char)
    zeros = len(raw) - len(raw.lstrip("1"))
    data = b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
    if len(data) != 25 or data[0] not in (0x00, 0x05):
        raise ValueError("it is too long or too short")
    if hashlib.sha256(hashlib.sha256(data[:-4]).digest()).digest()[:4] != data[-4:]:
        raise ValueError("its checksum does not hold: a character is wrong or missing")


def _check_segwit(raw: str) -> None:
    """Bech32 (BIP 173) for witness version 0, Bech32m (BIP 350) for those after it."""
    if raw not in (raw.lower(), raw.upper()):
        raise ValueError("it mixes small and capital letters")
    letters = raw.lower()[3:]
    if any(char not in _BECH32 for char in letters):
        raise ValueError("it has characters that are in no such address")
    values = [_BECH32.index(char) for char in letters]
    version = values[0] if values else 17
    expected = _BECH32_SUM if version == 0 else _BECH32M_SUM
    if len(values) < 7 or _polymod([3, 3, 0, 2, 3, *values]) != expected:  # "bc", as the checksum takes it in
        raise ValueError("its checksum does not hold: a character is wrong or missing")
    program = _eight_bits(values[1:-6])
    if version > 16 or not 2 <= len(program) <= 40 or (version == 0 and len(program) not in (20, 32)):
        raise ValueError("it is too long or too short")


def _polymod(values: list[int]) -> int:
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            checksum ^= generator if top >> bit & 1 else 0
    return checksum


def _eight_bits(fives: list[int]) -> bytes:
    number, bits = 0, len(fives) * 5
    for five in fives:
        number = number << 5 | five
    spare = bits % 8
    if spare > 4 or number & (1 << spare) - 1:
        raise ValueError("its last character is wrong")
    return (number >> spare).to_bytes(bits // 8, "big")


def bitcoin_uri(address: str, label: str) -> str:
    """BIP 21: what a wallet opens, and what the QR code says."""
    return f"bitcoin:{address}?label={quote(label)}"


def paypal(raw: str) -> str:
    """A link to give through PayPal: from a mail address, a button's id, or a link of theirs. Raises ValueError."""
    raw = raw.strip()
    if _MAIL.fullmatch(raw):
        return "https://www.paypal.com/donate?" + urlencode({"business": raw})
    if re.fullmatch(r"[A-Z0-9]{13}", raw):
        return "https://www.paypal.com/donate?" + urlencode({"hosted_button_id": raw})
    if urlsplit(raw).hostname in _PAYPAL_HOSTS:
        return _https(raw)
    raise ValueError("it is no mail address, no button's id of 13 characters, and no link to paypal.com or paypal.me")


def links(raw: str) -> tuple[Link, ...]:
    """`Name=https://…`, divided by commas or line ends. Raises ValueError."""
    found = []
    for part in filter(None, (part.strip() for part in re.split(r"[,\n]", raw))):
        name, equals, address = part.partition("=")
        if not equals or not name.strip():
            raise ValueError(f"“{part}” is not written as Name=https://…")
        found.append(Link(name.strip(), _https(address.strip())))
    return tuple(found)


def _https(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.hostname or parts.username is not None or re.search(r"\s", address):
        raise ValueError(f"“{address}” is no https link")
    return address
