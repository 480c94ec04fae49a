"""Uploaded pictures in the administration."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from gallery.uploads import pictures
from gallery.uploads.models import Upload


class CleanPictureField(forms.FileField):
    """A file that becomes a `pictures.CleanedPicture`, or an error that says why not."""

    widget = forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"})

    def clean(self, data: Any, initial: Any = None) -> Any:
        file = super().clean(data, initial)
        if not file or isinstance(file, pictures.CleanedPicture):
            return file
        try:
            return pictures.clean(file)
        except pictures.InvalidUpload as error:
            raise ValidationError(str(error)) from error


class UploadForm(forms.ModelForm[Upload]):
    file = CleanPictureField(
        label=_("Picture"),
        help_text=_("JPEG, PNG or WebP. The picture is encoded again, without its metadata."),
    )

    class Meta:
        model = Upload
        fields = ["title"]

    def save(self, commit: bool = True) -> Any:
        self.instance = Upload.objects.build(self.cleaned_data["file"], title=self.cleaned_data["title"])
        return super().save(commit)


@admin.register(Upload)
class UploadAdmin(admin.ModelAdmin[Upload]):
    list_display = ["preview", "title", "measures", "by", "at"]
    list_display_links = ["preview", "title"]
    list_select_related = ["by"]
    search_fields = ["title", "by__username"]
    readonly_fields = ["preview", "address", "measures", "sha256", "by", "at"]

    def get_form(self, request: HttpRequest, obj: Upload | None = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change=change, **kwargs) if obj else UploadForm

    def get_fields(self, request: HttpRequest, obj: Upload | None = None) -> Any:
        return ["title", *self.readonly_fields] if obj else ["file", "title"]

    def get_readonly_fields(self, request: HttpRequest, obj: Upload | None = None) -> list[str]:
        return self.readonly_fields if obj else []

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.by = request.user
        super().save_model(request, obj, form, change)

    @admin.display(description=_("Picture"))
    def preview(self, upload: Upload) -> str:
        return format_html('<img src="{}" height="96" alt="" loading="lazy">', upload.picture.url)

    @admin.display(description=_("In the text of a page"))
    def address(self, upload: Upload) -> str:
        return f"![{upload.title}]({reverse('upload', args=[upload.key])})" if upload.pk else "–"

    @admin.display(description=_("Size"))
    def measures(self, upload: Upload) -> str:
        return f"{upload.width} × {upload.height}, {upload.size / 1024:.0f} KiB"
