"""Which network a site dreams with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from dreamer.engine import PRESETS, Recipe, Target
from dreamer.registered import candidates, default_model, preset, registry
from tests.dreamer import nets


@pytest.fixture(autouse=True)
def models(settings: Any, tmp_path: Path) -> Path:
    settings.MODELS_DIR, settings.DREAM_MODEL, settings.HOUSE_MODEL = tmp_path, "", True
    return tmp_path


def test_a_fresh_site_has_the_house_model_and_takes_no_other_that_nobody_chose(models: Path) -> None:
    assert registry().names() == ("house",) and default_model() == "house"
    nets.register_tiny(models, "aardvark")
    assert registry().names() == ("aardvark", "house") and default_model() == "house"
    assert default_model("aardvark") == "aardvark"


def test_the_site_s_own_network_goes_before_the_house_model_once_it_is_here(models: Path, settings: Any) -> None:
    settings.DREAM_FETCH = "googlenet"
    assert candidates() == ["house"]
    nets.register_tiny(models, "googlenet")
    assert candidates() == ["googlenet", "house"]
    settings.DREAM_FETCH = ""
    assert candidates() == ["house"]


def test_what_somebody_decided_is_the_only_candidate_also_where_it_is_missing(models: Path, settings: Any) -> None:
    nets.register_tiny(models)
    settings.DREAM_MODEL = settings.DREAM_FETCH = "tiny"
    assert candidates("house") == ["house"] and candidates() == ["tiny"]
    settings.DREAM_MODEL = "gone"
    assert candidates() == ["gone"]


def test_where_there_is_nothing_else_the_first_that_came_dreams(models: Path, settings: Any) -> None:
    settings.HOUSE_MODEL = False
    os.utime(nets.register_tiny(models, "zebra"), (1, 1))
    assert default_model() == "zebra"
    nets.register_tiny(models, "aardvark")
    assert default_model() == "zebra"


def test_without_the_house_model_there_may_be_none(settings: Any) -> None:
    settings.HOUSE_MODEL = False
    assert registry().names() == () and default_model() == ""


@pytest.mark.parametrize("model", ["googlenet", "inception5h", "zebra", "house"])
@pytest.mark.parametrize("name", PRESETS)
def test_every_network_has_every_recipe(name: str, model: str) -> None:
    recipe = Recipe(Target.layer("anything"), model=model, **preset(name, model))
    if name == "live":  # what each needs to bring a white canvas to life and to keep it for hours
        assert recipe.wash and recipe.soak and recipe.taper > 1 and recipe.hue and recipe.chroma and recipe.mean_free


def test_the_house_model_has_recipes_of_its_own() -> None:
    assert preset("live", "house") != preset("live", "zebra") == PRESETS["live"]
    assert preset("photo", "house") != preset("photo", "zebra") == PRESETS["photo"]
