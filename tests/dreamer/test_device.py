"""What a GPU does, by the same code on the CPU: windows taken there, and pictures that stay there for an octave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from dreamer.engine import Interrupted, Network, Progress, Recipe, Snapshot, Target, Term, device, dream
from dreamer.engine.build import Question, build
from dreamer.engine.colour import MODES
from dreamer.engine.device_models import Odd, Shaping, move_model, paste_model
from dreamer.engine.gradient_options import GradientOptions
from dreamer.engine.noise import noise_picture
from dreamer.engine.session import BoundRunner, _arena, cuda_works
from dreamer.graph.ops import properties
from dreamer.house import BUILTIN

from .gradients import relative_error
from .nets import register_googlenet, register_tiny

LAYER = "block/output"
TARGET = Target.layer(LAYER)
SMALL = Recipe(target=TARGET, model="tiny", octaves=3, min_size=32, iterations=3, tile=64, seed=7)


@pytest.fixture(scope="module", params=[1, 48], ids=["any size", "multiples of 48"])
def networks(tmp_path_factory: pytest.TempPathFactory, request: Any) -> tuple[Network, Network]:
    """The same network on the CPU as ever, and as on a GPU."""
    folder = register_tiny(tmp_path_factory.mktemp("models"), size_multiple=request.param)
    usual, fixed = (Network.open(folder, device="cpu", threads=1, resident=resident) for resident in (False, True))
    return usual, fixed


without_a_gpu = pytest.mark.skipif(not cuda_works(), reason="ONNX Runtime gets no CUDA on this machine")


@pytest.fixture(scope="module", params=["cpu", pytest.param("cuda", marks=without_a_gpu)])
def resident(tmp_path_factory: pytest.TempPathFactory, request: Any) -> Network:
    folder = register_tiny(tmp_path_factory.mktemp("models"))
    return Network.open(folder, device=request.param, threads=1, resident=True, tf32=False)


@pytest.fixture
def moves(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with every step that is taken on the device."""
    taken: list[int] = []
    step = device.DeviceAscent.step

    def counted(self: device.DeviceAscent, *args: Any, **seen: Any) -> None:
        step(self, *args, **seen)
        taken.append(1)

    monkeypatch.setattr(device.DeviceAscent, "step", counted)
    return taken


# Windows


@pytest.mark.parametrize(
    "target",
    [
        TARGET,
        Target.layer("logits", 2),
        Target((Term("conv2"), Term(LAYER, weight=0.5))),
        Target((Term(LAYER, guide="match"),)),
        Target((Term(LAYER, position=(0.2, 0.7)),)),
    ],
    ids=lambda target: " ".join(t.layer + str(t.guide or t.position or "") for t in target.terms),
)
def test_windows_of_fixed_size_give_the_same_gradient(networks: tuple[Network, Network], target: Target) -> None:
    picture = np.random.default_rng(0).uniform(0, 255, (3, 203, 167)).astype(np.float32)
    mask = np.tri(203, 167, 40, dtype=np.float32)
    (usual, value), (fixed, score) = (
        network.gradient(
            picture, target, GradientOptions(tile=64, border=8, guide=picture[:, :64, :80]), roll=(30, 100), mask=mask
        )
        for network in networks
    )
    assert relative_error(fixed, usual) < 1e-5
    assert score == pytest.approx(value, rel=1e-5)


# Whole dreams


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"mean_free": True},
        {"near": 0.1, "chroma": 40.0, "mean_free": True},
        {"smooth": 4, "colour": "vivid", "chroma": 80.0, "mean_free": True},
        {"smooth": 12},
        {"colour": "decorrelated"},
        {"colour": "luminance"},
        {"roll": 0, "smooth_pool": True},
        {"finest": 0.8, "taper": 1.5, "wash": 20.0, "keep_colours": True},
        {"target": Target((Term("conv2"), Term(LAYER, weight=0.5)))},
        {"target": Target((Term(LAYER, position=(0.3, 0.6)),))},
        {"target": Target((Term(LAYER, guide="mean"),))},
    ],
    ids=str,
)
@pytest.mark.parametrize("masked", [False, True])
def test_a_picture_that_stays_there_is_dreamed_the_same(
    networks: tuple[Network, Network], moves: list[int], change: dict[str, Any], masked: bool
) -> None:
    """Several octaves, steps and tiles, odd sizes."""
    photo, guide = noise_picture(157, 209, contrast=40, seed=4), noise_picture(48, 64, contrast=60, seed=1)
    mask = np.zeros((79, 105), np.uint8)
    mask[20:60, 30:90] = np.linspace(1, 255, 60).astype(np.uint8)
    recipe = replace(SMALL, **change)
    expected, got = (
        dream(photo, network, recipe, mask=mask if masked else None, guide=guide).astype(int) for network in networks
    )
    assert len(moves) >= 9
    assert (expected != photo).mean() > 0.05
    assert np.abs(got - expected).max() <= 1 and (got != expected).mean() < 1e-3


@pytest.mark.parametrize("smooth", [0, 3])
@pytest.mark.parametrize("front", [0.0, 0.3])
@pytest.mark.parametrize("size", [(205, 259), (90, 131)], ids=str)
def test_what_new_ink_holds_is_held_there_too(
    networks: tuple[Network, Network], moves: list[int], size: tuple[int, int], smooth: int, front: float
) -> None:
    """Two and more levels of a pyramid, odd sizes, and octaves in which everything is coarse."""
    photo = noise_picture(*size, contrast=40, seed=4)
    ages = np.full((-(-size[0] // 8), -(-size[1] // 8)), 255, np.uint8)
    ages[3:9, 4:12], ages[2, 2] = 0, 3
    # Few and short steps: where a pool's maximum changes places, two ways of rounding part for good.
    steps = replace(SMALL, iterations=1, step=2.0, smooth=smooth, wash=20.0, mean_free=True)
    recipe = replace(steps, hold=0.9, fade=0.7, front=front)
    expected, got = (dream(photo, network, recipe, ages=ages).astype(int) for network in networks)
    assert len(moves) >= 2
    free = dream(photo, networks[0], replace(recipe, hold=0.0), ages=ages)
    assert (expected != free).mean() > 0.02
    assert np.abs(got - expected).max() <= 1 and (got != expected).mean() < 1e-3


def test_octaves_with_noise_on_them_are_work_for_the_cpu(networks: tuple[Network, Network], moves: list[int]) -> None:
    photo = noise_picture(300, 280, contrast=40, seed=4)  # the finest octave is too large to count as coarse
    recipe = replace(SMALL, octaves=2, octave_scale=1.5, samples=3, iterations=2)
    expected, got = (dream(photo, network, recipe).astype(int) for network in networks)
    assert len(moves) == 2
    assert np.abs(got - expected).max() <= 1


@pytest.mark.parametrize("change", [{"rotate": 5.0}, {"rescale": 0.1}], ids=str)
def test_recipes_that_are_work_for_the_cpu(
    networks: tuple[Network, Network], moves: list[int], change: dict[str, Any]
) -> None:
    photo = noise_picture(80, 96, contrast=40, seed=4)
    expected, got = (dream(photo, network, replace(SMALL, **change)).astype(int) for network in networks)
    assert not moves
    assert np.abs(got - expected).max() <= 1


@pytest.mark.parametrize("smooth, pictures", [(0, device.PICTURES), (3, device.PYRAMID)])
def test_pictures_too_large_for_the_device_are_not_held_there(
    tmp_path: Path, moves: list[int], smooth: int, pictures: int
) -> None:
    """Half of the memory that dreams may take is theirs."""
    folder, recipe = register_tiny(tmp_path), replace(SMALL, smooth=smooth)
    photo = noise_picture(80, 96, contrast=40, seed=4)  # octaves of 46 x 55, 60 x 73 and 80 x 96
    tight = Network.open(folder, device="cpu", threads=1, resident=True, gpu_memory=2 * 12 * pictures * 60 * 73)
    expected = dream(photo, Network.open(folder, device="cpu", threads=1), recipe)
    assert np.abs(dream(photo, tight, recipe).astype(int) - expected).max() <= 1
    assert len(moves) == 2 * recipe.iterations
    wide = Network.open(folder, device="cpu", resident=True)
    most = device.MOST_BYTES // 12 // pictures
    assert device.stays(wide, recipe, (1, most)) and not device.stays(wide, recipe, (1, most + 1))


def test_flat_and_silent_pictures_and_empty_masks(resident: Network, moves: list[int]) -> None:
    """Nothing is divided by nothing."""
    photo = noise_picture(64, 64, contrast=40, seed=4)
    for change in ({}, {"mean_free": True}, {"smooth": 3, "colour": "vivid"}):
        recipe = replace(SMALL, **change)
        np.testing.assert_array_equal(dream(photo, resident, recipe, mask=np.zeros((9, 9), np.uint8)), photo)
        np.testing.assert_array_equal(dream(photo, resident, replace(recipe, step=0.0)), photo)
        for grey in (0, 117, 255):
            flat = np.full((64, 64, 3), grey, np.uint8)
            dreamed = dream(flat, resident, replace(recipe, octaves=1, iterations=1))
            assert np.abs(dreamed.astype(float) - flat).mean() <= 1.6
    assert moves
    with pytest.raises(ValueError, match="at least 32 pixels"):
        dream(np.zeros((20, 50, 3), np.uint8), resident, SMALL)


def test_same_seed_same_bytes(networks: tuple[Network, Network]) -> None:
    """On the CPU: a GPU adds what a pool scatters in any order."""
    photo = noise_picture(120, 150, contrast=40, seed=4)
    first, again, other = (dream(photo, networks[1], replace(SMALL, seed=seed)) for seed in (7, 7, 8))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@without_a_gpu
@pytest.mark.parametrize("masked", [False, True])
def test_a_gpu_dreams_what_the_cpu_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, masked: bool) -> None:
    """A few steps: by many, dreams that begin a rounding apart part."""
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "0")
    photo, mask = noise_picture(157, 209, contrast=40, seed=4), np.tri(157, 209, 20).astype(np.uint8) * 255
    recipe = replace(SMALL, octaves=2, iterations=2, near=0.1, chroma=40.0, mean_free=True)
    folder = register_tiny(tmp_path)
    expected, got = (
        dream(photo, Network.open(folder, device=name, tf32=False), recipe, mask=mask if masked else None).astype(float)
        for name in ("cpu", "cuda")
    )
    assert np.abs(got - expected).mean() < 0.05 * np.abs(expected - photo).mean()


@pytest.mark.parametrize("tiles", [0, 1, 7, 19])
def test_cancelled_between_tiles_it_brings_the_picture_so_far(networks: tuple[Network, Network], tiles: int) -> None:
    photo, pictures = noise_picture(157, 209, contrast=40, seed=4), []
    for network in networks:
        done: list[Progress] = []
        with pytest.raises(Interrupted) as stopped:
            dream(photo, network, SMALL, progress=done.append, cancelled=lambda done=done: len(done) >= tiles)
        assert len(done) - tiles <= 1  # what was already under way
        pictures.append(stopped.value.picture.astype(int))
    assert (pictures[0] != photo).any() == (tiles > 0)
    assert np.abs(pictures[1] - pictures[0]).max() <= 1


def test_previews_show_the_dream_as_it_is_and_the_last_one_is_its_end(networks: tuple[Network, Network]) -> None:
    photo, shots = noise_picture(120, 150, contrast=40, seed=4), []
    for network in networks:
        seen: list[np.ndarray] = []

        def look(progress: Progress, snapshot: Snapshot, seen: list[np.ndarray] = seen) -> None:
            seen.append(snapshot((60, 75)).astype(int))
            if progress.iteration == progress.iterations:
                seen.append(snapshot().astype(int))

        seen.append(dream(photo, network, SMALL, preview=look).astype(int))
        shots.append(seen)
    assert len(shots[1]) == 13
    assert all(np.abs(a - b).max() <= 1 for a, b in zip(*shots, strict=True))
    np.testing.assert_array_equal(shots[1][-1], shots[1][-2])


# What travels


class Traffic:
    """Bytes of every array that goes to the device or comes back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.up: list[int] = []
        self.down: list[int] = []
        make, bind, read = ort.OrtValue.ortvalue_from_numpy, ort.IOBinding.bind_cpu_input, ort.OrtValue.numpy

        def from_numpy(array: np.ndarray, *args: Any) -> ort.OrtValue:
            self.up.append(array.nbytes)
            return make(array, *args)

        def bind_cpu_input(binding: ort.IOBinding, name: str, array: np.ndarray) -> None:
            self.up.append(array.nbytes)
            bind(binding, name, array)

        def numpy(value: ort.OrtValue) -> np.ndarray:
            array = read(value)
            self.down.append(array.nbytes)
            return array

        monkeypatch.setattr(ort.OrtValue, "ortvalue_from_numpy", staticmethod(from_numpy))
        monkeypatch.setattr(ort.IOBinding, "bind_cpu_input", bind_cpu_input)
        monkeypatch.setattr(
            ort.IOBinding, "copy_outputs_to_cpu", lambda binding: pytest.fail("outputs are read singly")
        )
        monkeypatch.setattr(ort.OrtValue, "numpy", numpy)

    def pictures(self, least: int) -> tuple[int, int]:
        """How many arrays of so many bytes or more went there and came back."""
        return sum(n >= least for n in self.up), sum(n >= least for n in self.down)


@pytest.mark.parametrize("looks, down", [(0, 1), (1, 2), (5, 5)])
def test_a_picture_travels_there_and_back_once_in_an_octave(
    resident: Network, monkeypatch: pytest.MonkeyPatch, looks: int, down: int
) -> None:
    """And once for each preview that is really asked for; the one after the last step is the end."""
    photo = noise_picture(160, 208, contrast=40, seed=4)
    recipe = replace(SMALL, octaves=1, iterations=5)
    dream(photo, resident, recipe)  # the force that is usual on noise is asked once for a target
    traffic, shown = Traffic(monkeypatch), []

    def look(progress: Progress, snapshot: Snapshot) -> None:
        if progress.iteration <= looks:
            shown.append(snapshot())

    tiles: list[int] = []
    dream(photo, resident, recipe, preview=look, progress=lambda p: tiles.append(p.tile))
    assert len(shown) == looks and len(tiles) >= 4 * recipe.iterations
    assert traffic.pictures(photo.size * 4) == (1, down)
    small = photo.size * 4 // 50
    assert traffic.pictures(small) == (1, down)  # no windows and no gradients among the rest
    assert len(traffic.down) == down + len(tiles)  # each tile's value


def test_each_octave_travels_once_and_its_mask_and_photograph_go_along(
    resident: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo, mask = noise_picture(160, 208, contrast=40, seed=4), np.full((160, 208), 200, np.uint8)
    recipe = replace(SMALL, near=0.1)
    dream(photo, resident, recipe, mask=mask)
    traffic = Traffic(monkeypatch)
    dream(photo, resident, recipe, mask=mask)
    assert traffic.pictures(32 * 32 * 12) == (3 * 3, 3)


@pytest.mark.parametrize("guide", ["mean", "match"])
def test_a_guide_travels_once_in_a_dream(resident: Network, monkeypatch: pytest.MonkeyPatch, guide: Any) -> None:
    photo, shown = noise_picture(160, 208, contrast=40, seed=4), noise_picture(96, 96, contrast=60, seed=1)
    recipe = replace(SMALL, octaves=1, iterations=4, target=Target((Term(LAYER, guide=guide),)))
    dream(photo, resident, recipe, guide=noise_picture(96, 96, contrast=60, seed=2))
    # the force that is usual on noise is asked once for each guide: not what is counted here
    monkeypatch.setattr(resident, "gradient", lambda noise, *a, **k: (noise, 0.0))
    traffic = Traffic(monkeypatch)
    dream(photo, resident, recipe, guide=shown)
    features = 80 * 12 * 12 * 4
    assert sorted(n for n in traffic.up if n >= features // 2) == sorted(
        [photo.size * 4, shown.size * 4, *[features] * (guide == "match")]
    )


# What is left of the models after the runtime's basic optimisation, which no device takes part in

TYPES = {"f": onnx.TensorProto.FLOAT, "i": onnx.TensorProto.INT64, "b": onnx.TensorProto.BOOL}


def models(network: Network) -> dict[str, onnx.ModelProto]:
    """Every kind of model that goes to the device."""

    def of(purpose: Any, *layers: str, **more: Any) -> onnx.ModelProto:
        return build(network.forward, Question(purpose, layers, more.pop("match", (False,) * len(layers)), **more))

    found = {
        f"gradient of {layer}, {height} x {width}, smooth {smooth}": of(
            "gradient", layer, smooth_pool=smooth, window=(height, width)
        )
        for layer, (height, width), smooth in product((LAYER, "logits"), ((72, 80), (73, 91)), (False, True))
    }
    for purpose in ("gradient", "norms"):
        found[f"{purpose} of two"] = of(purpose, LAYER, LAYER, match=(True, False), window=(72, 80))
    found["features"] = of("features", LAYER, window=(72, 80))
    found["paste"] = paste_model()
    no, yes = False, True
    either = (no, yes)
    levels: tuple[Odd, ...] = ((), ((yes, no), (no, yes)))
    kinds = [
        Shaping(odd, colour, *more)
        for odd in levels
        for colour in MODES
        for more in [(a, b, c, d) for a in either for b in either for c in either for d in either]
    ]
    kinds += [Shaping(odd, masked=masked, held=held) for odd in levels for masked in either for held in levels]
    return found | {str(kind): move_model(kind) for kind in kinds}


def optimised(model: onnx.ModelProto, path: Path) -> onnx.ModelProto:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path)
    ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return onnx.load(str(path))


def misplaced(model: onnx.ModelProto) -> list[str]:
    """The nodes for which the CUDA provider has no kernel, or that want sizes computed at run time."""
    graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    constants = {t.name: t.data_type for t in graph.initializer}
    types = {v.name: v.type.tensor_type.elem_type for v in [*graph.input, *graph.value_info, *graph.output]} | constants
    return [
        f"{node.op_type} of {[types.get(i) for i in node.input]}"
        for node in graph.node
        if node.domain not in ("", "ai.onnx")
        or types[node.input[0]] not in {TYPES[letter] for letter in properties(node.op_type).cuda}
        or (properties(node.op_type).shaped and not constants.keys() >= {i for i in node.input[1:] if i})
    ]


def test_every_op_on_the_device_has_a_cuda_kernel(resident: Network, tmp_path: Path) -> None:
    found = {name: misplaced(optimised(model, tmp_path / "optimised.onnx")) for name, model in models(resident).items()}
    assert len(found) == 12 + 2 * 4 * 16 + 2 * 2 * 2
    assert {name: nodes for name, nodes in found.items() if nodes} == {}


@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("name", ["house", "googlenet"])
def test_networks_in_use_need_no_other_ops(tmp_path: Path, name: str, smooth: bool) -> None:
    folder = BUILTIN / "house" if name == "house" else register_googlenet(tmp_path)
    network = Network.open(folder, device="cpu")
    layer = [layer.name for layer in network.layers.values() if layer.spatial][-1]
    model = build(network.forward, Question("gradient", (layer,), (False,), smooth, window=(301, 287)))
    assert misplaced(optimised(model, tmp_path / "optimised.onnx")) == []


def test_ops_that_would_fall_back_are_found(resident: Network, tmp_path: Path) -> None:
    """The same look at the models for the CPU, whose sizes are known at run time only."""
    model = build(resident.forward, Question("gradient", (LAYER,), (False,), True))
    assert any("Shape" in node for node in misplaced(optimised(model, tmp_path / "optimised.onnx")))


def test_few_sessions_of_fixed_sizes(resident: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """One for each octave and layer, and none anew with the next dream, whatever its style, roll and seed."""
    photo = noise_picture(160, 208, contrast=40, seed=4)
    dream(photo, resident, SMALL)
    made: list[Callable[..., Any]] = []
    monkeypatch.setattr("dreamer.engine.session.ort.InferenceSession", lambda *a, **k: made.append(a))
    for seed, channel in ((1, None), (2, 5)):
        dream(photo, resident, replace(SMALL, seed=seed, target=Target.layer(LAYER, channel)))
    assert not made


def test_what_is_asked_of_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """No fallback, a heuristic search, and one arena for all sessions, within the limit."""
    opened, arenas = [], []
    BoundRunner(paste_model(), "cpu", 0)  # a real one before any that only asks: it is the process' first

    class Session:
        def __init__(
            self, model: bytes, options: ort.SessionOptions, providers: list[tuple[str, dict[str, str]]]
        ) -> None:
            opened.append((options, providers))

        def get_providers(self) -> list[str]:
            return ["CUDAExecutionProvider"]

    monkeypatch.setattr(ort, "InferenceSession", Session)
    monkeypatch.setattr(ort, "create_and_register_allocator_v2", lambda *a: arenas.append((a[0], a[3].max_mem)))
    limit = 987 * 2**20  # another one than that of any other test: an arena is made once for each
    for model in (paste_model(), move_model(Shaping())):
        BoundRunner(model, "cuda", limit)
    assert arenas == [("CUDAExecutionProvider", limit)]
    for options, ((provider, settings),) in opened:
        assert provider == "CUDAExecutionProvider"
        assert options.get_session_config_entry("session.disable_cpu_ep_fallback") == "1"
        assert options.get_session_config_entry("session.use_env_allocators") == "1"
        assert settings["cudnn_conv_algo_search"] == "HEURISTIC" and settings["gpu_mem_limit"] == str(limit)


def test_an_arena_that_cannot_be_shared_is_no_reason_not_to_dream(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*arguments: Any) -> None:
        raise RuntimeError("not here")

    monkeypatch.setattr(ort, "create_and_register_allocator_v2", refuse)
    assert "gpu_mem_limit" in _arena(986 * 2**20)
    assert "not here" in caplog.text
