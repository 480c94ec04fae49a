"""What the worker does for films; web processes load neither codecs nor their memory."""

from __future__ import annotations

from dreamsite.core.tasks import SLOW, task


@task(queue_name=SLOW)
def make_film(film_id: int) -> None:
    from gallery.films import make

    make.make(film_id)
