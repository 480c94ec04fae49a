"""Which canvas dreams with which network, and who may be surprised by a new one."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from canvas import notify
from canvas.models import Canvas, Dream
from canvas.moderation.models import Act
from dreamer.models import Choice
from dreamer.registered import default_model, registry

USE = Act.add_verb("network-use", _("Chose a network for a canvas"))


def in_use() -> list[tuple[Canvas, str]]:
    """Each canvas with the name of the network it dreams with, or would if it were there; empty where it has none."""
    return [
        (canvas, default_model(chosen(canvas)))
        for canvas in Canvas.objects.current()
        .filter(deleted_at=None, day_of=None)
        .select_related("choice")
        .order_by("pk")
    ]


def decided_by(canvas: Canvas) -> Canvas:
    """The canvas whose network and styles hold here: a day follows the daily canvas that it is a day of."""
    return canvas.day_of or canvas


def chosen(canvas: Canvas) -> str:
    """The network that somebody chose for this canvas; empty where it follows the site."""
    choice = getattr(decided_by(canvas), "choice", None)
    return choice.network if choice else ""


def surprised(name: str, *, replaced: bool = False) -> list[Canvas]:
    """The canvases that dream now and would dream with something else once a network came under this name.

    With `replaced` also those that dream with the one that has the name now.
    """
    here = registry().names()
    found = []
    for canvas, before in in_use():
        # As it would be: the name counts as one that is there.
        after = default_model(chosen(canvas), and_also=name)
        if before in here and (after != before or (replaced and before == name)):
            found.append(canvas)
    return found


def use(canvas: Canvas, name: str, by: Any) -> None:
    """Has a canvas dream with this network from its next dream on; empty: as the site. Raises LibraryError."""
    if name:
        registry().get(name)
    with transaction.atomic():
        before = Choice.objects.filter(canvas=canvas).values_list("network", flat=True).first() or ""
        Choice.objects.update_or_create(canvas=canvas, defaults={"network": name})
        if name:
            Dream.objects.filter(canvas=canvas).update(arriving=None)
        if canvas.maker_id is None or canvas.maker_id != getattr(by, "pk", None):
            Act.objects.record(by, USE, canvas=canvas, before=before, after=name)
    notify.look(canvas.slug)
