"""Fetching a published network: download (or take a file), check, convert, register."""

from __future__ import annotations

import fcntl
import shutil
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from .caffe import read_caffe
from .download import Download, digest, mismatch
from .files import ModelFiles, read_labels
from .formats import read_file
from .googlenet import describe
from .importing import Raw, draft
from .names import LibraryError, about, unknown
from .registry import Registry
from .sources import SOURCES, Labels, Part, Source

WAIT_SECONDS = 0.2  # between looks at whether another fetch has ended


@dataclass(frozen=True)
class _Weights:
    """A network's file as it was read."""

    path: Path
    sha256: str
    raw: Raw


def source(name: str) -> Source:
    """The published network called `name`."""
    if name not in SOURCES:
        raise unknown("published model", name, SOURCES)
    return SOURCES[name]


def fetch(
    wanted: Source,
    registry: Registry,
    *,
    download: Download | None = None,
    file: Path | None = None,
    labels: Path | None = None,
    name: str | None = None,
    replace: bool = False,
) -> ModelFiles:
    """Register the published network `wanted`, from its sources or from a `file` that was got elsewhere.

    Downloads are kept under the registry's root until the model is registered, so that a broken one is resumed.
    """
    download = download or Download()
    name = name or wanted.name
    registry.check_free(name, replace)
    given = read_labels(labels) if labels else None  # before a long download, in case there is no such file
    folder = registry.root / ".downloads"
    with _alone(folder, download):
        registry.check_free(name, replace)  # whoever was waited for may have brought it
        with _emptied(folder / "unpacked") as unpacked:
            if file:
                weights, origin = _read(wanted, file, unpacked), ""
            else:
                weights, origin = download.get(wanted.weights, folder, lambda path: _read(wanted, path, unpacked))
            # Whoever brings a file has no internet, or does not want it asked.
            names = _labels(wanted, weights.path.parent, folder, download, given, online=file is None)
        if not wanted.weights.checked:
            download.notify(f"no checksum was published to compare with; this file's SHA-256 is {weights.sha256}")
        origin = origin or (file.name if file else wanted.weights.file)
        with about(weights.path):
            finished = draft(weights.raw, weights.sha256, labels=names, licence=wanted.licence, source=origin)
        files = registry.keep(name, finished, replace=replace)
        if file is None:
            (folder / wanted.weights.file).unlink(missing_ok=True)
    return files


@contextmanager
def _alone(folder: Path, download: Download) -> Iterator[None]:
    """One fetch at a time: two would write into the same files. A killed process holds nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        announced = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not announced:
                    download.notify("another fetch is under way; waiting for its end")
                    announced = True
                download.pause()
                time.sleep(WAIT_SECONDS)
        yield


@contextmanager
def _emptied(folder: Path) -> Iterator[Path]:
    """The folder without what a killed process left in it; afterwards it is gone."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _read(wanted: Source, path: Path, unpacked: Path) -> _Weights:
    """The network in `path`, if that is the published file (or what its archive holds)."""
    weights = _weights(wanted, path, unpacked)
    with about(weights):
        raw = read_caffe(weights, description=describe(wanted.googlenet)) if wanted.googlenet else read_file(weights)
    return _Weights(weights, digest(weights, "sha256"), raw)


def _weights(wanted: Source, path: Path, folder: Path) -> Path:
    """Check that `path` is the published file (or what its archive holds), and return the file to read."""
    part = wanted.weights
    if not path.is_file():
        raise LibraryError(f"there is no file {path}")
    problem = mismatch(path, part)
    if not problem:
        return _unpack(path, part, folder) if part.holds else path
    if part.holds and not mismatch(path, part.holds[0]):
        return path
    names = " or ".join(p.file for p in (part, *part.holds[:1]))
    raise LibraryError(
        f"{path} is not {names} of {wanted.name}: {problem}. If it is another network, use `model import`."
    )


def _unpack(archive: Path, part: Part, folder: Path) -> Path:
    """Take the wanted files out of a zip, check each, and return the first."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(archive) as zipped:
            for wanted in part.holds:
                # Written under our own name: an archive has no say in where its files go.
                with zipped.open(wanted.file) as inside, (folder / wanted.file).open("wb") as out:
                    shutil.copyfileobj(inside, out)
    except (zipfile.BadZipFile, KeyError) as error:
        raise LibraryError(f"{archive} is not the expected archive: {error}") from None
    for wanted in part.holds:
        problem = mismatch(folder / wanted.file, wanted)
        if problem:
            raise LibraryError(f"{wanted.file} in {archive}: {problem}")
    return folder / part.holds[0].file


def _labels(
    wanted: Source, beside: Path, folder: Path, download: Download, given: tuple[str, ...] | None, *, online: bool
) -> tuple[str, ...]:
    """The class names, or none with a word about it: a network without names still dreams."""
    if given is not None:
        return given
    labels = wanted.labels
    if labels is None:
        return ()
    if (beside / labels.file).is_file():
        return _checked(read_labels(beside / labels.file), labels)
    if online and labels.urls:
        with suppress(LibraryError):  # every address has told its trouble
            part = Part(labels.file, labels.urls)
            return download.get(part, folder, lambda path: _checked(read_labels(path), labels))[0]
    download.notify(
        f"no class names for {wanted.name} now: classes go by number. "
        "Give a file with --labels and --replace, or fetch again with --replace when there is internet."
    )
    return ()


def _checked(lines: tuple[str, ...], labels: Labels) -> tuple[str, ...]:
    """Plain names, without the identifiers that some lists carry, if they are the expected ones."""
    names = tuple(_plain(line) for line in lines)
    index, known = labels.known
    if len(names) != labels.count or known not in names[index].split(", "):
        raise LibraryError(
            f"{labels.file} is not the expected list of {labels.count} class names with {known!r} at {index}: "
            f"it has {len(names)} lines"
        )
    return names


def _plain(line: str) -> str:
    """'n07753592 banana' and '/a/airfield 0' become 'banana' and 'airfield'."""
    first, _, rest = line.partition(" ")
    if first[:1] == "n" and first[1:].isdigit():
        return rest
    if first.startswith("/") and rest.isdigit():
        return first[3:].replace("_", " ").replace("/", ", ")
    return line
