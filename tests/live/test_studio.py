"""A journey and a video whose workers are killed, one after the other, at instants that matter: each is made once."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest

from tests.live.test_jobs import SOON
from tests.running import RunningSite, until
from tests.video.films import decoded, heard, scene, tone, video

BEGIN = """
import io, json
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image
from dreamer.engine import Recipe
from dreamer.registered import preset
from dreamsite.core.models import User
from gallery.studio import jobs, journeys, queue, reading
from gallery.studio.models import Journey, Original, Work
one, other = User.objects.order_by("pk")[:2]
target = {"terms": [{"layer": "inception_4b/forms"}]}
quick = {"octaves": 1, "iterations": 1, "min_size": 48}
recipe = Recipe.from_json({**preset("photo", "house"), **quick, "model": "house", "target": target}).to_json()
buffer = io.BytesIO()
Image.effect_noise((96, 64), 60).convert("RGB").save(buffer, "PNG")
name = default_storage.save("uploads/ground.png", ContentFile(buffer.getvalue()))
ground = Original.objects.create(owner=one, picture=name, width=96, height=64)
journey = Journey(
    owner=one, original=ground, kind="zoom", title="Deeper", network="house", recipe=recipe, stages=[target], each=2,
    zoom=2.0, width=96, height=64, fps=24, seconds=0.5, until=2, film_next=True,
)
journey.save()
queue.submit(journeys.new_key_frame(journey, 0))
with open(CLIP, "rb") as file:
    data = file.read()
video = reading.new(other, "house", len(data))
video.upload = default_storage.save(reading.new_name(), ContentFile(data))
queue.submit(video)
print(json.dumps(recipe))
"""
ORDER = """
from dreamsite.core.models import User
from gallery.studio import queue
from gallery.studio.models import Original, Work
original = Original.objects.exclude(video="").get()
queue.submit(Work(owner=original.owner, kind="video", original=original, network="house", recipe=RECIPE,
    units=1.0, width=96, height=64))
"""
FILES = """
from gallery.jobs.models import PendingDeletion
from gallery.studio.models import Original, Work
named = [str(file.name) for work in Work.objects.all() for file in work.files]
named += [str(file.name) for one in Original.objects.all() for file in (one.picture, one.video) if file]
passing = [work.key for work in Work.objects.all() if work.passing_files]
print(PendingDeletion.objects.count() + len(passing), *sorted(named))
"""
INSTANTS = (
    "gallery.studio.reading.clean:1",  # a video is read, and nothing of it stored
    "gallery.jobs.files.save:1",  # a file is stored that no row names
    "dreamer.journey.plan.dream:1",  # within a key frame
    "gallery.films.encode.segment:1",  # a piece is whole on the disk, and not stored
    "dreamer.video.carry.dream:3",  # within a piece
    "gallery.jobs.files.store_bytes:2",  # within the writing of a result
    "gallery.studio.jobs.finish:1",  # all is written but the row's commit
)


def works(site: RunningSite) -> list[tuple[str, str]]:
    return [(str(kind), str(state)) for kind, state in site.rows("SELECT kind, state FROM gallery_work ORDER BY id")]


@pytest.mark.slow
def test_whenever_their_worker_is_killed_a_journey_and_a_video_are_made_once(
    make_site: Callable[..., RunningSite], tmp_path: Path
) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(video(scene(10), sound=tone(1, click=0.25)))
    site = make_site(tune={**SOON, "gallery.studio.video.SEGMENT": 4}, FILM_HOURS="0", HOUSE_MODEL="true")
    recipe = json.loads(site.shell(f"CLIP = {str(clip)!r}\n{BEGIN}").splitlines()[-1])
    left, ordered, killed = list(INSTANTS), False, []
    while True:
        # At whichever comes first: the order in which the works come is the queue's, and another on a busy machine.
        site.env["KILLED"] = " ".join(left)
        process = site.start_worker()

        def over(process: Popen[bytes] = process) -> bool:
            nonlocal ordered
            now = works(site)
            if not ordered and ("read", "done") in now:
                site.shell(f"RECIPE = {recipe!r}\n{ORDER}")
                ordered = True
            done = {"video", "film"} <= {kind for kind, _state in now} and all(state == "done" for _kind, state in now)
            return process.poll() is not None or done or any(state == "failed" for _kind, state in now)

        until(over, f"a worker that is killed at {site.env['KILLED']}, or the end")
        if process.poll() is None:
            break
        assert process.returncode == -signal.SIGKILL, site.log("worker")[-3000:]
        killed.append(re.findall(r"^killed at (.+)$", site.log("worker"), re.MULTILINE)[-1])
        left.remove(killed[-1])
    now = works(site)
    assert sorted(now) == sorted(
        [("read", "done"), ("sheet", "done"), ("video", "done"), ("film", "done"), *[("keyframe", "done")] * 3]
        + [(kind, state) for kind, state in now if kind == "sketch"]
    ), (now, site.log("worker")[-3000:])
    assert len(killed) >= 5, f"they were killed only at {killed}"
    until(lambda: site.shell(FILES).split()[0] == "0", "files that nobody named are deleted")
    stored = {str(path.relative_to(site.var / "media")) for path in (site.var / "media").rglob("*") if path.is_file()}
    ours = {name for name in stored if name.split("/")[0] in ("studio", "uploads", ".studio", ".unread")}
    assert ours == set(site.shell(FILES).split()[1:]), "each file is named by a row, and each row's file is there"
    film, dreamed = (
        site.var / "media" / str(site.rows("SELECT mp4 FROM gallery_work WHERE kind = ?", kind)[0][0])
        for kind in ("film", "video")
    )
    assert len(decoded(film)) == 2 * 12 + 48, "two steps of half a second, and two seconds of the last"
    assert len(decoded(dreamed)) == 10 and len(heard(dreamed)) > 0.6 * 48_000
