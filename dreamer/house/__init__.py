"""The house model: our own small Inception, and the code that makes it.

`models/` (BUILTIN) is a root for `dreamer.library.Registry` with the model that ships with the program. The rest
makes it and never runs on the site:

    classes.py   what it learns to recognise: emoji by name, and the textures; guesses at drawings use it, too
    sprites.py   emoji as pictures, with volume and with eyes worth dreaming of
    textures.py  procedural textures, each a class of its own
    samples.py   labelled crops composed of both, from a seed
    photographs.py  cut-outs and photographs of two Debian packages, by their licences
    sketches.py  things as people draw them, by the canvas' own brush
    scenes.py    what the second edition is taught with: views of all these, and of dreams
    pasted.py    views that cost little, pasted from a stock for every step: classes alone, no teacher
    dreams.py    dreams of a teacher and of the house model, to train with
    teacher.py   what GoogLeNet sees in views, computed once and kept
    network.py   the second edition's network (PyTorch)
    widened.py   how a larger network begins as a smaller one
    train.py     training, first plain, then against perturbed views; resumable
    export.py    from a checkpoint to `models/house/`
    judge.py     how often it knows what fresh samples show
    look.py      sheets of what it dreams, to judge it by
    __main__.py  the commands that do all this

`python -m dreamer.house --help` lists the commands; docs/house-model.md is the model's card.
"""

from pathlib import Path
from typing import Any

BUILTIN = Path(__file__).parent / "models"
NAME = "house"

# What suits it on the live canvas, found by looking (docs/house-model.md). Forms begin in the small octaves, where
# steps cost little, and the finest octave adds more cost than detail; a white canvas needs something to see forms in,
# and ink that soaks in makes them grow along strokes. Its gradients would carry longer steps, but a drawing would not:
# with short ones, and the ink's own hue held, it lives for several dreams.
LIVE: dict[str, Any] = {
    "octaves": 7,
    "finest": 0.65,
    "taper": 1.3,
    "step": 2.6,
    "smooth": 4,
    "colour": "vivid",
    "wash": 40.0,
    "chroma": 80.0,
    "soak": 0.1,
    "hue": 0.85,
}
# A photograph is dreamed once: in every octave, to the finest, by more and shorter steps. It has no empty ground, and
# stays sharp.
PHOTO: dict[str, Any] = {
    **LIVE,
    "iterations": 3,
    "step": 6.0,
    "finest": 1.0,
    "wash": 0.0,
    "soak": 0.0,
    "hue": 0.0,
    "mean_free": True,
}
