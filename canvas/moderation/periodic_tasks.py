"""What workers do for moderation now and then: look for signals, and forget what is due."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.cache import cache
from django.utils import timezone

from canvas.moderation.audit import chain, look_ups
from canvas.moderation.models import Evidence, Signal
from canvas.moderation.signals import detection, ip_digests
from dreamsite.core.tasks import heartbeats, periodic_task

DETECT_SECONDS = 600
FORGET_SECONDS = 3600
EVIDENCE_LIFE = timedelta(days=180)  # after its case was decided
SIGNAL_LIFE = timedelta(days=90)


@periodic_task
def detect_signals() -> None:
    if cache.add("moderation:detected", True, DETECT_SECONDS):
        detection.detect()


@periodic_task
def forget_due() -> None:
    if cache.add("moderation:forgotten", True, FORGET_SECONDS):
        forget(timezone.now())


@periodic_task
def keep_the_log() -> None:
    look_ups.fold()
    chain.extend()  # one look, where there is nothing


def detect_without_worker() -> None:
    """For the page of signals: a site whose workers are away, or that has none, has signals too."""
    if not heartbeats.alive():
        detect_signals()


def forget(now: datetime) -> tuple[int, int, int]:
    """Forgets old digests of addresses, pictures of evidence, and signals; how many of each."""
    digests = ip_digests.purge(now)
    pictures, _kinds = Evidence.objects.filter(report__case__closed_at__lt=now - EVIDENCE_LIFE).delete()
    signals, _kinds = Signal.objects.filter(day__lt=(now - SIGNAL_LIFE).date()).delete()
    return digests, pictures, signals
