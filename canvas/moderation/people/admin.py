"""What people have earned, in the administration."""

from __future__ import annotations

from django.contrib import admin

from canvas.models import CleanHours
from canvas.moderation.permissions import MODERATE
from canvas.moderation.read_only_admin import ReadOnlyAdmin


@admin.register(CleanHours)
class CleanHoursAdmin(ReadOnlyAdmin):
    """What new people's ink grows with."""

    permission = MODERATE
    list_display = ["user", "hours"]
    list_select_related = ["user"]
    search_fields = ["user__username"]
    ordering = ["-hours"]
