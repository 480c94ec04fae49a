"""Films, music and downloads for the staff: ordering, stopping, making again."""

from __future__ import annotations

import shutil
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from dreamsite.core.tasks import enqueue
from gallery.films import audio, files, requests
from gallery.films.models import Download, Film, State, Track
from gallery.films.tasks import make_film

LARGEST_TRACK = 200 * 1024 * 1024


class MadeAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What the worker makes. Rows in its hands change under a form, so only a few words can be edited."""

    actions = ["stop", "again"]
    show_full_result_count = False

    @admin.display(description=_("Progress"), ordering="fraction")
    def progress(self, row: Any) -> str:
        if row.state != State.MAKING:
            return str(row.get_state_display())
        left = f", {row.seconds_left} s" if row.seconds_left else ""
        return format_html('<progress max="1" value="{}"></progress> {} %{}', f"{row.fraction:.3f}", row.percent, left)

    @admin.action(description=_("Stop making"), permissions=["change"])
    def stop(self, request: HttpRequest, chosen: QuerySet[Any]) -> None:
        count = sum(map(requests.cancel, chosen))
        said = ngettext("%(count)s is not made any further.", "%(count)s are not made any further.", count)
        self.message_user(request, said % {"count": count}, messages.SUCCESS)

    @admin.action(description=_("Withdraw, and make again"), permissions=["change"])
    def again(self, request: HttpRequest, chosen: QuerySet[Any]) -> None:
        for row in chosen:
            requests.again(row)
        said = ngettext("%(count)s waits for the worker.", "%(count)s wait for the worker.", chosen.count())
        self.message_user(request, said % {"count": chosen.count()}, messages.SUCCESS)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        requests.delete(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            requests.delete(row)


@admin.register(Film)
class FilmAdmin(MadeAdmin):
    """“Add” orders a film of any span; those of hours and days come by themselves."""

    list_display = ["preview", "kind", "canvas", "starts_at", "ends_at", "progress", "frames", "message"]
    list_display_links = ["preview", "kind"]
    list_filter = ["state", "kind", "canvas", "lossless"]
    list_select_related = ["canvas"]
    date_hierarchy = "starts_at"
    search_fields = ["title", "description"]
    fields = ["canvas", "kind", "starts_at", "ends_at", "title", "description", "drawing", "lossless", "track"]
    ordered = ("canvas", "kind", "starts_at", "ends_at", "drawing", "lossless", "track")

    def get_readonly_fields(self, request: HttpRequest, obj: Film | None = None) -> tuple[str, ...]:
        return self.ordered if obj else ()

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
            words = [name for name in form.changed_data if name not in self.ordered]
            if words:
                obj.save(update_fields=words)
            return
        obj.requested_by = request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)
        enqueue(make_film, obj.pk)


@admin.register(Download)
class DownloadAdmin(MadeAdmin):
    list_display = ["day", "kind", "canvas", "progress", "size", "count", "message"]
    list_filter = ["state", "kind", "canvas"]
    list_select_related = ["canvas"]
    fields = ["canvas", "day", "kind"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Download | None = None) -> list[str]:
        return ["canvas", "day", "kind"]


class TrackForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean_file(self) -> Any:
        """Only what can be heard: the file is read to its end, by its content and not by its name."""
        file = self.cleaned_data["file"]
        if not isinstance(file, UploadedFile):
            return file
        if (file.size or 0) > LARGEST_TRACK:
            raise forms.ValidationError(_("The file is larger than 200 MB."))
        folder = files.workshop("tracks")
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
            raise forms.ValidationError(_("This is no music that can be read: %(why)s") % {"why": error}) from error
        finally:
            path.unlink(missing_ok=True)
        return file


@admin.register(Track)
class TrackAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = TrackForm
    list_display = ["title", "author", "licence", "length", "for_new"]
    fields = ["title", "author", "licence", "link", "file", "for_new"]

    @admin.display(description=_("Length"))
    def length(self, track: Track) -> str:
        return f"{int(track.seconds) // 60}:{int(track.seconds) % 60:02}"
