"""People vote for what a canvas dreams of next: one vote a person, counted when the style changes, and then gone.

Where the owner has switched votes off, or left fewer than two styles on, nobody is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max
from django.utils.translation import gettext as _

from canvas import notify
from canvas.models import Canvas, Dream, Rules, Sanction
from dreamer.library import LibraryError, ModelFiles
from dreamer.library.files import ShelfStyle
from dreamer.models import StyleVote
from dreamer.networks import choosing, shelves
from dreamer.registered import default_model, registry
from dreamer.styles import key
from dreamsite.core.models import SiteState


def may_vote(user: Any) -> bool:
    return bool(user.is_authenticated and (settings.GUEST_VOTES or not user.guest))


def why_not(canvas: Canvas, user: Any) -> str:
    """Why somebody who may vote elsewhere may not here: what is dreamed is up to those who may draw. Else ""."""
    if any(not sanction.effects.may_draw for sanction in Sanction.objects.in_force(user)):
        return _("You can watch, but not draw")
    if user.guest and Rules.objects.filter(canvas=canvas, members_only=True).exists():
        return _("Only members can draw here. Signing up takes a few seconds.")
    return ""


def network(canvas: Canvas) -> ModelFiles | None:
    """The network that the canvas dreams with, as far as it can be read."""
    name = default_model(choosing.chosen(canvas))
    try:
        return registry().get(name) if name else None
    except (LibraryError, OSError):
        return None


def ballot(canvas: Canvas, files: ModelFiles) -> Sequence[ShelfStyle]:
    """What people may vote for; nothing where the owner has fixed the style, or nobody draws any more."""
    if canvas.closed_at is not None or SiteState.ended():
        return ()
    choice = getattr(choosing.decided_by(canvas), "choice", None)
    if choice is not None and not choice.votes:
        return ()
    shelf, _surprises = shelves.of_canvas(canvas, files)
    return shelf if len(shelf) > 1 else ()


@dataclass(frozen=True)
class Leading:
    """The style with the most votes; of several the one whose votes came first."""

    style: ShelfStyle
    votes: int

    def news(self) -> dict[str, Any]:
        return {"title": self.style.title or self.style.layer, "votes": self.votes}


def tally(canvas: Canvas, network: str) -> dict[str, int]:
    """Votes by the styles' keys, the leading one first."""
    rows = StyleVote.objects.filter(canvas=canvas, network=network).values("style")
    counted = rows.annotate(votes=Count("pk"), newest=Max("at")).order_by("-votes", "newest", "style")
    return {row["style"]: row["votes"] for row in counted}


def leading(canvas: Canvas, files: ModelFiles) -> Leading | None:
    styles = {key(style.layer, style.channel): style for style in ballot(canvas, files)}
    return next(
        (Leading(styles[name], votes) for name, votes in tally(canvas, files.name).items() if name in styles), None
    )


def cast(canvas: Canvas, files: ModelFiles, voter: Any, style: str | None) -> None:
    """Somebody's vote, instead of the one they had; None takes it back."""
    if style is None:
        StyleVote.objects.filter(canvas=canvas, voter=voter).delete()
    else:
        StyleVote.objects.update_or_create(canvas=canvas, voter=voter, defaults={"network": files.name, "style": style})
    announce(canvas, files)


def announce(canvas: Canvas, files: ModelFiles) -> None:
    """Tells everybody what is coming."""
    first = leading(canvas, files)
    Dream.objects.filter(canvas=canvas).update(coming=first.news() if first else None)
    notify.look(canvas.slug)


def take(canvas: Canvas, files: ModelFiles) -> Leading | None:
    """What people have chosen, for the style that begins now; everybody votes anew from here."""
    with transaction.atomic():
        votes = StyleVote.objects.filter(canvas=canvas)
        counted = list(votes.select_for_update().values_list("pk", flat=True))
        first = leading(canvas, files)
        votes.filter(pk__in=counted).delete()  # one that comes meanwhile is for the style after this
    return first
