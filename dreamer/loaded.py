"""The networks that a dreamer has open: which of them a canvas dreams with, and which are in memory."""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from canvas.models import Canvas, Frame
from dreamer.engine import Network
from dreamer.house import BUILTIN
from dreamer.library import ModelFiles
from dreamer.library.files import INFO, LABELS, MODEL, SHELF
from dreamer.networks.choosing import decided_by
from dreamer.registered import candidates, registry

log = logging.getLogger(__name__)

GIVES_UP = 5  # so many styles of a network that failed one after the other, and the last good network takes its place
KEPT = 2  # networks in memory at a time: those used last. Another is opened anew when its canvas needs it


@dataclass(frozen=True)
class Opened:
    """A network that was tried: its files as they were then (`version`), or what was wrong with them."""

    name: str
    version: tuple[str, ...]
    files: ModelFiles | None = None
    problem: str = ""


class LoadedNetworks:
    """Reads a model once, sound or not, and again only when one of its files has changed."""

    def __init__(self) -> None:
        self._registry = registry()
        self.opened: dict[str, Opened] = {}
        self.in_memory: OrderedDict[str, Network] = OrderedDict()  # the one used last at the end
        self._used: set[str] = set()  # names asked for since `begin`
        self._failures: dict[tuple[str, ...], int] = {}  # an Opened.version -> styles that failed in a row

    def begin(self) -> None:
        """From here on it is noted which networks are asked for."""
        self._used = set()

    def close_unused(self) -> None:
        """Forgets those that nobody asked for since `begin`: a network takes memory."""
        for name in self.opened.keys() - self._used:
            del self.opened[name]
            self.in_memory.pop(name, None)

    def of_canvas(self, canvas: Canvas) -> tuple[Opened | None, str]:
        """The canvas' network, or the best there is now; or None and why there is none."""
        choice = getattr(decided_by(canvas), "choice", None)
        tried = []
        for name in candidates(choice.network if choice else ""):
            opened = self._open(name)
            tried.append(opened)
            if opened.files is not None and self._failures.get(opened.version, 0) < GIVES_UP:
                return opened, ""
        opens = next((one for one in tried if one.files is not None), None)
        if opens is not None:  # one that opens, but does not dream
            return self._last_good(canvas) or opens, ""
        if tried:  # what is wrong with the best of them
            return None, tried[0].problem
        return None, "There is no network yet: `manage.py model import FILE` brings one."

    def _last_good(self, canvas: Canvas) -> Opened | None:
        """The network of the newest dream here that did not keep failing since."""
        recipes = Frame.objects.dreams().filter(canvas=canvas).order_by("-pk").values_list("recipe", flat=True)[:100]
        for name in dict.fromkeys(str((recipe or {}).get("model", "")) for recipe in recipes):
            if name in self._registry.names():
                opened = self._open(name)
                if opened.files is not None and self._failures.get(opened.version, 0) < GIVES_UP:
                    return opened
        return None

    def _open(self, name: str) -> Opened:
        self._used.add(name)
        folders = (self._registry.root / name, BUILTIN / name)
        version = tuple(_changed(folder / file) for folder in folders for file in (MODEL, INFO, LABELS, SHELF))
        known = self.opened.get(name)
        if known and known.version == version:
            return known
        self.opened.pop(name, None)
        self.in_memory.pop(name, None)
        try:
            files = self._registry.get(name)
            network = self._load(name, files)
            opened = Opened(name, version, files)
            log.info("Dreaming with %s on %s, %d layers.", name, network.device, len(network.layers))
        except Exception as error:  # whatever a damaged file makes its readers say
            opened = Opened(name, version, problem=f"{name}: {error}"[:300])
            log.error("The network %s cannot be opened: %s", name, error)
        self.opened[name] = opened
        return opened

    def network(self, opened: Opened) -> Network:
        """The network itself, opened anew where it is not in memory. Its files must be sound."""
        assert opened.files is not None
        return self._load(opened.name, opened.files)

    def _load(self, name: str, files: ModelFiles) -> Network:
        """The one used longest ago makes room before another is opened."""
        if name not in self.in_memory:
            while len(self.in_memory) >= KEPT:
                self.in_memory.popitem(last=False)
            self.in_memory[name] = Network.open(
                files.path,
                device=settings.DREAM_DEVICE,
                threads=settings.DREAM_THREADS,
                gpu_memory=settings.DREAM_GPU_MEMORY,
                tf32=settings.DREAM_TF32,
            )
        self.in_memory.move_to_end(name)
        return self.in_memory[name]

    def failed(self, opened: Opened) -> bool:
        """Counts a style that could not be dreamed; True where the network is given up with it."""
        count = self._failures[opened.version] = self._failures.get(opened.version, 0) + 1
        return count == GIVES_UP

    def dreamed(self, opened: Opened) -> None:
        """A dream came out well: the failures before it count no longer."""
        self._failures.pop(opened.version, None)


def _changed(path: Path) -> str:
    """When the file was last written and how long it is; empty where there is none."""
    try:
        info = path.stat()
    except OSError:
        return ""
    return f"{info.st_mtime_ns} {info.st_size}"
