"""How a drawing came about: the strokes between two frames, added little by little, as the canvas painted them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from canvas import picture, wire
from canvas.brush import Pixels
from canvas.picture import Numbered

Sources = Callable[[int, int], Sequence[Numbered]]  # operations after a number, up to and with another


def steps(
    base: Pixels, operations: Sequence[Numbered], count: int, earlier: picture.Earlier = picture.nothing_earlier
) -> Iterator[Pixels]:
    """`count` pictures from `base` on, the last with all of `operations` in it, each with about as many more points.

    `operations` are those that can be seen (canvas.picture.visible). The pictures are new arrays or the one before.
    """
    costs = [len(op.points) if isinstance(op, wire.Stroke) else 1 for _, op in operations]
    total, done, pixels, cost = sum(costs), 0, base, 0
    for step in range(1, count + 1):
        until = done
        while until < len(costs) and cost + costs[until] <= total * step / count:
            cost += costs[until]
            until += 1
        if step == count:
            until = len(costs)
        if until > done:
            pixels = picture.compose(pixels, operations[done:until], earlier=earlier)
            done = until
        yield pixels
