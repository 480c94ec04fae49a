"""The footer of every page. Read only where it is shown: the error pages must not need the database."""

from __future__ import annotations

from django import template

from gallery.donations.models import LedgerEntry
from gallery.donations.options import donation_options
from gallery.pages.models import Page

register = template.Library()


@register.simple_tag
def footer_pages() -> list[Page]:
    """Published pages in their order; without the one for donations where nobody can donate and the ledger is empty."""
    pages = list(Page.objects.in_footer().only("slug", "title"))
    if donation_options() or LedgerEntry.objects.exists():
        return pages
    return [page for page in pages if page.slug != "donate"]
