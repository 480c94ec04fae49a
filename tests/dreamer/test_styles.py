"""What to dream of next."""

from __future__ import annotations

import random

import pytest

from dreamer.engine import Layer
from dreamer.library import ShelfStyle
from dreamer.library.files import read_shelf
from dreamer.library.registry import SHELVES
from dreamer.styles import OPENERS, Style, choose, describe

LAYERS = {
    name: Layer(name, channels, stride, spatial)
    for name, channels, stride, spatial in [
        ("conv1/7x7_s2", 64, 2, True),
        ("inception_3a/output", 256, 8, True),
        ("inception_4c/output", 512, 16, True),
        ("logits", 1000, 32, False),
    ]
}
SHELF = (ShelfStyle("inception_4c/output", 68, "Parrots"), ShelfStyle("inception_3a/output", None, "Staring crowd"))


def test_the_first_dream_of_a_canvas_is_from_the_shelf() -> None:
    for seed in range(30):
        assert choose("net", LAYERS, SHELF, random.Random(seed)).title in ("Parrots", "Staring crowd")


def test_the_first_dream_is_one_of_the_best_at_the_head_of_a_long_shelf() -> None:
    shelf = tuple(ShelfStyle("inception_4c/output", number, str(number)) for number in range(60))
    firsts = {choose("net", LAYERS, shelf, random.Random(seed)).channel for seed in range(200)}
    assert len(firsts) > 5 and firsts <= set(range(OPENERS))
    before = choose("net", LAYERS, shelf, random.Random(0))
    later = {choose("net", LAYERS, shelf, random.Random(seed), avoid=before).title for seed in range(400)}
    assert any(title.isdigit() and int(title) >= OPENERS for title in later)


def test_later_ones_come_half_from_the_shelf_and_never_the_same_twice_in_a_row() -> None:
    chance, style, titles = random.Random(1), None, []
    for _ in range(400):
        after = choose("net", LAYERS, SHELF, chance, avoid=style)
        assert after != style and after.fits(LAYERS)
        assert after.layer in ("inception_3a/output", "inception_4c/output")  # neither the grain nor a vector
        style = after
        titles.append(style.title)
    from_shelf = sum(title in ("Parrots", "Staring crowd") for title in titles)
    assert 100 < from_shelf < 300
    assert any(title.startswith("Form ") for title in titles) and any(title == "Patterns of 3a" for title in titles)


def test_shelf_entries_that_the_network_does_not_have_are_passed_over() -> None:
    shelf = (ShelfStyle("elsewhere", 1, "Nothing"), ShelfStyle("inception_4c/output", 600, "Too high"), SHELF[0])
    assert choose("net", LAYERS, shelf, random.Random(0)).title == "Parrots"


def test_names_that_a_person_can_read() -> None:
    assert describe(LAYERS["inception_4c/output"], None) == "Forms of 4c"
    assert describe(LAYERS["inception_4c/output"], 68) == "Form 68 of 4c"
    assert describe(Layer("mixed5b_pool_reduce_pre_relu", 128, 32, True), 3) == "Creature 3 of 5b"


def test_a_network_without_places_is_refused() -> None:
    with pytest.raises(ValueError, match="no layer with height and width"):
        choose("net", {"logits": LAYERS["logits"]}, (), random.Random(0))


def test_what_was_stored_comes_back_or_is_forgotten() -> None:
    style = choose("net", LAYERS, SHELF, random.Random(3))
    assert Style.from_json(style.to_json()) == style
    assert Style.from_json({}) is None and Style.from_json({"model": "net"}) is None


@pytest.mark.parametrize("name", ["googlenet", "inception5h"])
def test_a_known_networks_first_dreams_are_of_things_and_not_of_grain(name: str) -> None:
    first = read_shelf(SHELVES / f"{name}.json")[:OPENERS]
    assert len(first) == OPENERS and all(style.layer.startswith(("inception_4", "mixed4", "mixed5")) for style in first)
