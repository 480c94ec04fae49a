"""What every page says of the studio to whoever has dreamed there."""

from __future__ import annotations

from typing import Any

from django import template

from gallery.studio.models import Work

register = template.Library()


@register.inclusion_tag("gallery/studio/notice.html", takes_context=True)
def studio_notice(context: dict[str, Any]) -> dict[str, Any]:
    """That dreams of this person have ended, until the person has seen how."""
    user = context.get("user")
    if user is None or not user.is_authenticated:
        return {"ended": []}
    if getattr(user, "guest", False):
        return {"ended": []}  # the studio is for members
    # On every page: one query, and of each work what names it and leads to it.
    ended = Work.objects.unseen(user).only("key", "state", "caption", "title").order_by("-finished_at")
    return {"ended": list(ended[:10])}
