"""A film, from its row to its files, in one line. Runs in a worker; goes on where another worker left off.

request -> claim -> stills -> plan -> captions -> rendered and encoded segments -> published files
"""

from __future__ import annotations

import hashlib
import json
import shutil
from functools import partial
from typing import Any

import av
from django.conf import settings

from dreamer.film import cards
from dreamsite.core.tasks import jobs
from dreamsite.core.tasks.jobs import State
from gallery.films import captions, encode, plan, publish, render, source
from gallery.films.models import Film
from gallery.jobs import files

ENCODED = 0.97  # of all the work: the rest is joining and storing


def make(pk: int) -> None:
    """Makes the film with this id, if it is still to be made and no other worker holds it."""
    if film := jobs.claim(Film, pk):
        with jobs.holding(film):
            _make(film)


def _make(film: Film) -> None:
    stills = source.stills(film)
    if not stills:
        jobs.finish(film, State.EMPTY)
        return
    progress = jobs.Progress(film)
    film_plan = plan.plan(stills, plan.PACES[film.kind], drawing=film.drawing)
    width, height = source.size(film)
    texts = captions.card_captions(film, film_plan)
    outputs = encode.outputs(av1=settings.FILM_AV1, lossless=film.lossless, threads=settings.FILM_THREADS)

    fingerprint = _fingerprint(film_plan, width, height, texts, outputs, source.hidden_numbers(film, film_plan))
    work = encode.WorkDirectory(files.work_directory(f"films/{film.pk}/{film.edition}"), fingerprint)
    pictures = render.Sources(
        title=cards.title(width, height, texts, settings.FILM_FONT),
        credits=cards.credits(width, height, texts, settings.FILM_FONT),
        load=source.load,
        strokes=partial(source.strokes_between, film.canvas),
    )
    renderer = render.Renderer(film_plan, pictures, width, height)

    def report(start: int, done: int) -> None:
        progress(ENCODED * (start + done) / film_plan.length)

    for segment in film_plan.segments:
        if not work.has(segment):
            shown = renderer.frames(segment)
            encode.segment(work, segment, shown, outputs, film_plan.fps, partial(report, segment.start))
        report(segment.start, segment.length)

    publish.publish(film, film_plan, work, outputs, (width, height), progress.pause)
    # With what was begun of earlier editions.
    shutil.rmtree(work.folder.parent, ignore_errors=True)


def _fingerprint(*parts: Any) -> str:
    """Of all that a segment's pictures and packets depend on."""
    return hashlib.sha256(json.dumps([av.__version__, *parts], default=repr).encode()).hexdigest()
