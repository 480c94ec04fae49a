"""The state of everything a worker makes, and files that must be deleted."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    MAKING = "making", _("Being made")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
    EMPTY = "empty", _("Nothing to show")


UNDER_WAY = (State.WAITING, State.MAKING)


class BackgroundJob(models.Model):
    """Something a worker makes. `holder` is the worker that has claimed it (dreamsite.core.tasks.WORKER)."""

    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING, editable=False)
    holder = models.CharField(max_length=64, blank=True, editable=False)
    # Counts how often it was begun anew: what is still under way for an older edition is dropped.
    edition = models.PositiveIntegerField(default=1, editable=False)
    fraction = models.FloatField(default=0.0, editable=False)
    expected_at = models.DateTimeField(null=True, editable=False)
    message = models.CharField(max_length=300, blank=True, editable=False)
    made_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True

    @property
    def seconds_left(self) -> int | None:
        if self.state != State.MAKING or self.expected_at is None:
            return None
        return max(1, round((self.expected_at - timezone.now()).total_seconds()))

    @property
    def percent(self) -> int:
        return int(self.fraction * 100)

    def withdraw(self) -> None:
        """Deletes its files once the transaction is committed, and forgets them."""
        raise NotImplementedError


class PendingDeletion(models.Model):
    """A stored file that must go: written where nobody may see it any longer, deleted after the commit.

    A row, so that a process which dies in between leaves no withdrawn film at its old address.
    """

    name = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.name
