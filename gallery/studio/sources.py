"""What works begin with: networks, opened once a process, and people's pictures."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from django.conf import settings
from numpy.typing import NDArray
from PIL import Image

from dreamer.engine import Network
from dreamer.registered import registry
from gallery.studio.models import Original

Pixels = NDArray[np.uint8]


@lru_cache(maxsize=2)
def _opened(path: Path, changed: float) -> Network:
    threads = settings.DREAM_THREADS or 0
    memory, tf32 = settings.DREAM_GPU_MEMORY, settings.DREAM_TF32
    return Network.open(path, device=settings.DREAM_DEVICE, threads=threads, gpu_memory=memory, tf32=tf32)


def network_of(name: str) -> Network:
    """Opened once a process, and again when its file has changed. Raises LibraryError."""
    files = registry().get(name)
    return _opened(files.path, files.model.stat().st_mtime)


def pixels_of(original: Original, *, large: bool = False) -> Pixels:
    """An uploaded picture, uint8 [h, w, 3]; `large`: as large as it came."""
    stored = original.large if large and original.large else original.picture
    with stored.open("rb") as file, Image.open(file) as image:
        return np.asarray(_on_white(image))


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image.convert("RGB")
    paper = Image.new("RGB", image.size, "white")
    paper.paste(image, mask=image.getchannel("A"))
    return paper
