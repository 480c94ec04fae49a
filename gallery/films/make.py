"""A film, from its row to its files, in one line. Runs in a worker; goes on where another worker left off.

request -> claim -> stills -> plan -> captions -> rendered and encoded segments -> published files
"""

from __future__ import annotations

import hashlib
import json
from functools import partial
from typing import Any

import av
from django.conf import settings

from dreamer.film import cards
from dreamsite.core.tasks import jobs
from dreamsite.core.tasks.jobs import State
from gallery.films import captions, encode, publish, render, source
from gallery.films.models import Film
from gallery.jobs import requests

ENCODED = 0.97  # of all the work: the rest is joining and storing


def make(pk: int) -> None:
    """Makes the film with this id, if it is still to be made and no other worker holds it."""
    if film := jobs.claim(Film, pk):
        with jobs.holding(film):
            _make(film)
        requests.sweep(Film)  # also where it was cancelled, failed, or was begun anew


def _make(film: Film) -> None:
    try:
        film_plan = source.plan_of(film)
    except ValueError:  # no frame of it can be shown
        jobs.finish(film, State.EMPTY)
        return
    progress = jobs.Progress(film)
    view = source.view(film)
    texts = captions.card_captions(film, film_plan)
    outputs = _outputs(film)

    fingerprint = _fingerprint(film_plan, view, texts, outputs, source.hidden_numbers(film, film_plan))
    work = encode.WorkDirectory(requests.work_directory(film), fingerprint)
    pictures = render.Sources(
        title=None if film.shape else cards.title(*view.size, texts, settings.FILM_FONT),
        credits=(cards.title if film.shape else cards.credits)(*view.size, texts, settings.FILM_FONT),
        load=source.load,
        strokes=partial(source.strokes_between, film),
    )
    renderer = render.Renderer(film_plan, pictures, view)

    def report(start: int, done: int) -> None:
        progress(ENCODED * (start + done) / film_plan.length)

    for segment in film_plan.segments:
        if not work.has(segment):
            shown = renderer.frames(segment)
            encode.segment(work, segment, shown, outputs, film_plan.fps, partial(report, segment.start))
        report(segment.start, segment.length)

    publish.publish(film, film_plan, work, outputs, view, progress.pause)


def _outputs(film: Film) -> list[encode.Output]:
    """What somebody makes for themselves is one file that plays everywhere."""
    threads = settings.FILM_THREADS
    if film.shape:
        return [encode.to_post(threads=threads)]
    own = film.owner_id is not None
    return encode.outputs(av1=settings.FILM_AV1 and not own, lossless=film.lossless and not own, threads=threads)


def _fingerprint(*parts: Any) -> str:
    """Of all that a segment's pictures and packets depend on."""
    return hashlib.sha256(json.dumps([av.__version__, *parts], default=repr).encode()).hexdigest()
