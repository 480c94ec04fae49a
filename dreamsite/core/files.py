"""Files that appear whole or not at all, and survive a power cut. Plain Python."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath


def is_within(name: str) -> bool:
    """Whether `name`, with / between folders, leads to a visible file below the folder that it is joined to.

    For names that are final: nothing may decode or replace anything in them afterwards.
    """
    parts = name.split("/")
    usual = all(
        part and not part.startswith(".") and len(part.encode(errors="replace")) <= 255 and part.isprintable()
        for part in parts
    )
    return usual and "\\" not in name and not PurePosixPath(name).is_absolute() and not PureWindowsPath(name).anchor


def within(folder: Path, name: str) -> Path:
    """The path of `name` in `folder`; ValueError where it leads out of it, also through a symbolic link."""
    path = folder.joinpath(*name.split("/"))
    if not is_within(name) or not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"received the name {name[:200]!r}, expected that of a file below {folder}")
    return path


@contextmanager
def whole_file(path: Path, *, durable: bool = True, mode: int = 0o666, replace: bool = True) -> Iterator[Path]:
    """A draft beside `path` that takes its place when the block ends well, and is deleted otherwise.

    The draft has the suffix of `path`. `durable`: it and its name are on the disk when the block is left; `mode`: less
    the umask; without `replace` a file that is there already stays, and the draft goes. Raises OSError.
    """
    draft = path.with_name(f".{path.stem}-{secrets.token_hex(6)}{path.suffix}")
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
    try:
        yield draft
        if durable:
            sync(draft)
        if replace:
            draft.replace(path)
        elif not path.exists():
            _link(draft, path)
        if durable:
            sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Returns when a file's content, or a folder's list of names, is on the disk."""
    if path.is_dir() and not hasattr(os, "O_DIRECTORY"):
        return  # Windows has no handle of a folder
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_all(folder: Path) -> None:
    """The files in a folder, and their names."""
    for path in (*folder.iterdir(), folder):
        sync(path)


def _link(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was quicker
