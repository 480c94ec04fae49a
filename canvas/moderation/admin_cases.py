"""Moderation in the administration: what the desk at /moderation/ does not need every day.

Everything is for looking. What is done there goes through the same functions as on the desk, so that it is in the log
and acts at once; rows that a moderator must not change by hand are read-only.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from canvas.models import Appeal, Case, Note, Report, Sanction, Signal, Trace
from canvas.moderation import audit, cases, sanctions
from canvas.moderation.admin_shown import Shown, on_desk, short
from canvas.moderation.permissions import REVIEW_REPORT, SANCTION
from canvas.moderation.views_people import SEEN


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
class SanctionAdmin(Shown):
    """Issued and changed on the desk, whose forms warn of duplicates and of what others did meanwhile."""

    door = SANCTION
    list_display = ["user", "degree", "in_force", "until", "short_reason", "created_by", "appealed", "desk"]
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
        unread = sanction.degree != Sanction.Degree.WARN or sanction.acknowledged_at is None
        now = timezone.now()
        return sanction.lifted_at is None and unread and (sanction.until is None or sanction.until > now)

    @admin.display(description=_("Appeal"))
    def appealed(self, sanction: Sanction) -> str:
        appeal = getattr(sanction, "appeal", None)
        return str((appeal.get_outcome_display() or _("waiting")) if appeal else "–")

    @admin.display(description=_("On the desk"))
    def desk(self, sanction: Sanction) -> str:
        return on_desk("sanction", sanction.pk, _("Open"))

    @admin.action(description=_("Lift"), permissions=["work"])
    def lift(self, request: HttpRequest, chosen: QuerySet[Sanction]) -> None:
        done = 0
        for sanction in chosen.filter(lifted_at=None).select_related("user"):
            try:
                sanctions.lift(request.user, sanction, "lifted in the administration")
            except (sanctions.SanctionError, cases.Conflict) as refused:
                self.message_user(request, f"{sanction}: {refused}", messages.WARNING)
            else:
                done += 1
        said = ngettext("%(count)s sanction is lifted.", "%(count)s sanctions are lifted.", done)
        self.message_user(request, said % {"count": done}, messages.SUCCESS)


@admin.register(Appeal)
class AppealAdmin(Shown):
    door = REVIEW_REPORT
    list_display = ["person", "degree", "filed_at", "outcome", "issued_by", "decided_by", "decided_at", "desk"]
    list_filter = ["outcome", "filed_at", ("decided_at", admin.EmptyFieldListFilter)]
    list_select_related = ["person", "sanction", "issued_by", "decided_by"]
    search_fields = ["person__username", "text", "answer"]
    date_hierarchy = "filed_at"

    @admin.display(description=_("Sanction"), ordering="sanction__degree")
    def degree(self, appeal: Appeal) -> str:
        return appeal.sanction.get_degree_display()

    @admin.display(description=_("On the desk"))
    def desk(self, appeal: Appeal) -> str:
        return on_desk("case", appeal.case_id, _("Open"))


class ReportsInline(admin.TabularInline):  # type: ignore[type-arg]
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
class CaseAdmin(Shown):
    door = REVIEW_REPORT
    list_display = ["id", "kind", "place", "score", "reports_sent", "opened_at", "claimed_by", "outcome", "desk"]
    list_filter = [
        "kind", ("closed_at", admin.EmptyFieldListFilter), "outcome", "reports__category", "canvas", "opened_at",
    ]  # fmt: skip
    list_select_related = ["canvas", "frame", "claimed_by", "closed_by"]
    search_fields = ["=id", "reports__text", "reports__reporter__username", "appeal__person__username"]
    date_hierarchy = "opened_at"
    inlines = [ReportsInline]
    actions = ["give_back"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Case]:
        found: QuerySet[Case] = super().get_queryset(request).annotate(sent=Count("reports", distinct=True))
        return found

    @admin.display(description=_("Where"))
    def place(self, case: Case) -> str:
        if case.frame:
            return str(case.frame)
        return f"{case.canvas}: {case.x}, {case.y}" if case.canvas else "–"

    @admin.display(description=_("Reports"), ordering="sent")
    def reports_sent(self, case: Any) -> int:
        return int(case.sent)

    @admin.display(description=_("On the desk"))
    def desk(self, case: Case) -> str:
        return on_desk("case", case.pk, _("Open"))

    @admin.action(description=_("Give back to the queue, whoever has taken them on"), permissions=["work"])
    def give_back(self, request: HttpRequest, chosen: QuerySet[Case]) -> None:
        done = 0
        for case in chosen.filter(closed_at=None).exclude(claimed_by=None):
            try:
                cases.claim(case, case.version, request.user)
                cases.release(case, case.version, request.user)
            except (cases.Conflict, cases.NotYours) as refused:
                self.message_user(request, f"{case}: {refused}", messages.WARNING)
            else:
                done += 1
        said = ngettext("%(count)s case is nobody’s again.", "%(count)s cases are nobody’s again.", done)
        self.message_user(request, said % {"count": done}, messages.SUCCESS)


@admin.register(Report)
class ReportAdmin(Shown):
    door = REVIEW_REPORT
    list_display = ["at", "category", "short_text", "reporter", "weight", "ended", "desk"]
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

    @admin.display(description=_("On the desk"))
    def desk(self, report: Report) -> str:
        return on_desk("case", report.case_id, _("Open"))


@admin.register(Note)
class NoteAdmin(Shown):
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
            return on_desk("desk_person", note.person_id, note.person)
        return on_desk("case", note.case_id, note.case)


@admin.register(Signal)
class SignalAdmin(Shown):
    list_display = ["day", "person_page", "kind", "value", "limit", "found_at", "seen_by"]
    list_filter = ["kind", ("seen_at", admin.EmptyFieldListFilter), "day"]
    list_select_related = ["person", "seen_by"]
    search_fields = ["person__username"]
    date_hierarchy = "day"
    actions = ["see"]

    @admin.display(description=_("Person"), ordering="person__username")
    def person_page(self, signal: Signal) -> str:
        return on_desk("desk_person", signal.person_id, signal.person)

    @admin.action(description=_("Looked at"), permissions=["work"])
    def see(self, request: HttpRequest, chosen: QuerySet[Signal]) -> None:
        for signal in chosen.filter(seen_at=None).select_related("person"):
            Signal.objects.filter(pk=signal.pk).update(seen_at=timezone.now(), seen_by=request.user)
            audit.record(request.user, SEEN, person=signal.person, signal=signal.pk, kind=signal.kind)


@admin.register(Trace)
class TraceAdmin(Shown):
    """Who came from one address, by digests that nobody can turn back."""

    list_display = ["at", "what", "person", "short_digest"]
    list_filter = ["what", "at"]
    list_select_related = ["person"]
    search_fields = ["person__username", "=digest"]
    date_hierarchy = "at"

    @admin.display(description=_("Address"), ordering="digest")
    def short_digest(self, trace: Trace) -> str:
        return format_html('<a href="?q={}">{}</a>', trace.digest, trace.digest[:8])
