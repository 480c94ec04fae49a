"""What a worker does about canvases: puts away days that are over, and takes away what was deleted."""

from __future__ import annotations

from canvas import daily
from dreamsite.canvases import purging
from dreamsite.core.tasks import periodic_task


@periodic_task
def put_days_away() -> None:
    daily.put_away()


@periodic_task
def purge_deleted() -> None:
    purging.purge_due()
