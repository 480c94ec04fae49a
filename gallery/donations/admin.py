"""The ledger in the administration."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from gallery.donations.models import LedgerEntry


@admin.register(LedgerEntry)
class LedgerEntryAdmin(admin.ModelAdmin[LedgerEntry]):
    list_display = ["day", "kind", "money", "worth", "days", "note"]
    list_filter = ["kind", "currency", "day"]
    search_fields = ["note"]
    date_hierarchy = "day"
    fieldsets = [
        (None, {"fields": ["day", "kind", ("amount", "currency"), "note"]}),
        (_("A cost"), {"fields": ["days"]}),
        (_("A gift in another currency"), {"fields": ["worth"]}),
    ]

    @admin.display(description=_("Amount"), ordering="amount")
    def money(self, entry: LedgerEntry) -> str:
        return str(entry.money)
