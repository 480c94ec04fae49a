"""``python -m dreamer.guesses``: how often the right word is among the guesses at sketches, for each network."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from dreamer.engine import Network
from dreamer.house import BUILTIN

from . import eye, sets, teaching
from .judging import judge


def main(argv: list[str] | None = None) -> None:
    """Draw, guess, print."""
    parser = argparse.ArgumentParser(prog="dreamer.guesses", description=(__doc__ or "").split(": ", 1)[1])
    parser.add_argument(
        "--model", metavar="DIR", action="append", default=[], help="a registered network's folder, too"
    )
    parser.add_argument("--count", type=int, default=100, help="how many sketches (%(default)s)")
    parser.add_argument("--seed", type=int, default=20_261_130, help="of their hand (%(default)s)")
    parser.add_argument("--teach", action="store_true", help=f"teach the eye first: {eye.FILE.name}")
    parser.add_argument(
        "--drawings",
        metavar="DIR",
        type=Path,
        action="append",
        default=[],
        help="things by another hand, to teach with: an unpacked @iconify-json package (docs/dreams/README.md)",
    )
    parser.add_argument(
        "--work", metavar="DIR", type=Path, default=Path("var/eye"), help="where lessons go; what is there goes on"
    )
    options = parser.parse_args(argv)
    if options.drawings and not options.teach:
        parser.error("--drawings are what --teach teaches with")
    if options.teach:
        from . import learning  # late: only this needs PyTorch

        say = partial(print, flush=True)
        lessons = teaching.drawn_lessons(sets.read(options.drawings), options.work, say)
        learning.fit(*lessons).save()
        eye.read.cache_clear()
    for folder in (BUILTIN / "house", *map(Path, options.model)):
        network = Network.open(folder, device="cpu")
        print(f"{network.name}: {judge(network, options.count, options.seed)}", flush=True)


if __name__ == "__main__":
    main()
