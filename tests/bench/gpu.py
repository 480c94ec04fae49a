"""``python -m tests.bench.gpu``: the dream on an NVIDIA card: is it right, does it stay there, how long does it take?

For each layer of the live bench: the gradient against the processor's (products in full float32), an octave dreamed
with the picture on the card against the same on the processor, a dream within a limited memory, and then seconds: the
live dream, and one window's gradient beside PyTorch's on the same card, eager and compiled, in float32 (TF32, as both
allow), float16 and bfloat16. Sessions refuse to run anything on the processor, so what runs, runs on the card.

Without a card it says so and ends. It begins no part that would not end within its time.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from dreamer.engine import Network, Recipe, Target, cuda, dream
from dreamer.engine import runners as engine_runners
from dreamer.engine.build import build
from dreamer.engine.session import cuda_works, upload
from dreamer.library.files import ModelFiles

from .dream import LIVE_SIDE, canvas, find_model, layers_to_measure, live
from .torch_reference import TorchReference

BUDGET = 540.0  # seconds
LIMIT = 3 * 2**30  # bytes, of the dream whose memory is limited
WINDOW = 544  # px, the side of the window whose gradient is compared
AIM = 0.15  # seconds for the live dream on an H200

Floats = NDArray[np.float32]
Row = tuple[str, str, str]  # layer, what, result


def refusal() -> str:
    """Why nothing can be measured here, in words; empty where a session gets the card."""
    if why := cuda.obstacle():
        return f"The card cannot be measured: {why}."
    if cuda.driver() is None:
        return "There is nothing to measure: no NVIDIA driver answers on this machine."
    if not cuda_works():
        return "The card cannot be measured: ONNX Runtime refuses it; its log says why."
    return ""


@dataclass(frozen=True)
class Bench:
    """One network on one device. ``device`` is cuda; tests take cpu, with pictures that stay as on a card."""

    folder: Path
    device: str = "cuda"
    side: int = LIVE_SIDE
    window: int = WINDOW
    repeat: int = 3

    def open(self, **options: Any) -> Network:
        return Network.open(self.folder, device=self.device, resident=True, **options)

    def parts(self, layer: str) -> Iterator[tuple[str, Callable[[], str]]]:
        """What is asked of a layer, in order: a name, and what finds the answer."""
        yield "gradient against the processor's, float32", lambda: self._parity(layer)
        yield "octave on the card against the processor's", lambda: self._octave(layer)
        yield f"dream within {LIMIT >> 20} MiB", lambda: self._limited(layer)
        yield "live dream", lambda: self._live(layer)
        yield f"window of {self.window} px, ours", lambda: self._ours(layer)
        for kind in (torch.float16, torch.bfloat16):
            yield f"the same in {str(kind)[6:]}", lambda kind=kind: self._ours(layer, kind)
        yield "PyTorch eager", lambda: self._torch(layer)
        for kind in (torch.float16, torch.bfloat16):
            yield f"PyTorch eager, {str(kind)[6:]}", lambda kind=kind: self._torch(layer, kind=kind)
        yield "PyTorch compiled", lambda: self._torch(layer, compiled=True)
        yield "PyTorch compiled, float16", lambda: self._torch(layer, compiled=True, kind=torch.float16)

    def _picture(self) -> Floats:
        return canvas(self.window).transpose(2, 0, 1).astype(np.float32)

    def _parity(self, layer: str) -> str:
        there, here = self.open(tf32=False), Network.open(self.folder, device="cpu")
        target = Target.layer(layer)
        got, expected = (network.gradient(self._picture(), target)[0] for network in (there, here))
        error = float(np.linalg.norm(got - expected) / np.linalg.norm(expected))
        return f"{'ok' if error < 2e-2 else 'WRONG'}, relative error {error:.0e}"

    def _octave(self, layer: str) -> str:
        recipe = Recipe(Target.layer(layer), octaves=1, iterations=2)
        picture = canvas(self.window)
        there, here = (
            dream(picture, network, recipe).astype(int)
            for network in (self.open(tf32=False), Network.open(self.folder, device="cpu"))
        )
        mean, most = float(np.abs(there - here).mean()), int(np.abs(there - here).max())
        return f"{'ok' if mean < 0.5 else 'WRONG'}, levels apart: {mean:.3f} on average, {most} at most"

    def _limited(self, layer: str) -> str:
        dream(canvas(self.side), self.open(gpu_memory=LIMIT), live(layer, smooth=False))
        return "ok"

    def _live(self, layer: str) -> str:
        network, recipe, picture = self.open(), live(layer, smooth=False), canvas(self.side)
        seconds = self._best(lambda: dream(picture, network, recipe))
        return f"{seconds:.3f} s (the aim on an H200: {AIM} s)"

    def _ours(self, layer: str, kind: torch.dtype | None = None) -> str:
        """With the picture on the device; halves by way of a converted model, where the runtime has the kernels."""
        changed = (lambda *about: _halved(build(*about), kind)) if kind else build
        with mock.patch.object(engine_runners, "build", changed):
            network = self.open()
            held = upload(self._picture()[None], self.device)
            return self._seconds(lambda: [*network.held_gradients(held, Target.layer(layer))])

    def _torch(self, layer: str, *, compiled: bool = False, kind: torch.dtype | None = None) -> str:
        if self.device == "cuda" and not torch.cuda.is_available():
            return "not measured: this PyTorch is built without CUDA; pip install torch brings one that is"
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        files = ModelFiles.read(self.folder)
        reference = TorchReference(onnx.load(str(files.model)))
        reference.values = {name: value.to(self.device) for name, value in reference.values.items()}
        mean = torch.tensor(files.info.mean, device=self.device).reshape(1, 3, 1, 1)

        def objective(x: torch.Tensor) -> torch.Tensor:
            fed = (x.flip(1) if files.info.channel_order == "BGR" else x) - mean
            with torch.autocast(self.device, kind or torch.bfloat16, enabled=kind is not None):
                return (reference(fed * files.info.scale, layer).float() ** 2).sum() / 2

        asked = torch.compile(objective) if compiled else objective
        held = torch.from_numpy(self._picture())[None].to(self.device)

        def once() -> None:
            x = held.clone().requires_grad_()
            asked(x).backward()
            if self.device == "cuda":
                torch.cuda.synchronize()

        return self._seconds(once)

    def _seconds(self, call: Callable[[], object]) -> str:
        try:
            return f"{self._best(call):.4f} s"
        except Exception as error:  # a kind of number that a library has no kernels for is an answer
            return f"refused: {type(error).__name__}"

    def _best(self, call: Callable[[], object]) -> float:
        call(), call()  # opens sessions, compiles, chooses algorithms
        best = float("inf")
        for _ in range(self.repeat):
            start = time.perf_counter()
            call()
            best = min(best, time.perf_counter() - start)
        return best


def _halved(model: onnx.ModelProto, kind: torch.dtype | None) -> onnx.ModelProto:
    """The model in 16 bits from the first to the last node, float32 outside."""
    if kind is torch.bfloat16:
        raise NotImplementedError("ONNX Runtime's converter knows float16 only")
    from onnxruntime.transformers.float16 import convert_float_to_float16

    converted: onnx.ModelProto = convert_float_to_float16(model, keep_io_types=True)
    return converted


def measured(bench: Bench, layers: list[str], budget: float = BUDGET) -> Iterator[Row]:
    """Rows; what the time does not suffice for is said."""
    start, longest = time.monotonic(), 0.0
    for layer in layers:
        for name, answer in bench.parts(layer):
            begun = time.monotonic()
            if begun - start + longest > budget:
                yield layer, name, "left out: the time would not suffice"
                continue
            yield layer, name, answer()
            longest = max(longest, time.monotonic() - begun)


def main(argv: list[str] | None = None) -> None:
    """Measure, print, write; SystemExit in words where there is no card."""
    parser = argparse.ArgumentParser(prog="tests.bench.gpu", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--model", metavar="DIR", help="a registered model's folder")
    parser.add_argument("--json", metavar="FILE", default="var/bench/gpu.json", help="where to write (%(default)s)")
    parser.add_argument("--check", action="store_true", help="only say whether there is a card to measure")
    options = parser.parse_args(argv)
    if options.check:
        if cuda.driver() is None:
            raise SystemExit(refusal() or "There is nothing to measure: no NVIDIA driver answers on this machine.")
        return
    if why := refusal():
        raise SystemExit(why)
    folder, path, rows = find_model(options.model), Path(options.json), []
    layers = layers_to_measure(Network.open(folder, device="cpu"))
    for row in measured(Bench(folder), layers):
        rows.append(row)
        print("  ".join((f"{row[0]:<28}", f"{row[1]:<44}", row[2])), flush=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    if any(result.startswith("WRONG") for _, _, result in rows):
        raise SystemExit("The card computes something else than the processor: see above.")


if __name__ == "__main__":
    main()
