"""The pieces of a film that is under way: on this machine's disk, and in the storage, so that any worker goes on there.

A piece is listed in the work's row once its files are stored. Whoever takes the work up fetches what it lacks.
"""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction

from dreamsite.core.files import whole_file
from dreamsite.core.tasks.jobs import write
from gallery.films import encode
from gallery.films.plan import Segment
from gallery.jobs import files
from gallery.studio.failures import passes
from gallery.studio.models import Work

log = logging.getLogger(__name__)

STORED = ".studio"  # no address leads into a folder that begins with a dot


class Pieces:
    """Those of one work. `fingerprint` is all that they depend on; where it has changed, they are made anew."""

    def __init__(self, work: Work, fingerprint: str) -> None:
        self._work, self._fingerprint = work, fingerprint
        self.local = encode.WorkDirectory(folder_of(work) / str(work.edition), fingerprint)
        if work.pieces.get("fingerprint") != fingerprint:
            self._list({})

    def have(self, segment: Segment) -> bool:
        """Whether it is there; from now on it is on this machine's disk."""
        if self.local.has(segment):
            if str(segment.index) not in self._listed:  # this worker ended before it was stored
                self.share(segment)
            return True
        stored = self._listed.get(str(segment.index))
        return stored is not None and self._fetched(segment, stored)

    def share(self, segment: Segment) -> None:
        """Stores a piece that is whole. Raises ClaimLost where the work is not this worker's any more."""
        saved = {}
        try:
            for path in self.local.files(segment):
                with path.open("rb") as file:
                    saved[path.name] = files.save(f"{STORED}/{self._work.key}/{path.name}", File(file))
        except Exception as error:
            if not passes(error):
                raise
            # It is whole here: only another machine would have to make it again.
            log.warning("%s: piece %d could not be stored: %s", self._work.key, segment.index, error)
            return
        with transaction.atomic():
            self._list({**self._listed, str(segment.index): saved})
            files.keep(saved.values())

    @property
    def _listed(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = self._work.pieces.get("segments", {})
        return found

    def _list(self, segments: dict[str, dict[str, str]]) -> None:
        gone = set(self._work.piece_names) - {name for saved in segments.values() for name in saved.values()}
        listed = {"fingerprint": self._fingerprint, "segments": segments}
        with transaction.atomic():
            write(self._work, pieces=listed, passing=True)
            files.delete_after_commit(gone)
        self._work.pieces = listed

    def _fetched(self, segment: Segment, stored: dict[str, str]) -> bool:
        paths = []
        try:
            for name, saved in stored.items():
                path = self.local.folder / Path(name).name
                with default_storage.open(saved) as file, whole_file(path) as draft, draft.open("wb") as copy:
                    shutil.copyfileobj(file, copy, files.CHUNK)
                paths.append(path)
        except FileNotFoundError:  # lost: it is made again
            return False
        self.local.finish(segment, paths)
        return True


def folder_of(work: Work) -> Path:
    """What this machine's disk has of a work."""
    return files.work_directory(f"studio/{work.key}")


def forget(work: Work) -> None:
    shutil.rmtree(folder_of(work), ignore_errors=True)


def sweep() -> None:
    """Deletes what is left on this machine of films that nobody makes any more."""
    root = files.work_directory("studio")
    found = {path.name for path in root.iterdir()} if root.is_dir() else set()
    for key in found - set(Work.objects.open().filter(key__in=found).values_list("key", flat=True)):
        shutil.rmtree(root / key, ignore_errors=True)
