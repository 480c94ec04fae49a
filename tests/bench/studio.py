"""The live canvas while the studio is busy, beside one whose studio is idle: ink's latency, the dream's rhythm.

One machine, one site: a web server, a dreamer, a worker. A pen draws 30 points a second and a viewer sees them, while
the worker dreams on photographs of a megapixel without a pause, or has none. Both are measured in turns.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from tests import environment, running
from tests.bench.siege import measure, quiet

environment.isolate()

FILL = """
import io
import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image
from dreamer.engine import Recipe
from dreamer.registered import preset
from dreamsite.core.models import User
from gallery.studio import cost, queue
from gallery.studio.models import Original, Work
side = 1000
pixels = np.random.default_rng(1).integers(0, 256, (side, side, 3), dtype=np.uint8)
buffer = io.BytesIO()
Image.fromarray(pixels).save(buffer, "JPEG")
owner = User.objects.order_by("pk").first()
name = default_storage.save("studio/busy.jpg", ContentFile(buffer.getvalue()))
original = Original.objects.create(owner=owner, picture=name, width=side, height=side)
target = {"terms": [{"layer": "inception_4b/forms"}]}
recipe = Recipe.from_json({**preset("photo", "house"), "model": "house", "target": target})
for number in range(200):
    units = cost.units(recipe, side, side)
    plain = recipe.to_json()
    queue.submit(Work(owner=owner, kind="dream", original=original, network="house", recipe=plain, units=units))
"""
EMPTY = """
from gallery.studio.models import Work
print(round(sum(work.fraction for work in Work.objects.filter(state__in=["done", "running"])), 2))
Work.objects.all().cancel()
"""


def rhythm(site: running.RunningSite, since: int) -> tuple[list[float], int]:
    """(seconds between the frames after the one numbered `since`, the newest frame's number) of the canvas."""
    sql = (
        "SELECT f.number, f.made_at FROM canvas_frame f JOIN canvas_canvas c ON c.id = f.canvas_id"
        " WHERE c.slug = ? AND f.number > ? ORDER BY f.number"
    )
    rows = site.rows(sql, "main", since)
    times = [datetime.fromisoformat(str(made_at)) for _number, made_at in rows]
    newest = max((number for number, _made_at in rows), default=since)
    return [(later - earlier).total_seconds() for earlier, later in pairwise(times)], newest


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.studio", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="of each turn, 10 to 600 (default: 60)")
    parser.add_argument("--turns", type=int, default=2, help="of each kind (default: 2)")
    parser.add_argument("--interval", default="10", help="seconds between dreams (default: 10)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dreamsite-studio-") as folder:
        site = running.RunningSite(
            running.prepare(Path(folder) / "var"), DREAM_INTERVAL=options.interval, HOUSE_MODEL="1"
        )
        site.start_web()
        site.start_dreamer()
        site.start_worker()
        print("| studio | ink p50 ms | ink p99 ms | seconds between dreams | longest | studio's dreams |")
        print("|---|---|---|---|---|---|", flush=True)
        newest = 0
        try:
            for turn in range(2 * options.turns):
                busy = turn % 2 == 1
                if busy:
                    site.shell(FILL)
                _, newest = rhythm(site, newest)
                p50, p99, _cpu, _memory, _met = asyncio.run(measure(site, quiet, options.seconds))
                gaps, newest = rhythm(site, newest)
                done = site.shell(EMPTY).split()[-1] if busy else "0"
                mean, longest = (statistics.mean(gaps), max(gaps)) if gaps else (float("nan"), float("nan"))
                kind = "busy" if busy else "idle"
                print(f"| {kind} | {p50:.0f} | {p99:.0f} | {mean:.1f} | {longest:.1f} | {done} |", flush=True)
        finally:
            site.stop()


if __name__ == "__main__":
    main()
