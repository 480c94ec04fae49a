"""The index of strokes: one row for each, read from the journal (canvas.strokes), which stays the truth."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models

from dreamsite.core.rect import Rect


class StrokeQuerySet(models.QuerySet["Stroke"]):
    """Questions to the index. They see what `canvas.strokes.index` has read: call it first."""

    def at(self, canvas: Any, x: float, y: float, radius: float = 0.0) -> StrokeQuerySet:
        """Whose box comes within `radius` px of a canvas; `canvas.strokes.at` asks the ink itself."""
        return self.within(canvas, Rect(int(x - radius), int(y - radius), int(x + radius) + 1, int(y + radius) + 1))

    def within(self, canvas: Any, rect: Rect) -> StrokeQuerySet:
        """Whose box meets a rectangle (left, top, right, bottom; px, the last two excluded)."""
        left, top, right, bottom = rect
        return self.filter(canvas=canvas, left__lt=right, right__gt=left, top__lt=bottom, bottom__gt=top)

    def by(self, *people: Any) -> StrokeQuerySet:
        """Of these people: users, or their ids, which outlive the accounts."""
        return self.filter(author__in=[getattr(person, "pk", person) for person in people])

    def between(self, since: datetime | None = None, until: datetime | None = None) -> StrokeQuerySet:
        """Drawn, at least in part, at or after `since` and before `until`; None is no bound."""
        found = self
        if since is not None:
            found = found.filter(ended_at__gte=since)
        if until is not None:
            found = found.filter(began_at__lt=until)
        return found

    def shown(self) -> StrokeQuerySet:
        """Neither taken back by its author nor hidden, in full or in part, by a moderator."""
        return self.filter(undone_seq=None, hidden=0)

    def newest(self) -> StrokeQuerySet:
        return self.order_by("-ended_at", "-last_seq")


class Stroke(models.Model):
    """One stroke, gathered from its pieces in the journal. Rows are written by `canvas.strokes.index` alone."""

    canvas = models.ForeignKey("canvas.Canvas", on_delete=models.CASCADE, related_name="strokes")
    # The user's id, without a constraint: strokes outlive accounts.
    author = models.PositiveBigIntegerField()
    stroke_id = models.BigIntegerField()  # the id its author's browser gave it
    first_seq = models.BigIntegerField()
    last_seq = models.BigIntegerField()
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    # A box around all its ink, px; the last two excluded. Strokes may leave the canvas by limits.MARGIN.
    left = models.SmallIntegerField()
    top = models.SmallIntegerField()
    right = models.SmallIntegerField()
    bottom = models.SmallIntegerField()
    colour = models.CharField(
        max_length=7
    )  # of its first piece: the rainbow brush changes it on the way; none: undreams
    opacity = models.PositiveSmallIntegerField()  # 1 to 255
    width = models.FloatField()  # the widest diameter, px
    pieces = models.PositiveIntegerField()
    points = models.PositiveIntegerField()
    finished = models.BooleanField(default=False)  # its last piece has come
    undone_seq = models.BigIntegerField(null=True)  # the number of its UNDO
    hidden = models.PositiveIntegerField(default=0)  # how many of its pieces a HIDE has in force
    hidden_numbers = models.JSONField(default=list)  # which
    hidden_seq = models.BigIntegerField(null=True)  # the number of the last HIDE that was about it

    objects = StrokeQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["canvas", "author", "stroke_id"], name="stroke_once")]
        indexes = [
            # For positions: newest first, boxes in the index itself, so that a row is read only where the box fits.
            models.Index(fields=["canvas", "ended_at", "left", "top", "right", "bottom"], name="stroke_position"),
            models.Index(fields=["canvas", "author", "ended_at"], name="stroke_person"),
            models.Index(fields=["author", "ended_at"], name="stroke_author"),
            models.Index(fields=["canvas", "last_seq"], name="stroke_number"),
        ]

    def __str__(self) -> str:
        return f"{self.author} {self.first_seq}–{self.last_seq}"

    @property
    def box(self) -> Rect:
        return Rect(self.left, self.top, self.right, self.bottom)

    def state(self, base_seq: int) -> str:
        """What became of it, on a canvas whose base holds operations up to `base_seq`.

        "undone" by its author, "hidden" by a moderator, "dreamed" (in the base, where dreams may have changed it), or
        "visible".
        """
        if self.hidden:
            return "hidden"
        if self.undone_seq is not None:
            return "undone"
        return "dreamed" if self.last_seq <= base_seq else "visible"


class IndexProgress(models.Model):
    """How far into a canvas' journal its strokes are indexed."""

    canvas = models.OneToOneField(
        "canvas.Canvas", primary_key=True, on_delete=models.CASCADE, related_name="index_progress"
    )
    seq = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.canvas_id}: {self.seq}"
