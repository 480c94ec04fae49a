"""The dream of one picture carried to the next, so that a film dreams on instead of anew in each picture.

What was dreamed is the difference between a dream and its picture. Along the optical flow it moves to the next picture,
as far as the flow can be believed (M. Ruder et al., 2016: flow.known), and loses a tenth on the way; a short dream on
picture and difference together gives back as much. So a dream keeps its strength over any number of pictures, still
ground comes to rest instead of boiling, and what was not seen before is dreamed within half a second. At a cut
everything begins anew with a whole dream.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from dreamer.engine import Network, Progress, Recipe, dream
from dreamer.engine.bands import Bytes

from .flow import motion, moved

KEPT = 0.9  # of what was dreamed, from each picture to the next
GIVEN = 1.3  # times what is lost by that: moving it between pixels takes some of its finest grain, too


@dataclass(frozen=True)
class Carried:
    """A picture of a film and its dream, uint8 [H, W, 3]: all that the next picture's dream depends on."""

    picture: Bytes
    dreamed: Bytes


def short(recipe: Recipe) -> Recipe:
    """The dream on each picture that follows another: one step in an octave, as long as all that is lost on the way."""
    step = recipe.step * recipe.iterations * (1 - KEPT) * GIVEN
    return replace(recipe, iterations=min(1, recipe.iterations), step=min(255.0, step))


def dreamed(
    pictures: Iterable[Bytes],
    network: Network,
    recipe: Recipe,
    *,
    cuts: Iterable[int] = (),
    start: int = 0,
    before: Carried | None = None,
    guide: Bytes | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[Carried]:
    """The dream of each picture of a film, uint8 [H, W, 3], in their order.

    cuts      numbers of the pictures that begin a shot; the film's first one does anyway
    start     the number of the first of `pictures`, where the film was begun before
    before    what came out before that one
    guide, progress, cancelled  as for `dream`, of each picture's own dream

    The same arguments give the same pictures, also where a film was left off and gone on with. Raises what `dream`
    raises.
    """
    shots, follow = set(cuts), short(recipe)
    for number, picture in enumerate(pictures, start):
        anew = before is None or number in shots
        ground = picture if anew or before is None else carried(before, picture)
        own = replace(recipe if anew else follow, seed=(recipe.seed + number) % 2**63)
        found = dream(ground, network, own, guide=guide, progress=progress, cancelled=cancelled)
        before = Carried(picture, found)
        yield before


def carried(before: Carried, picture: Bytes) -> Bytes:
    """The next picture with what was dreamed on the one before it, uint8 [H, W, 3]."""
    back, share = motion(picture, before.picture)
    difference = before.dreamed.astype(np.float32) - before.picture
    return np.clip(np.rint(picture + KEPT * share[:, :, None] * moved(difference, back)), 0, 255).astype(np.uint8)


def flicker(pictures: Sequence[Bytes], dreams: Sequence[Bytes]) -> tuple[float, float]:
    """The mean change from picture to picture along the flow, in grey levels: (the dreams', the film's own).

    Looked at where the film's flow can be believed: what moves is no flicker.
    """
    of_dreams, of_film, weight = 0.0, 0.0, 0.0
    for (before, now), (dream_before, dream_now) in zip(pairwise(pictures), pairwise(dreams), strict=True):
        back, known = motion(now, before)
        share = known[:, :, None]
        of_dreams += float((share * np.abs(moved(dream_before, back) - dream_now)).mean(axis=2).sum())
        of_film += float((share * np.abs(moved(before, back) - now)).mean(axis=2).sum())
        weight += float(share.sum())
    if weight == 0:
        raise ValueError(f"received {len(pictures)} pictures without anything to follow, expected at least two alike")
    return of_dreams / weight, of_film / weight
