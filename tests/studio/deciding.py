"""What moderators do in tests, and what the log says of it."""

from __future__ import annotations

from typing import Any

from django.test import Client

from canvas.moderation.models import Act, Case
from dreamsite.core.models import User


def verbs() -> list[str]:
    return list(Act.objects.order_by("pk").values_list("verb", flat=True))


def at_case(user: User, case: Case, act: str, **sent: Any) -> str:
    """What a moderator does on a case's page; the page that follows."""
    client = Client()
    client.force_login(user)
    sent = {"version": Case.objects.get(pk=case.pk).version, **sent}
    answer = client.post(f"/moderation/cases/{case.pk}/{act}", sent, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def at_case_with(user: User, case: Case, act: str, **sent: Any) -> Any:
    """What the page answers to somebody who loaded it when `case` was read."""
    client = Client()
    client.force_login(user)
    return client.post(f"/moderation/cases/{case.pk}/{act}", {"version": case.version, **sent})
