"""Pages in the administration, with a live preview."""

from __future__ import annotations

import difflib
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import translation
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from gallery import markdown
from gallery.pages import choosing, initial_pages
from gallery.pages.models import Page, PageVersion
from gallery.pages.views import render_page


@admin.register(Page)
class PageAdmin(admin.ModelAdmin[Page]):
    list_display = ["title", "address", "language", "template", "footer_order", "published", "updated_at"]
    list_filter = ["language", "template", "published"]
    search_fields = ["title", "slug", "body"]
    prepopulated_fields = {"slug": ["title"]}
    change_form_template = "admin/gallery/page/change_form.html"

    @admin.display(description=_("Address"), ordering="slug")
    def address(self, page: Page) -> str:
        return page.get_absolute_url()

    def get_prepopulated_fields(self, request: HttpRequest, obj: Page | None = None) -> dict[str, Any]:
        return {} if obj else dict(self.prepopulated_fields)

    @admin.display(description=_("In other languages"))
    def in_languages(self, page: Page) -> str:
        """Where its words in each language are written; the form for a new one begins with what is shown there now."""
        if not page.slug:
            return "-"
        written = dict(Page.objects.filter(slug=page.slug).values_list("language", "pk"))
        rows = []
        for code, name in [("", _("The page itself")), *settings.LANGUAGES]:
            if code == page.language:
                continue
            if code in written:
                address = reverse("admin:gallery_page_change", args=[written[code]])
                rows.append((address, f"{name}"))
            else:
                query = urlencode({"slug": page.slug, "language": code})
                rows.append(
                    (
                        f"{reverse('admin:gallery_page_add')}?{query}",
                        gettext("%(language)s: write it") % {"language": name},
                    )
                )
        return format_html_join(" · ", '<a href="{}">{}</a>', rows)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """For a page in another language: what is shown there until then."""
        asked = super().get_changeform_initial_data(request)
        slug, language = str(asked.get("slug", "")), str(asked.get("language", ""))
        if language in dict(settings.LANGUAGES):
            with translation.override(language):
                shown = choosing.find(slug, drafts=True, language_drafts=True)
            if shown is not None:
                asked = {"title": shown.title, "body": shown.body, "template": shown.template, **asked}
        return asked

    def get_fields(self, request: HttpRequest, obj: Page | None = None) -> list[Any]:
        # Template and place in the footer are the page's own, in every language.
        language = obj.language if obj else request.POST.get("language") or request.GET.get("language")
        about: list[Any] = ["published"] if language else [("template", "footer_order", "published")]
        return ["title", ("slug", "language"), *about, "body", "in_languages"]

    def get_readonly_fields(self, request: HttpRequest, obj: Page | None = None) -> list[str]:
        # Others link to these, and the next migrate would make them again.
        return ["in_languages", *(["slug", "language"] if obj and _is_initial(obj) else [])]

    def has_delete_permission(self, request: HttpRequest, obj: Page | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and _is_initial(obj))

    def save_model(self, request: HttpRequest, obj: Page, form: ModelForm[Page], change: bool) -> None:
        obj.edited_by = request.user
        super().save_model(request, obj, form, change)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """“History” leads to the page's versions and their differences."""
        return redirect(f"{reverse('admin:gallery_pageversion_changelist')}?page__id__exact={object_id}")

    def get_urls(self) -> list[URLPattern]:
        view = require_http_methods(["GET", "HEAD", "POST"])(self.preview)
        preview = path("preview/", self.admin_site.admin_view(view), name="gallery_page_preview")
        return [preview, *super().get_urls()]

    def view_on_site(self, page: Page) -> str:
        """A draft has no address of its own while the page is published."""
        if page.published:
            return page.get_absolute_url()
        return f"{reverse('admin:gallery_page_preview')}?{urlencode({'page': page.pk})}"

    def preview(self, request: HttpRequest) -> HttpResponse:
        """The page as the form has it, not saved: the whole page, or for the script its text alone. GET: the draft
        that is saved, in its language."""
        if request.method != "POST":
            return self._saved(request)
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

    def _saved(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            return HttpResponse(status=403)
        pk = request.GET.get("page", "")
        draft = get_object_or_404(Page, pk=int(pk) if pk.isascii() and pk.isdigit() and len(pk) < 16 else None)
        draft.published = False
        if not draft.language:
            return render_page(request, draft)
        if page := Page.objects.of_every_language().filter(slug=draft.slug).first():
            draft.template = page.template
        with translation.override(draft.language):
            return render_page(request, draft)


def _is_initial(page: Page) -> bool:
    return page.slug in initial_pages.slugs() and not page.language


@admin.register(PageVersion)
class PageVersionAdmin(admin.ModelAdmin[PageVersion]):
    """What pages said, and what each change changed. To look at; whoever may see pages sees all of them."""

    list_display = ["at", "address", "number", "by", "added", "title"]
    list_filter = ["slug", "language", "at", ("page", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["by"]
    search_fields = ["slug", "title", "body", "by__username"]
    date_hierarchy = "at"
    show_full_result_count = False
    fields = ["at", "by", "number", "sha256", "difference", "whole"]

    @admin.display(description=_("Address"), ordering="slug")
    def address(self, version: PageVersion) -> str:
        return f"/{version.slug}/ {version.language}".strip()

    @admin.display(description=_("Lines"))
    def added(self, version: PageVersion) -> str:
        marks = [mark for mark, _line in lines_of(version)]
        return f"+{marks.count('+')} −{marks.count('-')}"

    @admin.display(description=_("Difference"))
    def difference(self, version: PageVersion) -> str:
        tags = {"+": "ins", "-": "del", " ": "span", "@": "b"}
        rows = ((tags[mark], line, tags[mark]) for mark, line in lines_of(version))
        return format_html('<div class="page-difference">{}</div>', format_html_join("", "<{}>{}</{}>", rows))

    @admin.display(description=_("All of it"))
    def whole(self, version: PageVersion) -> str:
        return format_html('<div class="page-difference">{}</div>', version.text)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["at", "by", "number", "sha256", "difference", "whole"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("gallery.view_page") or request.user.has_perm("gallery.change_page")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[PageVersion]:
        found: QuerySet[PageVersion] = super().get_queryset(request).select_related("page")
        return found

    class Media:
        css = {"all": ["gallery/exhibit_admin.css"]}


def lines_of(version: PageVersion) -> list[tuple[str, str]]:
    """The lines that changed since the version before, with two around them: "+", "-", " " or "@", and the line."""
    before = version.before
    old = before.text.splitlines() if before else []
    found = list(difflib.unified_diff(old, version.text.splitlines(), n=2, lineterm=""))[2:]
    return [(line[0], "…" if line[0] == "@" else line[1:]) for line in found]
