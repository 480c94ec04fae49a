"""What the live canvas is made of, as rows. What moderators do about it has models of its own: canvas/moderation."""

from canvas.models.canvas import OWN, Batch, Canvas, Dream, Frame, Growth, secret_slug
from canvas.models.people import CleanHours, Sanction
from canvas.models.rules import Region, Rules
from canvas.models.strokes import IndexProgress, Stroke

__all__ = [
    "OWN",
    "Batch",
    "Canvas",
    "CleanHours",
    "Dream",
    "Frame",
    "Growth",
    "IndexProgress",
    "Region",
    "Rules",
    "Sanction",
    "Stroke",
    "secret_slug",
]
