"""Signals, and digests of addresses, in the administration."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from canvas.moderation.models import Act, IpDigest, Signal
from canvas.moderation.read_only_admin import ReadOnlyAdmin, dashboard_link
from canvas.moderation.signals.detection import SEEN


@admin.register(Signal)
class SignalAdmin(ReadOnlyAdmin):
    list_display = ["day", "person_page", "kind", "value", "limit", "found_at", "seen_by"]
    list_filter = ["kind", ("seen_at", admin.EmptyFieldListFilter), "day"]
    list_select_related = ["person", "seen_by"]
    search_fields = ["person__username"]
    date_hierarchy = "day"
    actions = ["see"]

    @admin.display(description=_("Person"), ordering="person__username")
    def person_page(self, signal: Signal) -> str:
        return dashboard_link("person", signal.person_id, signal.person)

    @admin.action(description=_("Looked at"), permissions=["work"])
    def see(self, request: HttpRequest, chosen: QuerySet[Signal]) -> None:
        for signal in chosen.filter(seen_at=None).select_related("person"):
            Signal.objects.filter(pk=signal.pk).update(seen_at=timezone.now(), seen_by=request.user)
            Act.objects.record(request.user, SEEN, person=signal.person, signal=signal.pk, kind=signal.kind)


@admin.register(IpDigest)
class IpDigestAdmin(ReadOnlyAdmin):
    """Who came from one address, by digests that nobody can turn back."""

    list_display = ["at", "what", "person", "short_digest"]
    list_filter = ["what", "at"]
    list_select_related = ["person"]
    search_fields = ["person__username", "=digest"]
    date_hierarchy = "at"

    @admin.display(description=_("Address"), ordering="digest")
    def short_digest(self, ip_digest: IpDigest) -> str:
        return format_html('<a href="?q={}">{}</a>', ip_digest.digest, ip_digest.digest[:8])
