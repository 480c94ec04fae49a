"""Administration: sign-in goes through the site's own page, so that its rate limits guard this door too."""

from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from dreamsite.models import User

admin.site.site_header = "Dreamsite"
admin.site.site_title = "Dreamsite"
admin.site.index_title = "Administration"
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


@admin.register(User)
class AccountAdmin(UserAdmin):  # type: ignore[type-arg]
    list_display = ["username", "date_joined", "last_login", "is_active", "is_staff"]
    list_filter = ["is_active", "is_staff", "groups", "date_joined"]
    search_fields = ["username", "email"]
    ordering = ["-date_joined"]
    date_hierarchy = "date_joined"
    show_full_result_count = False
