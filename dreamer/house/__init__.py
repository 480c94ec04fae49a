"""The house model: our own small Inception, trained on what we draw ourselves, and the code that made it.

`models/` (BUILTIN) is a root for `dreamer.library.Registry` with the model that ships with the program. The rest
makes it and never runs on the site:

    classes.py   what it learns to recognise: emoji by name, and the textures
    sprites.py   emoji as pictures, with volume and with eyes worth dreaming of
    textures.py  procedural textures, each a class of its own
    samples.py   labelled crops composed of both, from a seed
    network.py   the network (PyTorch)
    train.py     training, first plain, then against perturbed pictures; resumable
    export.py    from a checkpoint to `models/house/`
    look.py      sheets of what it dreams, to judge it by

`python -m dreamer.house --help` lists the commands; docs/house-model.md is the model's card.
"""

from pathlib import Path

BUILTIN = Path(__file__).parent / "models"
