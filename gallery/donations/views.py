"""The donation page, and the QR code that wallets read."""

from __future__ import annotations

import io

import segno
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from canvas.moderation.sanctions.middleware import same_for_everybody
from dreamsite.core.errors import NotFound
from gallery.donations import ledger
from gallery.donations.options import donation_options
from gallery.pages.views import get_page


@require_safe
def donate(request: HttpRequest) -> HttpResponse:
    """The page's text, the ways to donate, and the ledger if there is one."""
    page = get_page(request, "donate")
    context = {"page": page, "donation_options": donation_options(), "ledger": ledger.read()}
    return render(request, "gallery/donations/donate.html", context)


@same_for_everybody
@require_safe
@cache_control(max_age=3600, public=True)
def bitcoin_code(request: HttpRequest) -> HttpResponse:
    """The `bitcoin:` link as a QR code, with the quiet zone that readers need."""
    if not (here := donation_options()).bitcoin:
        raise NotFound(_("This site does not take Bitcoin."))
    buffer = io.BytesIO()
    segno.make(here.bitcoin_uri, error="m", micro=False).save(
        buffer, kind="svg", border=4, dark="#0d0c11", light="#fff", svgclass=None, lineclass=None, omitsize=True
    )
    return HttpResponse(buffer.getvalue(), content_type="image/svg+xml")
