"""Staff hides a frame: what the public sees of it afterwards, which is nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from canvas.models import Canvas, Frame


@pytest.fixture(autouse=True)
def own_media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


def test_a_hidden_frame_leaves_its_addresses_and_the_canvas(
    as_staff: Client, client: Client, kept: Frame, canvas: Canvas, settings: Any
) -> None:
    addresses = [kept.picture.url, kept.thumbnail.url]
    assert [Client().get(address).status_code for address in addresses] == [200, 200]
    page = as_staff.post(
        f"/{settings.ADMIN_PATH}/canvas/frame/", {"action": "hide", "_selected_action": [kept.pk]}, follow=True
    )
    assert "1 frame is hidden" in page.content.decode()
    assert [Client().get(address).status_code for address in addresses] == [404, 404]
    canvas.refresh_from_db()
    assert canvas.frame is None
    page = as_staff.post(
        f"/{settings.ADMIN_PATH}/canvas/frame/", {"action": "show_again", "_selected_action": [kept.pk]}, follow=True
    )
    assert "1 frame can be seen again" in page.content.decode()
    kept.refresh_from_db()
    assert Client().get(kept.picture.url).status_code == 200
    canvas.refresh_from_db()
    assert canvas.frame is None, "the history has it again, the canvas goes on from where it was"
