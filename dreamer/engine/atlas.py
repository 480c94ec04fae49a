"""An atlas of a network: what every channel of a layer dreams of when it starts from nothing.

    out/inception_4c-output.jpg     the contact sheet, every picture with its channel's number
    out/inception_4c-output.json    what stands where, how it was dreamed, and how strongly the channel answers
    out/inception_4c-output/        one small picture for each channel, with its recipe in it

The small pictures are what an interrupted atlas goes on from: those with the recipe wanted are not dreamed again.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .bands import Bytes
from .dream import dream
from .forward import Layer
from .network import Network
from .pictures import PictureError, read_picture, read_recipe, whole_file, write_picture
from .recipe import Recipe
from .source import awake
from .target import Target
from .work import Cancelled

SIDE = 112  # of a small picture, in pixels
DARK, PALE, BRIGHT = (14, 14, 18), (150, 150, 160), (235, 235, 240)
MARGIN, GAP, LABEL, TITLE = 24, 8, 16, 56  # of the sheet, in pixels


@dataclass(frozen=True)
class Sheet:
    """The files of one layer's atlas."""

    layer: str
    picture: Path
    data: Path


def recipe_for(network: Network, layer: str, channel: int | None, side: int = SIDE) -> Recipe:
    """How the small picture of a channel (None: the whole layer) is dreamed.

    From noise, at three sizes, turned and scaled, all bands alike.
    """
    # What is small is dreamed all over the picture, around its edges; of larger things the picture shows one, whole.
    small = network.layer(layer).stride <= 4
    return Recipe(
        target=awake(network, Target.layer(layer, channel)),
        model=network.name,
        noise=(side, side),
        octaves=3,
        octave_scale=1.4,
        min_size=max(48, network.min_size),
        iterations=16,
        roll=side if small else 16,
        smooth=4,
        smooth_pool=True,
        rotate=6.0,
        rescale=0.1,
        contrast=20.0,
        seed=1,
    )


def chief_layers(network: Network) -> list[str]:
    """The layers worth an atlas when none is named: the last of each block, by the layers' names.

    A block is a run of layers whose names begin alike, up to the first / (or else the first _ or .). Pools and
    normalisations show what the layer before them shows.
    """
    last: dict[str, Layer] = {}
    for name, layer in network.layers.items():
        if layer.spatial and layer.stride >= 2 and not re.search("pool|norm|drop", name, re.IGNORECASE):
            inner = name.strip("/")  # PyTorch's names begin with one
            block = inner.split("/")[0] if "/" in inner else re.split(r"[_.]", inner)[0]
            last[block] = layer
    return [layer.name for layer in last.values()]


def atlas(
    network: Network,
    layer: str,
    out: Path,
    *,
    side: int = SIDE,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Sheet:
    """Dream of every channel of a layer and lay the pictures out on a sheet in `out`.

    progress is called with (channels done, channels) and cancelled is asked between steps, after which Cancelled is
    raised; what is finished is kept and found again. ValueError for a layer that is not there.
    """
    found = network.layer(layer)
    if side < network.min_size:
        raise ValueError(
            f"side: received {side}, expected {network.min_size} pixels at least, which {network.name} needs"
        )
    slug = re.sub(r"[^A-Za-z0-9.]+", "-", layer).strip("-")
    folder = out / slug
    folder.mkdir(parents=True, exist_ok=True)
    pictures: list[Bytes] = []
    for channel in range(found.channels):
        if cancelled is not None and cancelled():
            raise Cancelled
        recipe = recipe_for(network, layer, channel, side)
        path = folder / f"{channel:04d}.webp"
        picture = _kept(path, recipe)
        if picture is None:
            picture = dream(None, network, recipe, cancelled=cancelled)
            write_picture(path, picture, recipe.to_json())
        pictures.append(picture)
        if progress is not None:
            progress(channel + 1, found.channels)
    return _lay_out(network, found, pictures, out / slug, side)


def _kept(path: Path, recipe: Recipe) -> Bytes | None:
    """The small picture from an earlier run, if it was dreamed by this very recipe."""
    try:
        return read_picture(path) if read_recipe(path) == json.loads(json.dumps(recipe.to_json())) else None
    except PictureError:
        return None


def _lay_out(network: Network, layer: Layer, pictures: Sequence[Bytes], stem: Path, side: int) -> Sheet:
    columns = max(1, min(16, math.ceil(math.sqrt(len(pictures)))))
    rows = math.ceil(len(pictures) / columns)
    wide, high = side + GAP, side + LABEL + GAP
    width, height = 2 * MARGIN + columns * wide - GAP, 2 * MARGIN + TITLE + rows * high - GAP
    # A sheet of one column still has to show its title.
    sheet = Image.new("RGB", (max(width, 420), height), DARK)
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, MARGIN - 4), layer.name, fill=BRIGHT, font=ImageFont.load_default(26))
    words = f"{network.name} · {layer.channels} channels"
    draw.text((MARGIN, MARGIN + 28), words, fill=PALE, font=ImageFont.load_default(14))
    small = ImageFont.load_default(12)
    cells: list[dict[str, Any]] = []
    for channel, picture in enumerate(pictures):
        x, y = MARGIN + channel % columns * wide, MARGIN + TITLE + channel // columns * high
        sheet.paste(Image.fromarray(picture), (x, y))
        draw.text((x + 1, y + side + 1), str(channel), fill=PALE, font=small)
        cells.append({"channel": channel, "x": x, "y": y, "answer": _answer(network, layer, channel, picture)})
    result = Sheet(layer.name, stem.with_name(stem.name + ".jpg"), stem.with_name(stem.name + ".json"))
    write_picture(result.picture, np.asarray(sheet))
    recipe = recipe_for(network, layer.name, 0, side).to_json() | {"target": None}
    data = {
        "model": network.name,
        "layer": layer.name,
        "sheet": result.picture.name,
        "side": side,
        "channels": cells,
        "recipe": recipe,
    }
    with whole_file(result.data) as temporary:
        temporary.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    return result


def _answer(network: Network, layer: Layer, channel: int, picture: Bytes) -> float:
    """The channel's mean value on its own picture: near zero, it has not been woken and its picture says little."""
    seen = network.activations(np.ascontiguousarray(picture.transpose(2, 0, 1), dtype=np.float32), layer.name)
    return round(float(seen[channel].mean()), 4)
