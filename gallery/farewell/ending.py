"""Ending the project, and opening it again.

From then on no process takes ink, the dreamer makes a last frame of each canvas and stops, and `/` is the farewell. As
soon as that last frame is there, the whole film is requested (whole_film.request_whole_films). History, films, exhibits
and pages stay.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from canvas.moderation.models import Act
from dreamsite.core.models import SiteState

END = Act.add_verb("end-project", _("Ended the project"))
RESUME = Act.add_verb("resume-project", _("Opened the project again"))


def end(by: Any, why: str = "") -> bool:
    """Ends the project now; False where it has ended already. `by` is None for the command line."""
    with transaction.atomic():
        _lock()
        if SiteState.ended():
            return False
        SiteState.end(timezone.now())
        Act.objects.record(by, END, why=why)
    return True


def resume(by: Any, why: str = "") -> bool:
    """Opens it again, with everything that was there; False where it has not ended."""
    with transaction.atomic():
        _lock()
        if not SiteState.ended():
            return False
        SiteState.end(None)
        Act.objects.record(by, RESUME, why=why)
    return True


def _lock() -> None:
    """Of two who switch at the same time, the second finds it done."""
    SiteState.objects.get_or_create(id=1)
    SiteState.objects.select_for_update().get(id=1)
