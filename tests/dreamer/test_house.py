"""The house model: what it is taught, how it is trained, and the file that ships."""

from __future__ import annotations

import copy
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dreamer.engine import PRESETS, Network, Recipe, Target, dream
from dreamer.engine.dream import noise_start
from dreamer.house import BUILTIN, judge, look, samples, sprites, textures
from dreamer.house.classes import CREATURES, LABELS, NUMBER, OBJECTS, PLAIN
from dreamer.library import LibraryError, Registry
from dreamer.library.files import ModelFiles
from dreamer.sheets.drawings import draw
from dreamer.sheets.likeness import chance, kept
from dreamer.styles import OPENERS

HOUSE = BUILTIN / "house"
GOLDEN = Path(__file__).with_name("house-golden.png")
needs_font = pytest.mark.skipif(
    not sprites.FONT.is_file(), reason=f"{sprites.FONT} is missing: install fonts-noto-color-emoji"
)
OBJECTS_KNOWN, TEXTURES_KNOWN = 0.65, 0.6
needs_model = pytest.mark.skipif(not HOUSE.is_dir(), reason="no trained house model is in this tree")


# --- what it is taught ----------------------------------------------------------------------------------------------


def test_every_class_has_one_name() -> None:
    assert [name for name, times in Counter(LABELS).items() if times > 1] == []
    assert {"banana", "eye", "fur", "bricks", "castle"} <= set(LABELS)
    assert LABELS[NUMBER["fox"]] == "fox"


@pytest.mark.parametrize("name", textures.TEXTURES)
def test_a_texture_fills_its_range_and_varies(name: str) -> None:
    first, second = textures.field(name, 0), textures.field(name, 1)
    assert first.shape == (textures.SIDE, textures.SIDE)
    assert first.min() == 0 and first.max() == 255 and first.std() > 20
    assert np.abs(first.astype(int) - second).mean() > 8
    assert (textures.field(name, 0) == first).all()


@needs_font
def test_creatures_get_irises_where_their_eyes_are_and_not_on_their_noses_or_no_eyes() -> None:
    drawings = sprites.sprites()
    assert set(drawings) == set(OBJECTS)
    with_eyes = [kind for kind in CREATURES if len(drawings[kind]) > len(CREATURES[kind])]
    assert len(with_eyes) > 50
    bears = [version[128].rgba.astype(int) for version in drawings["bear"]]
    assert len(bears) == sprites.EYELESS + sprites.EYED
    eyeless, irises = bears[0], bears[sprites.EYELESS]
    changed = np.argwhere(np.abs(eyeless[..., :3] - irises[..., :3]).sum(axis=2) > 30)
    left, right = changed[changed[:, 1] < 64], changed[changed[:, 1] >= 64]
    assert len(left) > 30 and len(right) > 30
    assert np.ptp(changed[:, 0]) < 40  # one row of two eyes


@needs_font
def test_a_sample_says_what_each_place_of_it_shows() -> None:
    batch = samples.render(3, 0, 40)
    assert batch.pictures.shape == (40, 112, 112, 3) and batch.pictures.std() > 30
    sums = batch.shares.astype(int).sum(axis=1)
    assert np.abs(sums - 255).max() <= 2
    _, labels, shares, _ = samples.sample(np.random.default_rng(1), "banana")
    slot = list(labels).index(NUMBER["banana"])
    assert shares[slot].max() > 60


@needs_font
def test_the_rim_of_a_thing_counts_less_than_its_middle() -> None:
    batch = samples.render(3, 0, 40)
    shares, weights = batch.shares.astype(int), batch.weights.astype(int)
    assert (weights <= shares + 1).all()
    assert (np.abs(weights[:, 0] - shares[:, 0]) <= 1).all()  # the ground counts as it is seen
    filled = shares[:, 1] > 250
    assert weights[:, 1][filled].min() < 130 < 230 < weights[:, 1][filled].max()


@needs_font
def test_the_same_seed_gives_the_same_samples_and_another_one_others() -> None:
    first, again, other = samples.render(3, 1, 6), samples.render(3, 1, 6), samples.render(3, 2, 6)
    assert (first.pictures == again.pictures).all() and (first.shares == again.shares).all()
    assert not (first.pictures == other.pictures).all()


@needs_font
def test_the_richer_samples_have_more_white_and_say_as_well_what_they_show() -> None:
    first, rich = samples.render(3, 0, 200), samples.render(3, 0, 200, rich=True)
    white = [(batch.pictures > 244).all(axis=3).mean() for batch in (first, rich)]
    assert white[1] > 2 * white[0]
    assert np.abs(rich.shares.astype(int).sum(axis=1) - 255).max() <= 2


def test_the_verdict_counts_right_places_and_samples() -> None:
    labels = np.array([[NUMBER[PLAIN], NUMBER["fox"], NUMBER[PLAIN]], [NUMBER["fur"], NUMBER[PLAIN], NUMBER[PLAIN]]])
    shares = np.zeros((2, 3, 6, 6), np.uint8)
    shares[0, 1, :3], shares[0, 0, 3:], shares[1, 0] = 255, 255, 255
    pictures = np.zeros((2, 96, 96, 3), np.uint8)
    known = samples.Samples(pictures, labels.astype(np.int16), shares, shares)
    found = np.zeros((2, len(LABELS), 6, 6), np.float32)
    found[0, NUMBER["fox"], :3] = found[0, NUMBER[PLAIN], 3:] = found[1, NUMBER["fur"]] = 9
    assert judge.verdict(found, known) == judge.Verdict(2, 1.0, 1.0, 1.0)
    found[1] = 0
    found[1, NUMBER["fox"], :3] = found[1, NUMBER["dog"], 3:] = 9
    worse = judge.verdict(found, known)
    assert (worse.objects, worse.textures, worse.places) == (1.0, 0.0, 0.5)


# --- how it is trained ----------------------------------------------------------------------------------------------


def _a_lesson(number: int, count: int = 24, pairs: int = 6) -> Any:
    """Views of noise and a teacher that says anything."""
    from dreamer.house import teacher

    random = np.random.default_rng(number)
    places = {"kinds": (teacher.BEST, 6, 6), "labels": (3,), "shares": (3, 6, 6)}
    pictures = random.integers(0, 256, (count, 96, 96, 3)).astype(np.uint8)
    labels = random.integers(0, len(LABELS), (count, *places["labels"])).astype(np.int16)
    shares = random.integers(0, 85, (count, *places["shares"])).astype(np.uint8)
    features = [random.normal(size=(count, n, side, side)).astype(np.float16) for n, side in teacher.DEPTHS.values()]
    kinds = random.integers(0, 1000, (count, *places["kinds"])).astype(np.int16)
    chances = np.full(kinds.shape, 0.1, np.float16)
    known = samples.Samples(pictures, labels, shares, shares)
    return teacher.Lesson(known, pairs, tuple(features), kinds, chances)


def test_a_resumed_run_takes_the_steps_of_the_whole_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    from dreamer.house import teacher, train

    monkeypatch.setattr(train, "classes_of_kinds", lambda labels: np.arange(len(labels)) % len(LABELS))
    kinds = [f"kind {number}" for number in range(teacher.KINDS)]
    plan = train.Plan(
        seed=2, workers=1, batch=24, pasted=0.0, plain_steps=2, robust_steps=4, ramp_steps=1, final_steps=2
    )
    oldest, newest = plan.lessons_at(3)
    for number in range(oldest, newest):
        teacher.store(tmp_path / "lessons", number, _a_lesson(number))

    def go(folder: Path, *ends: int) -> Any:
        (tmp_path / folder).mkdir()
        for end in ends:
            train.Run(tmp_path / folder, plan, 0, kinds).go(train.Stream(tmp_path, plan, 0, None), end)
        return torch.load(tmp_path / folder / "checkpoint.pt", weights_only=True)

    one, two = go(Path("whole"), 4), go(Path("parts"), 3, 4)
    assert one["step"] == two["step"] == 4
    for part in ("network", "mean"):
        for name, value in one[part].items():
            assert torch.equal(value, two[part][name]), name


def test_a_batch_has_its_pairs_first_and_what_the_teacher_says_is_mirrored_with_the_views(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from dreamer.house import teacher, train

    plan = train.Plan(seed=5, workers=1, batch=24, changes=0.35, pasted=0.0, mixed=0.0)
    made = [_a_lesson(number) for number in range(train.FIRST)]
    for number, one in enumerate(made):
        teacher.store(tmp_path / "lessons", number, one)
    stream, mirrored = train.Stream(tmp_path, plan, 0, None), set()
    for step in range(6):
        batch = stream.batch(step)
        assert batch.x.shape == (24, 3, 96, 96) and batch.pairs == 4
        views = np.rint(batch.x.permute(0, 2, 3, 1).numpy() * 127.5 + 127.5).astype(np.uint8)
        for row, view in enumerate(views):
            where = [
                (one, int(number), bool(flipped))
                for one in made
                for flipped, shown in ((0, one.samples.pictures), (1, one.samples.pictures[:, :, ::-1]))
                for number in np.flatnonzero((shown == view).all(axis=(1, 2, 3)))
            ]
            ((one, number, flipped),) = where
            mirrored.add(flipped)
            for ours, theirs in zip((*batch.features, batch.kinds), (*one.features, one.kinds), strict=True):
                assert (ours[row].numpy() == (theirs[number][..., ::-1] if flipped else theirs[number])).all()
            if row < 2 * batch.pairs:
                assert number < 2 * one.pairs and number % 2 == row % 2
            else:
                assert number >= 2 * one.pairs
    assert mirrored == {False, True}


def test_views_are_moved_within_their_ball_and_up_the_loss_and_pairs_alike(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from dreamer.house import teacher, train
    from dreamer.house.network import Student

    for number in range(train.FIRST):
        teacher.store(tmp_path / "lessons", number, _a_lesson(number))
    torch.manual_seed(0)
    student = Student(len(LABELS), train.PROJECTED, teacher.KINDS)
    torch.nn.init.normal_(student.house.classes.weight, std=0.3)
    batch = train.Stream(tmp_path, train.Plan(workers=1, batch=24, changes=0.35, pasted=0.0), 0, None).batch(0)
    batch = train.replace(batch, x=batch.x * 0.5)
    radius = 3.0
    start, sizes = train.started(batch, radius, torch.Generator().manual_seed(1))
    at = (batch.x + start).requires_grad_()
    own = torch.zeros(teacher.KINDS, dtype=torch.long)
    (gradient,) = torch.autograd.grad(train.losses(student, at, batch, own)[0], at)
    away = train.moved(batch, start, sizes, gradient)
    move = away - batch.x
    far = move.flatten(1).norm(dim=1)
    assert far.max() <= radius * 1.001 and far.min() > radius * 0.1
    assert torch.allclose(move[0 : 2 * batch.pairs : 2], move[1 : 2 * batch.pairs : 2], atol=1e-5)
    by_chance = torch.randn(batch.x.shape, generator=torch.Generator().manual_seed(2))
    by_chance *= (far / by_chance.flatten(1).norm(dim=1))[:, None, None, None]
    with torch.no_grad():
        moved_loss, chance_loss = (train.losses(student, x, batch, own)[0] for x in (away, batch.x + by_chance))
    assert moved_loss > chance_loss + 0.02


def test_a_block_of_the_next_view_is_put_into_one_with_all_that_is_known_of_it() -> None:
    torch = pytest.importorskip("torch")
    from dreamer.house import teacher, train

    made = _a_lesson(0, count=8, pairs=1)
    known = made.samples
    batch = train.Batch(
        train.as_input(known.pictures),
        1,
        torch.from_numpy(known.labels.astype(np.int64)),
        torch.from_numpy(known.weights).float() / 255,
        tuple(torch.from_numpy(f).float() for f in made.features),
        torch.from_numpy(made.kinds).long(),
        torch.from_numpy(made.chances).float(),
    )
    found = train.mixed(batch, np.random.default_rng(1))
    assert torch.equal(found.x[:2], batch.x[:2]) and not found.weights[:2, 3:].any()  # pairs stay as they are
    following = [*range(3, 8), 2]
    for row, after in zip(range(2, 8), following, strict=True):
        put = (found.kinds[row] == batch.kinds[after]).all(dim=0)
        assert 4 <= int(put.sum()) <= 30
        pixels = put.repeat_interleave(16, 0).repeat_interleave(16, 1)
        assert torch.equal(found.x[row], torch.where(pixels, batch.x[after], batch.x[row]))
        assert torch.equal(found.labels[row], torch.cat([batch.labels[row], batch.labels[after]]))
        expected = torch.cat([batch.weights[row] * ~put, batch.weights[after] * put])
        assert torch.equal(found.weights[row], expected)
        for ours, theirs, places in zip(found.features, batch.features, teacher.DEPTHS.values(), strict=True):
            each = places[1] // 6
            here = put.repeat_interleave(each, 0).repeat_interleave(each, 1)
            assert torch.equal(ours[row], torch.where(here, theirs[after], theirs[row]))


def test_pasted_views_stand_after_the_lessons_and_no_teacher_says_anything_of_them(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from dreamer.house import teacher, train
    from dreamer.house.network import Student

    for number in range(train.FIRST):
        teacher.store(tmp_path / "lessons", number, _a_lesson(number))
    plan = train.Plan(workers=1, batch=24, pasted=0.0, mixed=1.0)
    lessons = train.Stream(tmp_path, plan, 0, None).batch(0)
    pasted = _a_lesson(99, count=6).samples
    batch = train.with_pasted(lessons, pasted)
    assert batch.taught == 24 and len(batch.x) == 30
    assert torch.equal(batch.x[24:], train.as_input(pasted.pictures))
    assert (batch.labels[24:, 3:] == NUMBER[PLAIN]).all() and not batch.weights[24:, 3:].any()
    student = Student(len(LABELS), train.PROJECTED, teacher.KINDS).eval()
    own = torch.zeros(teacher.KINDS, dtype=torch.long)
    with torch.no_grad():
        _, alone, _ = train.losses(student, lessons.x, lessons, own)
        _, together, classes = train.losses(student, batch.x, batch, own)
    assert classes.shape[0] == 30
    for name in ("kinds", "features", "taught"):
        assert together[name] == pytest.approx(alone[name], rel=0.01), name
    assert together["classes"] != pytest.approx(alone["classes"], rel=1e-5)


@needs_model
def test_a_larger_network_begins_as_the_smaller_one_and_has_room_beside_it() -> None:
    torch = pytest.importorskip("torch")
    from dreamer.house.network import House
    from dreamer.house.widened import widen

    torch.manual_seed(0)
    house = House(len(LABELS))
    pictures = samples.render(4, 0, 24).pictures
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float().sub(127.5).div(127.5)
    widen(house, HOUSE, x)
    expected = judge.scores(HOUSE, pictures)
    with torch.no_grad():
        found = house.eval()(x).numpy()
    assert np.abs(found - expected).max() < 1e-3 * np.abs(expected).max()
    house.train()(x)[:, 3].mean().backward()
    head = house.classes.weight.grad
    assert head is not None and head[3].count_nonzero() == house.classes.in_channels  # the new channels are heard


@needs_model
def test_a_network_that_a_model_does_not_fit_into_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    from dreamer.house import network
    from dreamer.house.widened import widen

    monkeypatch.setitem(network.MODULES, "4b", (8, 8, 8, 8, 8, 8))
    with pytest.raises(ValueError, match=r"inception_4b/1x1 is .*, which does not fit into"):
        widen(network.House(len(LABELS)), HOUSE, torch.zeros(2, 3, 64, 64))


def test_four_convolutions_as_one_learn_as_four() -> None:
    torch = pytest.importorskip("torch")
    from dreamer.house.network import Inception

    torch.manual_seed(0)
    together = Inception(6, (4, 3, 5, 2, 3, 4)).train()
    other = copy.deepcopy(together)
    x = torch.randn(3, 6, 8, 8)
    pooled = torch.nn.functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    paths = [other.one(x), other.three(other.reduce3(x))]
    paths += [other.five(other.five_a(other.reduce5(x))), other.project(pooled)]
    expected, found = torch.cat(paths, dim=1), together(x)
    assert torch.allclose(found, expected, atol=1e-4)
    wanted = torch.randn(found.shape)
    (found * wanted).sum().backward()
    (expected * wanted).sum().backward()
    for (name, ours), theirs in zip(together.named_parameters(), other.parameters(), strict=True):
        assert torch.allclose(ours.grad, theirs.grad, atol=1e-3), name
    for (name, value), theirs in zip(together.state_dict().items(), other.state_dict().values(), strict=True):
        if "running" in name:
            assert torch.allclose(value, theirs, atol=1e-5), name


def test_empty_paper_is_of_none_of_the_teachers_kinds() -> None:
    torch = pytest.importorskip("torch")
    from dreamer.house.train import kind_loss

    kinds = torch.full((1, 10, 6, 6), 7)
    chances = torch.full((1, 10, 6, 6), 0.1)
    scores = torch.zeros(1, 1000, 6, 6)
    scores[:, 7, :, 3:] = 20  # right where there is ink, and says nothing on the paper
    drawn = torch.full((1, 3, 96, 96), 0.95)
    drawn[..., 48:] = torch.randn(1, 3, 96, 48).clamp(-1, 1)
    assert kind_loss(scores, drawn, kinds, chances) < 1e-3 < kind_loss(scores.flip(-1), drawn, kinds, chances)


def test_the_exported_graph_computes_what_the_network_does(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from dreamer.house.export import export
    from dreamer.house.network import House

    torch.manual_seed(0)
    network = House(len(LABELS))
    network.train()(torch.randn(4, 3, 64, 64))  # norms with statistics of their own
    with torch.no_grad():
        for name, value in network.named_parameters():
            if "norm" in name:
                value.add_(torch.randn(value.shape) * 0.2)
    named = {f"house.{name}": value for name, value in network.state_dict().items()}
    state = {"mean": named | {"kinds.weight": torch.zeros(3)}, "labels": list(LABELS), "step": 7}
    torch.save(state, tmp_path / "checkpoint.pt")
    export(tmp_path / "checkpoint.pt", tmp_path / "house")
    export(tmp_path / "checkpoint.pt", tmp_path / "again")
    for path in (tmp_path / "house").iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()
    pictures = np.random.default_rng(0).integers(0, 256, (2, 80, 112, 3)).astype(np.uint8)
    found = judge.scores(tmp_path / "house", pictures)
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float().sub(127.5).div(127.5)
    with torch.no_grad():
        expected = network.eval()(x).numpy()
    assert found.shape == (2, len(LABELS), 5, 7)
    assert np.abs(found - expected).max() < 1e-3 * max(1.0, np.abs(expected).max())
    network_file = Network.open(tmp_path / "house", threads=1)
    assert network_file.labels == LABELS
    assert {"inception_3a/output", "inception_4b/3x3_reduce", "classes", "likeness"} <= set(network_file.layers)


def test_the_teacher_is_asked_what_is_seen_where_nobody_knows_and_it_is_sure(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from dreamer.house import train

    fox, own = NUMBER["fox"], torch.full((1000,), NUMBER[PLAIN])
    own[3] = fox
    nothing = torch.zeros(2, 3, 6, 6)
    known = nothing.clone()
    known[1] = 1  # the second view's places are known
    kinds, chances = torch.full((2, 10, 6, 6), 8), torch.zeros(2, 10, 6, 6)
    kinds[:, 0], chances[:, 0], chances[:, 1] = 3, 0.9, 0.1
    chances[0, 0, 3:] = 0.2  # it is not sure
    batch = train.Batch(torch.zeros(2, 3, 96, 96), 0, torch.zeros(2, 3).long(), known, (), kinds, chances)
    scores = torch.zeros(2, len(LABELS), 6, 6)
    scores[0, fox, :3] = 30
    assert train.taught_loss(scores, batch, own) < 1e-3
    scores[0, fox, :3], scores[0, NUMBER["dog"], :3] = 0, 30
    assert train.taught_loss(scores, batch, own) > 5


# --- what ships -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped() -> Network:
    return Network.open(HOUSE, threads=1)


@needs_model
def test_the_file_is_small_whole_and_found_where_nothing_is_installed(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "none", BUILTIN)
    assert registry.problems() == ()
    files = registry.verify("house")
    assert files.model.stat().st_size <= 4 * 2**20
    assert files.labels == LABELS
    with pytest.raises(LibraryError, match="comes with the program"):
        registry.remove("house")


@needs_model
def test_its_shelf_has_thirty_styles_that_exist(shipped: Network) -> None:
    shelf = json.loads((HOUSE / "shelf.json").read_text(encoding="utf-8"))
    assert len(shelf) >= 30
    assert len({style["title"] for style in shelf}) == len(shelf)
    for style in shelf:
        layer = shipped.layers[style["layer"]]
        assert style["channel"] is None or style["channel"] < layer.channels


@needs_model
def test_layers_bear_googlenets_names(shipped: Network) -> None:
    for module in ("3a", "4a", "4b", "4c", "5a", "5b"):
        for part in ("1x1", "3x3_reduce", "3x3", "5x5_reduce", "5x5", "pool_proj", "output"):
            assert f"inception_{module}/{part}" in shipped.layers
    for module in ("4b", "4c", "5a"):
        forms = shipped.layers[f"inception_{module}/forms"]
        assert forms.channels == shipped.layers[f"inception_{module}/output"].channels
    assert shipped.layers["classes"].channels == len(LABELS)
    assert shipped.layers["classes"].stride == 16
    assert shipped.class_target("banana").terms[0].channels == ((NUMBER["banana"], 1.0),)


@needs_model
def test_static_becomes_bananas(shipped: Network) -> None:
    """The network sees nothing of the kind in the noise, and bananas after the class target's dream."""
    settings = PRESETS["noise"] | {"min_size": 64}
    recipe = Recipe(shipped.class_target("banana"), model="house", noise=(128, 128), **settings)
    found = [judge.scores(HOUSE, picture[None])[0] for picture in (noise_start(recipe), dream(None, shipped, recipe))]
    before, after = ((scores.argmax(axis=0) == NUMBER["banana"]).sum() for scores in found)
    assert before == 0 and after >= 6


@needs_model
@needs_font
def test_it_knows_what_fresh_samples_show() -> None:
    """Far above chance (half a percent); the model card has the exact figures."""
    found = judge.judge(HOUSE, 300, seed=4321)
    assert found.objects > OBJECTS_KNOWN and found.textures > TEXTURES_KNOWN


@needs_model
def test_a_dream_is_the_golden_one(shipped: Network) -> None:
    """As coarse as other processors' rounding leaves it the same."""
    picture = look.scribble(192, 256)
    recipe = Recipe(Target.layer("creatures"), model="house", octaves=3, iterations=6, seed=3)
    dreamed = dream(picture, shipped, recipe)
    golden = np.asarray(Image.open(GOLDEN), np.float32)
    small = np.asarray(Image.fromarray(dreamed).resize((64, 48), Image.Resampling.BOX), np.float32)
    assert np.abs(small - golden).mean() < 3.0
    before = np.asarray(Image.fromarray(picture).resize((64, 48), Image.Resampling.BOX), np.float32)
    assert np.abs(golden - before).mean() > 8.0  # and it is a dream


@needs_model
def test_dreams_on_top_of_one_another_stay_alive(shipped: Network) -> None:
    """After sixteen of them, as the live canvas has them, a blank canvas is full and colourful, and neither grey nor
    burnt out; and no grid of the network's strides shows."""
    shelf = ModelFiles.read(HOUSE).shelf
    blank = look.blank(160, 160)
    *_, picture = look.chain(blank, shipped, [style for style in shelf[:8] for _ in range(2)])
    flat = picture.reshape(-1, 3).astype(np.float32)
    assert picture.std() > 35 > blank.std()
    assert 60 < picture.mean() < 225
    assert np.ptp(flat, axis=1).mean() > 25  # colourful
    assert ((flat < 3) | (flat > 252)).mean() < 0.4
    luma = picture.mean(axis=2)
    power = np.abs(np.fft.fft2(luma - luma.mean())) ** 2
    for period in (2, 4, 8, 16):
        line = 160 // period
        near = [line + d for d in (-4, -3, -2, 2, 3, 4) if line + d <= 80]
        for along in (power, power.T):
            assert along[line].sum() < 4 * np.median([along[n].sum() for n in near]), period


@needs_model
def test_the_first_dream_fills_a_large_white_canvas_around_a_small_drawing(shipped: Network) -> None:
    """Each style that a canvas may begin with: hardly anything stays white, there is colour, the drawing shows."""
    ground = look.first_drawing(512)
    drawn = ground.min(axis=2) < 100
    for style in ModelFiles.read(HOUSE).shelf[:OPENERS]:
        (dreamed,) = look.chain(ground, shipped, [style])
        assert (dreamed > 245).all(axis=2).mean() < 0.15, style.title
        assert np.ptp(dreamed.reshape(-1, 3).astype(int), axis=1).mean() > 20, style.title
        assert np.abs(dreamed[drawn].astype(int) - ground[drawn]).mean() < 80, style.title


@needs_model
def test_a_drawing_comes_alive_and_stays_itself(shipped: Network) -> None:
    """On white paper something has grown after one dream, and after three the drawing is still to be found in it."""
    first = draw("child", 512)
    paper = (first == 255).all(axis=2)
    for style in ModelFiles.read(HOUSE).shelf[:3]:
        dreams = list(look.chain(first, shipped, [style] * 3))
        assert np.abs(dreams[0][paper].astype(int) - 255).mean() > 25, style.title
        assert kept(first, dreams[2]) > 0.5 > 2 * chance(first, dreams[2]), style.title


@needs_model
def test_what_grows_along_a_stroke_takes_its_colour_and_the_stroke_shows(shipped: Network) -> None:
    """In each style that a canvas may begin with: ground that is nobody's, some 20 to 50 px beside two strokes."""
    ground, colours = np.full((512, 512, 3), 255, np.uint8), ((30, 60, 220), (220, 40, 40))
    for left, colour in zip((120, 380), colours, strict=True):
        ground[100:412, left : left + 12] = colour
    for style in ModelFiles.read(HOUSE).shelf[:OPENERS]:
        (dreamed,) = look.chain(ground, shipped, [style])
        warmth = dreamed[130:382].astype(int)[..., 0] - dreamed[130:382].astype(int)[..., 2]
        blue, red = (np.r_[left - 40 : left - 10, left + 22 : left + 52] for left in (120, 380))
        assert warmth[:, red].mean() - warmth[:, blue].mean() > 40, style.title
        assert warmth[:, 382:390].mean() - warmth[:, 122:130].mean() > 80, style.title


@needs_model
@pytest.mark.parametrize(("group", "label"), [("creatures", "owl"), ("garden", "cherry blossom")])
def test_a_channel_of_a_group_makes_a_blank_canvas_into_its_class(shipped: Network, group: str, label: str) -> None:
    """The network itself sees it there, at a seventh of the places or more, and saw it nowhere before. With longer
    steps than the live canvas', so that a few dreams do."""
    blank = look.blank(192, 192)
    *_, picture = look.chain(blank, shipped, [look.style_named(f"{group}:{label}")] * 8, step=8.0, hue=0.0)
    before, after = (found.argmax(axis=0) for found in judge.scores(HOUSE, np.stack([blank, picture])))
    assert (before == NUMBER[label]).sum() == 0
    assert (after == NUMBER[label]).mean() > 1 / 7
