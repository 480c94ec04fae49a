"""A journey's works: its key frames, each dreamed on a part of the one before, and its film.

A key frame is a work of its own, so that everybody has a turn between two of them, and a worker that is killed loses
one at most. A film is cut at key frames: its pieces are stored, and any worker goes on after the last one
(gallery.studio.pieces).
"""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from django.conf import settings
from django.utils.translation import gettext as _
from PIL import Image

from canvas import thumbnails
from dreamer.engine import Network, Recipe, Target, dream
from dreamer.engine.dream import noise_start
from dreamer.engine.film import film
from dreamer.film import audio, music
from dreamer.journey.lead import most_active
from dreamer.journey.path import Waypoint
from dreamer.journey.plan import Plan, next_key_frame, scaled
from dreamer.journey.render import Film
from dreamer.registered import preset
from dreamsite.core.tasks.jobs import State
from gallery.films import encode
from gallery.films.plan import Part, Segment
from gallery.films.plan import Plan as FilmPlan
from gallery.jobs import files
from gallery.studio import cost, sound
from gallery.studio.models import Journey, Music, Work
from gallery.studio.pieces import Pieces
from gallery.studio.sources import Pixels, network_of, pixels_of
from gallery.studio.watch import Watch

GIF_SIDE, GIF_SECONDS, GIF_FPS = 360, 12.0, 12  # a GIF only of what is short
ENCODED = 0.95  # of a film's work: the rest is joining and storing


def plan_of(journey: Journey) -> Plan:
    stages = tuple(Target.from_json(stage) for stage in journey.stages)
    return Plan(Recipe.from_json(journey.recipe), stages, journey.each)


def film_of(journey: Journey, waypoints: list[Waypoint]) -> Film:
    """Its film along these waypoints. Raises ValueError where there are none."""
    heard = Music.of(journey) if journey.follow else None
    strength = music.strength(heard.sound) if heard else None
    return Film(tuple(waypoints), journey.fps, journey.seconds, journey.loop, strength)


def new_key_frame(journey: Journey, number: int) -> Work:
    """A key frame to be made; not saved yet."""
    plan = plan_of(journey)
    return Work(
        owner=journey.owner,
        kind=Work.Kind.KEY_FRAME,
        journey=journey,
        number=number,
        original=journey.original if number == 0 else None,
        network=journey.network,
        title=journey.title,
        units=cost.key_frame(plan, number, journey.zoom, journey.height, journey.width),
    )


def new_film(journey: Journey) -> Work:
    """Its film of all key frames there are; not saved yet."""
    count = journey.key_frames.filter(state=State.DONE).count()
    frames = film_of(journey, [Waypoint(zoom=journey.zoom)] * max(1, count - (not journey.loop))).frames
    return Work(
        owner=journey.owner,
        kind=Work.Kind.FILM,
        journey=journey,
        original=journey.original,
        title=journey.title,
        recipe=journey.recipe,
        units=cost.film(frames, journey.height, journey.width),
    )


def to_come(journey: Journey, number: int) -> float:
    """What it will cost to go by itself from key frame `number`, which is there or on its way, to `until`, and to make
    its film."""
    plan, size = plan_of(journey), (journey.height, journey.width)
    units = sum(cost.key_frame(plan, one, journey.zoom, *size) for one in range(number + 1, journey.until + 1))
    if journey.film_next:
        steps = max(1, max(number, journey.until) + journey.loop)
        units += cost.film(film_of(journey, [Waypoint(zoom=journey.zoom)] * steps).frames, *size)
    return units


def follow(work: Work, submit: Callable[[Work], None]) -> None:
    """What comes after a key frame that is done: the next one, or the film, where it goes by itself."""
    journey = Journey.objects.select_for_update().get(works=work)
    done = work.number or 0
    if journey.key_frames.filter(number__gt=done).exists():
        return
    if done < journey.until:
        journey.reserved = max(0.0, to_come(journey, done + 1))
        journey.save(update_fields=["reserved"])
        submit(new_key_frame(journey, done + 1))
    elif journey.film_next:
        journey.reserved, journey.film_next = 0.0, False
        journey.save(update_fields=["reserved", "film_next"])
        if done > 0:
            submit(new_film(journey))


# --- a key frame -----------------------------------------------------------------------------------------------------


def _key_frame(work: Work, watch: Watch) -> dict[str, Any]:
    journey = work.journey
    if journey is None or work.number is None:
        raise ValueError(_("The journey of this key frame is no longer here."))
    network, plan = network_of(journey.network), plan_of(journey)
    options: dict[str, Any] = {
        "progress": watch.progress,
        "cancelled": watch.cancelled,
        "preview": lambda progress, snapshot: watch.grow(snapshot),
    }
    if work.number == 0:
        pixels = _start(journey, network, plan, options)
    else:
        before = journey.key_frames.get(number=work.number - 1)
        picture = _pixels(before)
        towards = _towards(before, picture, journey, network)
        pixels = next_key_frame(picture, towards, work.number, plan, network, **options)
    return _stored(work, pixels, "key")


def _start(journey: Journey, network: Network, plan: Plan, options: dict[str, Any]) -> Pixels:
    """The picture it begins with, in the film's size; static is dreamed on first."""
    if journey.original is None:
        raise ValueError(_("The picture that this journey begins with is no longer here."))
    picture = pixels_of(journey.original)
    if journey.original.is_static:
        size = (picture.shape[1], picture.shape[0])
        target, seed = plan.stages[0].to_json(), plan.recipe.seed
        usual = {**preset("noise", journey.network), "model": journey.network, "noise": size}
        recipe = Recipe.from_json({**usual, "target": target, "seed": seed})
        picture = dream(noise_start(recipe), network, recipe, **options)
    return scaled(picture, journey.height, journey.width)


def _towards(before: Work, picture: Pixels, journey: Journey, network: Network) -> Waypoint:
    """Where the next key frame lies: where somebody chose, or else where the network is most active."""
    if before.towards is None:
        target = plan_of(journey).target_at((before.number or 0) + 1)
        found = most_active(network, picture, target, journey.zoom)
        before.towards = [round(found.x, 5), round(found.y, 5), found.zoom]
        Work.objects.filter(pk=before.pk).update(towards=before.towards)
    return Waypoint(*before.towards)


def _pixels(work: Work) -> Pixels:
    with work.picture.open("rb") as file, Image.open(file) as image:
        return np.asarray(image.convert("RGB"))


def _stored(work: Work, pixels: Pixels, name: str) -> dict[str, Any]:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95, subsampling=0)
    return {
        "picture": files.store_bytes(buffer.getvalue(), f"studio/{work.key}-{name}.jpg"),
        "thumbnail": files.store_bytes(thumbnails.encode(pixels), f"studio/{work.key}.small.webp"),
        "width": pixels.shape[1],
        "height": pixels.shape[0],
    }


# --- the film --------------------------------------------------------------------------------------------------------


def _film(work: Work, watch: Watch) -> dict[str, Any] | None:
    """None where it gave way to others before its end."""
    journey = work.journey
    if journey is None:
        raise ValueError(_("The journey of this film is no longer here."))
    key_frames = list(journey.key_frames.filter(state=State.DONE))
    network = network_of(journey.network)

    @lru_cache(maxsize=3)
    def load(number: int) -> Pixels:
        return _pixels(key_frames[number])

    on_the_way = key_frames if journey.loop else key_frames[:-1]
    waypoints = [_towards(one, load(number), journey, network) for number, one in enumerate(on_the_way)]
    made, size = film_of(journey, waypoints), (journey.width, journey.height)
    outputs = encode.outputs(av1=False, lossless=False, threads=settings.FILM_THREADS)
    heard = Music.of(journey)
    film_plan = _film_plan(made, heard)
    pieces = Pieces(
        work,
        _fingerprint(
            made.waypoints,
            made.fps,
            made.seconds,
            made.loop,
            journey.follow,
            str(heard),
            size,
            [str(one.picture) for one in key_frames],
            outputs,
        ),
    )
    moved = False  # each turn makes a piece at least, whoever is next: else it would be this film's again, for ever
    for segment in film_plan.segments:
        if pieces.have(segment):
            continue
        if moved and _others_wait(work):
            watch.show(ENCODED * segment.start / film_plan.length)
            Work.objects.filter(pk=work.pk).update(fraction=ENCODED * segment.start / film_plan.length)
            return None

        def report(done: int, start: int = segment.start) -> None:
            watch.cancelled()
            watch.show(ENCODED * (start + done) / film_plan.length)

        if segment.index < len(waypoints):
            frames = made.step(segment.index, load, size)
        elif segment.index == len(waypoints) and not made.loop:
            frames = made.rest(load, size)
        else:
            last = Image.fromarray(load(0 if made.loop else len(key_frames) - 1))
            frames = sound.card(heard, work, last, made.fps) if heard else iter(())
        encode.segment(pieces.local, segment, frames, outputs, made.fps, report)
        pieces.share(segment)
        moved = True
    return _published(work, made, film_plan, pieces.local, outputs[0], load(len(key_frames) - 1), heard)


def _published(
    work: Work,
    made: Film,
    film_plan: FilmPlan,
    directory: encode.WorkDirectory,
    output: encode.Output,
    last: Pixels,
    heard: Music | None,
) -> dict[str, Any]:
    done = _stored(work, last, "last")
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "film.mp4"
        encode.join(path, directory, film_plan, output)
        if heard:
            track = sound.fetched(heard, Path(name) / "music.m4a")
            audio.under(path, track, heard.seconds, path)
            done |= sound.credited(heard)
        if made.length <= GIF_SECONDS:
            gif = Path(name) / "film.gif"
            with film(gif, fps=GIF_FPS, rest=0.0) as add:
                for picture in _thinned(path, made.fps):
                    add(picture)
            done["gif"], *_rest = files.store(gif, f"studio/{work.key}.gif")
        done["mp4"], *_rest = files.store(path, f"studio/{work.key}.mp4")
    return done


def _thinned(path: Path, fps: int) -> Iterator[Pixels]:
    """The pictures of a film, small, GIF_FPS of them a second."""
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index * GIF_FPS // fps != (index - 1) * GIF_FPS // fps:
                image = frame.to_image()
                image.thumbnail((GIF_SIDE, GIF_SIDE))
                yield np.asarray(image)


def _film_plan(made: Film, heard: Music | None) -> FilmPlan:
    """Its pieces: one from each key frame to the next, the rest at the end, and a card with the music's credit."""
    rest = [made.rest_frames] if made.rest_frames else []
    card = [sound.card_frames(made.fps)] if heard else []
    lengths = [made.step_frames] * len(made.waypoints) + rest + card
    starts = [sum(lengths[:index]) for index in range(len(lengths))]
    parts = [Part(None, 0, 0, length, start) for length, start in zip(lengths, starts, strict=True)]
    segments = [
        Segment(index, index, index + 1, start, length)
        for index, (length, start) in enumerate(zip(lengths, starts, strict=True))
    ]
    return FilmPlan(parts, segments, made.fps)


def _others_wait(work: Work) -> bool:
    return Work.objects.claimable().exclude(owner=work.owner_id).exists()


def _fingerprint(*parts: Any) -> str:
    """Of all that a piece's pictures and packets depend on."""
    return hashlib.sha256(json.dumps([av.__version__, *parts], default=repr).encode()).hexdigest()


PARTS: dict[str, Callable[[Work, Watch], dict[str, Any] | None]] = {
    Work.Kind.KEY_FRAME: _key_frame,
    Work.Kind.FILM: _film,
}
