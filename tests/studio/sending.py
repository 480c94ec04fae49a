"""What people send to the studio: photographs, masks, orders; and what is seen of the answer."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from gallery.studio.models import Original


def photograph(width: int = 120, height: int = 90, **how: Any) -> SimpleUploadedFile:
    """A sky, a hill and some noise."""
    rows, columns = np.mgrid[0:height, 0:width]
    pixels = np.stack([rows * 2 % 256, columns * 2 % 256, np.full_like(rows, 200)], axis=2).astype(np.uint8)
    pixels[height // 2 :, :, 1] = 160
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, how.pop("format", "JPEG"), **how)
    return SimpleUploadedFile("holiday.jpg", buffer.getvalue(), "image/jpeg")


def uploaded(client: Client, **more: Any) -> Original:
    response = client.post("/studio/upload/", {"picture": photograph(), **more}, headers={"Accept": "application/json"})
    assert response.status_code == 201, response.content
    return Original.objects.get(key=response.json()["url"].split("/")[-2])


def picked(client: Client, original: Original, kind: str = "dream", **fields: Any) -> Any:
    style = original.styles["house"][0]
    data = {"kind": kind, "network": "house", "depth": 1, "size": 1, **style, **fields}
    data = {name: value for name, value in data.items() if value is not None}
    return client.post(f"/studio/pictures/{original.key}/order/", data, headers={"Accept": "application/json"})


def painted(width: int = 60, height: int = 45, *, spared: slice = slice(0, 30)) -> str:
    """A mask as the page sends it: black, and so spared, in these columns."""
    pixels = np.full((height, width), 255, np.uint8)
    pixels[:, spared] = 0
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert("RGBA").save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def pixels_of(file: Any) -> Any:
    with file.open("rb") as opened, Image.open(opened) as image:
        return np.asarray(image.convert("RGB")).astype(int)
