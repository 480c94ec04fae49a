"""Files of jobs: where they are made, how they come into the storage, and how they leave it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Collection, Iterable
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import DatabaseError, transaction
from django.db.models import Q

from dreamsite.core.storage import StorageUnavailable
from dreamsite.core.tasks import WORKER, heartbeats
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


def save(name: str, content: File[bytes]) -> str:
    """Stores a file of a job under this name, or one like it; the name.

    It is deleted again unless `keep` is called in the transaction whose rows name it: by `discard`, or, where this
    process dies, by another worker.
    """
    name = default_storage.get_available_name(name)
    while PendingDeletion.objects.filter(name=name).exists():  # it may be deleted at any moment
        path = PurePosixPath(name)
        name = default_storage.get_alternative_name(str(path.with_suffix("")), path.suffix)
    PendingDeletion.objects.create(name=name, holder=WORKER)
    saved = default_storage.save(name, content)
    if saved != name:  # somebody took it meanwhile
        PendingDeletion.objects.create(name=saved, holder=WORKER)
    return saved


def store(path: Path, name: str, pause: Callable[[], None] = lambda: None) -> tuple[str, int, str]:
    """Saves a local file, which is moved, under a name that may have `{sha}` in it; (name, bytes, SHA-256)."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            pause()
    sha, size = digest.hexdigest(), path.stat().st_size
    path.chmod(0o644)
    with path.open("rb") as file:
        saved = save(name.format(sha=sha[:20]), _MovableFile(path, file))
    path.unlink(missing_ok=True)
    return saved, size, sha


def store_bytes(data: bytes, name: str) -> str:
    """Saves bytes under a name that may have `{sha}` in it; the name."""
    return save(name.format(sha=hashlib.sha256(data).hexdigest()[:20]), ContentFile(data))


class FilesLost(Exception):
    """What a job stored was deleted before it was named: its worker stood still so long that it counted as dead."""


def keep(names: Iterable[str]) -> None:
    """Called in the transaction in which a job's rows come to name these files. Raises FilesLost where one is gone."""
    wanted = {name for name in names if name}
    held = PendingDeletion.objects.select_for_update().filter(name__in=wanted, holder=WORKER)
    if lost := wanted - set(held.values_list("name", flat=True)):
        raise FilesLost(f"{', '.join(sorted(lost))}: deleted while this worker stood still")
    PendingDeletion.objects.filter(name__in=wanted, holder=WORKER).delete()


def discard(part: str) -> None:
    """Deletes what this process saved under names with this part, and nobody kept."""
    names = set(PendingDeletion.objects.filter(name__contains=part, holder=WORKER).values_list("name", flat=True))
    if PendingDeletion.objects.filter(name__in=names, holder=WORKER).update(holder=""):
        delete_pending(names)


def delete_after_commit(names: Iterable[str]) -> None:
    """Deletes stored files when the transaction is committed; a crash in between only delays it."""
    if wanted := _must_go(names):
        transaction.on_commit(partial(delete_pending, wanted))


def delete_now(names: Iterable[str]) -> None:
    """Deletes stored files that no row names, outside of transactions; what the storage keeps for now goes later.

    Where the database fails too, which is why they have to go, perhaps, it is tried at once and without it.
    """
    wanted = {name for name in names if name}
    try:
        delete_pending(_must_go(wanted))
    except DatabaseError:
        log.exception("%s must be deleted, which could not be written down.", ", ".join(sorted(wanted)))
        for name in wanted:
            default_storage.delete(name)


def _must_go(names: Iterable[str]) -> set[str]:
    """Writes it down."""
    wanted = {name for name in names if name}
    if wanted:
        PendingDeletion.objects.filter(name__in=wanted).delete()
        PendingDeletion.objects.bulk_create([PendingDeletion(name=name) for name in wanted])
    return wanted


def delete_pending(names: Collection[str] | None = None) -> None:
    """Called after commits with what has just become nobody's, and by workers for all that is left, such as what a
    process that died left behind. A storage that does not answer is not asked again and again."""
    if names is not None and not names:
        return
    held = Q(holder=WORKER) | Q(holder__in=heartbeats.alive())
    rows = PendingDeletion.objects.exclude(held).order_by("pk")
    for row in rows if names is None else rows.filter(name__in=names):
        # A worker that goes on after all either has named the file by now, or finds that it no longer may.
        if not PendingDeletion.objects.filter(pk=row.pk, holder=row.holder).update(holder=""):
            continue
        try:
            default_storage.delete(row.name)
        except StorageUnavailable:
            log.exception("%s could not be deleted; the worker tries again.", row.name)
            return
        except Exception:
            log.exception("%s could not be deleted; the worker tries again.", row.name)
        else:
            row.delete()
