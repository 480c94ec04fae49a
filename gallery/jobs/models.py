"""What workers make for the gallery: jobs that end in files, and files that must be deleted."""

from __future__ import annotations

from django.db import models

from dreamsite.core.tasks.jobs import BackgroundJob


class FileJob(BackgroundJob):
    """A job that makes files of the storage."""

    RETRIED = True

    made_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True

    @property
    def turn(self) -> dict[str, bool]:
        """When its task comes, as `dreamsite.core.tasks.enqueue` takes it: as it was asked for, `first` or `last`."""
        return {}

    def withdraw(self) -> None:
        """Deletes its files once the transaction is committed, and forgets them."""
        raise NotImplementedError


class PendingDeletion(models.Model):
    """A stored file that must go: written where nobody may see it any longer, deleted after the commit.

    A row, so that a process which dies in between leaves no withdrawn film at its old address. And the other way round:
    a file that a worker is about to store stands here, under the worker's name, until the row of its job names it;
    where the worker dies before that, the file goes.
    """

    name = models.CharField(max_length=200, db_index=True)
    holder = models.CharField(max_length=64, blank=True)  # dreamsite.core.tasks.WORKER; empty: it goes now

    def __str__(self) -> str:
        return self.name
