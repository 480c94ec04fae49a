"""What one might buy the makers. It changes its name each time, as it always did."""

from __future__ import annotations

import random

from django.utils.translation import gettext_lazy as _

DRINKS = [
    _("a cup of tea"), _("a strong coffee"), _("a glass of wine"), _("a beer"), _("a cocoa with cream"),
    _("a ginger ale"), _("a cider"), _("a maté"), _("a lemonade"), _("a hot milk with honey"), _("a sherry"),
    _("an elderflower water"), _("a malt whisky"), _("a bubble tea"), _("an oat latte"),
]  # fmt: skip


def all_of_them() -> list[str]:
    """Today's first, then the others: a page without a script says the first."""
    names = [str(drink) for drink in DRINKS]
    return random.sample(names, len(names))
