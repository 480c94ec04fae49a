"""Names of models, layers and sources: what is allowed, and what was probably meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..graph import GraphError

MODEL_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class LibraryError(ValueError):
    """Something about a model file or name is wrong; the message says what came, what was expected, what to do."""


@contextmanager
def about(path: Path) -> Iterator[None]:
    """Whatever fails on a file from elsewhere becomes a LibraryError about it: such files can be wrong in any way."""
    try:
        yield
    except (LibraryError, OSError):
        raise
    except GraphError as error:
        raise LibraryError(f"{path} cannot be imported: {error}") from error
    except Exception as error:
        raise LibraryError(
            f"{path} cannot be imported: it is damaged, or made in a way not known here "
            f"({type(error).__name__}: {error})"
        ) from error


def nearest(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """Up to `limit` of the `known` names that look most like `name`, best first."""
    known = list(known)
    folded = {k.lower(): k for k in known}
    found = difflib.get_close_matches(name.lower(), folded, n=limit, cutoff=0.5)
    inside = [k for k in folded if name.lower() in k and k not in found]
    return [folded[k] for k in (found + sorted(inside, key=len))[:limit]]


def unknown(kind: str, name: str, known: Iterable[str]) -> LibraryError:
    """The error for a name that is not there, with the nearest names or, for a short list, all of them."""
    known = list(known)
    close = nearest(name, known)
    if close:
        hint = f"did you mean {', '.join(close)}?"
    elif known:
        hint = f"there are {', '.join(known[:12])}{', ...' if len(known) > 12 else ''}."
    else:
        hint = "there are none yet."
    return LibraryError(f"unknown {kind} {name!r}: {hint}")


def check_model_name(name: str) -> str:
    """`name` itself when it may name a model folder, else LibraryError."""
    if not MODEL_NAME.fullmatch(name):
        raise LibraryError(
            f"{name!r} cannot name a model: lower-case letters, digits, '.', '_' and '-' are allowed, "
            "starting with a letter or digit, 64 characters at most"
        )
    return name
