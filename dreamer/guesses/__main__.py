"""``python -m dreamer.guesses``: how often the right word is among the guesses at sketches, for each network."""

from __future__ import annotations

import argparse
from pathlib import Path

from dreamer.engine import Network
from dreamer.house import BUILTIN
from dreamer.house.classes import OBJECTS

from . import emoji, eye, teaching
from .judging import judge


def main(argv: list[str] | None = None) -> None:
    """Draw, guess, print."""
    parser = argparse.ArgumentParser(prog="dreamer.guesses", description=(__doc__ or "").split(": ", 1)[1])
    parser.add_argument(
        "--model", metavar="DIR", action="append", default=[], help="a registered network's folder, too"
    )
    parser.add_argument("--count", type=int, default=100, help="how many sketches (%(default)s)")
    parser.add_argument("--seed", type=int, default=20_261_130, help="of their hand (%(default)s)")
    parser.add_argument("--teach", action="store_true", help=f"teach the house model's eye first: {eye.FILE.name}")
    parser.add_argument(
        "--drawings",
        metavar="DIR",
        type=Path,
        action="append",
        default=[],
        help="the same emoji by another hand, to teach with: an unpacked @iconify-json package (docs/dreams/README.md)",
    )
    parser.add_argument("--each", type=int, default=6, help="drawings of every emoji to teach with (%(default)s)")
    options = parser.parse_args(argv)
    if options.drawings and not options.teach:
        parser.error("--drawings are what --teach teaches with")
    house = Network.open(BUILTIN / "house", device="cpu")
    if options.teach:
        sets = emoji.read(options.drawings, "".join(OBJECTS.values()))
        for one in sets:
            print(f"{one.name}: {len(one.drawings)} emoji, {one.licence}", flush=True)
        teaching.teach(house, sets, options.each).save()
        eye.read.cache_clear()
    print(f"house: {judge(house, None, options.count, options.seed)}", flush=True)
    for folder in map(Path, options.model):
        network = Network.open(folder, device="cpu")
        for name, looks in ((f"{network.name} by itself", None), (f"{network.name}, the house model looking", house)):
            print(f"{name}: {judge(network, looks, options.count, options.seed)}", flush=True)


if __name__ == "__main__":
    main()
