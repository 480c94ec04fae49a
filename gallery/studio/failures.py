"""Which failures will pass: the database or the storage is away for a moment, or the worker stood still; the work is
tried again."""

from __future__ import annotations

from django.db import InterfaceError, OperationalError

from dreamsite.core.storage import StorageUnavailable
from gallery.jobs.files import FilesLost


def passes(error: BaseException) -> bool:
    """Whether it may go better in a while, without anything being different about the work."""
    if isinstance(error, OperationalError | InterfaceError | StorageUnavailable | FilesLost):
        return True
    # A disk of this machine that is full or gone has a number; a picture that is cut short is an OSError without one.
    return isinstance(error, OSError) and error.errno is not None and not isinstance(error, FileNotFoundError)
