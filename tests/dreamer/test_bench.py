"""The bench measures what it says, on a small canvas."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dreamer.engine import Network, Target, cuda
from dreamer.engine.gradient_options import GradientOptions
from dreamer.house import BUILTIN
from tests.bench import dream as bench
from tests.bench import gpu

from .gradients import relative_error
from .nets import register_googlenet, register_tiny


def test_it_prints_a_table_and_writes_its_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "WARM_SIDE", 160)
    folder, file = register_tiny(tmp_path), tmp_path / "out" / "dream.json"
    layer = "block/output"
    bench.main(["--model", str(folder), "--json", str(file), "--repeat", "1", "--side", "160", "--layers", layer])
    cases = json.loads(file.read_text())
    assert list(cases) == [layer, f"{layer} (smoothed pool)"]
    exact = cases[layer]
    assert exact["ratio"] == pytest.approx(exact["pytorch_s"] / exact["ours_s"], rel=0.2)
    assert exact["bf16_ratio"] == pytest.approx(exact["pytorch_bf16_s"] / exact["ours_s"], rel=0.2)
    assert exact["openvino_gain"] == pytest.approx(exact["ours_s"] / exact["openvino_s"], rel=0.2)
    assert exact["sgemm_share"] == min(exact["sgemm_shares"].values())
    assert {"numpy", "onnxruntime", "pytorch"} == set(exact["sgemm_gflops_per_s"])
    assert exact["gflop"] == pytest.approx(sum(octave["gflop"] for octave in exact["octaves"]), abs=0.5)
    assert 0 < exact["sgemm_share"] < 2 and 50 < exact["peak_mb"] < 4000
    assert exact["ours_s"] >= sum(octave["ours_s"] for octave in exact["octaves"]) * 0.9
    assert cases[f"{layer} (smoothed pool)"]["ratio"] > 0
    printed = capsys.readouterr().out
    assert "ratio" in printed and "OpenVINO" in printed and "share of sgemm" in printed and layer in printed


@pytest.mark.parametrize(("border", "smooth"), [(0, False), (16, False), (16, True)])
def test_both_compute_the_same_gradient(tmp_path: Path, border: int, smooth: bool) -> None:
    """Over the same tiles, with the same halo and border: else the times could not be compared."""
    folder = register_tiny(tmp_path)
    network = Network.open(folder, device="cpu")
    picture = np.random.default_rng(3).uniform(0, 255, (3, 130, 170)).astype(np.float32)
    options = GradientOptions(tile=64, halo=24, border=border, smooth_pool=smooth)
    target = Target.layer("block/output")
    eager, half = bench.torch_network(network, folder), bench.torch_network(network, folder, bf16=True)
    ours, theirs, rounded = (n.gradient(picture, target, options)[0] for n in (network, eager, half))
    assert relative_error(ours, theirs) < 1e-3
    assert 1e-3 < relative_error(ours, rounded) < 0.3


def test_convolution_arithmetic_is_counted(tmp_path: Path) -> None:
    network = Network.open(register_tiny(tmp_path), device="cpu")
    conv1 = 2 * 2 * 16 * 3 * 7 * 7 * 32 * 32  # forward and gradient, multiplications and additions
    assert bench.convolution_flops(network, "conv1", 64, 64) == conv1
    conv2 = 2 * 2 * 32 * 16 * 3 * 3 * 16 * 16
    assert bench.convolution_flops(network, "conv2", 64, 64) == conv1 + conv2


def test_googlenet_has_the_arithmetic_that_is_known_of_it(tmp_path: Path) -> None:
    network = Network.open(register_googlenet(tmp_path), device="cpu")
    assert bench.layers_to_measure(network) == list(bench.LAYERS[0])
    assert bench.convolution_flops(network, bench.LAYERS[0][0], 512, 512) == pytest.approx(24.8e9, rel=0.01)


def test_which_model_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODELS_DIR", raising=False)
    monkeypatch.delenv("DREAMSITE_BENCH_MODEL", raising=False)
    monkeypatch.setenv("DREAMSITE_VAR", str(tmp_path))
    assert bench.find_model(None) == BUILTIN / "house", "nothing was brought"
    folder = register_tiny(tmp_path / "models")
    assert bench.find_model(None) == folder
    with pytest.raises(SystemExit, match=r"received .*nowhere, expected a registered model's folder"):
        bench.main(["--model", str(tmp_path / "nowhere")])


def test_the_card_s_bench_refuses_in_words_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "driver", lambda: None)
    monkeypatch.setattr(cuda, "obstacle", lambda: "")
    for arguments in ([], ["--check"]):
        with pytest.raises(SystemExit, match="no NVIDIA driver answers on this machine"):
            gpu.main(arguments)
    monkeypatch.setattr(cuda, "obstacle", lambda: "NVIDIA's libcudnn.so.9 cannot be loaded")
    with pytest.raises(SystemExit, match=r"cannot be measured: NVIDIA's libcudnn\.so\.9"):
        gpu.main([])


def test_the_card_s_bench_measures_what_it_says(tmp_path: Path) -> None:
    """On the processor, with pictures that stay as on a card: everything but the card itself."""
    bench_of = gpu.Bench(register_tiny(tmp_path), device="cpu", side=96, window=64, repeat=1)
    answers = {name: answer for name, answer in bench_of.parts("block/output") if "compiled" not in name}
    results = {name: answer() for name, answer in answers.items()}
    assert [result[:2] for result in results.values()][:3] == ["ok"] * 3, results
    assert results["PyTorch eager"].endswith(" s") and results["window of 64 px, ours"].endswith(" s")
    assert results["the same in bfloat16"] == "refused: NotImplementedError"
    (row,) = {result for _, _, result in gpu.measured(bench_of, ["block/output"], budget=-1)}
    assert row.startswith("left out")
