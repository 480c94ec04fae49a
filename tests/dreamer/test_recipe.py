"""The recipe: validated, stored, read back, and the words a target is asked for in."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamer.engine import PRESETS, Network, Recipe, Target, Term
from dreamer.engine.target_options import LayerOption, build_target, parse_channels, parse_size
from tests.dreamer import nets

TARGET = Target.layer("block/output")

recipes = st.builds(
    Recipe,
    target=st.sampled_from([TARGET, Target.layer("a", 3), Target((Term("a", ((1, 0.5),)), Term("b", weight=-2.0)))]),
    octaves=st.integers(1, 32),
    octave_scale=st.floats(1.01, 8),
    iterations=st.integers(0, 10_000),
    step=st.floats(0, 255),
    seed=st.integers(0, 2**63 - 1),
    colour=st.sampled_from(["rgb", "decorrelated"]),
    keep_colours=st.booleans(),
    near=st.floats(0, 1),
    noise=st.none() | st.tuples(st.integers(1, 65_535), st.integers(1, 65_535)),
)


@given(recipes)
def test_through_json_and_back(recipe: Recipe) -> None:
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_recipes(preset: str) -> None:
    recipe = Recipe(target=TARGET, **PRESETS[preset])
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_the_live_recipe_is_dreamcanvas() -> None:
    recipe = Recipe(target=TARGET)
    assert (recipe.octaves, recipe.octave_scale) == (6, 1.31415)
    assert (recipe.iterations, recipe.step, recipe.tile) == (1, 1.5, 512)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("octaves", 0, "received 0, expected 1 to 32"),
        ("octaves", 2.5, "received 2.5, expected a whole number"),
        ("octaves", True, "received True, expected a whole number"),
        ("octave_scale", 1.0, "expected 1.01 to 8"),
        ("step", float("nan"), "received nan"),
        ("step", "much", "received 'much', expected a number"),
        ("seed", -1, "received -1"),
        ("colour", "sepia", "expected one of rgb, decorrelated, vivid, luminance"),
        ("keep_colours", 1, "expected true or false"),
        ("model", "", "received an empty text"),
        ("noise", (0, 5), "expected width and height"),
        ("noise", "640x480", "expected width and height"),
        ("target", "banana", "expected a Target"),
    ],
)
def test_wrong_values_are_named(field: str, value: Any, expected: str) -> None:
    with pytest.raises((ValueError, TypeError), match=f"{field}: .*{expected}"):
        dataclasses.replace(Recipe(target=TARGET), **{field: value})


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ([], "received \\[\\], expected an object"),
        ({}, "no target"),
        ({"target": TARGET.to_json(), "octave": 3}, "unknown fields 'octave'"),
        ({"target": {"terms": "all"}}, "terms"),
    ],
)
def test_what_is_no_recipe_is_refused(data: object, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        Recipe.from_json(data)


def test_every_field_explains_itself() -> None:
    for field in dataclasses.fields(Recipe):
        assert field.name == "target" or len(field.metadata["help"]) > 10


# Words


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return Network.open(nets.register_tiny(tmp_path_factory.mktemp("models")))


def test_channels_in_words() -> None:
    assert parse_channels("63,64:0.5, 7:-1") == ((63, 1.0), (64, 0.5), (7, -1.0))
    for wrong in ("", "a", "3:", "3:x", "-1", "3:nan", "3;4"):
        with pytest.raises(ValueError, match=r"63,64:0\.5"):
            parse_channels(wrong)


def test_sizes_in_words() -> None:
    assert parse_size("1024x768") == (1024, 768) == parse_size("1024 × 768")
    for wrong in ("1024", "x", "10x", "axb", "-1x5"):
        with pytest.raises(ValueError, match="WIDTHxHEIGHT"):
            parse_size(wrong)


def test_targets_in_words(network: Network) -> None:
    target = build_target(
        network,
        [LayerOption("conv2", "3,5:0.5"), LayerOption("block/output:2", position="0.5,0.25")],
        labels=["thing 4"],
    )
    assert target.terms == (
        Term("conv2", ((3, 1.0), (5, 0.5))),
        Term("block/output", weight=2.0, position=(0.5, 0.25)),
        Term("logits", ((4, 1.0),)),
    )
    guided = build_target(network, [LayerOption("conv2"), LayerOption("conv1", "1")], guide="match")
    assert [term.guide for term in guided.terms] == ["match", None]


@pytest.mark.parametrize(
    ("layers", "label", "guide", "expected"),
    [
        ([LayerOption("blok/output")], None, None, "block/output"),
        ([LayerOption("conv2", "900")], None, None, "channels 0 to .*, received 900"),
        ([LayerOption("conv2:heavy")], None, None, "no layer 'conv2:heavy'"),
        ([LayerOption("conv2", position="2,2")], None, None, "position: received '2,2'"),
        ([], "thang 4", None, "thing 4"),
        ([], "10", None, "classes 0 to 9"),
        ([], None, None, "nothing to dream of"),
        ([LayerOption("conv2", "3")], None, "mean", "without channels"),
    ],
)
def test_unknown_words_name_the_nearest(network: Network, layers: Any, label: Any, guide: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        build_target(network, layers, labels=[label] if label else [], guide=guide)


def test_a_class_target_has_the_classs_score(network: Network, tmp_path: Path) -> None:
    assert build_target(network, [], labels=["7"]) == build_target(network, [], labels=["thing 7"])
