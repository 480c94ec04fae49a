"""Exhibits in the administration: text, and pictures in order."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from gallery.exhibits.models import Exhibit, Picture
from gallery.uploads.admin import CleanPictureField
from gallery.uploads.models import Upload


class PictureForm(forms.ModelForm[Picture]):
    """An item of an exhibit. A new file given here is uploaded and added in one step."""

    after_file = CleanPictureField(label=_("After: a new file"), required=False)
    before_file = CleanPictureField(label=_("Before: a new file"), required=False)

    class Meta:
        model = Picture
        fields = [
            "position",
            "after_frame",
            "after_upload",
            "before_frame",
            "before_drawing",
            "before_upload",
            "caption",
            "credit",
        ]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if self.errors:
            return found
        after = [name for name in ("after_frame", "after_upload", "after_file") if found.get(name)]
        before = [
            name for name in ("before_frame", "before_upload", "before_file", "before_drawing") if found.get(name)
        ]
        if len(after) != 1:
            words = _("Choose what to show: a frame, an upload or a new file. Choose only one.")
            self.add_error(after[-1] if after else "after_frame", words)
        if len(before) > 1:
            words = _("Choose only one earlier picture: a frame, an upload, a new file or the drawing.")
            self.add_error(before[-1], words)
        if found.get("before_drawing") and not found.get("after_frame"):
            self.add_error("before_drawing", _("Only a frame from the history has a drawing."))
        return found

    def keep_files(self, by: Any) -> None:
        """Called once all forms of the page are valid."""
        for side in ("after", "before"):
            if cleaned := self.cleaned_data.get(f"{side}_file"):
                upload = Upload.objects.build(cleaned, by=by, title=self.cleaned_data.get("caption") or "")
                upload.save()
                setattr(self.instance, f"{side}_upload", upload)


class PictureInline(admin.StackedInline[Picture, Exhibit]):
    model = Picture
    form = PictureForm
    extra = 0
    autocomplete_fields = ["after_frame", "after_upload", "before_frame", "before_upload"]
    readonly_fields = ["preview"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("position", "preview"),
                    ("after_frame", "after_upload", "after_file"),
                    ("before_drawing", "before_frame", "before_upload", "before_file"),
                    ("caption", "credit"),
                ]
            },
        )
    ]

    @admin.display(description=_("Preview"))
    def preview(self, picture: Picture) -> str:
        shown = (
            picture.after_frame.thumbnail
            if picture.after_frame
            else picture.after_upload and picture.after_upload.picture
        )
        return format_html('<img src="{}" height="72" alt="">', shown.url) if shown else "–"


@admin.register(Exhibit)
class ExhibitAdmin(admin.ModelAdmin[Exhibit]):
    list_display = ["title", "curator", "count", "published_at", "open"]
    list_select_related = ["curator"]
    search_fields = ["title", "statement"]
    prepopulated_fields = {"slug": ["title"]}
    autocomplete_fields = ["curator"]
    fields = ["title", "slug", "statement", ("curator", "published_at")]
    inlines = [PictureInline]

    class Media:
        js = ["gallery/exhibit_admin.js"]
        css = {"all": ["gallery/exhibit_admin.css"]}

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"curator": request.user.pk, **super().get_changeform_initial_data(request)}

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        for picture in formset.forms:
            if picture.has_changed() and picture not in formset.deleted_forms:
                picture.keep_files(request.user)
        super().save_formset(request, form, formset, change)

    @admin.display(description=_("Pictures"))
    def count(self, exhibit: Exhibit) -> int:
        return exhibit.pictures.count()

    @admin.display(description=_("On view"), boolean=True)
    def open(self, exhibit: Exhibit) -> bool:
        return exhibit.open
