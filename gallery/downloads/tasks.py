"""What the worker does for downloads."""

from __future__ import annotations

from dreamsite.core.tasks import SLOW, task


@task(queue_name=SLOW)
def make_download(download_id: int) -> None:
    from gallery.downloads import archive

    archive.make(download_id)
