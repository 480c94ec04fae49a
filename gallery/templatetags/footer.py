"""What stands at the foot of every page. Asked only where it is shown: the error pages must not need the database."""

from __future__ import annotations

from django import template

from gallery.donations.models import Entry
from gallery.donations.options import ways
from gallery.pages.models import Page

register = template.Library()


@register.simple_tag
def foot_pages() -> list[Page]:
    """Published pages in their order; without the one for donations where there is no way to give and nothing told."""
    pages = list(Page.objects.linked().only("slug", "title"))
    if ways() or Entry.objects.exists():
        return pages
    return [page for page in pages if page.slug != "donate"]
