"""Pages in the administration, with a live preview."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from gallery import markdown
from gallery.pages import initial_pages
from gallery.pages.models import Page
from gallery.pages.views import render_page


@admin.register(Page)
class PageAdmin(admin.ModelAdmin[Page]):
    list_display = ["title", "address", "template", "footer_order", "published", "updated_at"]
    list_filter = ["template", "published"]
    search_fields = ["title", "slug", "body"]
    prepopulated_fields = {"slug": ["title"]}
    fields = ["title", "slug", ("template", "footer_order", "published"), "body"]
    change_form_template = "admin/gallery/page/change_form.html"

    @admin.display(description=_("Address"), ordering="slug")
    def address(self, page: Page) -> str:
        return page.get_absolute_url()

    def get_prepopulated_fields(self, request: HttpRequest, obj: Page | None = None) -> dict[str, Any]:
        return {} if obj else dict(self.prepopulated_fields)

    def get_readonly_fields(self, request: HttpRequest, obj: Page | None = None) -> list[str]:
        # Others link to these, and the next migrate would make them again.
        return ["slug"] if obj and obj.slug in initial_pages.slugs() else []

    def has_delete_permission(self, request: HttpRequest, obj: Page | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.slug in initial_pages.slugs())

    def get_urls(self) -> list[URLPattern]:
        preview = path("preview/", self.admin_site.admin_view(require_POST(self.preview)), name="gallery_page_preview")
        return [preview, *super().get_urls()]

    def preview(self, request: HttpRequest) -> HttpResponse:
        """The page as the form has it, not saved: the whole page, or for the script its text alone."""
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            return HttpResponse(status=403)
        body = request.POST.get("body", "")
        if "words" in request.GET:
            return HttpResponse(markdown.render(body))
        template = request.POST.get("template", "")
        draft = Page(
            slug=request.POST.get("slug", "")[:40],
            title=request.POST.get("title", "")[:120],
            template=template if template in Page.Template.values else Page.Template.PAGE,
            body=body,
            html=markdown.render(body),
            published=False,
        )
        return render_page(request, draft)
