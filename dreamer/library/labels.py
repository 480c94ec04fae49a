"""A network's classes by name. A label may list synonyms: 'great grey owl, great gray owl, Strix nebulosa'."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from .names import nearest

UNSPOKEN = frozenset((Path(__file__).parent / "unspoken.txt").read_text(encoding="utf-8").split("\n"))

# The breeds of dogs among ImageNet's thousand classes, which most networks learned: they stand together.
FIRST_BREED, LAST_BREED = "chihuahua", "mexican hairless"


def index_of(labels: Sequence[str], wanted: str, network: str) -> int:
    """The number of the class of this name, in output order. Raises ValueError with the nearest names for any other."""
    names = {
        part.strip().lower(): i for i, label in reversed(list(enumerate(labels))) for part in [*label.split(","), label]
    }
    if wanted.strip().lower() not in names:
        close = nearest(wanted, names) or list(names)[:8]
        raise ValueError(f"{network} knows no class {wanted!r}; the nearest are {', '.join(close)}")
    return names[wanted.strip().lower()]


def word(label: str) -> str:
    """The first of its synonyms, as it is written in a sentence."""
    return label.split(",")[0].strip().replace("_", " ")


def matching(labels: Sequence[str], text: str, most: int, called: Callable[[str], str] = str) -> list[str]:
    """The labels that fit what somebody has typed: first those that begin with it, then those with a word that does,
    then those that hold it. Each once; all of them, in order, for an empty text.

    called  what a label's word is called in the language of whoever types, which is looked through as well
    """
    wanted = text.strip().lower()

    def rank(label: str) -> int | None:
        parts = [part.strip() for part in (*label.lower().split(","), called(word(label)).lower())]
        if any(part.startswith(wanted) for part in parts):
            return 0
        if any(f" {wanted}" in part for part in parts):
            return 1
        return 2 if any(wanted in part for part in parts) else None

    ranked = [(found, i, label) for i, label in enumerate(labels) if label and (found := rank(label)) is not None]
    return list(dict.fromkeys(label for *_, label in sorted(ranked)))[:most]


def spoken(label: str) -> str:
    """The word to say for a label; empty where it is one not to be said to everybody, children too, or none at all."""
    said = word(label).lower()
    parts = {said, *said.split(), *(part.strip().lower() for part in label.split(","))}
    return "" if not said or said.isdigit() or parts & UNSPOKEN else said


def dogs(labels: Sequence[str]) -> int:
    """How many of the classes are dogs: ImageNet's breeds, or those that say so."""
    first = [label.split(",")[0].strip().lower() for label in labels]
    if FIRST_BREED in first and LAST_BREED in first:
        return first.index(LAST_BREED) - first.index(FIRST_BREED) + 1
    return sum(1 for label in first if label.split()[-1:] == ["dog"])
