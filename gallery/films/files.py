"""Files on their way into the storage, and out of it."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction

from gallery.films.models import Doomed

log = logging.getLogger(__name__)

CHUNK = 1 << 20


def workshop(name: str) -> Path:
    """A folder of this machine for what is under way; what is in it may be lost at the price of work."""
    return Path(settings.VAR_DIR) / "work" / name


class _Moved(File):  # type: ignore[type-arg]
    """A file that the storage may take away instead of copying it; a bucket reads it in pieces."""

    def __init__(self, path: Path, opened: IO[bytes]) -> None:
        super().__init__(opened, name=path.name)
        self._path = path

    def temporary_file_path(self) -> str:
        return str(self._path)


def store(path: Path, name: str, pause: Callable[[], None] = lambda: None) -> tuple[str, int, str]:
    """Moves a local file into the storage under a name with `{sha}` in it; (name, bytes, SHA-256)."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            pause()
    sha, size = digest.hexdigest(), path.stat().st_size
    path.chmod(0o644)
    with path.open("rb") as file:
        saved = default_storage.save(_named(name, sha), _Moved(path, file))
    path.unlink(missing_ok=True)
    return saved, size, sha


def store_bytes(data: bytes, name: str) -> str:
    return default_storage.save(_named(name, hashlib.sha256(data).hexdigest()), ContentFile(data))


def _named(name: str, sha: str) -> str:
    """Never the name of another file with the same bytes: a bucket overwrites, and each file is deleted by itself."""
    return name.format(sha=sha[:12] + secrets.token_hex(4))


def doom(names: Iterable[str]) -> None:
    """Marks stored files to go when the transaction is committed."""
    rows = [Doomed(name=name) for name in names if name]
    if rows:
        Doomed.objects.bulk_create(rows)
        transaction.on_commit(sweep)


def sweep() -> None:
    """Deletes what is doomed. Called after commits, and by workers for what a process that died left behind."""
    for row in Doomed.objects.order_by("pk"):
        try:
            default_storage.delete(row.name)
        except Exception:
            log.exception("%s could not be deleted; the worker tries again.", row.name)
        else:
            row.delete()
