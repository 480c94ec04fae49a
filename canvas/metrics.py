"""What one process' rooms did, in numbers for Prometheus (dreamsite/metrics.py gives them out). Plain Python."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

VIEWERS = Gauge("dreamsite_viewers", "Open sockets of this process.")
STROKES = Counter("dreamsite_strokes", "Strokes of which the first piece came in at this process and was written.")
OPERATIONS = Counter("dreamsite_operations", "Pieces of strokes and undos that this process wrote.")
TICK = Histogram("dreamsite_tick_seconds", "From gathering ink to having sent it to everybody.", buckets=_SECONDS)
WRITE = Histogram("dreamsite_write_seconds", "Until a batch is committed, with the wait for locks.", buckets=_SECONDS)
WAITING = Gauge("dreamsite_ink_waiting", "Operations that wait for the database in this process.")
TROUBLE = Gauge("dreamsite_ink_trouble", "Rooms of this process whose ink cannot be written at the moment.")
