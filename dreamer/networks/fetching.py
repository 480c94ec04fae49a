"""Fetching published networks, and the site's own (DREAM_FETCH) by itself.

The first start fetches it in the background, and canvases for which nobody chose a network dream with it once it is
here (dreamer.registered). It is not fetched again once it has been here, or once somebody cancelled it or removed it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from canvas import notify
from canvas.models import Canvas, Dream
from canvas.moderation.models import Act
from dreamer import registered
from dreamer.library import LibraryError
from dreamer.library.download import Download
from dreamer.library.fetch import fetch, source
from dreamer.library.sources import Source
from dreamer.models import Job
from dreamer.networks import jobs, trying
from dreamer.networks.importing import ARRIVED
from dreamsite.core.tasks import Interrupted, periodic_task
from dreamsite.core.tasks.jobs import OPEN, JobFailed, Progress, State

log = logging.getLogger(__name__)

AGAIN = timedelta(hours=6)  # until the site tries by itself again after it failed; and at each start
LOG_SECONDS = 5.0  # between two lines about the progress in the terminal
MB = 1_000_000
_started = False  # whether this process has looked since its start


def following() -> QuerySet[Canvas]:
    """The canvases for which nobody has chosen a network: they dream with DREAM_FETCH's once it is here."""
    if settings.DREAM_MODEL:
        return Canvas.objects.none()
    return Canvas.objects.filter(Q(choice=None) | Q(choice__network=""))


def expected() -> Source | None:
    """The network that the site fetches by itself: it is missing, and nobody has decided against it."""
    name = settings.DREAM_FETCH
    if not name or name in registered.registry().names() or not following().exists():
        return None
    job = Job.objects.filter(kind=Job.Kind.FETCH, network=name).first()
    open_or_failed = (*OPEN, State.FAILED)
    return source(name) if job is None or (job.by_id is None and job.state in open_or_failed) else None


@periodic_task
def fetch_by_itself() -> None:
    """Orders the site's network where it is expected, and where it failed again a while later."""
    global _started
    first, _started = not _started, True
    job = Job.objects.filter(kind=Job.Kind.FETCH, network=settings.DREAM_FETCH).first()
    if job is None or not job.is_open:
        _notify_canvases(None)
    wanted = expected()
    if wanted and job is None:
        jobs.request(Job.Kind.FETCH, wanted.name)
    elif wanted and job and job.state == State.FAILED and (first or _ended_before(job, AGAIN)):
        jobs.request(Job.Kind.FETCH, wanted.name, again=True)


def _ended_before(job: Job, ago: timedelta) -> bool:
    return job.finished_at is None or timezone.now() - job.finished_at > ago


def decline(name: str) -> None:
    """Somebody removed this network: it does not come by itself any more."""
    if name == settings.DREAM_FETCH:
        Job.objects.update_or_create(
            kind=Job.Kind.FETCH, network=name, defaults={"state": State.CANCELLED, "holder": "", "message": ""}
        )


@jobs.handler(Job.Kind.FETCH)
def _fetch(job: Job, progress: Progress) -> str:
    wanted = _source(job.network)
    takes_over = job.network == settings.DREAM_FETCH and following().exists()
    logged_at, largest = 0.0, 0

    def notify_canvases(done: int, total: int) -> None:
        _notify_canvases({"title": wanted.title, "fraction": _fraction(done, total)})

    def report(done: int, total: int) -> None:
        nonlocal logged_at, largest
        if total < largest:  # the class names, which are small, come last
            return
        largest = total
        if progress(_fraction(done, total), done=done, total=total) and takes_over:
            notify_canvases(done, total)
        if time.monotonic() - logged_at >= LOG_SECONDS:
            logged_at = time.monotonic()
            log.info("Fetching %s: %s", wanted.title, amount(done, total))

    log.info(
        "Fetching %s (%s) from its official sources. Licence: %s.",
        wanted.title,
        amount(0, wanted.weights.size),
        wanted.licence,
    )
    if takes_over:
        notify_canvases(job.done, job.total)
    download = Download(notify=_messages_to(progress), progress=report, pause=progress.pause)
    try:
        fetch(wanted, registered.registry(), download=download)
    except (LibraryError, OSError) as error:
        if job.network not in registered.registry().names():  # else somebody brought it meanwhile
            _log_failure(job, wanted, error, takes_over)
            raise JobFailed(str(error)) from error
    except Interrupted:  # it goes on in the next worker, and is on its way as before
        takes_over = False
        raise
    finally:
        if takes_over:
            _notify_canvases(None)
    log.info("%s is here%s.", wanted.title, ", and the next dream is its own" if takes_over else "")
    Act.objects.record(job.by, ARRIVED, network=job.network, title=wanted.title, sha256=wanted.weights.sha256)
    trying.order_all(job.network, job.by)
    return ""


def _source(name: str) -> Source:
    try:
        return source(name)
    except LibraryError as error:
        raise JobFailed(str(error)) from error


def _messages_to(progress: Progress) -> Callable[[str], None]:
    def log_message(text: str) -> None:
        log.debug("%s", text)
        progress.update(message=text)

    return log_message


def _log_failure(job: Job, wanted: Source, error: Exception, takes_over: bool) -> None:
    """Once: what the site tries again by itself is told the first time only."""
    why = next(
        (line.strip() for line in str(error).splitlines()[1:]), str(error)
    )  # one address' trouble is enough here
    if not takes_over:
        log.warning("%s could not be fetched: %s", wanted.title, why)
    elif not job.options.get("again"):
        log.warning(
            "%s could not be fetched, so the network that is here dreams on. The site tries again at its next "
            "start and every %d hours; `DREAM_FETCH=` keeps it from that. %s",
            wanted.title,
            AGAIN / timedelta(hours=1),
            why,
        )


def _notify_canvases(arriving: dict[str, object] | None) -> None:
    """Lets everybody at the canvases that it is for see how far it is; None: no longer on its way."""
    dreams = Dream.objects.exclude(arriving=None) if arriving is None else Dream.objects.filter(canvas__in=following())
    slugs = list(dreams.values_list("canvas__slug", flat=True))
    if slugs and dreams.update(arriving=arriving):
        for slug in slugs:
            notify.look(slug)


def _fraction(done: int, total: int) -> float:
    return round(done / total, 3) if total else 0.0


def amount(done: int, total: int) -> str:
    """How many bytes of how many, in words."""
    if not total:
        return _("%(done).1f MB") % {"done": done / MB}
    if not done:
        return _("%(total).1f MB") % {"total": total / MB}
    return _("%(percent)d %%, %(done).1f of %(total).1f MB") % {
        "percent": 100 * done // total,
        "done": done / MB,
        "total": total / MB,
    }
