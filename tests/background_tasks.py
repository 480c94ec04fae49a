"""Tasks for tests, which write down that they ran: a line for each attempt."""

from __future__ import annotations

import os
import time
from pathlib import Path

from dreamsite.core.tasks import SLOW, jobs, pause_point, task
from gallery.downloads.models import Download


def note(path: str, word: str) -> int:
    """Adds a line; how many there are now."""
    with Path(path).open("a") as file:
        file.write(f"{word} {os.getpid()}\n")
    return len(Path(path).read_text().splitlines())


@task()
def quick(path: str) -> None:
    note(path, "ran")


@task(queue_name=SLOW)
def long(path: str, go_on: str) -> None:
    """Runs until the file `go_on` is there."""
    note(path, "began")
    while not Path(go_on).exists():
        pause_point()
        time.sleep(0.02)
    note(path, "ended")


@task()
def poison(path: str) -> None:
    note(path, "tried")
    raise ValueError("never works")


@task()
def deadly(path: str) -> None:
    """Takes its first two workers with it."""
    if note(path, "tried") < 3:
        os.kill(os.getpid(), 9)


@task(queue_name=SLOW)
def hold(pk: int, path: str, go_on: str) -> None:
    """Claims a job and is at it until the file `go_on` is there."""
    job = jobs.claim(Download, pk)
    if job is None:
        note(path, "refused")
        return
    with jobs.holding(job):
        note(path, "held")
        progress = jobs.Progress(job, 0.1)
        while not Path(go_on).exists():
            progress.pause()
            time.sleep(0.02)
        jobs.finish(job, count=1)
