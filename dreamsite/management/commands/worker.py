"""`manage.py worker`: the process that does what takes longer than a page may."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from canvas import frames
from dreamsite.core import metrics, tasks
from dreamsite.core.tasks import worker


class Command(BaseCommand):
    help = "Makes films, downloads and exports until it is stopped. Any number may run, on any machine."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--queue", action="append", choices=tasks.QUEUES, help="only this queue (may be repeated); default: all"
        )
        parser.add_argument("--nice", type=int, default=10, help="how far all others go before it (default: 10)")

    def handle(self, *, queue: list[str] | None, nice: int, **options: Any) -> None:
        if trouble := frames.storage_trouble():
            raise CommandError(trouble)
        if hasattr(os, "nice"):
            os.nice(nice)

        def stop(signum: int, frame: FrameType | None) -> None:
            tasks.stopping.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        metrics.serve()
        worker.run(queue or tasks.QUEUES)
