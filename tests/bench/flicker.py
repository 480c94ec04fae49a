"""How much a dreamed video flickers, beside the same one with each picture dreamed alone; and how long both take.

A ten-second scene with sound is made, read in as an upload is, dreamed both ways, and looked at along its own optical
flow. `--video FILE` takes a film of yours.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import django

from tests import environment

environment.isolate()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dreamsite.settings")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.flicker", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="of the scene, 0.5 to 60 (default: 10)")
    parser.add_argument("--side", type=int, default=320, help="px of its longer side, 96 to 1280 (default: 320)")
    parser.add_argument("--video", type=Path, help="a film instead of the scene")
    parser.add_argument("--model", type=Path, help="a network's file instead of the house model")
    parser.add_argument("--layer", default="inception_4b/forms")
    parser.add_argument("--threads", type=int, default=0, help="0: all cores")
    options = parser.parse_args()
    if not (0.5 <= options.seconds <= 60 and 96 <= options.side <= 1280):
        parser.error(f"received {options.seconds} s and {options.side} px, expected 0.5 to 60 s and 96 to 1280 px")
    django.setup()
    from dreamer import house, registered
    from dreamer.engine import Network, Recipe, dream
    from dreamer.engine.film import fit
    from dreamer.video.carry import dreamed, flicker
    from dreamer.video.clean import Limits, clean
    from dreamer.video.films import pictures
    from tests.video.films import scene, tone, video

    name = "own" if options.model else house.NAME
    network = Network.open(options.model or house.BUILTIN / house.NAME, threads=options.threads)
    target = {"terms": [{"layer": options.layer}]}
    recipe = Recipe.from_json({**registered.preset("photo", name), "model": name, "target": target})
    with tempfile.TemporaryDirectory() as folder:
        source, path = Path(folder) / "in.mp4", Path(folder) / "clean.mp4"
        if options.video is None:
            width, height = options.side, options.side * 9 // 16 // 2 * 2
            shots = (
                scene(round(12 * options.seconds), width, height),
                scene(round(12 * options.seconds), width, height, seed=8, speed=0.5),
            )
            sound = tone(options.seconds, click=options.seconds / 2)
            source.write_bytes(video([*shots[0], *shots[1]], fps=24, sound=sound))
        began = time.monotonic()
        made = clean(options.video or source, path, Limits(side=options.side))
        read = time.monotonic() - began
        film = list(pictures(path, fit(made.height, made.width, options.side)))
    began = time.monotonic()
    alone = [dream(picture, network, recipe) for picture in film]
    alone_seconds, began = time.monotonic() - began, time.monotonic()
    ours = [found.dreamed for found in dreamed(film, network, recipe, cuts=made.cuts)]
    our_seconds = time.monotonic() - began
    # A cut is no flicker: each shot by itself.
    starts = sorted({0, *made.cuts, len(film)})
    shares = {"alone": 0.0, "carried": 0.0, "film": 0.0}
    for first, last in pairwise(starts):
        if last - first > 1:
            weight = (last - first - 1) / (len(film) - len(starts) + 1)
            of_alone, own = flicker(film[first:last], alone[first:last])
            of_ours, _own = flicker(film[first:last], ours[first:last])
            for key, value in (("alone", of_alone), ("carried", of_ours), ("film", own)):
                shares[key] += weight * value
    result = {
        "pictures": len(film),
        "size": f"{film[0].shape[1]} x {film[0].shape[0]}",
        "shots": len(starts) - 1,
        "sound": made.sound,
        "flicker_alone": round(shares["alone"], 2),
        "flicker_carried": round(shares["carried"], 2),
        "flicker_film": round(shares["film"], 2),
        "carried_to_alone": round(shares["carried"] / shares["alone"], 3),
        "read_s": round(read, 1),
        "alone_s": round(alone_seconds, 1),
        "carried_s": round(our_seconds, 1),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
