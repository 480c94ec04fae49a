"""The options of `manage.py dream`."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path
from typing import Any

from django.conf import settings

from dreamer.engine import PRESETS, Recipe
from dreamer.engine.target_options import LayerOption, parse_size
from dreamer.engine.zoom import Journey
from dreamer.film.music import Credit
from dreamer.journey.plan import KEY_FRAMES, KINDS, ZOOMS
from dreamer.journey.render import FPS
from dreamer.management.dream.sheet import COMPARE_SIDE, SHEET, SHEET_SIDE
from dreamer.video.job import SIDE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds them all; argparse's own errors say what is wrong with one."""
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
    how.add_argument(
        "--side",
        type=int,
        metavar="PIXELS",
        help="the photograph's longer side, at most: a smaller one is dreamed sooner, and forms are larger in it "
        "(default: its own)",
    )
    files = parser.add_argument_group("more files")
    files.add_argument("--mask", type=Path, help="a picture that is white where the dream may work, black elsewhere")
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
        f"{COMPARE_SIDE} for those of --compare, {SIDE} for --video)",
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
        "The dream is carried from picture to picture along what moves; cuts begin anew. The sound stays, or is "
        "left out, or is music.",
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
    sound = parser.add_argument_group("sound", "Of a journey's --film, and of --video.")
    sound.add_argument(
        "--sound",
        action=argparse.BooleanOptionalAction,
        help="keep a --video's own sound, or leave it out (default: keep it, where there is no --music)",
    )
    sound.add_argument("--music", type=Path, metavar="FILE", help="under the film, cut to its length or repeated")
    sound.add_argument(
        "--credit",
        metavar="'TITLE; AUTHOR; LICENCE; LINK'",
        help="of the music, shown at the film's end; --music asks for it",
    )
    sound.add_argument("--follow", action="store_true", help="the dream is the stronger the louder the music is")
    machine = parser.add_argument_group("the machine")
    machine.add_argument("--device", choices=("auto", "cpu", "cuda", "openvino"), default=settings.DREAM_DEVICE)
    machine.add_argument("--threads", type=int, default=settings.DREAM_THREADS, help="0: all cores")


def credit_of(options: dict[str, Any]) -> Credit | None:
    """The credit of the music; None without music. Raises ValueError where one is there without the other."""
    if options["music"] is None:
        if options["credit"] or options["follow"]:
            raise ValueError("received --credit or --follow without --music, expected a file of music")
        return None
    if options["sound"]:
        raise ValueError("received both --sound and --music, expected one of them: music is instead of a video's sound")
    if not options["credit"]:
        raise ValueError("received --music without --credit, expected 'Title; Author; Licence; https://…'")
    return Credit.parse(options["credit"])


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
