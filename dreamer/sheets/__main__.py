"""``python -m dreamer.sheets``: contact sheets of live dreams, and how much of each drawing they keep.

For each network one sheet: five drawings and white paper, and what the rule before and the rule now make of each after
1, 5 and 20 dreams, JPEG 93 between them as on the live canvas. And a table in Markdown: the share of a drawing's edges
that are found again after 1, 2, 3 and 5 dreams (`likeness.kept`), in brackets what chance gives.

What was dreamed lies under --work and is not dreamed again.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from dreamer.engine import Network
from dreamer.engine.bands import Bytes
from dreamer.house import BUILTIN
from dreamer.library.files import ModelFiles
from dreamer.registered import preset

from .chains import Chain
from .drawings import DRAWINGS
from .likeness import chance, kept

SIDE, TILE = 1536, 352  # px: the canvas, and a picture on a sheet
SHOWN, MEASURED = (1, 5, 20), (1, 2, 3, 5)
FIVE = tuple(name for name in DRAWINGS if name != "white")  # on white there is nothing to keep
STYLED, STYLED_FOR = "harbour", 3  # the drawing that styles are measured on, and for how many dreams

HEAD = (
    f"| network | drawing | style | rule | {' | '.join(map(str, MEASURED))} dreams |\n|{'---|' * (4 + len(MEASURED))}"
)

# The rule before: what GoogLeNet and the house model dreamed by until recipes were chosen by looking.
BEFORE: dict[str, dict[str, Any]] = {
    "googlenet": {"mean_free": True},
    "house": {
        "octaves": 7,
        "finest": 0.65,
        "taper": 1.3,
        "step": 8.0,
        "smooth": 4,
        "colour": "vivid",
        "wash": 40.0,
        "chroma": 80.0,
        "soak": 0.2,
        "mean_free": True,
    },
}


def main(argv: list[str] | None = None) -> None:
    """Dream, print, write."""
    parser = argparse.ArgumentParser(prog="dreamer.sheets", description=(__doc__ or "").split("\n\n")[1])
    parser.add_argument("--model", metavar="DIR", help="a registered GoogLeNet's folder, beside the house model")
    parser.add_argument("--out", type=Path, default=Path("docs/dreams"), help="where sheets go (%(default)s)")
    parser.add_argument("--work", type=Path, default=Path("var/sheets"), help="where dreams go (%(default)s)")
    parser.add_argument("--side", type=int, default=SIDE, help="the canvas' side in pixels (%(default)s)")
    parser.add_argument("--threads", type=int, default=0, help="cores to use (all)")
    parser.add_argument("--only-measure", action="store_true", help="print the table, draw no sheets")
    parser.add_argument("--cost", action="store_true", help="print the processor's seconds for a dream, too")
    parser.add_argument("--dreams", type=int, nargs="+", default=SHOWN, help="which dreams a sheet shows (1 5 20)")
    parser.add_argument("--drawings", nargs="+", choices=DRAWINGS, default=tuple(DRAWINGS), help="which drawings (all)")
    parser.add_argument("--styles", type=int, default=0, help="measure so many of the shelf's styles, too (none)")
    parser.add_argument("--styled", choices=FIVE, default=STYLED, help="the drawing they are measured on (%(default)s)")
    parser.add_argument("--styled-for", type=int, default=STYLED_FOR, help="and for how many dreams (%(default)s)")
    options = parser.parse_args(argv)
    print(HEAD)
    for folder in (BUILTIN / "house", *([Path(options.model)] if options.model else [])):
        files, network = ModelFiles.read(folder), Network.open(folder, device="cpu", threads=options.threads)
        rules = {"before": BEFORE.get(network.name, BEFORE["googlenet"]), "now": preset("live", network.name)}
        pairs = [
            {rule: Chain(network, fields, style, drawing, options.side) for rule, fields in rules.items()}
            for drawing, style in zip(DRAWINGS, files.shelf, strict=False)
            if drawing in options.drawings
        ]
        for pair in pairs:
            for rule, chain in pair.items():
                if chain.drawing in FIVE:
                    report(rule, chain, options.work)
        for style in files.shelf[: options.styles]:
            chain = Chain(network, rules["now"], style, options.styled, options.side)
            report("now", chain, options.work, options.styled_for)
        if options.cost:
            print(f"\n{network.name}: {cost(pairs[0])}\n", flush=True)
        if not options.only_measure:
            options.out.mkdir(parents=True, exist_ok=True)
            sheet = Image.fromarray(np.concatenate([row(pair, options.dreams, options.work) for pair in pairs]))
            sheet.save(options.out / f"{network.name}.jpg", quality=80, optimize=True)


def report(rule: str, chain: Chain, work: Path, last: int = MEASURED[-1]) -> None:
    """A row of the table: what is kept of the drawing, until a last dream."""
    first, *dreams = chain.dreams(last, work)
    shares = [
        f"{kept(first, dreams[n - 1]):.2f} ({chance(first, dreams[n - 1]):.2f})" if n <= len(dreams) else ""
        for n in MEASURED
    ]
    print(f"| {' | '.join([chain.network.name, chain.drawing, chain.style.label, rule, *shares])} |", flush=True)


def cost(pair: Mapping[str, Chain]) -> str:
    """The seconds of each rule's dreams, in turns, the least of two each: everywhere, and the first out of ink."""
    turns = [
        {(rule, e): chain.seconds(everywhere=e) for rule, chain in pair.items() for e in (True, False)} for _ in "12"
    ]
    least = {key: min(turn[key] for turn in turns) for key in turns[0]}
    return ", ".join(f"{rule} {least[rule, True]:.2f} s (first dream {least[rule, False]:.2f} s)" for rule in pair)


def row(pair: Mapping[str, Chain], numbers: Sequence[int], work: Path) -> Bytes:
    """The drawing, and its dreams of these numbers by each rule, side by side."""
    return np.concatenate([_tile(picture, words) for picture, words in _shown(pair, numbers, work)], axis=1)


def _shown(pair: Mapping[str, Chain], numbers: Sequence[int], work: Path) -> Iterator[tuple[Bytes, str]]:
    for number, (rule, chain) in enumerate(pair.items()):
        for dreamed, picture in enumerate(chain.dreams(max(numbers), work)):
            if dreamed in numbers:
                yield picture, f"{rule}, dream {dreamed}"
            elif not dreamed and not number:
                yield picture, f"{chain.drawing}: {chain.style.label}"


def _tile(picture: Bytes, words: str) -> Bytes:
    small = Image.fromarray(picture).resize((TILE, TILE), Image.Resampling.LANCZOS)
    tile = Image.new("RGB", (TILE, TILE + 16), (24, 24, 27))
    tile.paste(small)
    ImageDraw.Draw(tile).text((4, TILE + 2), words, fill=(230, 230, 230))
    return np.asarray(tile)


if __name__ == "__main__":
    main()
