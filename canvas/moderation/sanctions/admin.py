"""Sanctions and appeals in the administration: for looking; what is done here goes through the same functions."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from canvas.models import Sanction
from canvas.moderation.cases import services as cases
from canvas.moderation.models import Appeal
from canvas.moderation.pending import services as pending
from canvas.moderation.permissions import REVIEW_REPORT, SANCTION
from canvas.moderation.read_only_admin import ReadOnlyAdmin, dashboard_link, short
from canvas.moderation.sanctions import services as sanctions


class InForce(admin.SimpleListFilter):
    title = _("in force")
    parameter_name = "in_force"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        now = Sanction.objects.in_force().values("pk")
        if self.value() == "yes":
            return queryset.filter(pk__in=now)
        return queryset.exclude(pk__in=now) if self.value() == "no" else queryset


@admin.register(Sanction)
class SanctionAdmin(ReadOnlyAdmin):
    """Issued and changed on the dashboard, whose forms warn of duplicates and of what others did meanwhile."""

    permission = SANCTION
    list_display = ["user", "degree", "in_force", "until", "short_reason", "created_by", "appealed", "on_dashboard"]
    list_filter = [InForce, "degree", "created_at", ("lifted_at", admin.EmptyFieldListFilter)]
    list_select_related = ["user", "created_by", "appeal"]
    search_fields = ["user__username", "reason", "created_by__username"]
    date_hierarchy = "created_at"
    actions = ["lift"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_work_permission(request)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return redirect("sanction_new")

    @admin.display(description=_("Reason"))
    def short_reason(self, sanction: Sanction) -> str:
        return short(sanction.reason)

    @admin.display(description=_("In force"), boolean=True)
    def in_force(self, sanction: Sanction) -> bool:
        return sanction.stands(timezone.now())

    @admin.display(description=_("Appeal"))
    def appealed(self, sanction: Sanction) -> str:
        appeal = getattr(sanction, "appeal", None)
        return str((appeal.get_outcome_display() or _("waiting")) if appeal else "–")

    @admin.display(description=_("On the dashboard"))
    def on_dashboard(self, sanction: Sanction) -> str:
        return dashboard_link("sanction", sanction.pk, _("Open the sanction"))

    @admin.action(description=_("Lift"), permissions=["work"])
    def lift(self, request: HttpRequest, chosen: QuerySet[Sanction]) -> None:
        done = 0
        for sanction in chosen.filter(lifted_at=None).select_related("user"):
            try:
                waits = pending.lift(request.user, sanction, "lifted in the administration")
            except (sanctions.SanctionError, cases.Conflict) as error:
                self.message_user(request, f"{sanction}: {error}", messages.WARNING)
            else:
                if waits:
                    self.message_user(
                        request, _("%s: it waits for another moderator’s yes.") % sanction, messages.WARNING
                    )
                    continue
                done += 1
        message = ngettext("%(count)s sanction is lifted.", "%(count)s sanctions are lifted.", done)
        self.message_user(request, message % {"count": done}, messages.SUCCESS)


@admin.register(Appeal)
class AppealAdmin(ReadOnlyAdmin):
    permission = REVIEW_REPORT
    list_display = ["person", "degree", "filed_at", "outcome", "issued_by", "decided_by", "decided_at", "on_dashboard"]
    list_filter = ["outcome", "filed_at", ("decided_at", admin.EmptyFieldListFilter)]
    list_select_related = ["person", "sanction", "issued_by", "decided_by"]
    search_fields = ["person__username", "text", "answer"]
    date_hierarchy = "filed_at"

    @admin.display(description=_("Sanction"), ordering="sanction__degree")
    def degree(self, appeal: Appeal) -> str:
        return appeal.sanction.get_degree_display()

    @admin.display(description=_("On the dashboard"))
    def on_dashboard(self, appeal: Appeal) -> str:
        return dashboard_link("case", appeal.case_id, _("Open the case"))
