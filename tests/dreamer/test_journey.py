"""Journeys: a smooth path, key frames inside each other, and films without a jump."""

from __future__ import annotations

import itertools
import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from django.core.management import CommandError
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dreamer.engine import Network, Recipe, Target
from dreamer.engine.noise import noise_picture
from dreamer.journey import make, path, plan
from dreamer.journey.between import between
from dreamer.journey.lead import most_active
from dreamer.journey.path import Path as Way
from dreamer.journey.path import Waypoint, moved, read_path
from dreamer.journey.plan import Plan, ground, next_key_frame, size_of
from dreamer.journey.render import Film
from tests.dreamer import nets
from tests.dreamer.test_dream_command import LAYER, SMALL, here, models, run
from tests.running import ROOT
from tests.video.films import decoded

__all__ = ["here", "models"]  # fixtures

SHARES = st.floats(0, 1)
POINTS = st.lists(st.builds(Waypoint, SHARES, SHARES, st.floats(path.LEAST, path.MOST)), min_size=1, max_size=5)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return Network.open(nets.register_tiny(tmp_path_factory.mktemp("models")), threads=1)


@given(POINTS, st.booleans())
def test_a_path_goes_through_its_key_frames_and_stays_inside(points: list[Waypoint], loop: bool) -> None:
    way = Way(points, loop=loop)
    for step, point in enumerate(points):
        start, end = way.view(step, 0.0), way.view(step, 1.0)
        assert (start.x, start.y, start.width) == pytest.approx((0.5, 0.5, 1.0), abs=1e-9)
        assert (end.x, end.y, end.width) == pytest.approx((point.x, point.y, 1 / point.zoom), abs=1e-9)
        widths = []
        for share in np.linspace(0, 1, 21):
            view = way.view(step, float(share))
            left, top, right, bottom = view.box
            assert min(left, top) >= -1e-9 and max(right, bottom) <= 1 + 1e-9
            widths.append(view.width)
        assert all(before >= after - 1e-12 for before, after in itertools.pairwise(widths)), "never back out"


@given(st.lists(st.tuples(st.floats(0.3, 0.7), st.floats(0.3, 0.7)), min_size=2, max_size=5), st.booleans())
def test_what_is_seen_moves_without_a_jerk(places: list[tuple[float, float]], loop: bool) -> None:
    """Speed on the screen just before a key frame and just after it is the same."""
    way, tiny = Way([Waypoint(x, y) for x, y in places], loop=loop), 1e-5
    joints = range(len(places)) if loop else range(1, len(places))
    for step in joints:
        last = (step - 1) % len(places)
        before, at = way.view(last, 1 - tiny), way.view(last, 1.0)
        after = way.view(step, tiny)
        gone = ((at.x - before.x) / at.width / tiny, (at.y - before.y) / at.width / tiny)
        goes = ((after.x - 0.5) / tiny, (after.y - 0.5) / tiny)
        assert goes == pytest.approx(gone, abs=2e-3)
        assert math.log(before.width / at.width) == pytest.approx(math.log(1 / after.width), abs=1e-8)


@pytest.mark.parametrize("points", [[(0.5, 0.5, 2.0)], [(0.2, 0.9, 2.0)] * 3])
def test_a_steady_course_is_flown_straight(points: list[tuple[float, float, float]]) -> None:
    """The point that is flown to stays where it is on the screen."""
    way = Way([Waypoint(*one) for one in points])
    point = Waypoint(*points[0])
    aim = [0.5 + (at - 0.5) / (1 - 1 / point.zoom) for at in (point.x, point.y)]
    for share in np.linspace(0, 0.99, 9):
        view = way.view(0, float(share))
        seen = [(a - low) / view.width for a, low in zip(aim, view.box[:2], strict=True)]
        assert seen == pytest.approx(aim, abs=1e-6)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "expected a list"),
        ([], "expected a list"),
        ([[0.5]], "entry 1"),
        ([[0.5, 0.5], [0.5, 1.5]], "entry 2: y"),
        ([[0.5, 0.5, 9]], "zoom: received 9"),
        ([[0.5, "x"]], "y: received 'x'"),
        ([[True, 0.5]], "x: received True"),
        ([[0.5, float("nan")]], "y: received nan"),
        ([[0.5, 0.5]] * 501, "at most 500"),
    ],
)
def test_a_wrong_path_is_told_with_its_entry(data: Any, said: str) -> None:
    with pytest.raises(ValueError, match="path") as error:
        read_path(data)
    assert said in str(error.value)


def test_the_next_key_frame_lies_inside_even_where_somebody_clicks_at_the_edge() -> None:
    assert Waypoint(0, 1).box == (0, 0.5, 0.5, 1)
    assert read_path([[0.3, 0.4], [0.5, 0.5, 1.5]]) == [Waypoint(0.3, 0.4, 2.0), Waypoint(0.5, 0.5, 1.5)]


def checker(side: int = 96) -> Any:
    """Each place can be told by its colour."""
    y, x = np.mgrid[0:side, 0:side]
    return np.stack([255 * x / side, 255 * y / side, np.full_like(x, 90)], axis=2).astype(np.uint8)


def test_a_film_has_no_jump_at_its_key_frames_and_ends_where_a_loop_began() -> None:
    """Without a dream the journey is a plain zoom: every picture is the first one's part that is seen."""
    points = (Waypoint(0.3, 0.4), Waypoint(0.7, 0.5), Waypoint(0.5, 0.5))
    pictures = [checker()]
    for point in points:
        pictures.append(ground(pictures[-1], point))
    film = Film(points, seconds=0.5)
    frames = [np.asarray(one).astype(int) for n in range(3) for one in film.step(n, pictures.__getitem__, (96, 96))]
    frames += [np.asarray(one).astype(int) for one in film.rest(pictures.__getitem__, (96, 96))]
    assert len(frames) == film.frames
    steps = [np.abs(after - before).mean() for before, after in itertools.pairwise(frames)]
    assert max(steps) < 8, "no picture differs much from the one before"
    assert np.abs(frames[12] - pictures[1]).max() <= 1 and np.abs(frames[-1] - pictures[3]).max() <= 1
    loop = Film(points, seconds=0.5, loop=True)
    (*_, last) = loop.step(2, pictures.__getitem__, (96, 96))
    assert loop.frames == 36 and np.abs(np.asarray(last).astype(int) - pictures[0]).mean() < 25


def test_on_plain_ground_the_next_key_frame_comes_in_without_a_rectangle() -> None:
    plain, dreamed = (Image.fromarray(np.full((120, 200, 3), level, np.uint8)) for level in (100, 200))
    waypoint = Waypoint(0.4, 0.5, 2.0)
    seen = []
    for share in (0.3, 0.6, 0.8):
        view = Way([waypoint]).view(0, share)
        picture = np.asarray(between(plain, dreamed, waypoint, view, share, (200, 120)))[..., 0].astype(int) - 100
        seen.append(picture.max())
        left, top, right, bottom = (
            round(n * side) for n, side in zip(moved(view, waypoint.box), (200, 120) * 2, strict=True)
        )
        rows, columns = np.nonzero(picture > picture.max() / 2)
        assert len(rows) > 50, "something of it is seen"
        width, height = right - left, bottom - top
        assert min(columns) > left + 0.05 * width and max(columns) < right - 0.05 * width, "not to its sides"
        # How far it reaches differs from line to line: no side is straight.
        ends = [columns[rows == row].max() for row in range(min(rows), max(rows) + 1)]
        assert np.ptp(ends) > 0.1 * width, "no side is straight"
        assert min(rows) > top + 0.05 * height and max(rows) < bottom - 0.05 * height
    assert seen == sorted(seen) and seen[-1] > 80


def test_a_quiet_place_is_less_dreamed_and_a_loud_one_wholly() -> None:
    plain, dreamed = checker(), np.full((96, 96, 3), 200, np.uint8)
    points, pictures = (Waypoint(),), [plain, dreamed]
    loud, quiet, mute = (
        np.asarray(next(Film(points, seconds=0.5, strength=strength).rest(pictures.__getitem__, (96, 96))))
        for strength in (lambda at: 1.0, lambda at: 0.5, lambda at: 0.0)
    )
    assert np.array_equal(loud, dreamed)
    distance = [np.abs(one.astype(int) - 200).mean() for one in (loud, quiet, mute)]
    assert distance[0] < distance[1] < distance[2] < np.abs(ground(plain, points[0]).astype(int) - 200).mean()


def test_targets_follow_each_other_and_mix_in_between() -> None:
    stages = (Target.layer("block/3x3"), Target.layer("block/output"))
    made = Plan(Recipe(target=stages[0], iterations=10, seed=5), stages, each=8)
    assert made.key_frames == 16 and made.target_at(1) == stages[0] == made.target_at(8)
    mixed = made.target_at(9)
    assert [term.layer for term in mixed.terms] == ["block/3x3", "block/output"]
    assert [term.weight for term in mixed.terms] == pytest.approx([2 / 3, 1 / 3])
    assert made.target_at(11) == stages[1] == made.target_at(16)
    assert [made.recipe_at(1, zoom).iterations for zoom in (2.0, 1.25, 4.0)] == [10, 3, 10]
    assert [made.recipe_at(n, 2.0).seed for n in (1, 2)] == [6, 7]
    with pytest.raises(ValueError, match="key frames"):
        Plan(made.recipe, stages, each=400)


def test_a_key_frame_is_dreamed_on_the_part_that_was_chosen(network: Network) -> None:
    recipe = Recipe(target=Target.layer("block/output"), octaves=1, min_size=32, iterations=0)
    still = Plan(recipe, (recipe.target,), each=2)
    picture, point = checker(), Waypoint(0.25, 0.75)
    assert np.array_equal(next_key_frame(picture, point, 1, still, network), ground(picture, point))
    moving = Plan(Recipe(**{**vars(recipe), "iterations": 2}), (recipe.target,), each=2)
    first, second = (next_key_frame(picture, point, n, moving, network) for n in (1, 2))
    assert not np.array_equal(first, ground(picture, point)) and not np.array_equal(first, second)


@pytest.mark.parametrize("corner", [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_the_network_leads_to_where_something_is(network: Network, corner: tuple[int, int]) -> None:
    picture = np.full((128, 128, 3), 128, np.uint8)
    rows, columns = (slice(80 * side, 80 * side + 48) for side in (corner[1], corner[0]))
    picture[rows, columns] = noise_picture(48, 48, contrast=70, seed=1)
    found = most_active(network, picture, Target.layer("block/output"), 2.0)
    assert (found.x > 0.5, found.y > 0.5) == (bool(corner[0]), bool(corner[1]))
    of_class = most_active(network, picture, Target.layer("logits", 3), 2.0)
    assert (of_class.x > 0.5, of_class.y > 0.5) == (bool(corner[0]), bool(corner[1]))


def test_a_films_size_is_its_longer_side() -> None:
    assert size_of(575, 1024, 640) == (360, 640) or size_of(575, 1024, 640) == (358, 640)
    assert size_of(100, 50, 3840) == (3840, 1920)
    assert plan.LARGEST == 3840


def test_the_command_goes_along_a_path_and_writes_the_film(here: Path) -> None:
    (here / "path.json").write_text(json.dumps([[0.3, 0.3], [0.6, 0.7, 1.5]]))
    words = ["photo.png", "last.png", "--path", "path.json", "--film", "a.mp4", "--gif", "a.gif", "--seconds", "0.5"]
    said = run(*words, "--frame-side", "64", *LAYER, *SMALL)
    assert "2 key frames" in said
    with av.open("a.mp4") as film:
        frames = sum(1 for _ in film.decode(video=0))
        assert (film.streams.video[0].width, film.streams.video[0].average_rate) == (64, 24)
    assert frames == 2 * 12 + 48
    with Image.open("a.gif") as gif:
        assert gif.n_frames > 20
    with Image.open("last.png") as last:
        assert last.size == (64, 48)


KILLED = """
import os, signal, sys
import django
django.setup()
from pathlib import Path
from django.conf import settings
from django.core.management import call_command
from dreamer.journey import make
settings.MODELS_DIR, settings.DREAM_MODEL = Path(sys.argv[1]), sys.argv[2]
real = make.next_key_frame
def next_key_frame(picture, waypoint, number, *rest, **more):
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(picture, waypoint, number, *rest, **more)
make.next_key_frame = next_key_frame
call_command("dream", *sys.argv[3:])
"""


def test_killed_and_called_again_the_command_goes_on(
    here: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["photo.png", "last.png", "--journey", "zoom", "--key-frames", "3", "--film", "a.mp4", "--seconds", "0.5"]
    words += ["--frame-side", "64", *LAYER, *SMALL]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "dreamsite.settings", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", KILLED, str(settings.MODELS_DIR), settings.DREAM_MODEL, *words]
    assert subprocess.run(command, env=environment, check=False).returncode == -signal.SIGKILL
    assert not Path("a.mp4").exists() and not Path("last.png").exists()
    made: list[int] = []
    real = make.next_key_frame
    monkeypatch.setattr(make, "next_key_frame", lambda *given, **more: (made.append(given[2]), real(*given, **more))[1])
    run(*words)
    film, last = decoded(Path("a.mp4")), Path("last.png").read_bytes()
    run(*words)
    assert made == [2, 3, 1, 2, 3], "the first key frame was there"
    assert last == Path("last.png").read_bytes()
    assert len(film) == len(decoded(Path("a.mp4"))) == 3 * 12 + 48
    assert not [path for path in here.iterdir() if "unfinished" in path.name]


def test_the_command_goes_through_layers_and_classes_from_noise(here: Path) -> None:
    common = ["--noise", "64x48", "--frame-side", "64", "--key-frames", "1", "--seconds", "0.5", "--loop", *SMALL]
    said = run("a.png", "--journey", "classes", "--class", "1", "--class", "2", "--film", "c.mp4", *common)
    assert "2 key frames" in said
    with av.open("c.mp4") as film:
        assert sum(1 for _ in film.decode(video=0)) == 3 * 12, "and back to the first"
    layers = ["--layer", "conv2", "--layer", "block/output"]
    assert "2 key frames" in run("b.png", "--journey", "layers", *layers, *common)
    assert "key frames" in run("photo.png", "d.png", "--journey", "layers", *common[2:]), "the network's own"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--journey", "classes", "--class", "1"], "two or more"),
        (["--journey", "zoom", "--dreams", "3"], "--dreams"),
        (["--journey", "zoom", "--fps", "12"], "24 to 60"),
        (["--journey", "zoom", "--frame-side", "5000"], "64 to 3840"),
        (["--journey", "zoom", "--seconds", "0.1"], "seconds"),
        (["--journey", "zoom", "--zoom", "1.01"], "zoom"),
        (["--path", "photo.png"], "no JSON"),
    ],
)
def test_the_command_tells_what_does_not_fit(here: Path, words: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run("photo.png", "last.png", "--film", "a.mp4", *([] if "--class" in words else LAYER), *words)
    assert not (here / "a.mp4").exists() and not (here / "last.png").exists()
