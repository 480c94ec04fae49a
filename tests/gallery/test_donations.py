"""Where donations go, and what the ledger adds up to."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from dreamsite.env import Env
from gallery.donations import addresses, ledger
from gallery.donations.models import LedgerEntry

P2PKH = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
P2SH = "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"
# From the test vectors of BIP 173 and BIP 350.
SEGWIT = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
TAPROOT = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"


@pytest.mark.parametrize("address", [P2PKH, P2SH, SEGWIT, TAPROOT, SEGWIT.upper()])
def test_addresses_whose_checksum_holds(address: str) -> None:
    assert addresses.bitcoin(f" {address} ") in (address, address.lower())


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", "main network"),
        ("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "main network"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3T4", "mixes"),
        ("bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4", "characters"),
        ("BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R", "too long or too short"),
        ("bc1pw5dgrnzv", "too long or too short"),
        ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav", "too long or too short"),
        ("BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", "too long or too short"),
        ("bc1zw508d6qejxtdg4y5r3zarvaryvqyzf3du", "checksum"),
        ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", "checksum"),  # Bech32 instead of Bech32m
        ("bc1gmk9yu", "checksum"),
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7Divf0a", "in no such address"),
        (P2PKH[:-2], "too long or too short"),
    ],
)
def test_others_are_refused_with_words(address: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        addresses.bitcoin(address)


@given(st.sampled_from([P2PKH, P2SH, SEGWIT, TAPROOT]), st.data())
def test_one_wrong_character_is_noticed(address: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(1, len(address) - 1))
    other = data.draw(st.sampled_from("023456789acdefghjklmnpqrstuvwxyz").filter(lambda char: char != address[at]))
    with pytest.raises(ValueError):
        addresses.bitcoin(address[:at] + other + address[at + 1 :])


def test_a_mistyped_address_does_not_start() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"DONATE_BITCOIN: received '1A1z.*checksum"):
        Env({"DONATE_BITCOIN": P2PKH[:-1] + "b"}).parsed("DONATE_BITCOIN", addresses.bitcoin, "")


def test_paypal_takes_what_people_have() -> None:
    assert addresses.paypal("ada@example.org") == "https://www.paypal.com/donate?business=ada%40example.org"
    assert addresses.paypal("ABCDE12345FGH").endswith("hosted_button_id=ABCDE12345FGH")
    assert addresses.paypal("https://paypal.me/ada") == "https://paypal.me/ada"
    for wrong in ("http://paypal.me/ada", "https://paypal.me.evil.example/ada", "javascript:alert(1)", "ada"):
        with pytest.raises(ValueError):
            addresses.paypal(wrong)


def test_links_have_names() -> None:
    found = addresses.links("Liberapay=https://liberapay.com/x, Shop=https://shop.example/?a=b")
    assert [(link.name, link.address) for link in found] == [
        ("Liberapay", "https://liberapay.com/x"),
        ("Shop", "https://shop.example/?a=b"),
    ]
    for wrong in ("https://liberapay.com/x", "X=http://x.example", "X=javascript:1", "=https://x.example"):
        with pytest.raises(ValueError):
            addresses.links(wrong)


@pytest.mark.django_db
def test_the_page_has_the_address_as_text_link_and_code(client: Client, settings: Any) -> None:
    settings.DONATE_BITCOIN = SEGWIT
    settings.DONATE_PAYPAL = addresses.paypal("ada@example.org")
    settings.DONATE_LINKS = addresses.links("Liberapay=https://liberapay.com/x")
    words = client.get("/donate/").content.decode()
    assert f">{SEGWIT}</p>" in words and f'data-copy="{SEGWIT}"' in words
    assert f'href="bitcoin:{SEGWIT}?label=' in words and "https://liberapay.com/x" in words and "business=ada" in words
    assert "style=" not in words and "https://" not in "".join(part.split('"')[0] for part in words.split('src="')[1:])
    code = client.get("/donate/bitcoin.svg")
    assert code["Content-Type"] == "image/svg+xml"
    drawing = ET.fromstring(code.content)
    assert drawing.tag.endswith("svg") and b"style" not in code.content
    assert "/donate/" in client.get("/about/").content.decode().split("site-footer")[1]


@pytest.mark.django_db
def test_without_an_address_it_says_so(client: Client) -> None:
    answer = client.get("/donate/")
    assert answer.status_code == 200 and b"takes no donations" in answer.content and b"<table" not in answer.content
    assert client.get("/donate/bitcoin.svg").status_code == 404


@pytest.mark.django_db
def test_the_ledger_adds_up(client: Client) -> None:
    def entry(kind: str, amount: str, currency: str = "EUR", **more: Any) -> None:
        LedgerEntry.objects.create(kind=kind, amount=Decimal(amount), currency=currency, **more)

    entry("gift", "0.00150000", "BTC", worth=Decimal("90"), note="From a stranger", day="2026-11-02")
    assert ledger.read().days is None, "without a cost nobody can say"
    entry("cost", "600", days=30, day="2026-11-01")
    entry("cost", "120", days=6, day="2026-12-01")
    entry("gift", "35.50", day="2026-11-03")
    entry("gift", "10", "USD", day="2026-11-04")
    found = ledger.read()
    assert str(found.day_cost) == "20.00 EUR"
    assert found.days == 6  # 35.50 and 90 of 20 a day; dollars of unknown worth do not count
    assert {str(sum_) for sum_ in found.gifts} == {"35.50 EUR", "10.00 USD", "0.0015 BTC"}
    words = client.get("/donate/").content.decode()
    assert "6 days" in words and "From a stranger" in words and "20.00 EUR" in words


def test_entries_say_what_is_missing() -> None:
    with pytest.raises(ValidationError, match="For how many days"):
        LedgerEntry(kind="cost", amount=Decimal(5)).full_clean()
    with pytest.raises(ValidationError, match="Only a cost"):
        LedgerEntry(kind="gift", amount=Decimal(5), days=3).full_clean()
    with pytest.raises(ValidationError, match="Letters like"):
        LedgerEntry(kind="gift", amount=Decimal(5), currency="euro").full_clean()
    with pytest.raises(ValidationError):
        LedgerEntry(kind="gift", amount=Decimal(0)).full_clean()
