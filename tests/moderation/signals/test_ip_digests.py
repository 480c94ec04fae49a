"""Addresses are kept as digests that nobody can turn back, and for thirty days."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from canvas.moderation.models import Case, IpDigest, Report, Salt
from canvas.moderation.signals import ip_digests
from dreamsite.core.models import User

pytestmark = pytest.mark.django_db


def test_addresses_are_kept_as_digests_whose_salt_goes_and_which_go_themselves(client: Client, settings: Any) -> None:
    ann = User.objects.create_user("ann", password="a long walk by the sea")
    where = {"login": "ann", "password": "a long walk by the sea"}
    assert client.post("/accounts/login/", where, REMOTE_ADDR="192.0.2.7").status_code == 302
    ip_digest = IpDigest.objects.get()
    assert ip_digest.person == ann and re.fullmatch(r"[0-9a-f]{32}", ip_digest.digest)
    now = timezone.now()
    assert ip_digest.digest == ip_digests.digest_of("192.0.2.7", now) == ip_digests.digest_of("::ffff:192.0.2.7", now)
    assert ip_digests.digest_of("2001:db8::1", now) == ip_digests.digest_of("2001:db8::ffff:1", now)
    assert ip_digests.digest_of("2001:db8::1", now) != ip_digests.digest_of("2001:db8:0:1::1", now)
    later = now + timedelta(days=ip_digests.PERIOD_DAYS)
    assert ip_digests.digest_of("192.0.2.7", later) != ip_digest.digest
    assert Salt.objects.count() == 1  # the old one is gone: nobody can compute the old digest again
    assert ip_digests.digest_of("192.0.2.7", later) == ip_digests.digest_of("192.0.2.7", later)
    Report.objects.bulk_create(
        [Report(case=Case.objects.create(), category="spam", address="d", at=now - timedelta(days=31))]
    )
    assert ip_digests.purge(now) == 1 and ip_digests.purge(now + timedelta(days=31)) == 1
    assert not IpDigest.objects.exists() and Report.objects.get().address == ""


def test_signing_up_stores_an_ip_digest_too(client: Client) -> None:
    client.post("/accounts/signup/", {"username": "newcomer", "password1": "a long walk by the sea"})
    assert set(IpDigest.objects.values_list("what", flat=True)) == {"sign-up", "sign-in"}
