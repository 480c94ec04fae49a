"""`manage.py atlas`: every channel once, on a sheet that its JSON describes, and no work done twice."""

from __future__ import annotations

import json
import signal
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from dreamer.engine import Network, Recipe, Target
from dreamer.engine.atlas import chief_layers, recipe_for
from dreamer.engine.pictures import read_picture, read_recipe
from dreamer.engine.source import awake, before_relu
from dreamer.management.terminal import Bar
from tests.dreamer import nets

LAYER = "block/1x1"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return Network.open(nets.register_tiny(tmp_path_factory.mktemp("models")), threads=1)


@pytest.fixture
def out(network: Network, tmp_path: Path, settings: Any) -> Path:
    nets.register_tiny(tmp_path / "models")
    settings.MODELS_DIR = tmp_path / "models"
    return tmp_path / "atlas"


def run(out: Path, *words: str) -> str:
    output = StringIO()
    call_command("atlas", "tiny", "--out", str(out), "--side", "48", "--threads", "1", *words, stdout=output)
    return output.getvalue()


def test_a_sheet_with_every_channel_and_its_json(out: Path, network: Network) -> None:
    assert "block-1x1.jpg" in run(out, "--layer", LAYER)
    data = json.loads((out / "block-1x1.json").read_text())
    count = network.layers[LAYER].channels
    assert (data["model"], data["layer"], data["side"]) == ("tiny", LAYER, 48)
    assert [cell["channel"] for cell in data["channels"]] == list(range(count))
    sheet = read_picture(out / data["sheet"]).astype(int)
    for cell in data["channels"]:
        small = read_picture(out / "block-1x1" / f"{cell['channel']:04d}.webp")
        placed = sheet[cell["y"] : cell["y"] + 48, cell["x"] : cell["x"] + 48]
        assert np.abs(placed - small).mean() < 8  # the sheet is a JPEG
    assert any(cell["answer"] > 0 for cell in data["channels"])


def test_stopped_and_started_again_it_goes_on(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def press(bar: Bar, fraction: float, *more: Any) -> None:
        calls.append("channel")
        if len(calls) == 3:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Bar, "show", press)
    with pytest.raises(CommandError, match="goes on from here") as stopped:
        run(out, "--layer", LAYER)
    assert stopped.value.returncode == 130
    done = {path.name: path.stat().st_mtime_ns for path in (out / "block-1x1").iterdir()}
    assert 3 <= len(done) <= 4
    assert not (out / "block-1x1.jpg").exists()
    # One is damaged, one is from another recipe: these two are dreamed again, the others are kept.
    names = sorted(done)
    (out / "block-1x1" / names[0]).write_bytes(b"torn")
    (out / "block-1x1" / names[1]).write_bytes((out / "block-1x1" / names[2]).read_bytes())
    run(out, "--layer", LAYER)
    now = {name: (out / "block-1x1" / name).stat().st_mtime_ns for name in names}
    assert now[names[2]] == done[names[2]]
    assert Recipe.from_json(read_recipe(out / "block-1x1" / names[1])).target.terms[0].channels == ((1, 1.0),)
    assert read_picture(out / "block-1x1" / names[0]).shape == (48, 48, 3)
    assert (out / "block-1x1.jpg").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--layer", "blok/1x1"], "block/1x1"),
        (["--layer", LAYER, "--side", "8"], "side: received 8, expected 32"),
    ],
)
def test_mistakes(out: Path, words: list[str], expected: str) -> None:
    with pytest.raises(CommandError, match=expected):
        run(out, *words)


def test_unknown_networks_name_the_nearest(out: Path) -> None:
    with pytest.raises(CommandError, match="tiny"):
        call_command("atlas", "tinny")


def test_chief_layers_are_the_blocks_last_ones(network: Network) -> None:
    assert chief_layers(network) == ["conv1", "conv2", "block/output"]


def test_a_channel_is_followed_to_where_it_has_a_gradient(network: Network) -> None:
    assert before_relu(network, "conv2", 5) == ("conv2_pre", 5)
    width = network.layers["block/1x1"].channels
    assert before_relu(network, "block/output", 2) == ("block/1x1_pre", 2)
    assert before_relu(network, "block/output", width + 3) == ("block/3x3_pre", 3)
    assert before_relu(network, "logits", 4) == ("logits", 4)
    picture = np.random.default_rng(0).uniform(0, 255, (3, 64, 64)).astype(np.float32)
    for channel in (0, width, 3 * width, 4 * width):
        layer, number = before_relu(network, "block/output", channel)
        after, before = network.activations(picture, "block/output"), network.activations(picture, layer)
        np.testing.assert_allclose(after[channel], np.maximum(before[number], 0), atol=1e-4)


def test_whole_layers_and_squares_stay_as_they_are(network: Network) -> None:
    for target in (Target.layer("conv2"), Target.layer("conv2", 3, squared=True)):
        assert awake(network, target) == target
    assert recipe_for(network, "conv2", 3).target == Target.layer("conv2_pre", 3)
