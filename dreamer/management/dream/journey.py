"""`manage.py dream --journey`: a film that goes deeper and deeper into the picture."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management.base import CommandError

from dreamer import registered
from dreamer.engine import Interrupted, Network, Recipe, dream
from dreamer.engine.dream import noise_start
from dreamer.engine.pictures import read_picture, write_picture
from dreamer.engine.studio import FRAME_SIDES, Job
from dreamer.engine.target_options import LayerOption, build_target
from dreamer.film import audio, music
from dreamer.film.unfinished import digest, unfinished
from dreamer.journey.make import Route, make
from dreamer.journey.path import Waypoint, read_path
from dreamer.journey.plan import CALM, KEY_FRAMES, LARGEST, ZOOMS, Plan, layers_of, scaled, size_of
from dreamer.journey.render import FPS, Film
from dreamer.management.dream.options import credit_of
from dreamer.management.dream.recipes import Recipes
from dreamer.management.terminal import STOPPED, Bar, duration, stop_on_interrupt

MIN_SIDE = 64  # px of a journey's film


def run(options: dict[str, Any], recipes: Recipes) -> str:
    """Makes it, and says what was made. ValueError: options that do not fit; CommandError: Ctrl-C stopped it."""
    plan, route, network = _plan(options, recipes)
    films = tuple(path for path in (options["gif"], options["film"]) if path)
    side = options["frame_side"] or FRAME_SIDES[".mp4"]
    if not MIN_SIDE <= side <= LARGEST:
        raise ValueError(f"frame_side: received {side}, expected {MIN_SIDE} to {LARGEST} for a journey")
    fps = options["fps"] or FPS[0]
    if fps != int(fps):
        raise ValueError(f"fps: received {fps}, expected a whole number for a journey")
    how: dict[str, Any] = {"fps": int(fps), "seconds": options["seconds"], "loop": options["loop"]}
    _credit(options)
    Film(route.waypoints or (Waypoint(),), **how)  # says what is wrong before the work
    started_with = replace(plan.recipe, noise=options["noise"])
    Job(options["dreamed"], options["photo"], films=films, frame_side=side).check(started_with)
    photo = digest(options["photo"]) if options["photo"] else None
    path = [[point.x, point.y, point.zoom] for point in (*route.waypoints, Waypoint(zoom=route.zoom))]
    wanted = [started_with.to_json(), [one.to_json() for one in plan.stages], plan.each, path, photo, side]
    with unfinished(options["dreamed"], *wanted, options["preset"], network.name) as folder:
        return _travel(options, plan, route, network, how, films, side, folder)


def _travel(
    options: dict[str, Any],
    plan: Plan,
    route: Route,
    network: Network,
    how: dict[str, Any],
    films: tuple[Path, ...],
    side: int,
    folder: Path,
) -> str:
    """Dreams the key frames and writes the films. Killed, the next call goes on after the last whole key frame."""
    credit = _credit(options)
    if options["photo"]:
        start = read_picture(options["photo"])
        start = scaled(start, *size_of(start.shape[0], start.shape[1], side))
    elif (folder / "0.npy").exists():
        start = np.load(folder / "0.npy")
    else:
        given = {f.name: options[f.name] for f in fields(Recipe) if f.metadata and options[f.name] is not None}
        usual = registered.preset(options["preset"] or "noise", network.name)
        first = {**usual, **given, "model": network.name, "target": plan.stages[0].to_json()}
        recipe = Recipe.from_json(first)
        start = dream(noise_start(recipe), network, recipe)
        start = scaled(start, *size_of(start.shape[0], start.shape[1], side))
    began = time.monotonic()
    last: Any = start
    with Bar(sys.stderr) as bar, stop_on_interrupt() as stopped:
        more: dict[str, Any] = {}
        track = folder / "music.m4a"
        if credit:
            sound = music.clean(options["music"], track)
            heading = f"Dreamed by {network.name}"
            more["ending"] = lambda shown: music.ending(shown, heading, credit.lines, how["fps"], settings.FILM_FONT)
            if options["follow"]:
                how["strength"] = music.strength(sound)
        try:
            last = make(start, plan, route, network, films, how, folder, report=bar.show, cancelled=stopped, **more)
            if credit:
                audio.under(options["film"], track, sound.seconds, options["film"])
        except Interrupted as error:
            write_picture(options["dreamed"], error.picture, plan.recipe.to_json())
            words = f"Stopped; {options['dreamed']} shows how far it came, and no film was written."
            raise CommandError(words, returncode=STOPPED) from None
    write_picture(options["dreamed"], last, plan.recipe.to_json())
    written = ", ".join(str(path) for path in (options["dreamed"], *films))
    took = duration(time.monotonic() - began)
    return f"{written}: {plan.key_frames} key frames with {network.name} in {took}."


def _credit(options: dict[str, Any]) -> music.Credit | None:
    credit = credit_of(options)
    if credit and options["film"] is None:
        raise ValueError("received --music without --film, expected an .mp4 to put it under")
    return credit


def _plan(options: dict[str, Any], recipes: Recipes) -> tuple[Plan, Route, Network]:
    """What is dreamed on the journey, and where it goes. Raises ValueError where the options do not fit."""
    kind, layers, labels = options["journey"], options["layer_options"] or [], options["labels"]
    for name in ("dreams", "turn", "between", "guide", "mask"):
        if options[name] is not None:
            raise ValueError(f"received both --journey and --{name}, expected one of them")
    if kind == "classes" and len(labels) < 2:
        raise ValueError(f"received {len(labels)} --class for a journey from class to class, expected two or more")
    # Static is dreamed on once by its own preset; key frames are dreamed on as photographs are.
    as_photo = {**options, "preset": options["preset"] or "photo", "noise": None} if options["noise"] else options
    if kind == "layers" and not layers and not options["recipe"]:
        opened = recipes.open(options["model"] or registered.default_model(), options)
        layers = [LayerOption(name) for name in layers_of(opened)]
        as_photo = {**as_photo, "layer_options": layers}
    recipe, network = recipes.recipe(as_photo)
    if kind == "layers":
        found = layers or [LayerOption(name) for name in layers_of(network)]
        stages = [build_target(network, [one], squared=options["squared"]) for one in found]
    elif kind == "classes":
        stages = [build_target(network, [], labels=[label]) for label in labels]
    else:
        stages = [recipe.target]
    zoom = options["zoom"] or ZOOMS[kind]
    points: list[Waypoint] = []
    if options["path"]:
        try:
            points = read_path(json.loads(options["path"].read_text()), zoom)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{options['path']}: received no JSON ({error})") from None
    each = options["key_frames"] or (max(1, len(points) // len(stages)) if points else KEY_FRAMES[kind])
    if not options["recipe"]:
        calm = {name: value for name, value in CALM.items() if options[name] is None}
        recipe = Recipe.from_json({**recipe.to_json(), **calm})
    return Plan(recipe, tuple(stages), each), Route(tuple(points), Waypoint(zoom=zoom).zoom), network
