"""Where pictures and films are kept: a folder that survives a power cut, or a bucket (``buckets.py``).

Both say StorageUnavailable of whatever may pass: pages answer it with 503, and workers try again.
"""

from __future__ import annotations

import errno
import io
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage
from prometheus_client import Counter

from dreamsite.core.files import sync

ERRORS = Counter("dreamsite_storage_errors", "Answers of the storage that were trouble, in this process.")
# What a disk says that is full, gone, or not to be written to: that passes, or a person mends it.
DISK = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.ESTALE, errno.ENXIO}
PIECE = 256 * 1024  # bytes that are read from a disk at a time
P = ParamSpec("P")
T = TypeVar("T")


class StorageError(OSError):
    """Something about a stored file that may pass, or that a person can mend. Pages answer it with 503."""


class StorageUnavailable(StorageError):
    """The storage does not answer, refuses, or has no room; never said of a file that is not there."""


@contextmanager
def in_words(*errors: type[Exception]) -> Iterator[None]:
    """What fails inside of it, as OSError or one of these, is StorageUnavailable; a missing file stays one."""
    caught: tuple[type[Exception], ...] = (OSError, *errors)
    try:
        yield
    except (FileNotFoundError, StorageUnavailable):
        raise
    except caught as error:
        ERRORS.inc()
        raise StorageUnavailable(f"The storage failed: {error}") from error


def available(*errors: type[Exception]) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """A storage's method, with its failures `in_words`."""

    def decorate(method: Callable[P, T]) -> Callable[P, T]:
        @wraps(method)
        def called(*args: P.args, **kwargs: P.kwargs) -> T:
            with in_words(*errors):
                return method(*args, **kwargs)

        return called

    return decorate


class _Reader(io.FileIO):
    """A stored file whose trouble while it is read is said in words, too."""

    def readinto(self, buffer: Any) -> int:
        with in_words():
            return super().readinto(buffer)

    def readall(self) -> bytes:
        with in_words():
            return super().readall()


class DurableStorage(FileSystemStorage):
    """A folder. A file appears whole or not at all, and `save` returns when it and its name are on the disk.

    The database commits with synchronous=FULL; without this a committed frame could name an empty file.
    """

    def _open(self, name: str, mode: str = "rb") -> File[Any]:
        parent: Any = super()  # its types leave `_open` out
        return File(io.BufferedReader(_Reader(self.path(name)), PIECE)) if mode == "rb" else parent._open(name, mode)

    open = available()(FileSystemStorage.open)
    delete = available()(FileSystemStorage.delete)
    exists = available()(FileSystemStorage.exists)
    size = available()(FileSystemStorage.size)
    listdir = available()(FileSystemStorage.listdir)
    get_modified_time = available()(FileSystemStorage.get_modified_time)

    @available()
    def _save(self, name: str, content: File[Any]) -> str:
        path, root = Path(self.path(name)), Path(self.location)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{secrets.token_hex(8)}")  # such a name has no address (gallery.media)
        try:
            _write(content, draft)
            draft.chmod(0o644)
            sync(draft)
            while not _take(draft, path):
                name = self.get_available_name(name)
                path = Path(self.path(name))
        finally:
            draft.unlink(missing_ok=True)
        # Every folder on the way, since any of them may be new, and the one that holds the root.
        for folder in path.parents:
            sync(folder)
            if folder == root.parent:
                break
        return name.replace(os.sep, "/")


def _write(content: File[Any], draft: Path) -> None:
    if hasattr(content, "temporary_file_path"):
        shutil.move(content.temporary_file_path(), draft)
        return
    content.seek(0)
    with draft.open("xb") as file:
        for chunk in content.chunks():
            file.write(chunk)


def _take(draft: Path, path: Path) -> bool:
    """Gives the draft its name; False where the name is taken."""
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        if path.exists():
            return False
        draft.rename(path)
    return True
