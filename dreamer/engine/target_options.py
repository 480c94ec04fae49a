"""What to dream of, in the words of a command line or a form: layers, channels, a class, a guide."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .network import Network
from .target import Guide, Target, Term


@dataclass(frozen=True)
class LayerOption:
    """One layer as it was asked for, not yet looked up: `layer` may end in a weight, `channels` is '63,64:0.5'."""

    layer: str
    channels: str | None = None
    position: str | None = None


def build_target(
    network: Network,
    layers: Sequence[LayerOption],
    *,
    labels: Sequence[str] = (),
    guide: Guide | None = None,
    squared: bool | None = None,
) -> Target:
    """The target of some layers and of some classes, each by its label or number.

    A guide applies to every layer that asks for no channels. ValueError says what was received and what there is.
    """
    terms = [_term(network, option, guide, squared) for option in layers]
    for label in labels:
        terms += network.class_target(label).terms
    if not terms:
        some = [name for name, layer in network.layers.items() if layer.spatial and layer.stride >= 8][::6]
        raise ValueError(
            f"received nothing to dream of, expected a layer of {network.name} (such as "
            f"{', '.join(some[:5])}) or a class"
        )
    if guide is not None and all(term.guide is None for term in terms):
        raise ValueError("a guide chooses the channels of a layer: give a layer without channels")
    return Target(tuple(terms))


def parse_channels(text: str) -> tuple[tuple[int, float], ...]:
    """'63,64:0.5' is channel 63 with weight 1 and channel 64 with weight 0.5; weights may be negative."""
    pairs = []
    for part in text.split(","):
        number, colon, weight = part.strip().partition(":")
        try:
            pair = (int(number), float(weight) if colon else 1.0)
        except ValueError:
            pair = (-1, 0.0)
        if pair[0] < 0 or not math.isfinite(pair[1]):
            raise ValueError(
                f"channel: received {text!r}, expected numbers with weights where they are not 1, such as 63,64:0.5"
            )
        pairs.append(pair)
    return tuple(pairs)


def parse_size(text: str) -> tuple[int, int]:
    """'1024x768' as (1024, 768): width and height."""
    width, _, height = text.lower().replace("×", "x").partition("x")
    if not (width.strip().isdecimal() and height.strip().isdecimal()):
        raise ValueError(f"received {text!r}, expected WIDTHxHEIGHT in pixels, such as 1024x768")
    return int(width), int(height)


def _term(network: Network, option: LayerOption, guide: Guide | None, squared: bool | None) -> Term:
    name, weight = option.layer, 1.0
    head, colon, tail = name.rpartition(":")
    if name not in network.layers and colon:
        try:
            name, weight = head, float(tail)
        except ValueError:
            pass  # then it is part of a name, and an unknown one
    layer = network.layer(name)
    channels = None if option.channels is None else parse_channels(option.channels)
    for number, _ in channels or ():
        if number >= layer.channels:
            raise ValueError(f"{name} has channels 0 to {layer.channels - 1}, received {number}")
    position = None if option.position is None else parse_position(option.position)
    return Term(name, channels, squared, weight, position, None if channels else guide)


def parse_position(text: str) -> tuple[float, float]:
    """'0.5,0.25' as (0.5, 0.25): x and y as shares of the picture."""
    try:
        x, y = (float(part) for part in text.split(","))
        if 0 <= x <= 1 and 0 <= y <= 1:
            return x, y
    except ValueError:
        pass
    raise ValueError(f"position: received {text!r}, expected X,Y as shares of the picture, such as 0.5,0.25")
