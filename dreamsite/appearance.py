"""The addresses of the site's colour, logo and manifest, and the page of the administration where they are chosen."""

from __future__ import annotations

import io
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from PIL import Image

from canvas.models import Canvas
from dreamsite.core import appearance
from dreamsite.core.errors import NotFound
from dreamsite.core.languages import in_one_language
from dreamsite.core.models import Appearance
from gallery.uploads.admin import CleanPictureField


def _kept(content: bytes | str, kind: str) -> HttpResponse:
    """What never changes at its address."""
    answer = HttpResponse(content, content_type=kind)
    patch_cache_control(answer, public=True, max_age=365 * 24 * 3600, immutable=True)
    return answer


@require_safe
def accent_css(request: HttpRequest, version: str) -> HttpResponse:
    look = appearance.current()
    if not look.accent or version != look.version:
        raise NotFound("The site has no such colour any more.")
    return _kept(appearance.accent_css(look.accent), "text/css")


@require_safe
def logo(request: HttpRequest, version: str) -> HttpResponse:
    look = appearance.current()
    if not look.logo or version != look.version:
        raise NotFound("The site has no such logo any more.")
    return _kept(look.logo, "image/png")


@require_safe
@in_one_language
def webmanifest(request: HttpRequest) -> HttpResponse:
    """What a phone shows where the site stands among its applications."""
    name = appearance.current().name
    icons = [
        {"src": static("favicon.svg"), "type": "image/svg+xml", "sizes": "any"},
        {"src": static("icons/icon-192.png"), "type": "image/png", "sizes": "192x192"},
        {"src": static("icons/icon-512.png"), "type": "image/png", "sizes": "512x512"},
        {"src": static("icons/icon-maskable-512.png"), "type": "image/png", "sizes": "512x512", "purpose": "maskable"},
    ]
    manifest = {
        "name": name,
        "short_name": name,
        "description": _("Draw together on one canvas and watch a neural network dream on it."),
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#0d0c11",
        "theme_color": "#0d0c11",
        "icons": icons,
    }
    answer = JsonResponse(manifest, content_type="application/manifest+json")
    patch_cache_control(answer, public=True, max_age=3600)
    return answer


class AppearanceForm(forms.ModelForm[Appearance]):
    accent = forms.CharField(
        label=gettext_lazy("Colour"), required=False, help_text=Appearance._meta.get_field("accent").help_text
    )
    picture = CleanPictureField(
        label=gettext_lazy("Logo"),
        required=False,
        help_text=gettext_lazy(
            "JPEG, PNG or WebP, best with a transparent ground. It stands in the place of the name."
        ),
    )
    without = forms.BooleanField(label=gettext_lazy("Without a logo"), required=False)

    class Meta:
        model = Appearance
        fields = ["name", "accent"]

    def clean_name(self) -> str:
        return " ".join(str(self.cleaned_data["name"]).split())

    def clean_accent(self) -> str:
        return str(self.cleaned_data["accent"]).strip().lower()

    def clean_picture(self) -> bytes:
        sent = self.cleaned_data.get("picture")
        if not sent:
            return b""
        try:
            return appearance.as_logo(Image.open(io.BytesIO(sent.data)))
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


@admin.register(Appearance)
class AppearanceAdmin(admin.ModelAdmin[Appearance]):
    """One page, for the one row."""

    form = AppearanceForm
    fields = ["name", "accent", "picture", "without"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect("admin:core_appearance_change", 1)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **options: Any) -> HttpResponse:
        if self.has_change_permission(request):
            Appearance.objects.get_or_create(id=1)
        return super().change_view(request, object_id, *args, **options)

    def save_model(self, request: HttpRequest, obj: Appearance, form: AppearanceForm, change: bool) -> None:
        before = appearance.current().name
        if form.cleaned_data["without"]:
            obj.logo = b""
        elif form.cleaned_data["picture"]:
            obj.logo = form.cleaned_data["picture"]
        super().save_model(request, obj, form, change)
        # A canvas that was called as the site was goes on being called as the site is.
        Canvas.objects.filter(title=before).update(title=obj.name)

    def response_change(self, request: HttpRequest, obj: Appearance) -> HttpResponse:
        answer = super().response_change(request, obj)
        return redirect("first_steps") if isinstance(answer, HttpResponseRedirect) else answer
