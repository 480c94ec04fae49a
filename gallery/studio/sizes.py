"""How large a picture is dreamed on: to look at, or as large as pages have it. What is larger still is a print
(gallery.studio.prints), the same dream enlarged.

Dreams of one recipe at two sizes are two dreams: a network sees forms of so many pixels.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from dreamer.engine.pictures import fitted
from gallery.studio import video
from gallery.studio.models import Original

LOOK = 1920  # px of the longer side: a screen's. Its GIF is there within a minute, on two cores
NEARLY = 1.25  # times as large, and a picture is dreamed on whole


def own(original: Original) -> int:
    """The longer side that pages have of a picture, px."""
    return max(original.width, original.height)


def usual(original: Original) -> int:
    """The longer side where nobody chooses one, px."""
    if original.video:
        return video.SIDE
    return LOOK if own(original) > NEARLY * LOOK else own(original)


def of(original: Original, side: int) -> tuple[int, int]:
    """(height, width) of a dream whose longer side is `side`."""
    if original.video:
        return video.size_of(original, side)
    return fitted(original.height, original.width, side)


def choices(original: Original) -> list[tuple[int, str]]:
    """The longer sides that may be chosen, in words."""
    if original.video:
        return [(side, _("%(side)s pixels") % {"side": side}) for side in video.SIDES]
    sides = sorted({usual(original), own(original)})
    names = [_("To look at"), _("Large, to print")] if len(sides) > 1 else [_("As it is")]
    return list(zip(sides, names, strict=True))
