"""Accounts in the administration. Its door is in dreamsite.accounts.staff."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from dreamsite.core.models import User


@admin.register(User)
class AccountAdmin(UserAdmin):  # type: ignore[type-arg]
    list_display = ["username", "date_joined", "last_login", "is_active", "is_staff"]
    list_filter = ["is_active", "is_staff", "groups", "date_joined"]
    search_fields = ["username", "email"]
    ordering = ["-date_joined"]
    date_hierarchy = "date_joined"
    show_full_result_count = False
