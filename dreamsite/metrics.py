"""`/metrics` for Prometheus: what this process did, and what the database and the queues say of the whole site.

Dreamers and workers have no pages; with METRICS_ADDRESS each answers there (dreamsite/core/metrics.py).
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import Count, Max
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Gauge, generate_latest

from canvas import connections
from canvas.models import Canvas, Dream, Frame
from dreamsite import health
from dreamsite.core.errors import NotFound
from dreamsite.core.tasks import worker

# Name -> words and label. Counted over the whole site, so every web process says the same.
SITE = {
    "dreamsite_dream_seconds": ("How long the newest dream took.", "canvas"),
    "dreamsite_dream_age_seconds": ("Since the newest frame was kept.", "canvas"),
    "dreamsite_dreams_missed": ("Dreams that were due while another still ran, so far.", "canvas"),
    "dreamsite_dream_state": ("1 for what the dreamer is doing: waiting, dreaming, failed and so on.", "state"),
    "dreamsite_frames": ("Frames kept so far.", "canvas"),
    "dreamsite_journal_head": ("Operations in the journal.", "canvas"),
    "dreamsite_tasks_waiting": ("Background tasks that wait.", "queue"),
    "dreamsite_pool_connections": ("Connections to the database of this process' pool.", "state"),
    "dreamsite_pool_waiting": ("Requests of this process that wait for a connection.", ""),
    "dreamsite_pool_errors": ("Requests of this process that got no connection, so far.", ""),
}
Seen = dict[str, dict[str, float]]


@never_cache
async def metrics(request: HttpRequest) -> HttpResponse:
    """For this machine, or with the token. A database that does not answer leaves its part out."""
    if not health.trusted(request):
        raise NotFound(_("Nothing has this address."))
    asked = await health.part("metrics", health.in_thread(_ask_site))
    seen: Seen = asked.get("seen", {}) | _pool()
    text = generate_latest(REGISTRY) + generate_latest(_registry(seen, up=asked["state"] == "ok"))
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


def _registry(seen: Seen, *, up: bool) -> CollectorRegistry:
    registry = CollectorRegistry()
    Gauge("dreamsite_database_up", "1 where the database answers.", registry=registry).set(up)
    for name, values in seen.items():
        words, label = SITE[name]
        gauge = Gauge(name, words, [label] if label else [], registry=registry)
        for of, value in values.items():
            (gauge.labels(of) if label else gauge).set(value)
    return registry


def _ask_site() -> dict[str, Any]:
    now = timezone.now()
    seen: Seen = {name: {} for name in SITE if not name.startswith("dreamsite_pool")}
    newest = dict(Frame.objects.dreams().values_list("canvas").annotate(newest=Max("id")).order_by())
    frames = {frame.canvas_id: frame for frame in Frame.objects.filter(pk__in=newest.values())}
    last = dict(Frame.objects.values_list("canvas").annotate(last=Max("number")).order_by())
    # The addresses of the others are their keys, and days would be a label more each day.
    listed = Canvas.objects.listed().current()
    for canvas in listed:
        seen["dreamsite_journal_head"][canvas.slug] = canvas.head
        seen["dreamsite_frames"][canvas.slug] = last.get(canvas.pk, 0)
        if frame := frames.get(canvas.pk):
            seen["dreamsite_dream_seconds"][canvas.slug] = frame.seconds
            seen["dreamsite_dream_age_seconds"][canvas.slug] = (now - frame.made_at).total_seconds()
    for slug, missed in Dream.objects.filter(canvas__in=listed).values_list("canvas__slug", "missed"):
        seen["dreamsite_dreams_missed"][slug] = missed
    states = dict(Dream.objects.values_list("state").annotate(count=Count("pk")).order_by())
    seen["dreamsite_dream_state"] = {str(state): states.get(state, 0) for state in Dream.State.values}
    seen["dreamsite_tasks_waiting"] = {name: float(count) for name, count in worker.queue().waiting().items()}
    return {"seen": seen}


def _pool() -> Seen:
    if not connections.pooled():
        return {}
    database: Any = connection  # its pool is PostgreSQL's alone
    said = database.pool.get_stats()
    size, free = said.get("pool_size", 0), said.get("pool_available", 0)
    return {
        "dreamsite_pool_connections": {"free": free, "lent": size - free, "most": said.get("pool_max", 0)},
        "dreamsite_pool_waiting": {"": said.get("requests_waiting", 0)},
        "dreamsite_pool_errors": {"": said.get("requests_errors", 0)},
    }
