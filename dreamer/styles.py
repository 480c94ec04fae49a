"""What to dream of next: half the time from the model's shelf, else by chance, as DreamCanvas did.

A canvas' first dream is one of the first on the shelf, where there is one: first impressions count.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dreamer.engine import Layer, Target
from dreamer.library.files import ShelfStyle

FROM_SHELF = 0.5
OPENERS = 12  # styles at the head of the shelf that a canvas may begin with
ONE_CHANNEL = 0.6  # else the whole layer, squared


@dataclass(frozen=True)
class Style:
    """One thing to dream of; `channel` None is the whole layer."""

    model: str
    layer: str
    channel: int | None
    title: str

    @property
    def key(self) -> str:
        return key(self.layer, self.channel)

    @property
    def target(self) -> Target:
        return Target.layer(self.layer, self.channel)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Style | None:
        """The style of `to_json`; None where the stored one is from another time or empty."""
        try:
            return cls(str(data["model"]), str(data["layer"]), data["channel"], str(data["title"]))
        except KeyError:
            return None

    @classmethod
    def of_shelf(cls, model: str, entry: ShelfStyle, layers: Mapping[str, Layer]) -> Style:
        layer = layers.get(entry.layer)
        title = entry.title or (describe(layer, entry.channel) if layer else "")
        return cls(model, entry.layer, entry.channel, title)

    def fits(self, layers: Mapping[str, Layer]) -> bool:
        layer = layers.get(self.layer)
        return layer is not None and (self.channel is None or self.channel < layer.channels)


def key(layer: str, channel: int | None) -> str:
    """A style's name within its network, to remember it by."""
    return f"{'' if channel is None else channel}@{layer}"


def choose(
    model: str,
    layers: Mapping[str, Layer],
    shelf: Sequence[ShelfStyle],
    chance: random.Random,
    *,
    avoid: Style | None = None,
    surprises: bool = True,
) -> Style:
    """Another style than `avoid`; without `surprises` always one of the shelf, where one of it fits the network.

    Raises ValueError for a network without a layer that has height and width.
    """
    # Near the picture a layer only sharpens noise; where there is no height and width left nothing has a place.
    deep = [layer for layer in layers.values() if layer.spatial and layer.stride >= 4]
    deep = deep or [layer for layer in layers.values() if layer.spatial]
    if not deep:
        raise ValueError(f"{model} has no layer with height and width to dream of")
    usable = [style for entry in shelf if (style := Style.of_shelf(model, entry, layers)).fits(layers)]
    if avoid is None:
        usable = usable[:OPENERS]
    for _ in range(20):
        from_shelf = usable and (avoid is None or not surprises or chance.random() < FROM_SHELF)
        style = chance.choice(usable) if from_shelf else _random(model, deep, chance)
        if style != avoid:
            return style
    return style  # a network of one layer with one channel


def _random(model: str, layers: Sequence[Layer], chance: random.Random) -> Style:
    layer = chance.choice(layers)
    channel = chance.randrange(layer.channels) if chance.random() < ONE_CHANNEL else None
    return Style(model, layer.name, channel, describe(layer, channel))


# What layers of this stride mostly dream of: (all of a layer, one channel).
DEPTHS = {4: ("Grain", "Grain"), 8: ("Patterns", "Pattern"), 16: ("Forms", "Form"), 32: ("Creatures", "Creature")}


def describe(layer: Layer, channel: int | None) -> str:
    """A name where nobody has given a better one, like "Forms of 4c" or "Form 68 of 4c".

    The layer's full name stands with the frame's facts; here it would say nothing to most people.
    """
    several, one = next((names for stride, names in DEPTHS.items() if layer.stride <= stride), DEPTHS[32])
    block = layer.name.partition("/")[0].removeprefix("inception_").removeprefix("mixed").partition("_")[0]
    return f"{several} of {block}" if channel is None else f"{one} {channel} of {block}"
