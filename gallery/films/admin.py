"""Films and music in the administration."""

from __future__ import annotations

import shutil
from typing import Any

from django import forms
from django.contrib import admin
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from dreamer.film import audio
from dreamsite.core.models import User
from dreamsite.core.tasks import enqueue
from gallery.films.models import Film, Track
from gallery.films.tasks import make_film
from gallery.jobs import files
from gallery.jobs.admin import JobAdmin

LARGEST_TRACK = 200 * 1024 * 1024


@admin.register(Film)
class FilmAdmin(JobAdmin):
    """“Add” requests a film of any span; those of hours and days are requested automatically."""

    task = make_film
    list_display = ["preview", "kind", "canvas", "starts_at", "ends_at", "progress", "frames", "message"]
    list_display_links = ["preview", "kind"]
    list_filter = ["state", "kind", "canvas", "lossless"]
    list_select_related = ["canvas"]
    date_hierarchy = "starts_at"
    search_fields = ["title", "description"]
    fields = ["canvas", "kind", "starts_at", "ends_at", "title", "description", "drawing", "lossless", "track"]
    requested = ("canvas", "kind", "starts_at", "ends_at", "drawing", "lossless", "track")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Film]:
        return super().get_queryset(request).filter(owner=None)  # what people make for themselves is nobody's to see

    def get_readonly_fields(self, request: HttpRequest, obj: Film | None = None) -> tuple[str, ...]:
        return self.requested if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if obj is None:
            kinds: Any = form.base_fields["kind"]
            kinds.choices = [(kind.value, kind.label) for kind in (Film.Kind.PART, Film.Kind.WHOLE)]
            kinds.initial = Film.Kind.PART
        return form

    @admin.display(description=_("Film"))
    def preview(self, film: Film) -> str:
        if not film.poster:
            return "–"
        return format_html('<img src="{}" width="64" height="64" alt="" loading="lazy">', film.poster.url)

    def save_model(self, request: HttpRequest, obj: Film, form: Any, change: bool) -> None:
        if change:
            # The worker writes the rest of the row.
            changed = [name for name in form.changed_data if name not in self.requested]
            if changed:
                obj.save(update_fields=changed)
            return
        assert isinstance(request.user, User)  # the administration asks for a sign-in
        obj.requested_by = request.user
        super().save_model(request, obj, form, change)
        enqueue(self.task, obj.pk)


class TrackForm(forms.ModelForm[Track]):
    def clean_file(self) -> Any:
        """Accepts only music: the file's content is decoded to its end, whatever its name."""
        file = self.cleaned_data["file"]
        if not isinstance(file, UploadedFile):
            return file
        if (file.size or 0) > LARGEST_TRACK:
            raise forms.ValidationError(_("The file is larger than 200 MB."))
        folder = files.work_directory("tracks")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{id(file):x}"
        try:
            if isinstance(file, TemporaryUploadedFile):
                shutil.copyfile(file.temporary_file_path(), path)
            else:
                path.write_bytes(file.read())
                file.seek(0)
            self.instance.seconds = audio.length(path)
        except ValueError as error:
            raise forms.ValidationError(_("No music can be read from this file: %(why)s") % {"why": error}) from error
        finally:
            path.unlink(missing_ok=True)
        return file


@admin.register(Track)
class TrackAdmin(admin.ModelAdmin[Track]):
    form = TrackForm
    list_display = ["title", "author", "licence", "length", "for_new"]
    fields = ["title", "author", "licence", "link", "file", "for_new"]

    @admin.display(description=_("Length"))
    def length(self, track: Track) -> str:
        return f"{int(track.seconds) // 60}:{int(track.seconds) % 60:02}"
