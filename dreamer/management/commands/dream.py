"""`manage.py dream photo.jpg dreamed.jpg`: dream on a photograph, a video, or from noise."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dreamer import registered
from dreamer.engine import PRESETS, Cancelled, Interrupted, Network, Progress, Recipe, dream, ranking
from dreamer.engine.contact import Way, side_by_side
from dreamer.engine.dream import noise_start
from dreamer.engine.film import fit
from dreamer.engine.octaves import shrink
from dreamer.engine.pictures import (
    check_writable,
    file_kind,
    read_mask,
    read_picture,
    read_recipe,
    write_picture,
)
from dreamer.engine.source import awake
from dreamer.engine.studio import FRAME_SIDES, Job, run
from dreamer.engine.target import Target
from dreamer.engine.target_options import LayerOption, build_target, parse_size
from dreamer.engine.zoom import Journey
from dreamer.film import audio, music
from dreamer.film.unfinished import digest, unfinished
from dreamer.journey.make import Route, make
from dreamer.journey.path import Waypoint, read_path
from dreamer.journey.plan import CALM, KEY_FRAMES, KINDS, LARGEST, ZOOMS, Plan, layers_of, scaled, size_of
from dreamer.journey.render import FPS, Film
from dreamer.management.terminal import Bar, duration
from dreamer.video import job as video_job

SHEET = 12  # styles on a sheet
SHEET_SIDE, COMPARE_SIDE = 256, 512  # px of its pictures
MIN_SIDE = 64  # px of a journey's film
STOPPED = 130  # the exit status of a program that Ctrl-C ended


class Command(BaseCommand):
    help = (
        "Dream on a photograph, a video, or from noise. The recipe is stored in the picture; Ctrl-C keeps the picture "
        "as far as it came."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("photo", nargs="?", type=Path, help="the photograph; none with --noise")
        parser.add_argument("dreamed", type=Path, help="the picture to write: .jpg, .png or .webp; with --video .mp4")
        wanted = parser.add_argument_group("what to dream of")
        wanted.add_argument(
            "--layer",
            dest="layer_options",
            action=_AddLayer,
            metavar="NAME[:WEIGHT]",
            help="a layer, as `manage.py model layers` lists them; may be repeated",
        )
        wanted.add_argument(
            "--channel",
            dest="layer_options",
            action=_AddChannels,
            metavar="N[:WEIGHT],...",
            help="channels of the layer before it, instead of all of it: 63,64:0.5",
        )
        wanted.add_argument(
            "--position",
            dest="layer_options",
            action=_AddPlace,
            metavar="X,Y",
            help="only the unit of the layer before it at this position, as shares of the picture",
        )
        wanted.add_argument(
            "--class",
            dest="labels",
            action="append",
            default=[],
            metavar="NAME",
            help="a class of the network, by name or number; may be repeated",
        )
        wanted.add_argument(
            "--squared",
            action=argparse.BooleanOptionalAction,
            help="strengthen squares (the default for whole layers) or values (for channels)",
        )
        wanted.add_argument("--guide", type=Path, metavar="PICTURE", help="dream of what is in this picture")
        wanted.add_argument(
            "--guide-mode",
            choices=("match", "mean"),
            default="match",
            help="at each place the guide's nearest feature, or its features on average (default: match)",
        )
        how = parser.add_argument_group(
            "how",
            "Defaults are those of --preset; a recipe's come before them, and what is given here before both. The "
            "house model has presets of its own for live and photo (docs/house-model.md).",
        )
        how.add_argument("--preset", choices=tuple(PRESETS), help="default: noise with --noise, else photo")
        how.add_argument("--recipe", type=Path, metavar="FILE", help="a dreamed picture or a JSON file to dream by")
        for option in fields(Recipe):
            if option.metadata:
                _add_option(how, option.name, option.default, option.metadata)
        files = parser.add_argument_group("more files")
        files.add_argument(
            "--mask", type=Path, help="a picture that is white where the dream may work, black elsewhere"
        )
        files.add_argument("--gif", type=Path, help="an animation of every step")
        files.add_argument("--film", type=Path, help="the same as an .mp4")
        files.add_argument(
            "--fps",
            type=float,
            help=f"their pictures a second (default: 12; {FPS[0]} to {FPS[1]} for a journey, {FPS[0]})",
        )
        files.add_argument(
            "--frame-side",
            type=int,
            metavar="PIXELS",
            help=f"their longer side (default: 640 for .gif, 1280 for .mp4, {SHEET_SIDE} for the pictures of --sheet, "
            f"{COMPARE_SIDE} for those of --compare, {video_job.SIDE} for --video)",
        )
        beside = parser.add_argument_group(
            "side by side", "The picture that is written is then a sheet: the photograph, and small dreams on it."
        )
        beside.add_argument(
            "--sheet",
            nargs="?",
            type=int,
            const=SHEET,
            metavar="N",
            help=f"the network's N styles that suit the photograph best (default: {SHEET})",
        )
        beside.add_argument(
            "--compare",
            type=lambda text: [name.strip() for name in text.split(",") if name.strip()],
            metavar="NETWORK,NETWORK",
            help="the same in several networks: the --class or --layer where a network has it, else the style of its "
            "that suits the photograph best",
        )
        video = parser.add_argument_group(
            "video",
            "The dream is carried from picture to picture along what moves; cuts begin anew, the sound stays.",
        )
        video.add_argument("--video", type=Path, metavar="FILE", help="dream on each picture of it, into an .mp4")
        zoom = parser.add_argument_group(
            "zoom",
            "Feed each dream, enlarged, back as the next one's photograph: the "
            "picture is then the last, the films show the journey.",
        )
        zoom.add_argument("--dreams", type=int, metavar="N", help="how many; one to three iterations each are enough")
        zoom.add_argument(
            "--zoom",
            type=float,
            metavar="NUMBER",
            help=f"enlargement between two dreams (default: {Journey.zoom}), or two key frames of a journey (default: "
            + ", ".join(f"{zoom} for {kind}" for kind, zoom in ZOOMS.items())
            + ")",
        )
        zoom.add_argument("--turn", type=float, metavar="DEGREES", help="turn between two dreams")
        zoom.add_argument(
            "--between",
            type=int,
            metavar="N",
            help=f"pictures drawn between two dreams, for a smooth film (default: {Journey.between})",
        )
        journey = parser.add_argument_group(
            "journey",
            "A film that goes deeper and deeper into the picture: each key frame is dreamed on a part of the one "
            "before. The picture that is written is the last key frame; --film and --gif are the journey, "
            "--frame-side its size.",
        )
        journey.add_argument(
            "--journey",
            choices=KINDS,
            help="zoom: all along by one target; layers: through the layers, one after another, or those given by "
            "--layer; classes: from each --class to the next",
        )
        journey.add_argument(
            "--path",
            type=Path,
            metavar="FILE",
            help="where it goes: JSON such as [[0.3, 0.4], [0.5, 0.5, 1.5]], for each key frame the place that the "
            "next one shows, as shares of the picture, and how much larger; without it, where the network is most "
            "active",
        )
        journey.add_argument(
            "--key-frames",
            type=int,
            metavar="N",
            help="how many are dreamed, of each layer or class (default: as many as --path has; else "
            + ", ".join(f"{count} for {kind}" for kind, count in KEY_FRAMES.items())
            + ")",
        )
        journey.add_argument(
            "--seconds", type=float, default=2.5, metavar="S", help="from one key frame to the next (default: 2.5)"
        )
        journey.add_argument("--loop", action="store_true", help="end where it began, so that it can be shown for ever")
        journey.add_argument(
            "--music", type=Path, metavar="FILE", help="under the journey's --film, cut to its length or repeated"
        )
        journey.add_argument(
            "--credit",
            metavar="'TITLE; AUTHOR; LICENCE; LINK'",
            help="of the music, shown at the film's end; --music asks for it",
        )
        journey.add_argument("--follow", action="store_true", help="the dream is the stronger the louder the music is")
        machine = parser.add_argument_group("the machine")
        machine.add_argument("--device", choices=("auto", "cpu", "cuda", "openvino"), default=settings.DREAM_DEVICE)
        machine.add_argument("--threads", type=int, default=settings.DREAM_THREADS, help="0: all cores")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._opened: dict[str, Network] = {}

    def handle(self, **options: Any) -> None:
        try:
            if options["sheet"] is not None or options["compare"] is not None:
                self._side_by_side(options)
                return
            if options["video"] is not None:
                self._video(options)
                return
            if options["journey"] is None and options["path"] is not None:
                options["journey"] = "zoom"
            if options["journey"] is not None:
                self._journey(options)
                return
            if options["music"] or options["credit"] or options["follow"]:
                raise ValueError("received --music, --credit or --follow without --journey, expected a journey")
            recipe, network = self._recipe(options)
            job = self._job(options)
            started = time.monotonic()
            with Bar(sys.stderr) as bar, stop_on_interrupt() as stopped:
                finished = run(job, network, recipe, progress=_reporter(bar), cancelled=stopped)
        except (ValueError, TypeError, RuntimeError, OSError) as error:
            raise CommandError(str(error)) from error
        seconds = time.monotonic() - started
        took = duration(seconds) if seconds >= 60 else f"{seconds:.1f} s"
        written = ", ".join(str(path) for path in (job.dreamed, *job.films))
        if not finished:
            raise CommandError(f"Stopped; {written} shows how far it came.", returncode=STOPPED)
        self.stdout.write(f"{written}: dreamed with {network.name} on {network.device} in {took}.")

    def _video(self, options: dict[str, Any]) -> None:
        useless = ("photo", "mask", "gif", "film", "dreams", "zoom", "turn", "between", "noise", "journey", "path")
        for name in useless:
            if options[name] is not None:
                shown = "a photograph" if name == "photo" else f"--{name}"
                raise ValueError(f"received both --video and {shown}, expected one of them")
        side = video_job.SIDE if options["frame_side"] is None else options["frame_side"]
        job = video_job.Job(options["video"], options["dreamed"], options["guide"], side)
        job.check()
        recipe, network = self._recipe({**options, "photo": options["video"]})
        started = time.monotonic()
        with Bar(sys.stderr) as bar, stop_on_interrupt() as stopped:
            made, finished = video_job.run(job, network, recipe, progress=_reporter(bar), cancelled=stopped)
        if not finished:
            raise CommandError(f"Stopped; {job.dreamed} shows how far it came.", returncode=STOPPED)
        sound = "with its sound" if made.sound else "without sound"
        self.stdout.write(
            f"{job.dreamed}: {made.frames} pictures, {made.seconds:.1f} s, {sound}, dreamed with {network.name} on "
            f"{network.device} in {duration(time.monotonic() - started)}."
        )

    def _journey(self, options: dict[str, Any]) -> None:
        plan, route, network = self._plan(options)
        films = tuple(path for path in (options["gif"], options["film"]) if path)
        side = options["frame_side"] or FRAME_SIDES[".mp4"]
        if not MIN_SIDE <= side <= LARGEST:
            raise ValueError(f"frame_side: received {side}, expected {MIN_SIDE} to {LARGEST} for a journey")
        fps = options["fps"] or FPS[0]
        if fps != int(fps):
            raise ValueError(f"fps: received {fps}, expected a whole number for a journey")
        how: dict[str, Any] = {"fps": int(fps), "seconds": options["seconds"], "loop": options["loop"]}
        self._credit(options)
        Film(route.waypoints or (Waypoint(),), **how)  # says what is wrong before the work
        started_with = replace(plan.recipe, noise=options["noise"])
        Job(options["dreamed"], options["photo"], films=films, frame_side=side).check(started_with)
        photo = digest(options["photo"]) if options["photo"] else None
        path = [[point.x, point.y, point.zoom] for point in (*route.waypoints, Waypoint(zoom=route.zoom))]
        wanted = [started_with.to_json(), [one.to_json() for one in plan.stages], plan.each, path, photo, side]
        with unfinished(options["dreamed"], *wanted, options["preset"], network.name) as folder:
            self._go(options, plan, route, network, how, films, side, folder)

    def _go(
        self,
        options: dict[str, Any],
        plan: Plan,
        route: Route,
        network: Network,
        how: dict[str, Any],
        films: tuple[Path, ...],
        side: int,
        folder: Path,
    ) -> None:
        """Dreams the key frames and writes the films. Killed, the next call goes on after the last whole key frame."""
        credit = self._credit(options)
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
                lines, heading = [f"Music: {credit.words}", credit.link], f"Dreamed by {network.name}"
                more["ending"] = lambda shown: music.ending(shown, heading, lines, how["fps"], settings.FILM_FONT)
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
        self.stdout.write(f"{written}: {plan.key_frames} key frames with {network.name} in {took}.")

    def _credit(self, options: dict[str, Any]) -> music.Credit | None:
        """The credit of the music; None without music. Raises ValueError where one is there without the other."""
        if options["music"] is None:
            if options["credit"] or options["follow"]:
                raise ValueError("received --credit or --follow without --music, expected a file of music")
            return None
        if options["film"] is None:
            raise ValueError("received --music without --film, expected an .mp4 to put it under")
        if not options["credit"]:
            raise ValueError("received --music without --credit, expected 'Title; Author; Licence; https://…'")
        return music.Credit.parse(options["credit"])

    def _plan(self, options: dict[str, Any]) -> tuple[Plan, Route, Network]:
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
            opened = self._open(options["model"] or registered.default_model(), options)
            layers = [LayerOption(name) for name in layers_of(opened)]
            as_photo = {**as_photo, "layer_options": layers}
        recipe, network = self._recipe(as_photo)
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

    def _side_by_side(self, options: dict[str, Any]) -> None:
        sheet, dreamed = options["sheet"], options["dreamed"]
        asked = "--compare" if sheet is None else "--sheet"
        self._check_side_by_side(options, asked)
        side = options["frame_side"] or (COMPARE_SIDE if sheet is None else SHEET_SIDE)
        photo = read_picture(options["photo"])
        small = shrink(photo, fit(photo.shape[0], photo.shape[1], ranking.SIDE))
        ways = self._compare(options, small) if sheet is None else self._sheet(options, small, sheet)
        started = time.monotonic()
        with Bar(sys.stderr) as bar, stop_on_interrupt() as stopped:
            try:
                picture = side_by_side(
                    photo,
                    ways,
                    side,
                    progress=bar.show,
                    mask=read_mask(options["mask"]) if options["mask"] else None,
                    guide=read_picture(options["guide"]) if options["guide"] else None,
                    cancelled=stopped,
                )
            except Cancelled:
                raise CommandError("Stopped; nothing was written.", returncode=STOPPED) from None
        write_picture(dreamed, picture)
        for way in ways:
            self.stdout.write(f"{way.title}: {way.words}")
        self.stdout.write(f"{dreamed}: {len(ways)} dreams in {time.monotonic() - started:.1f} s.")

    def _check_side_by_side(self, options: dict[str, Any], asked: str) -> None:
        """ValueError for what a sheet has no use for, before the work."""
        useless = ["gif", "film", "dreams", "recipe", "noise", "video", "journey", "path"]
        if asked == "--sheet":
            useless += ["compare", "layer_options", "labels", "guide"]
        else:
            useless += ["model"]
            if len(options["compare"]) < 2:
                raise ValueError(f"compare: received {len(options['compare'])} networks, expected two or more")
        for name in useless:
            if options[name]:
                shown = {"layer_options": "layer", "labels": "class"}.get(name, name)
                raise ValueError(f"received both {asked} and --{shown}, expected one of them")
        if options["photo"] is None:
            raise ValueError(f"received {asked} without a photograph, expected one to dream on")
        if options["sheet"] is not None and not 1 <= options["sheet"] <= 200:
            raise ValueError(f"sheet: received {options['sheet']}, expected 1 to 200 styles")
        if options["frame_side"] is not None and not 32 <= options["frame_side"] <= 2048:
            raise ValueError(f"frame_side: received {options['frame_side']}, expected 32 to 2048")
        if options["dreamed"].resolve() in {p.resolve() for p in (options["photo"], options["mask"]) if p}:
            raise ValueError(f"{options['dreamed']}: received a file that is in use here already")
        file_kind(options["dreamed"])
        check_writable(options["dreamed"])

    def _sheet(self, options: dict[str, Any], small: Any, count: int) -> list[Way]:
        """The styles of the network's shelf that suit the photograph best."""
        recipe, network = self._recipe({**options, "layer_options": None, "labels": [], "guide": None})
        styles = ranking.ranked(network, registered.registry().get(network.name).shelf, small)[:count]
        return [
            Way(
                network,
                replace(recipe, target=Target.layer(style["layer"], style["channel"])),
                style["title"],
                f"--layer {style['layer']}" + ("" if style["channel"] is None else f" --channel {style['channel']}"),
            )
            for style in styles
        ]

    def _compare(self, options: dict[str, Any], small: Any) -> list[Way]:
        """The same in several networks; where a network does not have it, the style of its that suits best."""
        layers, labels, said = options["layer_options"] or [], options["labels"], []
        said += [f"--class '{label}'" for label in labels]
        said += [f"--layer {option.layer}" for option in layers]
        networks = [self._open(name, options) for name in options["compare"]]
        trouble: dict[str, ValueError] = {}
        for network in networks:
            try:
                if layers or labels:
                    build_target(network, layers, labels=labels)
            except ValueError as error:
                trouble[network.name] = error
        if len(trouble) == len(set(options["compare"])):  # nobody has it: most likely it is spelled otherwise
            raise trouble[networks[0].name]
        ways = []
        for network in networks:
            here = {**options, "model": network.name}
            if (layers or labels) and network.name not in trouble:
                ways.append(Way(network, self._recipe(here)[0], network.name, " ".join(said)))
            else:
                (best,) = self._sheet(here, small, 1)
                ways.append(replace(best, title=network.name, words=f"{best.title}: {best.words}"))
        return ways

    def _job(self, options: dict[str, Any]) -> Job:
        given = {name: options[name] for name in ("zoom", "turn", "between") if options[name] is not None}
        if given and options["dreams"] is None:
            raise ValueError(f"received --{next(iter(given))} without --dreams, expected how many dreams the zoom has")
        journey = None if options["dreams"] is None else Journey(options["dreams"], **given)
        return Job(
            dreamed=options["dreamed"],
            photo=options["photo"],
            mask=options["mask"],
            guide=options["guide"],
            films=tuple(path for path in (options["gif"], options["film"]) if path),
            fps=12.0 if options["fps"] is None else options["fps"],
            frame_side=options["frame_side"],
            journey=journey,
        )

    def _open(self, name: str, options: dict[str, Any]) -> Network:
        """The network of this name, opened once. Raises LibraryError."""
        if name not in self._opened:
            self._opened[name] = Network.open(
                registered.registry().get(name).path,
                device=options["device"],
                threads=options["threads"],
                gpu_memory=settings.DREAM_GPU_MEMORY,
                tf32=settings.DREAM_TF32,
            )
        return self._opened[name]

    def _recipe(self, options: dict[str, Any]) -> tuple[Recipe, Network]:
        """The recipe that the options make of the given recipe or the preset, and the network it is for."""
        given = {f.name: options[f.name] for f in fields(Recipe) if f.metadata and options[f.name] is not None}
        if options["photo"] and "noise" in given:
            raise ValueError(f"received both a photograph ({options['photo']}) and --noise, expected one of them")
        base = Recipe.from_json(read_recipe(options["recipe"])).to_json() if options["recipe"] else {}
        model = given.get("model") or base.get("model") or registered.default_model()
        if not model:
            raise ValueError("there is no network yet: `manage.py model fetch` or `manage.py model import` brings one")
        if not options["recipe"]:
            base = registered.preset(options["preset"] or ("noise" if "noise" in given else "photo"), model)
        elif options["preset"]:
            raise ValueError("received both --recipe and --preset, expected one of them")
        if options["photo"]:
            base["noise"] = None
        files = registered.registry().get(model)
        network = self._open(model, options)
        layers, labels = options["layer_options"] or [], options["labels"]
        if not (layers or labels or "target" in base) and files.shelf:
            first = files.shelf[0]
            layers = [LayerOption(first.layer, None if first.channel is None else str(first.channel))]
        if layers or labels or "target" not in base:
            guide = options["guide_mode"] if options["guide"] else None
            target = build_target(network, layers, labels=labels, guide=guide, squared=options["squared"])
            if not options["photo"]:
                target = awake(network, target)
            base["target"] = target.to_json()
        elif options["squared"] is not None:
            raise ValueError("received --squared without a --layer, expected the layer that it is said of")
        elif options["guide"] and not any("guide" in term for term in base["target"]["terms"]):
            raise ValueError("received --guide for a recipe without one, expected a --layer to choose channels of")
        return Recipe.from_json({**base, **given, "model": model}), network


def _add_option(group: argparse._ArgumentGroup, name: str, default: Any, limits: Any) -> None:
    """An option made of a recipe's field: its name, type, choices, meaning and defaults."""
    defaults = {preset: values.get(name, default) for preset, values in PRESETS.items()}
    shown = ", ".join(f"{value} {preset}" for preset, value in defaults.items())
    if len(set(defaults.values())) == 1:
        shown = str(default)
    if name == "model":
        shown = "DREAM_MODEL, or else the first that was brought, or else house"
    text = limits["help"] + ("" if default is None else f" (default: {shown})")
    more: dict[str, Any]
    if isinstance(default, bool):
        more = {"action": argparse.BooleanOptionalAction}
    elif name == "noise":
        more = {"type": _size, "metavar": "WIDTHxHEIGHT"}
    elif limits.get("choices"):
        more = {"choices": limits["choices"]}
    else:
        more = {"type": type(default), "metavar": {int: "N", float: "NUMBER", str: "NAME"}[type(default)]}
    group.add_argument("--" + name.replace("_", "-"), default=None, help=text.replace("%", "%%"), **more)


def _size(text: str) -> tuple[int, int]:
    try:
        return parse_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


class _AddLayer(argparse.Action):
    """--layer, --channel and --position fill one list, so that the latter two belong to the layer before them."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        namespace.layer_options = [*(namespace.layer_options or []), LayerOption(values)]


class _AddChannels(argparse.Action):
    field = "channels"

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        layers = list(namespace.layer_options or [])
        if not layers or getattr(layers[-1], self.field) is not None:
            parser.error(f"{option} {values}: received without a --layer of its own before it")
        last = layers.pop()
        namespace.layer_options = [*layers, LayerOption(**{**vars(last), self.field: values})]


class _AddPlace(_AddChannels):
    field = "position"


@contextmanager
def stop_on_interrupt() -> Iterator[Callable[[], bool]]:
    """A question that answers True once Ctrl-C was pressed; a second Ctrl-C ends at once, as ever."""
    event = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        event.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield event.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _reporter(bar: Bar) -> Callable[[Progress], None]:
    def report(p: Progress) -> None:
        bar.show(
            p.fraction,
            f"octave {p.octave}/{p.octaves} · step {p.iteration}/{p.iterations} · tile {p.tile}/{p.tiles}",
            p.seconds_left,
        )

    return report
