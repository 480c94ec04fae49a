"""A canvas' rules and regions in the administration: read-only, but for regions, which can be lifted here."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from canvas import notify
from canvas.models import Region, Rules
from canvas.moderation.models import Act
from canvas.moderation.read_only_admin import ReadOnlyAdmin, dashboard_link


@admin.register(Rules)
class RulesAdmin(ReadOnlyAdmin):
    """The switches themselves are on the canvas, in the moderators' panel, where they act at once and are recorded."""

    list_display = ["canvas", "frozen", "frozen_why", "slow", "newcomers_after", "members_only", "reactions", "panel"]
    list_filter = ["frozen"]
    list_select_related = ["canvas"]

    @admin.display(description=_("On the canvas"))
    def panel(self, rules: Rules) -> str:
        return format_html('<a href="{}?moderate">{}</a>', rules.canvas.get_absolute_url(), _("Open the panel"))


@admin.register(Region)
class RegionAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "canvas", "kind", "why", "created_at", "created_by", "until", "in_force", "on_dashboard"]
    list_filter = ["kind", "canvas", ("lifted_at", admin.EmptyFieldListFilter), "created_at"]
    list_select_related = ["canvas", "created_by", "case"]
    search_fields = ["why", "created_by__username"]
    date_hierarchy = "created_at"
    actions = ["lift"]

    @admin.display(description=_("In force"), boolean=True)
    def in_force(self, region: Region) -> bool:
        return region.lifted_at is None and (region.until is None or region.until > timezone.now())

    @admin.display(description=_("Case"))
    def on_dashboard(self, region: Region) -> str:
        case = getattr(region, "case", None)
        return dashboard_link("case", case.pk, _("Open the case")) if case else "–"

    @admin.action(description=_("Lift"), permissions=["work"])
    def lift(self, request: HttpRequest, chosen: QuerySet[Region]) -> None:
        lifted = list(chosen.filter(lifted_at=None).select_related("canvas"))
        for region in lifted:
            region.lift(request.user)
            Act.objects.record(request.user, "unlock-region", canvas=region.canvas, region=region.pk)
        for slug in {region.canvas.slug for region in lifted}:
            notify.look(slug)
        message = ngettext("%(count)s region is open.", "%(count)s regions are open.", len(lifted))
        self.message_user(request, message % {"count": len(lifted)}, messages.SUCCESS)
