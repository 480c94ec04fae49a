"""Downloads in the administration."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from gallery.downloads.models import Download
from gallery.downloads.tasks import make_download
from gallery.jobs.admin import JobAdmin


@admin.register(Download)
class DownloadAdmin(JobAdmin):
    task = make_download
    list_display = ["day", "kind", "canvas", "progress", "size", "count", "message"]
    list_filter = ["state", "kind", "canvas"]
    list_select_related = ["canvas"]
    fields = ["canvas", "day", "kind"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Download | None = None) -> list[str]:
        return ["canvas", "day", "kind"]
