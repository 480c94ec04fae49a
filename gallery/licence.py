"""The licence of the pictures, in words and as an address."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Licence:
    name: str
    address: str
    meaning: Promise


# CC BY-SA by default: many people drew, each is named with the frame, and what is made of it stays as free.
LICENCES = {
    "cc-by-sa-4.0": Licence(
        "CC BY-SA 4.0",
        "https://creativecommons.org/licenses/by-sa/4.0/",
        _("You may share and adapt it. Give credit, and share what you make under the same licence."),
    ),
    "cc-by-4.0": Licence(
        "CC BY 4.0",
        "https://creativecommons.org/licenses/by/4.0/",
        _("You may share and adapt it. Give credit."),
    ),
    "cc0-1.0": Licence(
        "CC0 1.0",
        "https://creativecommons.org/publicdomain/zero/1.0/",
        _("You may do anything with it. No rights are reserved."),
    ),
}


def current() -> Licence:
    return LICENCES[settings.LICENCE]
