"""Seconds from dream to dream, as whole numbers for sentences."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def whole(seconds: float) -> int:
    return max(1, round(seconds))


@register.filter
def minutes(seconds: float) -> int:
    return max(1, round(seconds / 60))
