"""The folder of registered models: list, get, keep, remove."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Unpack

import onnx

from dreamsite.core.files import sync_all

from .files import MODEL, ModelFiles, ShelfStyle, read_shelf, write_files
from .formats import read_file
from .importing import Draft, Options, draft, file_sha256, layers, misfit
from .names import LibraryError, about, check_model_name, unknown

ABANDONED = 5.0  # seconds; two renames take none
SHELVES = Path(__file__).parent / "shelves"


class Registry:
    """The models under `root`. `builtin` roots are read only and yield to models of the same name in `root`."""

    def __init__(self, root: str | os.PathLike[str], *builtin: str | os.PathLike[str]) -> None:
        self.root = Path(root)
        self._roots = [self.root, *(Path(folder) for folder in builtin)]

    def names(self) -> tuple[str, ...]:
        """The names of all models, sound or not, sorted."""
        return tuple(sorted(self._folders()))

    def list(self) -> tuple[ModelFiles, ...]:
        """All sound models, sorted by name; `problems` tells about the others."""
        return tuple(found for found in self._read() if isinstance(found, ModelFiles))

    def problems(self) -> tuple[str, ...]:
        """What is wrong with the folders that `list` leaves out, one message each."""
        return tuple(str(found) for found in self._read() if isinstance(found, LibraryError))

    def get(self, name: str) -> ModelFiles:
        """The model called `name`; LibraryError with the nearest names, or with what is wrong in its folder."""
        misses, until = 0, time.monotonic() + 2 * ABANDONED
        while misses < 3 and time.monotonic() < until:  # a replacement is two renames; once missing is not yet gone
            folder = self._folders().get(name)
            files = _read(folder) if folder else None
            if files is not None:
                return files
            misses = 0 if self._replacing(name) else misses + 1
            time.sleep(0.005)
        raise unknown("model", name, self.names())

    def _replacing(self, name: str) -> bool:
        """Whether the model is between the two renames of a replacement."""
        return any((s / name).is_dir() and (s / "replaced").is_dir() for s in self.root.glob(f".scratch-{name}-*"))

    def _finish_replacements(self) -> None:
        """Do the second rename for processes that were killed before it."""
        for replaced in self.root.glob(".scratch-*/replaced"):
            with contextlib.suppress(OSError):  # another process may be doing the same
                if time.time() - replaced.parent.stat().st_mtime > ABANDONED:
                    for folder in replaced.parent.iterdir():
                        if folder != replaced and not (self.root / folder.name).exists():
                            folder.rename(self.root / folder.name)

    def layers(self, name: str) -> dict[str, int]:
        """Every tensor of the model one can dream of, in graph order, with its number of channels."""
        files = self.verify(name)
        with about(files.model):
            return layers(onnx.load(str(files.model)), files.info)

    def remove(self, name: str) -> None:
        """Delete a model of `root`."""
        folder = self._folders().get(name)
        if folder is None:
            raise unknown("model", name, self.names())
        if folder.parent != self.root:
            raise LibraryError(f"{name} comes with the program and cannot be removed")
        # Out of sight by one rename first, so that no reader meets half a model.
        grave = self._scratch(name)
        folder.rename(grave / name)
        shutil.rmtree(grave)

    def import_file(
        self,
        path: str | os.PathLike[str],
        name: str,
        *,
        prototxt: str | os.PathLike[str] | None = None,
        replace: bool = False,
        pause: Callable[[], None] = lambda: None,
        **options: Unpack[Options],
    ) -> ModelFiles:
        """Import an ONNX file, a `.caffemodel` (with its `.prototxt`) or a TensorFlow `.pb` under `name`.

        Known networks need nothing more; others need `channel_order` and `mean` (and `scale` unless 1), or the
        name of a `convention`. `pause` is called between the steps; what it raises ends the import.
        """
        self.check_free(name, replace)
        path = Path(path)
        options.setdefault("source", path.name)
        with about(path):
            raw = read_file(path, Path(prototxt) if prototxt else None, options.get("input"))
            pause()
            finished = draft(raw, file_sha256(path), **options)
            pause()
        return self.keep(name, finished, replace=replace)

    def keep(self, name: str, finished: Draft, *, replace: bool = False) -> ModelFiles:
        """Write a draft as the model `name`, all at once; a known network gets its curated shelf."""
        self.check_free(name, replace)
        scratch = self._scratch(name)
        try:
            folder = scratch / name
            folder.mkdir()
            onnx.save(finished.model, str(folder / MODEL))
            info = dataclasses.replace(
                finished.info,
                name=name,
                title=finished.info.title or name,
                sha256=file_sha256(folder / MODEL),
            )
            write_files(folder, info, finished.labels, _shelf(finished))
            ModelFiles.read(folder)  # what is kept is what can be read
            sync_all(folder)
            target, replaced = self.root / name, scratch / "replaced"
            try:
                if replace and target.exists():
                    target.rename(replaced)
                folder.rename(target)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
                raise LibraryError(f"another process registered a model {name!r} meanwhile; that one stays") from None
            finally:
                if replaced.exists() and not target.exists():
                    replaced.rename(target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return self.get(name)

    def verify(self, name: str) -> ModelFiles:
        """`get`, and LibraryError when the network's file is not the one that was registered."""
        files = self.get(name)
        received = file_sha256(files.model)
        if files.info.sha256 and received != files.info.sha256:
            raise LibraryError(
                f"{files.model} is damaged: its SHA-256 is {received}, expected {files.info.sha256}; "
                "fetch or import the model again"
            )
        return files

    def check_free(self, name: str, replace: bool) -> None:
        """LibraryError when `name` cannot be given to a new model."""
        check_model_name(name)
        if not replace and (self.root / name).exists():
            raise LibraryError(f"there is already a model {name!r}; remove it, replace it, or choose another name")

    def _folders(self) -> dict[str, Path]:
        self._finish_replacements()
        found: dict[str, Path] = {}
        for root in self._roots:
            if root.is_dir():
                for folder in root.iterdir():
                    if folder.is_dir() and not folder.name.startswith("."):
                        found.setdefault(folder.name, folder)
        return found

    def _read(self) -> Sequence[ModelFiles | LibraryError]:
        found: list[ModelFiles | LibraryError] = []
        for _, folder in sorted(self._folders().items()):
            try:
                files = _read(folder)
                if files is not None:
                    found.append(files)
            except LibraryError as error:
                found.append(error)
        return found

    def _scratch(self, name: str) -> Path:
        self.root.mkdir(parents=True, exist_ok=True)
        self._finish_replacements()
        for left in self.root.glob(".scratch-*"):  # of a process that was killed
            if time.time() - left.stat().st_mtime > 86400:
                shutil.rmtree(left, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=f".scratch-{name}-", dir=self.root))


def _read(folder: Path) -> ModelFiles | None:
    """Read a folder; when it is replaced meanwhile, read the new one, so that two models never mix. None: gone."""
    while True:
        before = _identity(folder)
        try:
            files = ModelFiles.read(folder)
        except LibraryError:
            if before and _identity(folder) == before:
                raise
            if not before:
                return None
            continue
        if _identity(folder) == before:
            return files


def _identity(folder: Path) -> int:
    try:
        return folder.stat().st_ino
    except FileNotFoundError:
        return 0


def _shelf(finished: Draft) -> tuple[ShelfStyle, ...]:
    """The curated styles of a known network, as far as this file of it has their layers under our names."""
    path = SHELVES / f"{finished.known.shelf if finished.known else None}.json"
    if not path.is_file():
        return ()
    known = layers(finished.model, finished.info)
    return tuple(s for s in read_shelf(path) if not misfit(s, known))
