"""The sessions of an opened network: one for each question that is asked of it, kept as long as it is in use."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

from ..graph import Graph
from .bands import cores
from .build import Question, build
from .forward import layer_size
from .openvino import OpenVinoRunner
from .session import BoundRunner, CpuRunner, Device, choose_device
from .tiles import Tile

log = logging.getLogger(__name__)

MOST_AT_ONCE = 4  # tiles, each of which takes some 300 MB with GoogLeNet: more cores than that share them


class Runners:
    """Runs a network's models on one device; safe to use from several threads. See ``Network.open`` for the
    parameters: ``most`` is how many sessions are kept, ``memory`` a GPU's limit in bytes."""

    def __init__(
        self,
        forward: Graph,
        device: Device,
        *,
        threads: int = 0,
        most: int | None = None,
        memory: int = 0,
        resident: bool | None = None,
        tf32: bool = True,
    ) -> None:
        if threads < 0:
            raise ValueError(f"threads must be 0, for all cores, or more; got {threads}")
        if most is not None and most < 1:
            raise ValueError(f"max_sessions must be at least 1, got {most}")
        self.forward = forward
        self.device = choose_device(device)
        self.resident = self.device == "cuda" if resident is None or self.device == "openvino" else resident
        self.threads = threads or cores()
        self.one_size = self.resident or self.device == "openvino"  # models for each size, on everything there is
        self.at_once = 1 if self.one_size else self.threads // -(-self.threads // MOST_AT_ONCE)
        self.layer_size = lru_cache(maxsize=256)(partial(layer_size, forward))
        self._tf32 = tf32
        self._most, self._memory = most or (12 if self.one_size else 4), memory
        self._runners: OrderedDict[tuple[Question, tuple[int, int] | None, int], Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, question: Question, place: Tile, threads: int) -> Any:
        """The session that answers a question: on the CPU for windows of every size, on a GPU and by OpenVINO for this
        tile's. The least recently used ones are given up."""
        rows, columns = place.window
        size = rows.stop - rows.start, columns.stop - columns.start
        if self.resident:
            question, threads = replace(question, window=size), 1
        compiled = self.device == "openvino" and question.purpose != "features"  # asked once, that takes longer
        with self._lock:
            key = question, size if compiled else None, threads
            if key not in self._runners:
                self._runners[key] = self._made(question, size if compiled else None, threads)
                while len(self._runners) > self._most:
                    self._runners.popitem(last=False)
            self._runners.move_to_end(key)
            return self._runners[key]

    def _made(self, question: Question, compiled: tuple[int, int] | None, threads: int) -> Any:
        if compiled:
            model = build(self.forward, replace(question, fixed=compiled))
            try:
                return OpenVinoRunner(model, threads, exact=not self._tf32)
            except RuntimeError as error:
                layers = ", ".join(question.layers)
                log.warning("OpenVINO cannot compile what leads to %s; ONNX Runtime computes it: %s", layers, error)
        model = build(self.forward, question)
        if self.device != "openvino" and self.resident:
            return BoundRunner(model, self.device, self._memory, tf32=self._tf32)
        return CpuRunner(model, threads)
