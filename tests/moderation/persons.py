"""People of the moderation tests."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from django.test import Client

from dreamsite.core.models import User


def person(name: str, **fields: Any) -> User:
    return User.objects.create(username=name, **fields)


def moderator(name: str) -> User:
    user = person(name)
    user.groups.add(Group.objects.get(name="Moderators"))
    return user


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
