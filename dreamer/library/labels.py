"""A network's classes by name. A label may list synonyms: 'great grey owl, great gray owl, Strix nebulosa'."""

from __future__ import annotations

from collections.abc import Sequence

from .names import nearest


def index_of(labels: Sequence[str], wanted: str, network: str) -> int:
    """The number of the class of this name, in output order. Raises ValueError with the nearest names for any other."""
    names = {
        part.strip().lower(): i for i, label in reversed(list(enumerate(labels))) for part in [*label.split(","), label]
    }
    if wanted.strip().lower() not in names:
        close = nearest(wanted, names) or list(names)[:8]
        raise ValueError(f"{network} knows no class {wanted!r}; the nearest are {', '.join(close)}")
    return names[wanted.strip().lower()]


def matching(labels: Sequence[str], text: str, most: int) -> list[str]:
    """The labels that fit what somebody has typed: first those that begin with it, then those with a word that does,
    then those that hold it. Each once; all of them, in order, for an empty text."""
    wanted = text.strip().lower()

    def rank(label: str) -> int | None:
        parts = [part.strip() for part in label.lower().split(",")]
        if any(part.startswith(wanted) for part in parts):
            return 0
        if any(f" {wanted}" in part for part in parts):
            return 1
        return 2 if wanted in label.lower() else None

    ranked = [(found, i, label) for i, label in enumerate(labels) if label and (found := rank(label)) is not None]
    return list(dict.fromkeys(label for *_, label in sorted(ranked)))[:most]
