"""`manage.py dream --sheet` and `--compare`: small dreams side by side on one picture."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.core.management.base import CommandError

from dreamer import registered
from dreamer.engine import Cancelled, ranking
from dreamer.engine.atlas import chief_layers
from dreamer.engine.contact import Way, side_by_side
from dreamer.engine.film import fit
from dreamer.engine.octaves import shrink
from dreamer.engine.pictures import check_writable, file_kind, read_mask, read_picture, write_picture
from dreamer.engine.target import Target
from dreamer.engine.target_options import LayerOption, build_target
from dreamer.management.dream.recipes import Recipes
from dreamer.management.terminal import STOPPED, Bar, stop_on_interrupt

SHEET = 12  # styles on a sheet
SHEET_SIDE, COMPARE_SIDE = 256, 512  # px of its pictures


def run(options: dict[str, Any], recipes: Recipes) -> Iterator[str]:
    """Makes it, then says line by line what is on it. Raises ValueError and CommandError as a journey does."""
    sheet, dreamed = options["sheet"], options["dreamed"]
    asked = "--compare" if sheet is None else "--sheet"
    _check(options, asked)
    side = options["frame_side"] or (COMPARE_SIDE if sheet is None else SHEET_SIDE)
    photo = read_picture(options["photo"])
    small = shrink(photo, fit(photo.shape[0], photo.shape[1], ranking.SIDE))
    ways = _compare(options, recipes, small) if sheet is None else _sheet(options, recipes, small, sheet)
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
        yield f"{way.title}: {way.words}"
    yield f"{dreamed}: {len(ways)} dreams in {time.monotonic() - started:.1f} s."


def _check(options: dict[str, Any], asked: str) -> None:
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


def _sheet(options: dict[str, Any], recipes: Recipes, small: Any, count: int) -> list[Way]:
    """The styles of the network's shelf that suit the photograph best."""
    name, layers = options["model"] or registered.default_model(), None
    if name and not options["recipe"] and not registered.registry().get(name).shelf:
        layers = [LayerOption(chief_layers(recipes.open(name, options))[-1])]  # any: each style has its own
    recipe, network = recipes.recipe({**options, "layer_options": layers, "labels": [], "guide": None})
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


def _compare(options: dict[str, Any], recipes: Recipes, small: Any) -> list[Way]:
    """The same in several networks; where a network does not have it, the style of its that suits best."""
    layers, labels, said = options["layer_options"] or [], options["labels"], []
    said += [f"--class '{label}'" for label in labels]
    said += [f"--layer {option.layer}" for option in layers]
    networks = [recipes.open(name, options) for name in options["compare"]]
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
            ways.append(Way(network, recipes.recipe(here)[0], network.name, " ".join(said)))
        else:
            (best,) = _sheet(here, recipes, small, 1)
            ways.append(replace(best, title=network.name, words=f"{best.title}: {best.words}"))
    return ways
