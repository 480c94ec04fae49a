"""The footer of every page. Read only where it is shown: the error pages must not need the database."""

from __future__ import annotations

from django import template
from django.conf import settings
from django.utils.translation import gettext as _

from gallery.donations.models import LedgerEntry
from gallery.donations.options import donation_options
from gallery.pages import choosing
from gallery.pages.models import Page

register = template.Library()


@register.simple_tag
def footer_pages() -> list[Page]:
    """Published pages in their order; without the one for donations where nobody can donate and the ledger is empty."""
    pages = choosing.in_footer()
    if donation_options() or LedgerEntry.objects.exists():
        return pages
    return [page for page in pages if page.slug != "donate"]


@register.simple_tag
def footer_links() -> list[dict[str, str]]:
    """Where the people who run the site can be reached, and where its program is to be had, if they say so."""
    found = (_("Contact"), settings.CONTACT), (_("Source"), settings.SOURCE_URL)
    return [{"title": title, "address": address} for title, address in found if address]
