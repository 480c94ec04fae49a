"""The recipe that the options of `manage.py dream` make, and the networks that it is for."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from django.conf import settings

from dreamer import registered
from dreamer.engine import Network, Recipe
from dreamer.engine.pictures import read_recipe
from dreamer.engine.source import awake
from dreamer.engine.target_options import LayerOption, build_target


class Recipes:
    """Opens each network once."""

    def __init__(self) -> None:
        self._opened: dict[str, Network] = {}

    def open(self, name: str, options: dict[str, Any]) -> Network:
        """The network of this name, opened once. Raises LibraryError."""
        if name not in self._opened:
            self._opened[name] = Network.open(
                registered.registry().get(name).path,
                device=options["device"],
                threads=options["threads"],
                gpu_memory=settings.DREAM_GPU_MEMORY,
                tf32=settings.DREAM_TF32,
            )
        return self._opened[name]

    def recipe(self, options: dict[str, Any]) -> tuple[Recipe, Network]:
        """The recipe that the options make of the given recipe or the preset, and the network it is for."""
        given = {f.name: options[f.name] for f in fields(Recipe) if f.metadata and options[f.name] is not None}
        if options["photo"] and "noise" in given:
            raise ValueError(f"received both a photograph ({options['photo']}) and --noise, expected one of them")
        base = Recipe.from_json(read_recipe(options["recipe"])).to_json() if options["recipe"] else {}
        model = given.get("model") or base.get("model") or registered.default_model()
        if not model:
            raise ValueError("there is no network yet: `manage.py model fetch` or `manage.py model import` brings one")
        if not options["recipe"]:
            base = registered.preset(options["preset"] or ("noise" if "noise" in given else "photo"), model)
        elif options["preset"]:
            raise ValueError("received both --recipe and --preset, expected one of them")
        if options["photo"]:
            base["noise"] = None
        files = registered.registry().get(model)
        network = self.open(model, options)
        layers, labels = options["layer_options"] or [], options["labels"]
        if not (layers or labels or "target" in base) and files.shelf:
            first = files.shelf[0]
            layers = [LayerOption(first.layer, None if first.channel is None else str(first.channel))]
        if layers or labels or "target" not in base:
            guide = options["guide_mode"] if options["guide"] else None
            target = build_target(network, layers, labels=labels, guide=guide, squared=options["squared"])
            if not options["photo"]:
                target = awake(network, target)
            base["target"] = target.to_json()
        elif options["squared"] is not None:
            raise ValueError("received --squared without a --layer, expected the layer that it is said of")
        elif options["guide"] and not any("guide" in term for term in base["target"]["terms"]):
            raise ValueError("received --guide for a recipe without one, expected a --layer to choose channels of")
        return Recipe.from_json({**base, **given, "model": model}), network
