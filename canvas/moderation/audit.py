"""Recording what staff does. Every act of anybody with power goes through `record`, in the act's own transaction."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from canvas.models import Act, Canvas

# verb -> how the log says it. Whoever brings acts of a new kind adds their verbs here, or with `verb`.
VERBS: dict[str, str | Promise] = {
    "rollback": _("Took strokes out of the picture"),
    "restore": _("Restored an earlier picture"),
    "undo": _("Took an act back"),
    "freeze": _("Froze the canvas"),
    "unfreeze": _("Opened the canvas again"),
    "lock-region": _("Locked a region"),
    "unlock-region": _("Unlocked a region"),
    "slow": _("Changed the slow mode"),
    "newcomers": _("Changed who may draw by when they joined"),
    "pause-dream": _("Paused the dream"),
    "resume-dream": _("Let the dream go on"),
    "next-style": _("Asked for another style"),
    "this-style": _("Chose a style"),
    "hide-frame": _("Hid a frame"),
    "show-frame": _("Showed a frame again"),
    "look-up": _("Looked up who drew"),
    "remove-second-factor": _("Removed second factors, from the command line"),
}


def verb(name: str, title: str | Promise) -> str:
    """Makes a verb known; its name, so that it can be a constant of the module that brings it."""
    if len(name) > 40:
        raise ValueError(f"verb {name!r} has {len(name)} letters, expected at most 40")
    VERBS[name] = title
    return name


def record(
    by: Any,
    verb: str,
    *,
    canvas: Canvas | None = None,
    person: Any = None,
    why: str = "",
    op: uuid.UUID | None = None,
    undoes: Act | None = None,
    **what: Any,
) -> Act:
    """One row of the log. `by` None is the site itself; `what` must be JSON. Raises ValueError for an unknown verb."""
    if verb not in VERBS:
        raise ValueError(f"verb {verb!r} is unknown, expected one of {', '.join(sorted(VERBS))}")
    return Act.objects.create(
        by=by, by_name=by.get_username() if by else "", verb=verb, canvas=canvas, person=person,
        person_name=person.get_username() if person else "", what=what, why=why.strip()[:2000], op=op or uuid.uuid4(),
        undoes=undoes,
    )  # fmt: skip
