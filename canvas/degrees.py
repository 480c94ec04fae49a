"""Sanctions by degrees: a row for each, the mildest first. Plain Python, no Django.

The gate, forms, pages and browsers go by these columns alone, so a new degree is a new row.
"""

from __future__ import annotations

from dataclasses import dataclass

from canvas import limits


def gettext_noop(text: str) -> str:
    """Marks a text that whoever shows it looks up: pages, and browser modules (tests.translations knows)."""
    return text


@dataclass(frozen=True, slots=True)
class Degree:
    name: str  # in the database and in the protocol
    label: str
    effect: str  # for moderators: what somebody under it does
    sheet: str  # for the person: the heading, and below it what it means
    sheet_effect: str
    line: str = ""  # for the person: why they cannot draw, in a few words
    may_enter: bool = True  # False: signed out, and no socket stays open
    may_draw: bool = True
    may_undo: bool = True
    ink_divisor: int = 1  # how many times less ink, of a newcomer's
    must_acknowledge: bool = False  # it stands until the person says that they have read it, and has no other end

    @property
    def severity(self) -> int:
        return DEGREES.index(self)

    @property
    def gravity(self) -> tuple[bool, int]:
        """Of several in force the gravest is shown: first those that stop drawing, then the most severe."""
        return not self.may_draw, self.severity


DEGREES = (
    Degree(
        "warn",
        gettext_noop("Warning"),
        effect=gettext_noop("Reads your words, says so, and draws on."),
        sheet=gettext_noop("A message from the moderators"),
        sheet_effect=gettext_noop("Please read it; then you can draw again."),
        line=gettext_noop("A moderator has written to you"),
        may_draw=False,
        must_acknowledge=True,
    ),
    Degree(
        "cool_down",
        gettext_noop("Cool down"),
        effect=gettext_noop("Draws with little ink."),
        sheet=gettext_noop("Slowly, please"),
        sheet_effect=gettext_noop("You have less ink than usual."),
        ink_divisor=limits.COOL_DOWN,
    ),
    Degree(
        "read_only",
        gettext_noop("Read only"),
        effect=gettext_noop("Watches, and may take own strokes back."),
        sheet=gettext_noop("You can watch, but not draw"),
        sheet_effect=gettext_noop("You cannot draw. You can still undo your own strokes."),
        line=gettext_noop("You can watch, but not draw"),
        may_draw=False,
    ),
    Degree(
        "suspend",
        gettext_noop("Suspended"),
        effect=gettext_noop("Is signed out, and cannot come in."),
        sheet=gettext_noop("You are suspended"),
        sheet_effect=gettext_noop("You cannot be on this canvas."),
        line=gettext_noop("You are suspended"),
        may_enter=False,
        may_draw=False,
        may_undo=False,
    ),
)
BY_NAME = {degree.name: degree for degree in DEGREES}
WARNING = DEGREES[0]  # what comes first where nothing came before

# For queries: the names of those that end by being read, and of those that keep somebody out.
ACKNOWLEDGED = tuple(degree.name for degree in DEGREES if degree.must_acknowledge)
SHUT_OUT = tuple(degree.name for degree in DEGREES if not degree.may_enter)
