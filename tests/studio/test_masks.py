"""Parts of a picture that a dream spares."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from dreamsite.core.tasks import STUDIO, worker
from gallery.studio.models import Original, Work
from tests.studio.sending import painted, picked, pixels_of

Kind = Work.Kind
pytestmark = pytest.mark.usefixtures("house")


def test_what_is_spared_stays_and_the_rest_is_dreamed(client: Client, original: Original) -> None:
    key = picked(client, original, depth=3, size=3, mask=painted()).json()["key"]
    worker.empty(STUDIO)
    work = Work.objects.get(key=key)
    before, after = pixels_of(original.picture), pixels_of(work.picture)
    change = np.abs(after - before).mean(axis=(0, 2))
    # Both are JPEGs: some levels either way, and the mask is soft at its edge.
    assert change[:54].max() < 6 and change[66:].mean() > 10
    page = client.get(work.get_absolute_url()).content.decode()
    assert f"--mask {key}-mask.png" in page
    mask = client.get(f"/studio/dreams/{key}/mask.png")
    with Image.open(io.BytesIO(mask.content)) as image:
        assert (image.size, image.mode) == ((60, 45), "L")
    assert Client().get(f"/studio/dreams/{key}/mask.png").status_code == 302


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        ("data:image/png;base64,!!", "could not be read"),
        ("data:image/svg+xml,<svg/>", "could not be read"),
        ("data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode(), "could not be read"),
        (painted(2000, 10), "could not be read"),
        (painted(spared=slice(0, 60)), "nothing to dream on"),
    ],
)
def test_a_mask_that_is_none_is_refused_in_words(client: Client, original: Original, mask: str, said: str) -> None:
    response = picked(client, original, mask=mask)
    assert response.status_code == 400 and said in response.json()["detail"]
    assert not Work.objects.dreams().exists()


def test_a_mask_that_spares_nothing_is_none(client: Client, original: Original) -> None:
    assert picked(client, original, mask=painted(spared=slice(0, 0))).status_code == 201
    assert Work.objects.dreams().get().mask is None
