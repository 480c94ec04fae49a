"""What a work reports to while it is done: how far it is, whether it is still wanted, and whether the canvas dreams."""

from __future__ import annotations

import io
import time

from django.utils import timezone
from PIL import Image

from canvas.models import Dream
from dreamer.engine import Progress as DreamProgress
from dreamer.engine.dream import Snapshot
from dreamsite.core.tasks.jobs import Progress
from gallery.studio.models import Work

UPDATE_SECONDS = 0.5
GROWING_SIDE = 640  # px of what is shown while it is dreamed
LIVE_WAIT_SECONDS = 20.0  # how long a live dream may hold a work between two tiles


class Watch:
    """What a dream reports to while it is made: writes how far it is, and notices that it is not wanted any more."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._progress = Progress(work, UPDATE_SECONDS)
        self._grown = self._asked = 0.0
        self._is_live = False

    def progress(self, progress: DreamProgress) -> None:
        self._progress(progress.fraction)

    def show(self, fraction: float) -> None:
        """Of a work that is no dream: how far it is."""
        self._progress(fraction)
        self._work.fraction = fraction

    def pause(self) -> None:
        """Where there is nothing new to say: whether it is still wanted. Raises ClaimLost or Interrupted."""
        self._progress.pause()

    def grow(self, snapshot: Snapshot) -> None:
        """The picture as it is, for whoever watches."""
        if (
            self._work.kind not in (Work.Kind.DREAM, Work.Kind.KEY_FRAME)
            or time.monotonic() - self._grown < 2 * UPDATE_SECONDS
        ):
            return
        self._grown = time.monotonic()
        image = Image.fromarray(snapshot())
        image.thumbnail((GROWING_SIDE, GROWING_SIDE))
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=80)
        self._progress.update(growing=buffer.getvalue())

    def cancelled(self) -> bool:
        """Called between tiles. The live canvas goes first: while it dreams on this site, the studio waits a while."""
        until = time.monotonic() + LIVE_WAIT_SECONDS
        while time.monotonic() < until and self._live():
            time.sleep(0.25)
            self._progress.pause()
        self._progress.pause()
        return False

    def _live(self) -> bool:
        """Whether a dreamer is at a canvas now; looked up once a second."""
        now = time.monotonic()
        if now - self._asked >= 1.0:
            self._asked = now
            alive = Dream.objects.filter(state=Dream.State.DREAMING, expires_at__gt=timezone.now())
            self._is_live = alive.exists()
        return self._is_live
