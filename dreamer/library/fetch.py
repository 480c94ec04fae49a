"""Fetching a published network: download (or take a file), check, convert, register."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from .caffe import read_caffe
from .download import Download, digest, mismatch
from .files import ModelFiles, read_labels
from .formats import read_file
from .googlenet import describe
from .importing import draft
from .names import LibraryError, unknown
from .registry import Registry
from .sources import SOURCES, Labels, Part, Source


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
    folder = registry.root / ".downloads"
    path = file or download.get(wanted.weights, folder)
    weights = _weights(wanted, path, folder / f"{wanted.name}.files")
    # Whoever brings a file has no internet, or does not want it asked.
    names = _labels(wanted, weights.parent, folder, download, labels, online=file is None)
    sha256 = digest(weights, "sha256")
    if not (wanted.weights.sha256 or wanted.weights.sha1):
        download.tell(f"no checksum was published to compare with; this file's SHA-256 is {sha256}")
    raw = read_caffe(weights, description=describe(wanted.googlenet)) if wanted.googlenet else read_file(weights)
    origin = file.name if file else wanted.weights.urls[0]
    finished = draft(raw, sha256, labels=names, licence=wanted.licence, source=origin)
    files = registry.keep(name, finished, replace=replace)
    if file is None:
        path.unlink(missing_ok=True)
    shutil.rmtree(folder / f"{wanted.name}.files", ignore_errors=True)
    return files


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
    wanted: Source, beside: Path, folder: Path, download: Download, given: Path | None, *, online: bool
) -> tuple[str, ...]:
    """The class names, or none with a word about it: a network without names still dreams."""
    if given is not None:
        return read_labels(given)
    labels = wanted.labels
    if labels is None:
        return ()
    if (beside / labels.file).is_file():
        return _checked(read_labels(beside / labels.file), labels)
    for url in labels.urls if online else ():
        part = Part(labels.file, (url,))
        try:
            path = download.get(part, folder)
            names = _checked(read_labels(path), labels)
        except LibraryError as error:
            download.tell(str(error).splitlines()[0])
            continue
        finally:
            (folder / labels.file).unlink(missing_ok=True)
            (folder / f"{labels.file}.part").unlink(missing_ok=True)
        return names
    download.tell(
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
