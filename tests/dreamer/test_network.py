"""An opened network: targets, tiles, sessions, errors."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from dreamer.engine import Cancelled, Network, Target, Term
from dreamer.engine.build import Question, build
from dreamer.engine.forward import CENTRED
from dreamer.engine.gradient_options import GradientOptions
from dreamer.engine.network import GUIDE_POSITIONS
from dreamer.engine.session import CpuRunner, cuda_works
from dreamer.graph import IMAGE, ours

from .gradients import relative_error
from .nets import INPUT, register, register_tiny, tiny_inception

LAYER = "block/output"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return Network.open(register_tiny(tmp_path_factory.mktemp("models")), device="cpu", threads=2, max_sessions=8)


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 255, (3, height, width)).astype(np.float32)


def gradient(network: Network, picture: np.ndarray, *terms: Term, **options: Any) -> np.ndarray:
    where = {key: options.pop(key) for key in ("mask", "roll") if key in options}
    return network.gradient(picture, Target(terms), GradientOptions(**options), **where)[0]


# What a network says of itself


def test_layers_are_listed_with_channels_and_strides(network: Network) -> None:
    assert network.device == "cpu" and network.logits == "logits" and network.labels[3] == "thing 3"
    seen = {name: (layer.channels, layer.stride, layer.spatial) for name, layer in network.layers.items()}
    assert seen["conv1_pre"] == (16, 2, True)
    assert seen[LAYER] == (80, 8, True)
    assert seen["logits"] == (10, 8, False)
    assert not {"data", "prob", IMAGE, CENTRED} & set(seen)
    assert list(seen).index("conv1") < list(seen).index(LAYER)


@pytest.mark.parametrize("taken", ["image", "mask0", "linear0", "image_centred", "picture", "start", "seed__1"])
def test_a_model_may_call_its_tensors_what_it_likes(network: Network, tmp_path: Path, taken: str) -> None:
    """The engine's own have other names: input or layer, the gradient stays what it was."""
    picture = noise(64, 64)
    expected = gradient(network, picture, Term(LAYER))
    for old in (INPUT, "norm1"):
        net = tiny_inception()
        net.graph.input[0].name = taken if old == INPUT else INPUT
        for n in net.graph.node:
            n.input[:] = [taken if name == old else name for name in n.input]
            n.output[:] = [taken if name == old else name for name in n.output]
        folder = register(tmp_path / old, net, input=net.graph.input[0].name, scale=1 / 64)
        renamed = Network.open(folder, device="cpu", threads=1)
        assert len(renamed.layers) == len(network.layers) and (taken in renamed.layers) == (old != INPUT)
        assert relative_error(gradient(renamed, picture, Term(LAYER)), expected) < 1e-5


def test_an_unknown_layer_names_the_nearest(network: Network) -> None:
    with pytest.raises(ValueError, match=r"no layer 'block/outputs'; the nearest are block/output"):
        network.gradient(noise(64, 64), Target.layer("block/outputs"))


def test_a_class_is_found_by_label_and_number(network: Network) -> None:
    by_label, by_number = network.class_target("Thing 7"), network.class_target(7)
    assert by_label == by_number == Target((Term("logits", ((7, 1.0),)),))
    with pytest.raises(ValueError, match="knows no class 'thin'; the nearest are thing"):
        network.class_target("thin")
    with pytest.raises(ValueError, match="classes 0 to 9, got 10"):
        network.class_target(10)


def test_pictures_it_cannot_take_are_refused(network: Network) -> None:
    with pytest.raises(ValueError, match=r"shape \(64, 64, 3\)"):
        network.gradient(np.zeros((64, 64, 3), np.float32), Target.layer(LAYER))
    with pytest.raises(ValueError, match="at least 32 pixels a side here, got 100x31"):
        network.gradient(noise(31, 100), Target.layer(LAYER))
    with pytest.raises(ValueError, match=r"channels 0 to 79, got 80"):
        network.gradient(noise(64, 64), Target.layer(LAYER, 80))
    with pytest.raises(ValueError, match="mask must have the picture's size 80x64"):
        network.gradient(noise(64, 80), Target.layer(LAYER), mask=np.ones((80, 64), np.float32))


# Targets


@pytest.mark.parametrize(
    "term",
    [
        Term(LAYER),
        Term(LAYER, ((5, 1.0),)),
        Term(LAYER, ((3, 1.0), (40, -0.5))),
        Term(LAYER, ((5, 1.0),), squared=True),
        Term(LAYER, squared=False),
        Term("logits", ((2, 1.0),)),
        Term(LAYER, ((5, 1.0),), position=(0.4, 0.7)),
        Term("conv2_pre", ((1, 1.0),)),
    ],
    ids=str,
)
def test_the_gradient_points_where_the_score_rises(network: Network, term: Term) -> None:
    picture, target = noise(64, 72), Target((term,))
    slope, _ = network.gradient(picture, target)
    step = slope / np.abs(slope).mean() * np.float32(0.02)
    rise = network.gradient(picture + step, target)[1] - network.gradient(picture - step, target)[1]
    assert rise == pytest.approx(2 * float((slope.astype(np.float64) * step).sum()), rel=0.02)


def test_a_direction_is_the_sum_of_its_channels(network: Network) -> None:
    picture = noise(64, 64)
    both = gradient(network, picture, Term(LAYER, ((3, 2.0), (9, -1.0))))
    apart = 2 * gradient(network, picture, Term(LAYER, ((3, 1.0),))) - gradient(
        network, picture, Term(LAYER, ((9, 1.0),))
    )
    assert relative_error(both, apart) < 1e-4


def test_a_place_is_one_unit(network: Network) -> None:
    picture = noise(128, 128)
    reach = np.abs(gradient(network, picture, Term("pool2", ((4, 1.0),), position=(0.25, 0.75)))).sum(axis=0)
    rows, columns = np.nonzero(reach)
    assert 0 < len(rows) < reach.size / 8
    assert abs(rows.mean() - 96) < 10 and abs(columns.mean() - 32) < 10


def test_a_mask_limits_what_counts(network: Network) -> None:
    picture, mask = noise(128, 128), np.zeros((128, 128), np.float32)
    mask[:, :64] = 1
    target = Target.layer("pool2", 4)
    left, score = network.gradient(picture, target, mask=mask)
    right, other = network.gradient(picture, target, mask=1 - mask)
    whole, total = network.gradient(picture, target)
    assert relative_error(left + right, whole) < 1e-4
    assert score + other == pytest.approx(total, rel=1e-4)
    assert not left[:, :, 96:].any() and not right[:, :, :32].any()


def test_several_terms_are_normalised_before_they_are_weighed(network: Network) -> None:
    picture = noise(64, 64)
    deep, shallow = Term(LAYER, ((3, 1.0),)), Term("conv1")
    # the seeds' norms: sqrt(positions) for one linear channel, the activations' own for squares
    positions = network.activations(picture, LAYER)[3].size ** 0.5
    size = float(np.linalg.norm(network.activations(picture, "conv1")))
    expected = 2 * gradient(network, picture, deep) / positions - gradient(network, picture, shallow) / size
    got = gradient(network, picture, Term(LAYER, ((3, 1.0),), weight=2), Term("conv1", weight=-1))
    assert relative_error(got, expected) < 1e-4


def test_two_terms_on_one_layer(network: Network) -> None:
    picture = noise(64, 64)
    n = network.activations(picture, LAYER)[3].size ** 0.5
    expected = (
        gradient(network, picture, Term(LAYER, ((3, 1.0),))) + gradient(network, picture, Term(LAYER, ((5, 1.0),)))
    ) / n
    assert (
        relative_error(gradient(network, picture, Term(LAYER, ((3, 1.0),)), Term(LAYER, ((5, 1.0),))), expected) < 1e-4
    )


def test_a_guide_weighs_channels_by_their_mean(network: Network) -> None:
    picture, guide = noise(64, 64), noise(48, 80, seed=5)
    mean = network.activations(guide, LAYER).mean(axis=(1, 2))
    channels = tuple(enumerate(mean / np.abs(mean).sum()))
    guided = gradient(network, picture, Term(LAYER, guide="mean"), guide=guide)
    assert relative_error(guided, gradient(network, picture, Term(LAYER, channels))) < 1e-4
    with pytest.raises(ValueError, match="no guide picture was given"):
        gradient(network, picture, Term(LAYER, guide="mean"))


def test_a_matching_guide_wants_the_nearest_feature_everywhere(network: Network) -> None:
    picture, guide = noise(64, 64), noise(48, 80, seed=5)
    features = network.activations(guide, LAYER).reshape(80, -1)
    assert features.shape[1] <= GUIDE_POSITIONS
    values = network.activations(picture, LAYER)
    best = features[:, (features.T @ values.reshape(80, -1)).argmax(axis=0)].reshape(values.shape)
    _, score = network.gradient(picture, Target((Term(LAYER, guide="match"),)), GradientOptions(guide=guide))
    assert score == pytest.approx(float((best * values).sum()), rel=1e-4)


def test_a_guide_is_looked_at_once(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    real = Network.activations

    def counted(self: Network, picture: np.ndarray, layer: str) -> np.ndarray:
        seen.append(layer)
        return real(self, picture, layer)

    monkeypatch.setattr(Network, "activations", counted)
    picture, guides, term = noise(64, 64), [noise(48, 80, seed=s) for s in range(20, 26)], Term(LAYER, guide="mean")
    for guide in (guides[0], guides[0].copy(), guides[1], guides[0]):
        gradient(network, picture, term, guide=guide)
    assert len(seen) == 2
    gradient(network, picture, Term(LAYER, guide="match"), guide=guides[0])
    gradient(network, picture, Term("conv2", guide="mean"), guide=guides[0])
    assert len(seen) == 4
    for guide in guides:  # the last few are remembered
        gradient(network, picture, term, guide=guide)
    assert len(seen) == 8


def test_a_target_survives_json() -> None:
    target = Target(
        (Term("a", ((1, 0.5), (7, -2.0)), weight=3.0), Term("b", position=(0.5, 1.0)), Term("c", guide="mean"))
    )
    assert Target.from_json(json.loads(json.dumps(target.to_json()))) == target
    assert Target.layer("a", 3).to_json() == {"terms": [{"layer": "a", "channels": ((3, 1.0),)}]}


@pytest.mark.parametrize(
    "data, message",
    [
        ({"layer": "a"}, "a list 'terms'"),
        ({"terms": [{"layer": "a", "colour": 3}]}, "colour"),
        ({"terms": []}, "at least one"),
        ({"terms": [{"layer": "a", "weight": 0}]}, "other than 0"),
        ({"terms": [{"layer": "a", "position": [0, 2]}]}, "0..1"),
        ({"terms": [{"layer": "a", "channels": [[-1, 1]]}]}, ">= 0"),
        ({"terms": [{"layer": "a", "guide": "x"}]}, "'match'"),
    ],
)
def test_a_bad_target_says_why(data: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Target.from_json(data)


# Tiles


@pytest.mark.parametrize("size", [(200, 168), (203, 167)])
def test_tiles_with_a_wide_halo_give_the_gradient_of_the_whole(network: Network, size: tuple[int, int]) -> None:
    picture, target = noise(*size), Target.layer("conv2_pre", 3)
    whole, total = network.gradient(picture, target, GradientOptions(tile=512))
    # conv2_pre sees 23 pixels around each position
    tiled, _ = network.gradient(picture, target, GradientOptions(tile=64, halo=24))
    assert relative_error(tiled, whole) < 1e-5
    rough, estimate = network.gradient(picture, target, GradientOptions(tile=64, halo=0))
    assert relative_error(rough, whole) > 1e-3
    assert estimate == pytest.approx(total, rel=0.2)


@pytest.mark.parametrize("multiple", [1, 48])
def test_a_shifted_picture_is_seen_without_being_moved(tmp_path: Path, multiple: int) -> None:
    network = Network.open(register_tiny(tmp_path, size_multiple=multiple), device="cpu", threads=1)
    picture, mask, roll = noise(100, 148), noise(100, 148)[0] / 255, (37, 141)
    seen = network.gradient(picture, Target.layer(LAYER), GradientOptions(tile=64), mask=mask, roll=roll)
    moved, still = np.roll(picture, roll, (1, 2)), np.roll(mask, roll, (0, 1))
    expected = network.gradient(moved, Target.layer(LAYER), GradientOptions(tile=64), mask=still)
    np.testing.assert_array_equal(np.roll(seen[0], roll, (1, 2)), expected[0])
    assert seen[1] == expected[1]


def test_progress_is_told_after_every_tile(network: Network) -> None:
    progress: list[tuple[int, int]] = []
    network.gradient(
        noise(130, 130), Target.layer(LAYER, 1), GradientOptions(tile=64, halo=8, on_tile=lambda *a: progress.append(a))
    )
    total = progress[-1][1]
    assert total >= 4 and progress == [(i + 1, total) for i in range(total)]
    two = [Term(LAYER, ((1, 1.0),)), Term("conv1")]
    progress.clear()
    network.gradient(
        noise(130, 130), Target(tuple(two)), GradientOptions(tile=64, halo=8, on_tile=lambda *a: progress.append(a))
    )
    assert progress[-1] == (2 * total, 2 * total) and len(progress) == 2 * total


def test_cancelling_stops_between_tiles(network: Network) -> None:
    progress: list[int] = []
    with pytest.raises(Cancelled):
        network.gradient(
            noise(300, 300),
            Target.layer(LAYER, 1),
            GradientOptions(
                tile=64, halo=8, on_tile=lambda done, total: progress.append(done), cancelled=lambda: len(progress) >= 2
            ),
        )
    assert 2 <= len(progress) <= 4


def test_out_is_filled(network: Network) -> None:
    picture, out = noise(64, 64), np.empty((3, 64, 64), np.float32)
    got, _ = network.gradient(picture, Target.layer(LAYER), out=out)
    assert got is out and out.any()
    with pytest.raises(ValueError, match="out must be float32"):
        network.gradient(picture, Target.layer(LAYER), out=np.empty((3, 64, 64)))


def test_the_same_call_gives_the_same_bytes(network: Network) -> None:
    picture, target = noise(200, 130), Target.layer(LAYER, 2)
    first = network.gradient(picture, target, GradientOptions(tile=64))[0].tobytes()
    assert all(network.gradient(picture, target, GradientOptions(tile=64))[0].tobytes() == first for _ in range(3))


def test_sizes_that_must_be_multiples_are_padded(tmp_path: Path) -> None:
    folder = register_tiny(tmp_path, size_multiple=16)
    network = Network.open(folder, device="cpu")
    picture = noise(70, 64)
    got, _ = network.gradient(picture, Target.layer("conv1_pre", 1))
    assert got.shape == picture.shape and got[:, -1].any()
    padded = np.pad(picture, ((0, 0), (0, 10), (0, 0)), mode="edge")
    whole, _ = network.gradient(padded, Target.layer("conv1_pre", 1))
    assert relative_error(got[:, :60], whole[:, :60]) < 1e-6


# Sessions


def test_a_new_style_within_a_layer_takes_no_new_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    real = CpuRunner.__init__

    def counted(self: CpuRunner, onnx_model: onnx.ModelProto, threads: int) -> None:
        made.append(threads)
        real(self, onnx_model, threads)

    monkeypatch.setattr(CpuRunner, "__init__", counted)
    network = Network.open(register_tiny(tmp_path), device="cpu", threads=1)
    picture = noise(64, 64)
    for term in (
        Term(LAYER),
        Term(LAYER, ((3, 1.0),)),
        Term(LAYER, ((4, -1.0), (5, 2.0)), squared=True),
        Term(LAYER, position=(0.5, 0.5)),
        Term(LAYER, squared=False, weight=-1),
    ):
        gradient(network, picture, term)
        gradient(network, picture, term, mask=np.tri(64, dtype=np.float32))
    gradient(network, noise(90, 71), Term(LAYER))
    assert len(made) == 1
    gradient(network, picture, Term("conv1"))
    assert len(made) == 2


def test_sessions_are_bounded(tmp_path: Path) -> None:
    network = Network.open(register_tiny(tmp_path), device="cpu", threads=1, max_sessions=2)
    for layer in ("conv1", "conv2", "pool2", LAYER):
        network.gradient(noise(64, 64), Target.layer(layer))
    assert [key[0].layers for key in network.runners._runners] == [("pool2",), (LAYER,)]
    with pytest.raises(ValueError, match="max_sessions"):
        Network.open(register_tiny(tmp_path), max_sessions=0)


# GPU


def fixed_size_model(network: Network, question: Question) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    return ort.InferenceSession(
        build(network.forward, question).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


@pytest.mark.parametrize("smooth", [False, True])
def test_the_model_for_a_gpu_computes_the_same(network: Network, smooth: bool) -> None:
    """Run here on the CPU: other nodes (indices instead of masks), fixed sizes, the window cut inside."""
    picture, (top, left) = noise(100, 120), (16, 8)
    session = fixed_size_model(network, Question("gradient", (LAYER,), (False,), smooth, window=(72, 80)))
    zeros = np.zeros((1, 80, 1, 1), np.float32)
    h, w = network.runners.layer_size(LAYER, 72, 80)
    fed = {
        "picture": picture[None],
        "rows": np.arange(top, top + 72),
        "columns": np.arange(left, left + 80),
        "linear0": zeros + 1,
        "squared0": zeros,
        "mask0": np.ones((1, 1, h, w), np.float32),
    }
    got, score = session.run(None, {ours(name): value for name, value in fed.items()})
    piece = np.ascontiguousarray(picture[:, top : top + 72, left : left + 80])
    expected, value = network.gradient(piece, Target.layer(LAYER, squared=False), GradientOptions(smooth_pool=smooth))
    assert relative_error(got[0], expected) < 1e-4 and float(score) == pytest.approx(value, rel=1e-4)


def test_the_model_for_a_gpu_keeps_no_shape_arithmetic(network: Network, tmp_path: Path) -> None:
    """What the runtime folds away cannot fall back to the CPU."""
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    question = Question("gradient", (LAYER,), (False,), window=(72, 80))
    ort.InferenceSession(
        build(network.forward, question).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    left = {n.op_type for n in onnx.load(str(tmp_path / "optimised.onnx")).graph.node}
    assert not left & {"Shape", "ConstantOfShape", "Expand", "ReduceProd", "Cast"}, left


@pytest.mark.skipif(not cuda_works(), reason="ONNX Runtime gets no CUDA on this machine")
@pytest.mark.parametrize("term", [Term(LAYER), Term(LAYER, ((3, 1.0),)), Term("logits", ((2, 1.0),))], ids=str)
def test_gpu_and_cpu_agree(network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, term: Term) -> None:
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "0")
    gpu = Network.open(register_tiny(tmp_path), device="cuda", tf32=False)
    assert gpu.device == "cuda"
    picture = noise(200, 168)
    expected, value = network.gradient(picture, Target((term,)), GradientOptions(tile=96))
    got, score = gpu.gradient(picture, Target((term,)), GradientOptions(tile=96))
    assert relative_error(got, expected) < 5e-3 and score == pytest.approx(value, rel=1e-2)


def test_many_cores_share_a_few_tiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tile takes hundreds of megabytes: one on each of 64 cores would take twenty gigabytes."""
    folder, lock, under_way, most = register_tiny(tmp_path), threading.Lock(), 0, 0
    run = CpuRunner.run

    def counted(*arguments: Any) -> Any:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        try:
            return run(*arguments)
        finally:
            with lock:
                under_way -= 1

    monkeypatch.setattr(CpuRunner, "run", counted)
    picture, target = noise(300, 420), Target.layer("block/output")
    alone, many = (
        Network.open(folder, device="cpu", threads=n).gradient(picture, target, GradientOptions(tile=64, halo=48))[0]
        for n in (1, 11)
    )
    assert 1 < most <= 4
    assert relative_error(many, alone) < 1e-3


@pytest.mark.skipif(cuda_works(), reason="this machine has a GPU that works")
def test_without_a_gpu_auto_is_the_cpu_and_cuda_an_error(tmp_path: Path) -> None:
    folder = register_tiny(tmp_path)
    assert Network.open(folder, device="auto").device == "cpu"
    with pytest.raises(RuntimeError, match="'cuda' was asked for"):
        Network.open(folder, device="cuda")
