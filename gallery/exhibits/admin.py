"""Exhibits in the administration: text, and pictures in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from canvas.moderation.cases.services import NotYours
from gallery.exhibits import proposals
from gallery.exhibits.models import Exhibit, Picture
from gallery.studio.models import Proposal, Work
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
        after += ["after_work"] if self.instance.after_work else []  # a proposed dream hangs here
        before = [
            name for name in ("before_frame", "before_upload", "before_file", "before_drawing") if found.get(name)
        ]
        if len(after) != 1:
            words = _("Choose what to show: a frame, an upload or a new file. Choose only one.")
            # A dream is hung by a proposal, not by this form: it has no field to write beside.
            self.add_error(next((name for name in reversed(after) if name in self.fields), "after_frame"), words)
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
        frame, work, upload = picture.after_frame, picture.after_work, picture.after_upload
        shown = frame.thumbnail if frame else work.thumbnail if work else upload and upload.picture
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


class HangForm(ActionForm):
    """Where to hang what is chosen."""

    exhibit = forms.ModelChoiceField(Exhibit.objects.all(), label=_("Exhibit:"), required=False)


@admin.register(Proposal)
class ProposalAdmin(admin.ModelAdmin[Any]):
    """What makers proposed and nobody has decided on yet, for whoever may add pictures to exhibits."""

    list_display = ["preview", "caption", "owner", "licence", "show_before", "proposed_at"]
    list_display_links = None
    actions = ["hang", "decline"]
    action_form = HangForm

    def get_queryset(self, request: HttpRequest) -> Any:
        return (
            Proposal.objects.filter(pk__in=Work.objects.proposed())
            .select_related("owner")
            .light()
            .order_by("proposed_at")
        )

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("gallery.add_picture")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("gallery.add_picture")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and request.user.has_perm("gallery.add_picture")  # by the actions alone

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("Dream"))
    def preview(self, work: Work) -> str:
        image = format_html('<img src="{}" height="96" alt="">', work.thumbnail.url) if work.thumbnail else "–"
        return format_html('<a href="{}">{}</a>', work.get_absolute_url(), image)

    @admin.action(description=_("Hang in the exhibit chosen beside this"), permissions=["change"])
    def hang(self, request: HttpRequest, works: Any) -> None:
        exhibit = Exhibit.objects.filter(pk=request.POST.get("exhibit") or 0).first()
        if exhibit is None:
            self.message_user(request, _("Choose an exhibit first."), messages.ERROR)
            return
        self._each(request, works, lambda work: proposals.hang(work, exhibit, request.user))

    @admin.action(description=_("Decline"), permissions=["change"])
    def decline(self, request: HttpRequest, works: Any) -> None:
        self._each(request, works, lambda work: proposals.decline(work, request.user))

    def _each(self, request: HttpRequest, works: Any, decide: Callable[[Work], bool]) -> None:
        """Decides on each, and says on how many, and of which somebody else must."""
        count = 0
        for work in works:
            try:
                count += decide(work)
            except NotYours as error:
                self.message_user(request, f"{work}: {error}", messages.ERROR)
        text = ngettext("%(count)s was changed.", "%(count)s were changed.", count) % {"count": count}
        self.message_user(request, text, messages.SUCCESS)
