"""Who is at work in the studio."""

from __future__ import annotations

import pytest
from django.test import Client

from dreamsite.core.models import User


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("ada", password="hunter2 hunter2")


@pytest.fixture
def client(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client
