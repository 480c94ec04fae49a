"""``python -m tests.bench.dream``: the live dream here and in PyTorch eager, in the same run, on the same cores.

The loop is the live canvas' own (``dreamer.engine.dream``: 1536 x 1536, 6 octaves x 1.31415, 1 iteration), with the
same tiles, halos and borders; only the gradients come from elsewhere. Turns alternate, so that whatever else the
machine does hits both, and the best of each counts. Seconds are the clock's; those of the processor, summed over
cores, stand beside them, because they change less where other work takes the cores.

The ceiling is float32 matrix products on the same cores, by every library there is, between the turns. The share of
it is the convolutions' arithmetic, forward and gradient, of the tiles as cut, over the whole dream's wall time;
``sgemm_share`` is that of the fastest library.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from dreamer.engine import Network, Recipe, Target, dream, openvino
from dreamer.engine.gradient_options import DEFAULT, GradientOptions
from dreamer.engine.session import cuda_works
from dreamer.engine.tiles import cut, paste
from dreamer.engine.work import interior
from dreamer.graph import IMAGE
from dreamer.house import BUILTIN
from dreamer.library.files import ModelFiles

LIVE_SIDE = 1536
WARM_SIDE = 700  # small, but with octaves of tiles that run side by side and of one alone: opens both sessions
LAYERS = (  # of the live dream, and a whole layer at the middle and at the end; of GoogLeNet and of inception5h
    ("inception_4d/3x3_reduce_pre", "inception_4c/output", "inception_5b/output"),
    ("mixed4d_3x3_bottleneck_pre_relu", "mixed4c", "mixed5b"),
)


class Timed:
    """A network that notes what each of its gradients took (one iteration: one gradient for each octave)."""

    def __init__(self, network: Any) -> None:
        self.network = network
        self.seconds: list[float] = []
        self.windows: list[list[tuple[int, int]]] = []  # the tiles of each gradient, (height, width)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.network, name)

    def gradient(
        self, picture: NDArray[np.float32], target: Target, options: GradientOptions = DEFAULT, **where: Any
    ) -> Any:
        """The network's gradient, timed."""
        start = time.perf_counter()
        result = self.network.gradient(picture, target, options, **where)
        if "out" not in where:  # not an octave's, but the look at noise that a new target begins with
            return result
        self.seconds.append(time.perf_counter() - start)
        layers = [self.network.layer(term.layer) for term in target.terms]
        tiles = self.network.tiles(picture.shape[1:], layers, options.tile, options.halo)
        self.windows.append([(t.y.stop - t.y.start, t.x.stop - t.x.start) for t in tiles])
        return result

    def dream(self, picture: NDArray[np.uint8], recipe: Recipe, name: str = "") -> Turn:
        """Dream once; ``name`` stands before the progress."""
        self.seconds, self.windows = [], []
        start, processor = time.perf_counter(), time.process_time()
        report = (lambda p: say(f"{name}: {p.fraction:.0%}")) if name else None
        dream(picture, cast(Network, self), recipe, progress=report)
        return Turn(time.perf_counter() - start, time.process_time() - processor, self.seconds)


class Turn(NamedTuple):
    """What one dream took, in seconds."""

    wall: float
    processor: float  # of all cores together
    octaves: list[float]  # each octave's gradient


def say(text: str) -> None:
    """A line for those who wait, rewritten in place; nothing where nobody looks."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def torch_network(network: Network, folder: Path, *, bf16: bool = False) -> Any:
    """The network with its gradients by PyTorch eager over the same tiles, or None without PyTorch; in float32, or as
    one would on processors that have bfloat16: by autocast, channels last."""
    try:
        import onnx
        import torch

        from tests.bench.torch_reference import TorchReference, picture_gradient
    except ImportError:
        return None
    torch.set_num_threads(network.threads)
    files = ModelFiles.read(folder)
    reference = TorchReference(onnx.load(str(files.model)))
    if bf16:
        last = torch.channels_last
        reference.values = {k: v.to(memory_format=last) if v.ndim == 4 else v for k, v in reference.values.items()}

    class Eager(Network):
        """Overrides nothing but where a window's gradient comes from."""

        def gradient(self, picture: Any, target: Target, options: GradientOptions = DEFAULT, **where: Any) -> Any:
            (term,) = target.terms
            layer = self.layer(term.layer)
            border = options.border
            weights = torch.from_numpy(term.vector(layer.channels))[None, :, None, None]
            reference.smooth_pool = options.smooth_pool

            def objective(values: Any) -> Any:
                values = values.float()
                weighted = values * weights
                if border:
                    ones = np.ones(values.shape[2:], np.float32)
                    weighted = weighted * torch.from_numpy(interior(ones, border, layer.stride))
                return (values * weighted).sum() / 2 if term.wants_squares else weighted.sum()

            out = where.get("out")
            out = np.empty_like(picture) if out is None else out
            tiles = self.tiles(picture.shape[1:], [layer], options.tile, options.halo)
            roll = where.get("roll", (0, 0))
            for done, tile in enumerate(tiles, 1):
                window = cut(picture, roll, tile.window)
                with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                    whole = picture_gradient(
                        reference,
                        window,
                        objective,
                        term.layer,
                        mean=files.info.mean,
                        scale=files.info.scale,
                        bgr=files.info.channel_order == "BGR",
                    )
                paste(whole[(slice(None), *tile.inner)], out, roll, tile.core)
                if options.on_tile:
                    options.on_tile(done, len(tiles))
            return out, 0.0

    return Eager(files, device="cpu", threads=network.threads)


def convolution_flops(network: Network, layer: str, height: int, width: int) -> float:
    """Operations (a multiplication and an addition are two) in the convolutions up to a layer for one window,
    forward and for the gradient with respect to the picture. Counted as plain convolutions, whoever does with fewer."""
    part = network.forward.copy()
    part.cut([layer])
    shapes = part.infer_shapes({IMAGE: (1, 3, height, width)})
    total = 0.0
    for node in part.nodes:
        if node.op == "Conv":
            out = shapes[node.outputs[0]]
            total += 2 * float(np.prod(part.constants[node.inputs[1]].shape)) * float(np.prod(np.array(out[2:], float)))
    return 2 * total


def sgemm_rates(threads: int) -> dict[str, Callable[[], float]]:
    """Ways to multiply 1536 x 1536 float32 matrices; each call gives GFLOP/s."""
    from onnx import TensorProto, helper, numpy_helper

    from dreamer.engine.session import CpuRunner

    side = 1536
    a, b = np.random.default_rng(0).normal(0, 1, (2, side, side)).astype(np.float32)
    sizes = ((IMAGE, [1, 1, side, side]), ("c", None))
    io = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in sizes]
    node = helper.make_node("MatMul", [IMAGE, "b"], ["c"])
    graph = helper.make_graph([node], "product", io[:1], io[1:], [numpy_helper.from_array(b, "b")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    runner, window = CpuRunner(model, threads), (slice(0, side), slice(0, side))

    def rate(product: Callable[[], Any]) -> float:
        start = time.perf_counter()
        product()
        return 2 * side**3 / (time.perf_counter() - start) / 1e9

    rates = {
        "onnxruntime": lambda: rate(lambda: runner.run(runner.place(a[None]), window, {})),
        "numpy": lambda: rate(lambda: a @ b),
    }
    try:
        import torch
    except ImportError:
        return rates
    ta, tb = torch.from_numpy(a), torch.from_numpy(b)
    return rates | {"pytorch": lambda: rate(lambda: ta @ tb)}


def canvas(side: int) -> NDArray[np.uint8]:
    """A picture to dream on: soft coloured noise of all sizes, the same every time."""
    random = np.random.default_rng(7)
    total = np.zeros((side, side, 3), np.float32)
    for cells in (4, 16, 64, 256):
        coarse = random.normal(0, 1, (cells, cells, 3)).astype(np.float32)
        total += coarse.repeat(-(-side // cells), 0).repeat(-(-side // cells), 1)[:side, :side]
    return np.clip(128 + 32 * total, 0, 255).astype(np.uint8)


def peak_memory(folder: Path, layer: str, smooth: bool, side: int, threads: int) -> float:
    """Peak resident MB of a fresh process that dreams once without PyTorch."""
    command = [
        sys.executable,
        "-m",
        "tests.bench.dream",
        "--model",
        str(folder),
        "--peak-of",
        layer,
        "--side",
        str(side),
        "--threads",
        str(threads),
        *(["--smooth"] if smooth else []),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


def _peak_of_this_process() -> float:
    """MB. Linux counts the parent's peak into ru_maxrss, so its own file is asked first."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def live(layer: str, smooth: bool) -> Recipe:
    """The live canvas' recipe on a whole layer."""
    return Recipe(Target.layer(layer), smooth_pool=smooth)


def measure(
    folder: Path,
    network: Network,
    eager: Any,
    half: Any,
    layer: str,
    smooth: bool,
    picture: NDArray[np.uint8],
    repeat: int,
) -> dict[str, Any]:
    """One case: the best of ``repeat`` alternating dreams each, and the rates around them."""
    recipe, rates = live(layer, smooth), sgemm_rates(network.threads)
    others = {} if eager is None else {"PyTorch": eager, "PyTorch bf16": half}
    if not openvino.obstacle():
        others["OpenVINO"] = Network.open(folder, device="openvino", threads=network.threads)
    timed = {"ours": Timed(network)} | {name: Timed(other) for name, other in others.items()}
    turns: dict[str, list[Turn]] = {name: [] for name in timed}
    ceiling = dict.fromkeys(rates, 0.0)
    title = f"{layer}{' (smoothed pool)' if smooth else ''}"
    for name, one in timed.items():
        one.dream(canvas(min(WARM_SIDE, len(picture))), recipe, f"{title}, {name}, warming up")
    for turn in range(1, repeat + 1):
        for name, one in timed.items():
            turns[name].append(one.dream(picture, recipe, f"{title}, {name}, {turn} of {repeat}"))
        for name, rate in rates.items():
            ceiling[name] = max(ceiling[name], *(rate() for _ in range(5)))
    say(f"{title}, memory")
    peak = peak_memory(folder, layer, smooth, picture.shape[0], network.threads)
    say("")
    # the best by each clock: the processor's least need not be the wall's
    (seconds, _, octaves), windows = min(turns["ours"]), timed["ours"].windows
    processor = {name: min(turn.processor for turn in ts) for name, ts in turns.items()}
    torchs = min(turns["PyTorch"]) if "PyTorch" in turns else None
    bf16, vino = (min(turns[name]).wall if name in turns else None for name in ("PyTorch bf16", "OpenVINO"))
    flops = {window: convolution_flops(network, layer, *window) for ws in windows for window in set(ws)}
    operations = [sum(flops[window] for window in ws) for ws in windows]
    speed = sum(operations) / seconds / 1e9
    result: dict[str, Any] = {
        "layer": layer,
        "smooth_pool": smooth,
        "ours_s": round(seconds, 3),
        "pytorch_s": round(torchs.wall, 3) if torchs else None,
        "ratio": round(torchs.wall / seconds, 2) if torchs else None,
        "pytorch_bf16_s": round(bf16, 3) if bf16 else None,
        "bf16_ratio": round(bf16 / seconds, 2) if bf16 else None,
        "openvino_s": round(vino, 3) if vino else None,
        "openvino_gain": round(seconds / vino, 2) if vino else None,
        "ours_processor_s": round(processor["ours"], 3),
        "pytorch_processor_s": round(processor["PyTorch"], 3) if torchs else None,
        "processor_ratio": round(processor["PyTorch"] / processor["ours"], 2) if torchs else None,
        "gflop": round(sum(operations) / 1e9, 1),
        "gflops_per_s": round(speed, 1),
        "sgemm_share": round(speed / max(ceiling.values()), 3),
        "sgemm_shares": {name: round(speed / rate, 3) for name, rate in ceiling.items()},
        "sgemm_gflops_per_s": {name: round(rate, 1) for name, rate in ceiling.items()},
        "peak_mb": round(peak),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "octaves": [
            {
                "tiles": len(ws),
                "window": list(ws[0]),
                "ours_s": round(octaves[i], 3),
                "pytorch_s": round(torchs.octaves[i], 3) if torchs else None,
                "gflop": round(operations[i] / 1e9, 1),
                "gflops_per_s": round(operations[i] / octaves[i] / 1e9, 1),
            }
            for i, ws in enumerate(windows)
        ],
    }
    return result


def table(name: str, case: dict[str, Any]) -> str:
    """A case for people."""

    def row(title: str, ours: float, pytorch: float | None, end: str) -> str:
        beside = f"PyTorch {pytorch:>7.3f} s   ratio {pytorch / ours:>4.2f}   " if pytorch else ""
        return f"{title:<24} {ours:>8.3f} s   {beside}{end}"

    rates, shares = case["sgemm_gflops_per_s"], case["sgemm_shares"]
    lines = [
        f"{name}   {case['gflop']:.0f} GFLOP in convolutions, peak {case['peak_mb']} MB, load {case['load']}",
        row("  dream", case["ours_s"], case["pytorch_s"], f"{case['gflops_per_s']:.0f} GFLOP/s"),
        row("    processor", case["ours_processor_s"], case["pytorch_processor_s"], "(all cores together)"),
    ]
    if case["pytorch_bf16_s"]:
        bf16 = f"PyTorch {case['pytorch_bf16_s']:>7.3f} s   ratio {case['bf16_ratio']:>4.2f}"
        lines.append(f"{'    in bf16':<24} {'':>8}     {bf16}")
    if case["openvino_s"]:
        vino = f"ours with OpenVINO {case['openvino_s']:>7.3f} s, so many times as fast: {case['openvino_gain']:.2f}"
        lines.append(f"    {vino}")
    for octave in case["octaves"]:
        height, width = octave["window"]
        title = f"    {octave['tiles']:>2} of {width} x {height}"
        lines.append(row(title, octave["ours_s"], octave["pytorch_s"], f"{octave['gflops_per_s']:.0f} GFLOP/s"))
    fastest = max(rates, key=rates.__getitem__)
    products = (f"{shares[k]:.0%} of {k}'s {rates[k]:.0f}{' (fastest)' * (k == fastest)}" for k in rates)
    return "\n".join([*lines, f"    share of sgemm, GFLOP/s: {', '.join(products)}"])


def layers_to_measure(network: Network) -> list[str]:
    """A known network's three, or three at a half, two thirds and the end of another."""
    for known in LAYERS:
        if all(layer in network.layers for layer in known):
            return list(known)
    spatial = [layer.name for layer in network.layers.values() if layer.spatial]
    return list(dict.fromkeys(spatial[len(spatial) * part // 6 - 1] for part in (3, 4, 6)))


def find_model(wanted: str | None) -> Path:
    """The folder to measure: ``--model``, else DREAMSITE_BENCH_MODEL, else googlenet or the first one registered, else
    the house model. SystemExit where ``--model`` names no such folder."""
    if wanted or (wanted := os.environ.get("DREAMSITE_BENCH_MODEL")):
        if not Path(wanted, "model.onnx").is_file():
            raise SystemExit(f"--model: received {wanted}, expected a registered model's folder, with its model.onnx")
        return Path(wanted)
    root = Path(os.environ.get("MODELS_DIR") or Path(os.environ.get("DREAMSITE_VAR") or "var", "models"))
    folders = sorted(root.glob("*/model.onnx"), key=lambda p: (p.parent.name != "googlenet", p))
    return folders[0].parent if folders else BUILTIN / "house"


def main(argv: list[str] | None = None) -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="tests.bench.dream", description=(__doc__ or "").split("\n\n")[1])
    parser.add_argument("--model", metavar="DIR", help="a registered model's folder")
    parser.add_argument("--json", metavar="FILE", default="var/bench/dream.json", help="where to write (%(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="dreams of each kind; the best counts (%(default)s)")
    parser.add_argument("--side", type=int, default=LIVE_SIDE, help="the canvas' side in pixels (%(default)s)")
    parser.add_argument("--threads", type=int, default=0, help="cores to use (all)")
    parser.add_argument("--layers", nargs="+", metavar="LAYER", help="these only; short: one, --repeat 1 --side 768")
    parser.add_argument("--peak-of", metavar="LAYER", help=argparse.SUPPRESS)
    parser.add_argument("--smooth", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    folder = find_model(options.model)
    network = Network.open(folder, device="cpu", threads=options.threads)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if load > 0.5 and not options.peak_of:
        print(
            f"Busy: the load was {load:.1f} before this began. Threads that share cores wait for each other, PyTorch's "
            "most of all, so the ratio flatters and the shares of sgemm mean little. Measure again on a quiet machine."
        )
    picture = canvas(options.side)
    if options.peak_of:
        dream(picture, network, live(options.peak_of, options.smooth))
        print(_peak_of_this_process())
        return
    eager, half = torch_network(network, folder), torch_network(network, folder, bf16=True)
    cases: dict[str, Any] = {}
    path = Path(options.json)
    path.parent.mkdir(parents=True, exist_ok=True)
    gpu = Network.open(folder, device="cuda") if cuda_works() else None
    for layer in options.layers or layers_to_measure(network):
        for smooth in (False, True):
            name = f"{layer}{' (smoothed pool)' if smooth else ''}"
            cases[name] = case = measure(folder, network, eager, half, layer, smooth, picture, options.repeat)
            if gpu is not None:
                timed = Timed(gpu)
                case["cuda_s"] = round(min(timed.dream(picture, live(layer, smooth)).wall for _ in range(3)), 3)
            print(table(name, case), f"\n    CUDA {case['cuda_s']:.3f} s" if gpu else "", flush=True)
            path.write_text(json.dumps(cases, indent=2) + "\n", encoding="utf-8")
    if gpu is None:
        print("No CUDA column: ONNX Runtime gets no CUDA on this machine.")
    if eager is None:
        print("No PyTorch column: torch is not installed (it is in requirements-dev.txt).")
    print("Ratio: PyTorch's time by ours. Sgemm: float32 matrix products by each library, in this run, on these cores.")
    print(f"{network.name}, {network.threads} cores, canvas {options.side} x {options.side}; written to {path}")


if __name__ == "__main__":
    main()
