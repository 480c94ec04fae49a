"""Random journals, and the browser's answer to them: shared by the golden vectors and the comparison of both hosts."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from canvas import picture, wire
from canvas.brush import Pixels
from tests import wire_client
from tests.running import PATIENCE
from tests.sockets import pieces

ROOT = Path(__file__).resolve().parents[2]


def digest(pixels: Pixels) -> str:
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()


def random_pixels(chance: random.Random, width: int, height: int) -> Pixels:
    return np.frombuffer(chance.randbytes(width * height * 3), np.uint8).reshape(height, width, 3).copy()


def random_stroke(
    chance: random.Random, stroke: int, side: int, author: int, frames: Sequence[int] = ()
) -> list[wire.Operation]:
    """The pieces of one stroke: any width, sometimes leaving the canvas, standing still, or of one point.

    Where there are `frames`, every third brings back one of them.
    """
    x, y, w = (
        chance.randint(-40, side * 8 + 40),
        chance.randint(-40, side * 8 + 40),
        chance.choice([8, 9, 31, 88, 200, 992]),
    )
    points = [(x, y, w)]
    reach = chance.choice([0, 3, 40, 300])
    for _ in range(chance.choice([0, 1, 2, 9, 30])):
        x += chance.randint(-reach, reach)
        y += chance.randint(-reach, reach)
        w = min(992, max(8, w + chance.randint(-30, 30)))
        points.append((x, y, w))
    colour = (chance.randrange(256), chance.randrange(256), chance.randrange(256))
    cut = pieces(stroke, points, each=chance.choice([1, 3, 40]), colour=colour, opacity=chance.choice([1, 102, 255]))
    if frames and chance.random() < 1 / 3:
        frame = chance.choice(frames)
        cut = [replace(piece, colour=(0, 0, 0), frame=frame) for piece in cut]
    return [wire_client.by(piece, author) for piece in cut]


def random_journal(
    chance: random.Random, side: int, *, authors: int = 3, frames: Sequence[int] = ()
) -> list[wire.Operation]:
    """Strokes of several people interleaved piece by piece, with undo, hide and show among them."""
    going: list[list[wire.Operation]] = []
    for author in range(1, authors + 1):
        mine: list[wire.Operation] = []
        for stroke in range(chance.randint(1, 5)):
            mine += random_stroke(chance, author * 1000 + stroke, side, author, frames)
            if chance.random() < 0.25:
                mine.append(wire.Undo(author * 1000 + chance.randint(0, stroke), author))
        going.append(mine)
    journal: list[wire.Operation] = []
    while any(going):
        mine = chance.choice([some for some in going if some])
        journal.append(mine.pop(0))
        if chance.random() < 0.03:
            numbers = tuple(chance.randint(1, len(journal)) for _ in range(chance.randint(1, 4)))
            journal.append(wire.Hide(numbers, chance.random() < 0.4, 99))
    return journal


def numbered(operations: list[wire.Operation], first: int = 1) -> list[picture.Numbered]:
    return list(enumerate(operations, first))


def as_line(
    side: int, background: tuple[int, int, int], operations: list[picture.Numbered], **more: Any
) -> dict[str, Any]:
    """A journal in the form that tests/js/replay.mjs reads."""
    hexed = [[number, wire.encode(op).hex()] for number, op in operations]
    return {"width": side, "height": side, "background": list(background), "ops": hexed, **more}


def pictures_of(pictures: Mapping[int, Pixels]) -> dict[str, str]:
    """What UNDREAMs bring back, in the form that tests/js/replay.mjs reads."""
    return {str(frame): base64_of(pixels) for frame, pixels in pictures.items()}


def base64_of(pixels: Pixels) -> str:
    return base64.b64encode(np.ascontiguousarray(pixels).tobytes()).decode()


def replay_in_node(lines: list[dict[str, Any]]) -> list[str]:
    """SHA-256 of the picture that the browser's modules make of each journal."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node: pip install -r requirements-dev.txt brings it")
    done = subprocess.run(
        [node, str(ROOT / "tests/js/replay.mjs")],
        input="\n".join(map(json.dumps, lines)),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.split()
