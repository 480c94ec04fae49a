"""Files of jobs: where they are made, how they come into the storage, and how they leave it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction

from gallery.jobs.models import PendingDeletion

log = logging.getLogger(__name__)

CHUNK = 1 << 20


def work_directory(name: str) -> Path:
    """A folder of this machine for what is under way; to lose its content costs work, and nothing else."""
    return Path(settings.VAR_DIR) / "work" / name


class _MovableFile(File[bytes]):
    """A file that the storage may move instead of copying it; a bucket reads it in pieces."""

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
        saved = default_storage.save(name.format(sha=sha[:20]), _MovableFile(path, file))
    path.unlink(missing_ok=True)
    return saved, size, sha


def store_bytes(data: bytes, name: str) -> str:
    return default_storage.save(name.format(sha=hashlib.sha256(data).hexdigest()[:20]), ContentFile(data))


def delete_after_commit(names: Iterable[str]) -> None:
    """Deletes stored files when the transaction is committed; a crash in between only delays it."""
    rows = [PendingDeletion(name=name) for name in names if name]
    if rows:
        PendingDeletion.objects.bulk_create(rows)
        transaction.on_commit(delete_pending)


def delete_pending() -> None:
    """Called after commits, and by workers for what a process that died left behind."""
    for row in PendingDeletion.objects.order_by("pk"):
        try:
            default_storage.delete(row.name)
        except Exception:
            log.exception("%s could not be deleted; the worker tries again.", row.name)
        else:
            row.delete()
