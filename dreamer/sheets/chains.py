"""Dreams on top of one another, as the live canvas has them."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from canvas import growth
from dreamer.engine import Network, Recipe, Target, dream
from dreamer.engine.bands import Bytes
from dreamer.library.files import ShelfStyle

from .drawings import draw, growth_map

QUALITY = 93  # as the canvas keeps its dreams: JPEG, 4:4:4
PAPER_KEY = 1  # where seeds are planted on white paper: on the live canvas the canvas' own number


@dataclass(frozen=True)
class Chain:
    """One drawing under one rule: a recipe's fields, without target and seed, which is the dream's number."""

    network: Network
    rule: Mapping[str, Any]
    style: ShelfStyle
    drawing: str
    side: int

    def recipe(self, number: int) -> Recipe:
        """What the dream of this number, counted from 1, is dreamed by."""
        target = Target.layer(self.style.layer, self.style.channel)
        return Recipe(target, model=self.network.name, seed=number, **self.rule)

    def dreams(self, last: int, folder: Path) -> Iterator[Bytes]:
        """The drawing and its dreams up to `last`, uint8 [side, side, 3]; kept in `folder`, and read from there."""
        folder = folder / self.network.name / f"{self.drawing}-{self._digest()}"
        folder.mkdir(parents=True, exist_ok=True)
        picture, ages = draw(self.drawing, self.side), growth_map(self.drawing, self.side)
        yield picture
        for number in range(1, last + 1):
            path = folder / f"{number:03}.jpg"
            if not path.is_file():
                # As on the live canvas, the dreamer plants seeds of its own where nobody has drawn.
                self._dream(picture, growth.planted(ages, number - 1, PAPER_KEY), number, path)
            ages = growth.older(ages)
            with Image.open(path) as image:
                picture = np.asarray(image)
            yield picture

    def seconds(self, *, everywhere: bool = False) -> float:
        """Seconds of the processor for the first dream, of all cores together; or for one that works everywhere, as on
        a canvas that is full."""
        picture, ages = draw(self.drawing, self.side), growth_map(self.drawing, self.side)
        start = time.process_time()
        dream(picture, self.network, self.recipe(1), ages=None if everywhere else ages)
        return time.process_time() - start

    def _dream(self, picture: Bytes, ages: growth.Ages, number: int, path: Path) -> None:
        kept = io.BytesIO()
        dreamed = dream(picture, self.network, self.recipe(number), ages=ages)
        Image.fromarray(dreamed).save(kept, "JPEG", quality=QUALITY, subsampling=0)
        whole = path.with_suffix(".part")
        whole.write_bytes(kept.getvalue())
        whole.rename(path)

    def _digest(self) -> str:
        recipe = json.dumps(self.recipe(1).to_json(), sort_keys=True)
        drawing = draw(self.drawing, self.side).tobytes()
        return sha256(recipe.encode() + drawing).hexdigest()[:12]
