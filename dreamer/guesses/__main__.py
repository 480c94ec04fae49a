"""``python -m dreamer.guesses``: how often the right word is among the guesses at sketches, for each network."""

from __future__ import annotations

import argparse
from pathlib import Path

from dreamer.engine import Network
from dreamer.house import BUILTIN

from .judging import judge


def main(argv: list[str] | None = None) -> None:
    """Draw, guess, print."""
    parser = argparse.ArgumentParser(prog="dreamer.guesses", description=(__doc__ or "").split(": ", 1)[1])
    parser.add_argument(
        "--model", metavar="DIR", action="append", default=[], help="a registered network's folder, too"
    )
    parser.add_argument("--count", type=int, default=100, help="how many sketches (%(default)s)")
    parser.add_argument("--seed", type=int, default=20_261_130, help="of their hand (%(default)s)")
    options = parser.parse_args(argv)
    for folder in (BUILTIN / "house", *map(Path, options.model)):
        network = Network.open(folder, device="cpu")
        print(f"{network.name}: {judge(network, options.count, options.seed)}", flush=True)


if __name__ == "__main__":
    main()
