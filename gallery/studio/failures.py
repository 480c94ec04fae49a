"""Which failures will pass: the database or the storage is away for a moment, so the work is tried again."""

from __future__ import annotations

from django.db import InterfaceError, OperationalError
from PIL import UnidentifiedImageError


def passes(error: BaseException) -> bool:
    """Whether it may go better in a while, without anything being different about the work."""
    if isinstance(error, FileNotFoundError | UnidentifiedImageError):
        return False
    if isinstance(error, OperationalError | InterfaceError):
        return True
    # A disk that is full or gone has a number; a picture that is cut short is an OSError without one. A bucket's client
    # has exceptions of its own.
    return (isinstance(error, OSError) and error.errno is not None) or type(error).__module__.startswith("botocore.")
