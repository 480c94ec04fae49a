"""`python -m dreamer.house`: make the house model, judge it, and look at what it dreams.

make DIR        from nothing to models/house: train (hours on two cores), export, judge; DIR keeps checkpoints
export FILE     write models/house (or --to) from a checkpoint
judge           accuracy on fresh samples
samples FILE    a sheet of training samples
classes FILE    what noise becomes for each class
dreams DIR      for each picture, and for a canvas of 1536 x 1536 with a scribble, with nothing and with a small drawing
                on it: a sheet of it and of what styles make of it
fifty FILE      what fifty dreams on top of one another make of a scribble and a blank canvas
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from PIL import Image

from ..library.files import ModelFiles, Style
from . import BUILTIN

HOUSE = BUILTIN / "house"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m dreamer.house", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("make", "export", "judge", "samples", "classes", "dreams", "fifty"))
    parser.add_argument("path", type=Path, nargs="?", help="the file or folder named above")
    parser.add_argument("--model", type=Path, default=HOUSE, help="the model's folder")
    parser.add_argument("--to", type=Path, default=HOUSE, help="where export writes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000, help="samples to judge by")
    parser.add_argument("--picture", type=Path, action="append", default=[], help="a picture to dream on")
    parser.add_argument(
        "--style", action="append", default=[], help="LAYER, LAYER:CHANNEL or creatures:fox; for `classes` a label"
    )
    parser.add_argument("--dreams", type=int, default=8, help="dreams on top of one another")
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    if options.what != "judge" and options.path is None:
        parser.error(f"{options.what} needs a path")
    _COMMANDS[options.what](options)


def _make(options: argparse.Namespace) -> None:
    from .export import export
    from .train import Plan, train

    options.path.mkdir(parents=True, exist_ok=True)
    train(options.path, Plan(seed=options.seed))
    export(options.path / "checkpoint.pt", options.to)
    options.model = options.to
    _judge(options)


def _export(options: argparse.Namespace) -> None:
    from .export import export

    export(options.path, options.to)


def _judge(options: argparse.Namespace) -> None:
    from .judge import judge

    for rich in (False, True):
        logging.info("%s%s", "richer: " if rich else "", judge(options.model, options.count, rich=rich))


def _samples(options: argparse.Namespace) -> None:
    from .look import sheet
    from .samples import render

    Image.fromarray(sheet(list(render(options.seed, 0, 128).pictures), 16)).save(options.path)


def _classes(options: argparse.Namespace) -> None:
    from ..engine import Network
    from .look import class_sheet

    network = Network.open(options.model, threads=options.threads)
    wanted = options.style or network.labels[:-1]
    Image.fromarray(class_sheet(network, wanted)).save(options.path)


def _dreams(options: argparse.Namespace) -> None:
    from ..engine import Network
    from .look import canvases, chain, open_picture, reduced, sheet, style_named

    network = Network.open(options.model, threads=options.threads)
    grounds = {path.stem: open_picture(path) for path in options.picture}
    grounds |= canvases()
    styles = [style_named(name) for name in options.style] or _shelf(options.model)[:11]
    options.path.mkdir(parents=True, exist_ok=True)
    for name, ground in grounds.items():
        dreamed = [[*chain(ground, network, [style] * options.dreams)][-1] for style in styles]
        pictures = [reduced(picture) for picture in (ground, *dreamed)]
        Image.fromarray(sheet(pictures, 4)).save(options.path / f"{name}.jpg", quality=85)
        logging.info("%s: %s", name, ", ".join(style.title for style in styles))


def _fifty(options: argparse.Namespace) -> None:
    from ..engine import Network
    from .look import canvases, fifty

    network = Network.open(options.model, threads=options.threads)
    grounds = [canvases()[name] for name in ("scribble", "blank")]
    Image.fromarray(fifty(network, _shelf(options.model), grounds, options.seed)).save(options.path, quality=85)


def _shelf(folder: Path) -> list[Style]:
    return list(ModelFiles.read(folder).shelf)


_COMMANDS = {
    "make": _make,
    "export": _export,
    "judge": _judge,
    "samples": _samples,
    "classes": _classes,
    "dreams": _dreams,
    "fifty": _fifty,
}

if __name__ == "__main__":
    main()
