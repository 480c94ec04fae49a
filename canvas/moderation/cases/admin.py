"""Cases, reports and notes in the administration: what the dashboard at /moderation/ does not need every day.

Everything is for looking. What is done there goes through the same functions as on the dashboard, so that it is in the
log and acts at once; rows that a moderator must not change by hand are read-only.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from canvas.moderation.cases import services as cases
from canvas.moderation.models import Case, Note, Report
from canvas.moderation.permissions import REVIEW_REPORT
from canvas.moderation.read_only_admin import ReadOnlyAdmin, dashboard_link, short


class ReportsInline(admin.TabularInline[Report, Case]):
    model = Report
    extra = 0
    can_delete = False
    fields = ("category", "text", "reporter", "weight", "at")
    readonly_fields = ("category", "text", "reporter", "weight", "at")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm(REVIEW_REPORT))


@admin.register(Case)
class CaseAdmin(ReadOnlyAdmin):
    permission = REVIEW_REPORT
    list_display = [
        "id",
        "kind",
        "where",
        "score",
        "reports_sent",
        "opened_at",
        "claimed_by",
        "outcome",
        "on_dashboard",
    ]
    list_filter = [
        "kind",
        ("closed_at", admin.EmptyFieldListFilter),
        "outcome",
        "reports__category",
        "canvas",
        "opened_at",
    ]
    list_select_related = ["canvas", "frame", "claimed_by", "closed_by"]
    search_fields = ["=id", "reports__text", "reports__reporter__username", "appeal__person__username"]
    date_hierarchy = "opened_at"
    inlines = [ReportsInline]
    actions = ["give_back"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Case]:
        found: QuerySet[Case] = super().get_queryset(request).annotate(sent=Count("reports", distinct=True))
        return found

    @admin.display(description=_("Where"))
    def where(self, case: Case) -> str:
        if case.frame:
            return str(case.frame)
        return f"{case.canvas}: {case.x}, {case.y}" if case.canvas else "–"

    @admin.display(description=_("Reports"), ordering="sent")
    def reports_sent(self, case: Any) -> int:
        return int(case.sent)

    @admin.display(description=_("On the dashboard"))
    def on_dashboard(self, case: Case) -> str:
        return dashboard_link("case", case.pk, _("Open the case"))

    @admin.action(description=_("Give back to the queue, whoever has taken them on"), permissions=["work"])
    def give_back(self, request: HttpRequest, chosen: QuerySet[Case]) -> None:
        done = 0
        for case in chosen.filter(closed_at=None).exclude(claimed_by=None):
            try:
                cases.claim(case, case.version, request.user)
                cases.release(case, case.version, request.user)
            except (cases.Conflict, cases.NotYours) as error:
                self.message_user(request, f"{case}: {error}", messages.WARNING)
            else:
                done += 1
        message = ngettext("%(count)s case is nobody’s again.", "%(count)s cases are nobody’s again.", done)
        self.message_user(request, message % {"count": done}, messages.SUCCESS)


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    permission = REVIEW_REPORT
    list_display = ["at", "category", "short_text", "reporter", "weight", "ended", "on_dashboard"]
    list_filter = ["category", "at", "case__outcome", ("reporter", admin.EmptyFieldListFilter)]
    list_select_related = ["reporter", "case"]
    search_fields = ["text", "reporter__username"]
    date_hierarchy = "at"

    @admin.display(description=_("Text"))
    def short_text(self, report: Report) -> str:
        return short(report.text)

    @admin.display(description=_("How it ended"), ordering="case__outcome")
    def ended(self, report: Report) -> str:
        return report.case.get_outcome_display() or "–"

    @admin.display(description=_("On the dashboard"))
    def on_dashboard(self, report: Report) -> str:
        return dashboard_link("case", report.case_id, _("Open the case"))


@admin.register(Note)
class NoteAdmin(ReadOnlyAdmin):
    list_display = ["at", "author", "about", "short_text"]
    list_filter = ["at", ("person", admin.EmptyFieldListFilter)]
    list_select_related = ["author", "person", "case"]
    search_fields = ["text", "person__username", "author__username"]
    date_hierarchy = "at"

    @admin.display(description=_("Text"))
    def short_text(self, note: Note) -> str:
        return short(note.text)

    @admin.display(description=_("About"))
    def about(self, note: Note) -> str:
        if note.person_id:
            return dashboard_link("person", note.person_id, note.person)
        return dashboard_link("case", note.case_id, note.case)
