"""The log of acts and the gate's rows in the administration: read-only, but for regions, which can be lifted here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from canvas import notify
from canvas.models import Act, CleanHours, Region, Rules, VeilVote
from canvas.moderation import audit
from canvas.moderation.admin_shown import Shown, on_desk, short
from canvas.moderation.permissions import MODERATE, SEE_AUDIT


class VerbFilter(admin.SimpleListFilter):
    title = _("act")
    parameter_name = "verb"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return sorted(audit.VERBS.items(), key=lambda verb: str(verb[1]))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(verb=self.value()) if self.value() else queryset


@admin.register(Act)
class ActAdmin(Shown):
    """Nobody adds, changes or deletes here, not even administrators; the database refuses it, too."""

    door = SEE_AUDIT
    list_display = ["at", "by_name", "title", "person_name", "canvas", "short_why", "operation", "undone"]
    list_filter = [VerbFilter, "canvas", "at"]
    list_select_related = ["canvas", "undone_by"]
    search_fields = ["by_name", "person_name", "why", "=op"]
    date_hierarchy = "at"
    ordering = ["-pk"]
    actions = None

    @admin.display(description=_("Did"), ordering="verb")
    def title(self, act: Act) -> str:
        return act.title

    @admin.display(description=_("Why"))
    def short_why(self, act: Act) -> str:
        return short(act.why)

    @admin.display(description=_("Operation"), ordering="op")
    def operation(self, act: Act) -> str:
        return format_html('<a href="{}?op={}">{}</a>', reverse("audit"), act.op, str(act.op)[:8])

    @admin.display(description=_("Taken back"), boolean=True)
    def undone(self, act: Act) -> bool:
        return getattr(act, "undone_by", None) is not None


@admin.register(Rules)
class RulesAdmin(Shown):
    """The switches themselves are on the canvas, in the moderators' panel, where they act at once and are recorded."""

    list_display = ["canvas", "frozen", "frozen_why", "slow", "newcomers_after", "panel"]
    list_filter = ["frozen"]
    list_select_related = ["canvas"]

    @admin.display(description=_("On the canvas"))
    def panel(self, rules: Rules) -> str:
        return format_html('<a href="{}?moderate">{}</a>', rules.canvas.get_absolute_url(), _("Open the panel"))


@admin.register(Region)
class RegionAdmin(Shown):
    list_display = ["__str__", "canvas", "kind", "why", "created_at", "created_by", "until", "in_force", "desk"]
    list_filter = ["kind", "canvas", ("lifted_at", admin.EmptyFieldListFilter), "created_at"]
    list_select_related = ["canvas", "created_by", "case"]
    search_fields = ["why", "created_by__username"]
    date_hierarchy = "created_at"
    actions = ["lift"]

    @admin.display(description=_("In force"), boolean=True)
    def in_force(self, region: Region) -> bool:
        return region.lifted_at is None and (region.until is None or region.until > timezone.now())

    @admin.display(description=_("Case"))
    def desk(self, region: Region) -> str:
        case = getattr(region, "case", None)
        return on_desk("case", case.pk, _("Open")) if case else "–"

    @admin.action(description=_("Lift"), permissions=["work"])
    def lift(self, request: HttpRequest, chosen: QuerySet[Region]) -> None:
        lifted = list(chosen.filter(lifted_at=None).select_related("canvas"))
        for region in lifted:
            region.lift(request.user)
            audit.record(request.user, "unlock-region", canvas=region.canvas, region=region.pk)
        for slug in {region.canvas.slug for region in lifted}:
            notify.look(slug)
        said = ngettext("%(count)s region is open.", "%(count)s regions are open.", len(lifted))
        self.message_user(request, said % {"count": len(lifted)}, messages.SUCCESS)


@admin.register(VeilVote)
class VeilVoteAdmin(Shown):
    list_display = ["at", "user", "canvas", "x", "y", "width", "height", "region"]
    list_filter = ["canvas", "at", ("region", admin.EmptyFieldListFilter)]
    list_select_related = ["user", "canvas", "region"]
    search_fields = ["user__username"]
    date_hierarchy = "at"


@admin.register(CleanHours)
class CleanHoursAdmin(Shown):
    """What new people's ink grows with."""

    door = MODERATE
    list_display = ["user", "hours"]
    list_select_related = ["user"]
    search_fields = ["user__username"]
    ordering = ["-hours"]
