"""A maker, a member, a moderator, a guest and a stranger; a private canvas with one frame, and a listed one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.core.cache import caches
from django.test import Client

from canvas import frames
from canvas.models import Canvas, Frame
from dreamsite.canvases import services
from dreamsite.core.models import User
from tests.moderation import helpers

ROLES = "stranger", "guest", "member", "maker", "moderator"


@pytest.fixture(autouse=True)
def plain(plain_site: None) -> None:
    caches["pages"].clear()
    caches["pictures"].clear()


@pytest.fixture
def maker(db: None) -> User:
    return User.objects.create_user("ada")


@pytest.fixture
def private(maker: User) -> Canvas:
    return services.make(maker, guests=True, title="A quiet corner", width=96, height=96, background="#ffffff")


@pytest.fixture
def own(maker: User) -> Client:
    """The maker's browser."""
    client = Client()
    client.force_login(maker)
    return client


@pytest.fixture
def browser(maker: User) -> Callable[[str], Client]:
    """A browser of somebody in this role."""

    def of(role: str) -> Client:
        client = Client(raise_request_exception=False)
        match role:
            case "guest":
                assert client.post("/accounts/guest/").status_code == 200
            case "member":
                client.force_login(User.objects.create_user("bruno"))
            case "maker":
                client.force_login(maker)
            case "moderator":
                client = helpers.signed_in(helpers.moderator("mod"))
        return client

    return of


def frame_of(canvas: Canvas, seq: int = 1, **more: Any) -> Frame:
    """A dream of the canvas, with real files."""
    made = frames.encode(np.full((canvas.height, canvas.width, 3), 128, np.uint8), Frame.Kind.DREAM)
    return frames.keep(frames.NewFrame(canvas, made, Frame.Kind.DREAM, seq, title="a test", **more))
