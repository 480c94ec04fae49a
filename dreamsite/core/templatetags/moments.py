"""Moments inside sentences: `{% blocktranslate with when=at|moment:"DATETIME_FORMAT" %}… {{ when }} UTC …`.

static/site.js then writes the reader's own hour in place of "… UTC", as it does with every `<time>` that ends so.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html

register = template.Library()


@register.filter
def moment(at: datetime | None, written: str) -> str:
    """A `<time>` of UTC in the named format of dreamsite/formats; "" for none."""
    if at is None:
        return ""
    at = at.astimezone(UTC)
    return format_html('<time datetime="{}">{}</time>', at.isoformat(timespec="seconds"), date_format(at, written))
