"""A page of words."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import resolve
from django.views.decorators.http import require_safe

from gallery.farewell import content
from gallery.pages.models import Page


@require_safe
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """The words at `/slug/`; one that is not published shows itself to the staff alone."""
    return shown(request, find(request, slug))


@require_safe
def add_slash(request: HttpRequest, slug: str) -> HttpResponse:
    """Leads from `/word` to `/word/`, be it a page or a place of the site's own; Django does not, since this address
    exists. A word that is neither is not found, rather than led on."""
    if resolve(f"/{slug}/").func is page:
        find(request, slug)
    return redirect(request.get_full_path(force_append_slash=True), permanent=True)


def find(request: HttpRequest, slug: str) -> Page:
    found = Page.objects.filter(slug=slug).first()
    if found is None or not (found.published or request.user.is_staff):
        raise Http404
    return found


def shown(request: HttpRequest, this: Page) -> HttpResponse:
    context = content.context(request) if this.template == Page.Template.END else {}
    return render(request, f"gallery/pages/{this.template}.html", {"page": this, **context})
