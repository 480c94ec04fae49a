"""`python -m dreamer.house`: make the house model, judge it, and look at what it dreams.

train DIR       train in DIR, on from the checkpoint there: hours on two cores, or minutes where there is a GPU
lessons DIR     the first --count lessons of the training in DIR, made ahead
dreaming DIR    dreams of --model for the next lessons of the training in DIR, --count of them
sources         write the photographs' sources and licences into docs/house-model.md
views FILE      a sheet of what the second edition is taught with
export FILE     write models/house (or --to) from a checkpoint
judge           accuracy on fresh samples
compare         the editions given by --model, each in figures, in a table; --teacher is the other network
samples FILE    a sheet of training samples
classes FILE    what noise becomes for each class
dreams DIR      for each picture, and for a canvas of 1536 x 1536 with a scribble, with nothing and with a small drawing
                on it: a sheet of it and of what styles make of it
fifty FILE      what fifty dreams on top of one another make of a scribble and a blank canvas
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path

from PIL import Image

from ..library.files import ModelFiles, ShelfStyle
from . import BUILTIN

HOUSE = BUILTIN / "house"
CARD = Path(__file__).parents[2] / "docs" / "house-model.md"
SOURCES_BEGIN, SOURCES_END = "<!-- sources: python -m dreamer.house sources -->", "<!-- end of sources -->"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m dreamer.house", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=tuple(_COMMANDS))
    parser.add_argument("path", type=Path, nargs="?", help="the file or folder named above")
    parser.add_argument("--model", type=Path, action="append", help="the model's folder; compare: several times")
    parser.add_argument("--to", type=Path, default=HOUSE, help="where export writes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000, help="samples to judge by, dreams or lessons to make")
    parser.add_argument("--picture", type=Path, action="append", default=[], help="a picture to dream on")
    parser.add_argument(
        "--style", action="append", default=[], help="LAYER, LAYER:CHANNEL or creatures:fox; for `classes` a label"
    )
    parser.add_argument("--dreams", type=int, default=8, help="dreams on top of one another")
    parser.add_argument("--teacher", type=Path, help="train, lessons, compare: the folder of a registered GoogLeNet")
    parser.add_argument("--plan", default="{}", help='train: what differs from the plan (train.py), as in {"seed": 2}')
    parser.add_argument("--until", type=int, help="train: stop at this step")
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    options.models = options.model or [HOUSE]
    options.model = options.models[0]
    if options.what not in ("judge", "compare", "sources") and options.path is None:
        parser.error(f"{options.what} needs a path")
    _COMMANDS[options.what](options)


def _train(options: argparse.Namespace) -> None:
    from .train import train

    train(options.path, _teacher(options), json.loads(options.plan), until=options.until)


def _lessons(options: argparse.Namespace) -> None:
    from .train import make_lessons

    make_lessons(options.path, _teacher(options), options.count)


def _export(options: argparse.Namespace) -> None:
    from .export import export

    export(options.path, options.to)


def _judge(options: argparse.Namespace) -> None:
    from .judge import judge

    for rich in (False, True):
        logging.info("%s%s", "richer: " if rich else "", judge(options.model, options.count, rich=rich))


def _dreaming(options: argparse.Namespace) -> None:
    from .dreams import make_dreams

    made = len(list((options.path / "lessons").glob("[0-9]*[0-9]")))
    make_dreams(options.path / "dreams" / str(made + 1), options.model, options.count, options.seed)


def _compare(options: argparse.Namespace) -> None:
    from .compare import compare

    logging.info("%s", compare(options.models, _teacher(options), count=options.count))


def _teacher(options: argparse.Namespace) -> Path:
    if options.teacher is None:
        raise SystemExit(
            f"{options.what} needs --teacher: the folder of a GoogLeNet that `manage.py model fetch` brought"
        )
    folder: Path = options.teacher
    return folder


def _sources(options: argparse.Namespace) -> None:
    from .photographs import table

    before, _, rest = CARD.read_text(encoding="utf-8").partition(SOURCES_BEGIN)
    _, _, after = rest.partition(SOURCES_END)
    CARD.write_text(f"{before}{SOURCES_BEGIN}\n\n{table()}\n{SOURCES_END}{after}", encoding="utf-8")


def _views(options: argparse.Namespace) -> None:
    from .look import sheet
    from .scenes import render_scenes

    Image.fromarray(sheet(list(render_scenes(options.seed, 0, 128).pictures), 16)).save(options.path)


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


def _shelf(folder: Path) -> list[ShelfStyle]:
    return list(ModelFiles.read(folder).shelf)


_COMMANDS = {
    "train": _train,
    "lessons": _lessons,
    "export": _export,
    "judge": _judge,
    "compare": _compare,
    "dreaming": _dreaming,
    "samples": _samples,
    "sources": _sources,
    "views": _views,
    "classes": _classes,
    "dreams": _dreams,
    "fifty": _fifty,
}

if __name__ == "__main__":
    main()
