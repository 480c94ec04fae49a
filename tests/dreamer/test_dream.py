"""The dream itself, on a tiny random network: what any recipe must do to any picture."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dreamer.engine import Cancelled, Interrupted, Network, Progress, Recipe, Snapshot, Target, Term, dream
from dreamer.engine.dream import _moved
from dreamer.engine.noise import noise_picture
from dreamer.house import BUILTIN
from tests.dreamer import nets

TARGET = Target.layer("block/output")
SMALL = Recipe(target=TARGET, model="tiny", octaves=3, min_size=32, iterations=3, tile=64, seed=7)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return Network.open(nets.register_tiny(tmp_path_factory.mktemp("models")), threads=1)


@pytest.fixture(scope="module")
def photo() -> Any:
    """Soft coloured forms, 96 x 72, away from black and white, so that nothing clips."""
    return noise_picture(72, 96, contrast=20, seed=4)


@pytest.fixture(scope="module")
def large() -> Any:
    """Several tiles: 208 x 160."""
    return noise_picture(160, 208, contrast=20, seed=4)


def score(network: Network, picture: Any, target: Target = TARGET) -> float:
    return network.gradient(picture.transpose(2, 0, 1).astype(np.float32), target)[1]


def test_the_network_sees_more_of_what_it_dreams_of(network: Network, photo: Any) -> None:
    before, after = score(network, photo), score(network, dream(photo, network, SMALL))
    assert after > 1.5 * before


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"smooth": 3},
        {"smooth_pool": True},
        {"colour": "decorrelated"},
        {"colour": "luminance"},
        {"mean_free": True},
        {"colour": "vivid"},
        {"finest": 0.7},
        {"taper": 1.5},
        {"rotate": 8.0, "rescale": 0.1, "iterations": 10},
        {"target": Target.layer("conv2_pre", 5)},
        {"target": Target((Term("conv2"), Term("block/output", weight=0.5)))},
        {"target": Target.layer("logits", 3)},
    ],
    ids=str,
)
def test_every_kind_of_step_climbs(network: Network, photo: Any, change: dict[str, Any]) -> None:
    recipe = replace(SMALL, **change)
    before, after = (score(network, p, recipe.target) for p in (photo, dream(photo, network, recipe)))
    assert after > before


def test_same_seed_same_bytes(network: Network, photo: Any) -> None:
    first, again, other = (dream(photo, network, replace(SMALL, seed=seed)) for seed in (7, 7, 8))
    assert first.dtype == np.uint8 and first.shape == photo.shape
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("change", [{"iterations": 0}, {"step": 0.0}, {"step": 0.0, "finest": 0.6, "taper": 2.0}])
def test_a_dream_that_does_nothing_returns_the_photograph_to_the_bit(
    network: Network, photo: Any, change: dict[str, Any]
) -> None:
    np.testing.assert_array_equal(dream(photo, network, replace(SMALL, **change)), photo)


def test_step_is_the_mean_change_in_grey_levels(network: Network, photo: Any) -> None:
    dreamed = dream(photo, network, replace(SMALL, octaves=1, iterations=1, step=3.0))
    assert np.abs(dreamed.astype(float) - photo).mean() == pytest.approx(3.0, abs=0.1)


def test_odd_sizes_and_pictures_smaller_than_an_octave(network: Network) -> None:
    for height, width in ((33, 91), (32, 32), (40, 37)):
        photo = noise_picture(height, width, contrast=20, seed=1)
        assert dream(photo, network, SMALL).shape == (height, width, 3)
    with pytest.raises(ValueError, match="at least 32 pixels"):
        dream(np.zeros((20, 50, 3), np.uint8), network, SMALL)


def test_progress_counts_everything_and_ends_at_one(network: Network, large: Any) -> None:
    seen: list[Progress] = []
    dream(large, network, SMALL, progress=seen.append)
    assert [p.fraction for p in seen] == sorted(p.fraction for p in seen)
    assert seen[-1].fraction == pytest.approx(1.0)
    assert seen[-1].seconds_left == pytest.approx(0, abs=1e-6)
    assert {(p.octave, p.iteration) for p in seen} == {(o, i) for o in (1, 2, 3) for i in (1, 2, 3)}
    assert all(1 <= p.tile <= p.tiles and p.octaves == 3 and p.iterations == 3 for p in seen)
    assert max(p.tiles for p in seen) > 1


def test_progress_counts_a_tapered_octaves_steps(network: Network, large: Any) -> None:
    seen: list[Progress] = []
    dream(large, network, replace(SMALL, taper=1.4, iterations=1, finest=0.8), progress=seen.append)
    assert [p.fraction for p in seen] == sorted(p.fraction for p in seen)
    assert seen[-1].fraction == pytest.approx(1.0)
    assert {(p.octave, p.iterations) for p in seen} == {(1, 2), (2, 1), (3, 1)}


def test_gradients_of_coarse_octaves_are_averaged_over_noise(
    network: Network, large: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Noise of no size changes nothing; other noise does; large octaves are asked once, and progress runs on."""
    recipe = replace(SMALL, octaves=1, samples=4)
    plain = dream(large, network, replace(recipe, samples=1)).astype(int)
    assert np.abs(dream(large, network, replace(recipe, sigma=0.0)) - plain).max() <= 1
    noisy = dream(large, network, recipe)
    assert (noisy != plain).mean() > 0.05
    np.testing.assert_array_equal(noisy, dream(large, network, recipe))

    asked: list[int] = []
    gradient = Network.gradient

    def counted(self: Network, picture: Any, *seen: Any, **how: Any) -> Any:
        asked.append(min(picture.shape[1:]))
        return gradient(self, picture, *seen, **how)

    monkeypatch.setattr(Network, "gradient", counted)
    seen: list[float] = []
    photo = noise_picture(300, 260, contrast=20, seed=2)
    dream(
        photo,
        network,
        replace(recipe, octaves=2, octave_scale=1.5, iterations=2),
        progress=lambda p: seen.append(p.fraction),
    )
    assert asked.count(260) == 2 and asked.count(173) == 2 * 4
    assert seen == sorted(seen) and seen[-1] == 1


def test_averaged_gradients_are_less_a_matter_of_chance(network: Network, large: Any) -> None:
    """Of two pictures that differ by a level of noise the averaged gradients agree better."""
    options = replace(SMALL, octaves=1, iterations=1, sigma=15.0)

    def moved(samples: int, seed: int) -> Any:
        noise = np.random.default_rng(seed).integers(-6, 7, large.shape)
        photo = np.clip(large + noise, 0, 255).astype(np.uint8)
        return (dream(photo, network, replace(options, samples=samples)).astype(float) - photo).ravel()

    def alike(samples: int) -> float:
        return float(np.corrcoef(moved(samples, 1), moved(samples, 2))[0, 1])

    assert alike(16) > alike(1)


def test_a_wash_colours_what_is_flat_and_spares_what_is_drawn(network: Network) -> None:
    white = np.full((96, 128, 3), 255, np.uint8)
    drawn = white.copy()
    drawn[:, :64] = np.where((np.mgrid[0:96, 0:64].sum(axis=0) // 4 % 2)[..., None], [220, 30, 30], [20, 20, 90])
    recipe = replace(SMALL, wash=20.0, step=0.0)
    washed = dream(white, network, recipe).astype(float)
    assert washed.std() > 8 and 195 < washed.mean() < 245  # room above, too
    assert np.ptp(washed, axis=2).mean() > 3  # coloured
    change = np.abs(dream(drawn, network, recipe).astype(float) - drawn)
    assert change[:, 80:].mean() > 10 > 2 > change[:, 8:48].mean()
    mask = np.zeros((96, 128), np.uint8)
    mask[:48] = 255
    np.testing.assert_array_equal(dream(white, network, recipe, mask=mask)[48:], white[48:])


def test_without_a_wash_a_white_canvas_gets_the_networks_grid_and_with_it_none(network: Network) -> None:
    """A flat picture is the same at every place of a stride's phase, so its gradient repeats with the stride."""
    white = np.full((128, 128, 3), 255, np.uint8)
    repeats = []
    for wash in (0.0, 20.0):
        recipe = Recipe(TARGET, model="tiny", octaves=1, step=8.0, roll=0, seed=1, wash=wash)
        grey = dream(white, network, recipe)[32:-32, 32:-32].mean(axis=2)
        change = grey - grey.mean()
        stride = network.layer("block/output").stride
        repeats.append((change[:-stride] * change[stride:]).mean() / max(change.var(), 1e-9))
    assert repeats[0] > 0.9 > 0.6 > repeats[1]


@pytest.mark.parametrize("tiles", [0, 1, 10])
def test_cancelled_between_tiles_it_leaves_the_picture_so_far(network: Network, large: Any, tiles: int) -> None:
    done: list[Progress] = []
    with pytest.raises(Interrupted) as stopped:
        dream(large, network, replace(SMALL, octaves=1), progress=done.append, cancelled=lambda: len(done) >= tiles)
    assert isinstance(stopped.value, Cancelled)
    assert len(done) - tiles <= 2  # what was already under way
    assert stopped.value.picture.shape == large.shape
    finished_a_step = any(p.tile == p.tiles for p in done)
    assert finished_a_step == (tiles == 10)
    assert (stopped.value.picture != large).any() == finished_a_step


def test_snapshots_are_whole_pictures_and_the_last_one_is_the_dream(network: Network, photo: Any) -> None:
    shots: list[tuple[Progress, Any, Any]] = []

    def look(progress: Progress, snapshot: Snapshot) -> None:
        shots.append((progress, snapshot(), snapshot((36, 48))))

    dreamed = dream(photo, network, SMALL, preview=look)
    assert len(shots) == 9
    assert all(full.shape == photo.shape and small.shape == (36, 48, 3) for _, full, small in shots)
    np.testing.assert_array_equal(shots[-1][1], dreamed)
    changes = [np.abs(full.astype(float) - photo).mean() for _, full, _ in shots]
    assert changes[0] < changes[4] < changes[8]


def test_the_mask_keeps_the_photograph_to_the_bit(network: Network, photo: Any) -> None:
    mask = np.zeros((72, 96), np.uint8)
    mask[20:50, 30:70] = 255
    dreamed = dream(photo, network, SMALL, mask=mask)
    np.testing.assert_array_equal(dreamed[mask == 0], photo[mask == 0])
    # Inside it is dreamed as hard as a whole picture would be.
    inside = np.abs(dreamed[mask > 0].astype(float) - photo[mask > 0]).mean()
    whole = np.abs(dream(photo, network, SMALL).astype(float) - photo).mean()
    assert 0.5 * whole < inside < 2 * whole


def test_a_mask_of_another_size_is_fitted_and_an_empty_one_changes_nothing(network: Network, photo: Any) -> None:
    np.testing.assert_array_equal(dream(photo, network, SMALL, mask=np.zeros((10, 10), np.uint8)), photo)
    half = np.zeros((24, 32), np.uint8)
    half[:, 16:] = 255
    dreamed = dream(photo, network, SMALL, mask=half)
    np.testing.assert_array_equal(dreamed[:, :40], photo[:, :40])
    assert (dreamed[:, 60:] != photo[:, 60:]).any()


def test_keep_colours(network: Network, photo: Any) -> None:
    dreamed = dream(photo, network, replace(SMALL, keep_colours=True))
    before, after = (np.asarray(Image.fromarray(p).convert("YCbCr")).astype(int) for p in (photo, dreamed))
    whole = ((dreamed > 0) & (dreamed < 255)).all(axis=2)  # where brightness met an end, colour gave way
    assert np.abs(after[whole][:, 1:] - before[whole][:, 1:]).max() <= 2
    assert np.abs(after[..., 0] - before[..., 0]).mean() > 1


def test_near_stays_nearer(network: Network, photo: Any) -> None:
    far, near = (
        np.abs(dream(photo, network, replace(SMALL, iterations=8, near=pull)).astype(float) - photo).mean()
        for pull in (0.0, 0.2)
    )
    assert near < 0.8 * far


def test_mean_free_steps_do_not_drift(network: Network, photo: Any) -> None:
    recipe = replace(SMALL, iterations=10, mean_free=True, octaves=1)
    drift = dream(photo, network, recipe).mean(axis=(0, 1)) - photo.mean(axis=(0, 1))
    assert np.abs(drift).max() < 0.5


def test_a_guide_changes_the_dream(network: Network, photo: Any) -> None:
    guides = [noise_picture(48, 48, contrast=60, seed=s) for s in (1, 2)]
    for kind in ("mean", "match"):
        recipe = replace(SMALL, target=Target((Term("block/output", guide=kind),)))
        one, two = (dream(photo, network, recipe, guide=guide) for guide in guides)
        assert (one != two).any() and (one != photo).any()
    large = noise_picture(600, 900, contrast=60, seed=1)
    assert dream(photo, network, recipe, guide=large).shape == photo.shape
    with pytest.raises(ValueError, match="no guide"):
        dream(photo, network, recipe)


def test_flat_pictures_are_not_blown_up(network: Network) -> None:
    for grey in (0, 117, 255):
        flat = np.full((64, 64, 3), grey, np.uint8)
        dreamed = dream(flat, network, replace(SMALL, octaves=1, iterations=1))
        assert np.abs(dreamed.astype(float) - flat).mean() <= 1.6


def test_a_target_without_gradient_leaves_the_photograph(tmp_path: Path, photo: Any) -> None:
    """A unit that is never active: nothing divided by nothing must not become a step."""
    dead = nets.model(
        [nets.node("Conv", ["data", "w", "b"], "pre"), nets.node("Relu", ["pre"], "out")],
        {"w": np.full((1, 3, 1, 1), 1e-3), "b": np.full(1, -1e3)},
        ["out"],
    )
    network = Network.open(nets.register(tmp_path / "dead", dead, logits=None, labels=[]))
    np.testing.assert_array_equal(dream(photo, network, replace(SMALL, target=Target.layer("out"))), photo)


def test_a_vanishing_gradient_moves_less_than_a_step(tmp_path: Path) -> None:
    """A unit that answers to edges only: on a picture with next to none, the step is weaker in proportion."""
    edge = np.zeros((1, 3, 1, 2))
    edge[..., 0], edge[..., 1] = -1, 1
    model = nets.model([nets.node("Conv", ["data", "w"], "edges", kernel_shape=[1, 2])], {"w": edge}, ["edges"])
    network = Network.open(nets.register(tmp_path / "edges", model, logits=None, labels=[]))
    faint, strong = (np.full((64, 64, 3), 100, np.uint8) for _ in range(2))
    faint[10, 10], strong[::2, ::3] = 101, 160
    recipe = replace(SMALL, target=Target.layer("edges"), octaves=1, iterations=1, step=10.0)
    moved = [np.abs(dream(p, network, recipe).astype(float) - p).mean() for p in (faint, strong)]
    assert moved[0] < 2 < 8 < moved[1]


def test_from_noise(network: Network) -> None:
    recipe = replace(SMALL, noise=(80, 56), target=Target.layer("logits", 3))
    one, again = dream(None, network, recipe), dream(None, network, recipe)
    assert one.shape == (56, 80, 3)
    np.testing.assert_array_equal(one, again)
    assert (one != dream(None, network, replace(recipe, seed=8))).any()
    with pytest.raises(ValueError, match="`noise`"):
        dream(None, network, SMALL)


def test_a_place_moves_with_the_picture() -> None:
    target = Target((Term("a", position=(0.25, 0.5)), Term("b")))
    moved = _moved(target, 0.75, 0.5)
    assert moved.terms == (Term("a", position=(0.75, 0.25)), Term("b"))


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (np.zeros((64, 64), np.uint8), "expected uint8 \\[height, width, 3\\]"),
        (np.zeros((64, 64, 3), np.float32), "received float32"),
    ],
)
def test_wrong_arrays(network: Network, wrong: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        dream(wrong, network, SMALL)
    with pytest.raises(ValueError, match="mask: received"):
        dream(np.zeros((64, 64, 3), np.uint8), network, SMALL, mask=np.zeros((64, 64), np.float32))


PEAK = """
import sys
import numpy as np
from dreamer.engine import Network, Recipe, Target, dream
network = Network.open(sys.argv[1], device="cpu", threads=2)
photo = np.random.default_rng(0).integers(0, 256, (6000, 1, 3), dtype=np.uint8).repeat(8000, axis=1)
layer = Target.layer("inception_3a/output")
recipe = Recipe(target=layer, octaves=2, octave_scale=1.9, mean_free=True, keep_colours=True)
dreamed = dream(photo, network, recipe, preview=lambda progress, snapshot: snapshot((480, 640)))  # as for a film
assert dreamed.shape == photo.shape and (dreamed != photo).any()
# Not ru_maxrss, which a child inherits from whoever started it.
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(int(status["VmHWM"].split()[0]) // 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_photograph_of_48_megapixels_needs_less_than_2_gb() -> None:
    command, root = [sys.executable, "-c", PEAK, str(BUILTIN / "house")], Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 2000, done.stdout


def test_what_an_enlarged_dream_changes_from_pixel_to_pixel_is_softened(network: Network, large: Any) -> None:
    """Grain does not survive being enlarged a little: it comes out as a weave."""

    def grain(picture: np.ndarray) -> float:
        return float(np.abs(np.diff(picture.astype(float) - large, n=2, axis=1)).mean())

    whole, part = (dream(large, network, replace(SMALL, octaves=1, finest=finest)) for finest in (1.0, 0.9))
    assert grain(part) < 0.5 * grain(whole)
