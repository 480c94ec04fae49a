"""Local files that survive a power cut as well as the rows that name them."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

from dreamsite.core.files import sync


class DurableStorage(FileSystemStorage):
    """FileSystemStorage whose `save` returns when the file and its name are on the disk.

    The database commits with synchronous=FULL; without this a committed frame could name an empty file.
    """

    def save(self, name: str | None, content: IO[Any] | File[Any], max_length: int | None = None) -> str:
        saved = super().save(name, content, max_length=max_length)
        path, root = Path(self.path(saved)), Path(self.location)
        sync(path)
        # Every folder on the way, since any of them may be new, and the one that holds the root.
        for folder in path.parents:
            sync(folder)
            if folder == root.parent:
                break
        return saved
