"""Votes for covers in the administration."""

from __future__ import annotations

from django.contrib import admin

from canvas.moderation.models import CoverVote
from canvas.moderation.read_only_admin import ReadOnlyAdmin


@admin.register(CoverVote)
class CoverVoteAdmin(ReadOnlyAdmin):
    list_display = ["at", "user", "canvas", "x", "y", "width", "height", "region"]
    list_filter = ["canvas", "at", ("region", admin.EmptyFieldListFilter)]
    list_select_related = ["user", "canvas", "region"]
    search_fields = ["user__username"]
    date_hierarchy = "at"
