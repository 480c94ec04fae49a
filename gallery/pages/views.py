"""A page that the staff wrote."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import resolve
from django.views.decorators.http import require_safe

from dreamsite.core import second_factor
from gallery.farewell import content
from gallery.pages import choosing
from gallery.pages.models import Page

DRAFTS = "gallery.view_page"


@require_safe
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """The page at `/slug/`; an unpublished one is shown to the staff only."""
    return render_page(request, get_page(request, slug))


@require_safe
def add_slash(request: HttpRequest, slug: str) -> HttpResponse:
    """Leads from `/word` to `/word/`, a page or an address of the site's own; Django does not, because this address
    exists. Any other word is not found, rather than redirected."""
    if resolve(f"/{slug}/").func is page:
        get_page(request, slug)
    return redirect(request.get_full_path(force_append_slash=True), permanent=True)


def get_page(request: HttpRequest, slug: str) -> Page:
    """In the words of the request's language. Drafts are looked for only where nothing is published."""
    found = choosing.find(slug)
    if found is None and second_factor.may(request, DRAFTS):
        found = choosing.find(slug, drafts=True, language_drafts=True)
    if found is None:
        raise Http404
    return found


def render_page(request: HttpRequest, this: Page) -> HttpResponse:
    context = content.context(request) if this.template == Page.Template.END else {}
    return render(request, f"gallery/pages/{this.template}.html", {"page": this, **context})
