"""People and cases of the moderation tests."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from django.test import Client

from canvas.models import Canvas
from canvas.moderation.cases import services as cases
from canvas.moderation.models import Case
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


def reported(canvas: Canvas, x: int = 20, **more: Any) -> Case:
    where = cases.Where(canvas, None, x, 20, 16)
    return cases.report(where, "hate", "", **{"reporter": None, "address": "there", **more}).case
