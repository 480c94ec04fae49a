"""The styles a network offers: its own shelf and what the staff added, each on or off at each canvas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from canvas.models import Canvas, Dream
from canvas.moderation.models import Act
from dreamer.library import ModelFiles
from dreamer.library.files import ShelfStyle
from dreamer.models import Choice, OwnStyle, StyleOff
from dreamer.networks import choosing
from dreamer.styles import key

STYLES = Act.add_verb("network-styles", _("Turned styles on or off"))
OWN = Act.add_verb("network-own-style", _("Added a style to a network"))
OWN_REMOVED = Act.add_verb("network-own-style-removed", _("Took an added style away"))


def of_network(files: ModelFiles) -> list[ShelfStyle]:
    """All styles of a network, those that the staff added first."""
    own = [ShelfStyle(row.layer, row.channel, row.title) for row in OwnStyle.objects.filter(network=files.name)]
    known = {key(style.layer, style.channel) for style in own}
    return [*own, *(style for style in files.shelf if key(style.layer, style.channel) not in known)]


def of_canvas(canvas: Canvas, files: ModelFiles) -> tuple[Sequence[ShelfStyle], bool]:
    """The styles that are on at a canvas, and whether others may come by chance."""
    canvas = choosing.decided_by(canvas)
    off = off_at(canvas, files.name)
    shelf = [style for style in of_network(files) if key(style.layer, style.channel) not in off]
    choice = Choice.objects.filter(canvas=canvas).first()
    return shelf, choice is None or choice.surprises


def off_at(canvas: Canvas, network: str) -> set[str]:
    """The keys of the styles that are off at a canvas."""
    return set(StyleOff.objects.filter(canvas=canvas, network=network).values_list("style", flat=True))


def turn(canvas: Canvas, files: ModelFiles, on: Iterable[str], surprises: bool, by: Any, *, votes: bool = True) -> bool:
    """Has just the styles with these keys on at a canvas; False where that changes nothing.

    A style that was turned off while the canvas dreams of it is followed by another one at the next dream.
    """
    known, on = {key(style.layer, style.channel) for style in of_network(files)}, set(on)
    with transaction.atomic():
        before = off_at(canvas, files.name) & known
        after = known - on
        choice, _new = Choice.objects.select_for_update().get_or_create(canvas=canvas)
        if before == after and (choice.surprises, choice.votes) == (surprises, votes):
            return False
        StyleOff.objects.filter(canvas=canvas, network=files.name, style__in=before - after).delete()
        StyleOff.objects.bulk_create(
            StyleOff(canvas=canvas, network=files.name, style=style) for style in sorted(after - before)
        )
        Choice.objects.filter(canvas=canvas).update(surprises=surprises, votes=votes)
        dream = Dream.objects.filter(canvas=canvas).first()
        if dream and dream.style.get("model") == files.name:
            now = key(str(dream.style.get("layer")), dream.style.get("channel"))
            if now in after - before:
                Dream.objects.filter(canvas=canvas).update(style_wanted=True)
        # The log of acts is for what is decided for others, not for what makers choose for their own.
        if canvas.maker_id is None or canvas.maker_id != getattr(by, "pk", None):
            Act.objects.record(
                by,
                STYLES,
                canvas=canvas,
                network=files.name,
                off=sorted(after - before),
                on=sorted(before - after),
                surprises=surprises,
                votes=votes,
            )
    return True


def add(network: str, layer: str, channel: int | None, title: str, by: Any) -> OwnStyle:
    """Adds a style to a network's shelf; one that was added before gets the new title."""
    with transaction.atomic():
        own = OwnStyle.objects.filter(network=network, layer=layer, channel=channel).first() or OwnStyle(
            network=network, layer=layer, channel=channel, by=by
        )
        own.title = title
        own.save()
        Act.objects.record(by, OWN, network=network, layer=layer, channel=channel, title=title)
    return own


def take_away(own: OwnStyle, by: Any) -> None:
    with transaction.atomic():
        own.delete()
        Act.objects.record(by, OWN_REMOVED, network=own.network, layer=own.layer, channel=own.channel, title=own.title)
