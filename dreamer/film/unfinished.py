"""What a long command has made so far, in a folder beside the file it writes: killed, and called again, it goes on."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dreamsite.core.files import whole_file

NOTE = "of.txt"


@contextmanager
def unfinished(target: Path, *parts: Any) -> Iterator[Path]:
    """A folder that is gone when the block is left, whichever way; only a kill leaves it.

    What is in it was left by a process that was killed at the same: `parts`, which JSON can write, are all that its
    content depends on.
    """
    folder = target.with_name(f".{target.name}.unfinished")
    wanted = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    note = folder / NOTE
    if not note.is_file() or note.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        with whole_file(note) as draft:
            draft.write_text(wanted)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def digest(path: Path) -> str:
    """A file's content, for `parts`."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
