"""Everything about moderation: the dashboard, the panel on a canvas, and the pages for the people themselves."""

from __future__ import annotations

from django.urls import include, path
from django.views.decorators.cache import never_cache as private  # nothing of the dashboard stays in a browser's cache

from canvas.moderation.audit import panel_views
from canvas.moderation.audit import views as audit
from canvas.moderation.cases import report_views
from canvas.moderation.cases import views as cases
from canvas.moderation.covers import views as covers
from canvas.moderation.pending import views as pending
from canvas.moderation.people import views as people
from canvas.moderation.rollback import views as rollback
from canvas.moderation.sanctions import status_views
from canvas.moderation.sanctions import views as sanctions
from canvas.moderation.signals import views as signals
from canvas.moderation.summary import views as summary
from canvas.moderation.switches import views as switches

panel = [
    path("at", rollback.at, name="moderation_at"),
    path("people", rollback.people, name="moderation_people"),
    path("ink", rollback.ink, name="moderation_ink"),
    path("pictures", rollback.pictures, name="moderation_pictures"),
    path("preview", rollback.preview, name="moderation_preview"),
    path("apply", rollback.apply, name="moderation_apply"),
    path("log", panel_views.log, name="moderation_log"),
    path("undo", panel_views.take_back, name="moderation_undo"),
    path("state", switches.state, name="moderation_state"),
    path("switch", switches.switch, name="moderation_switch"),
]

dashboard = [
    path("", private(cases.queue), name="queue"),
    path("cases/<int:pk>/", private(cases.case), name="case"),
    path("cases/<int:pk>/claim", private(cases.claim), name="case_claim"),
    path("cases/<int:pk>/release", private(cases.release), name="case_release"),
    path("cases/<int:pk>/decide", private(cases.decide), name="case_decide"),
    path("cases/<int:pk>/reopen", private(cases.reopen), name="case_reopen"),
    path("cases/<int:pk>/frame", private(cases.hide_frame), name="case_frame"),
    path("cases/<int:pk>/subject", private(cases.hide_subject), name="case_subject"),
    path("cases/<int:pk>/note", private(cases.note), name="case_note"),
    path("cases/<int:pk>/appeal", private(sanctions.decide_appeal), name="case_appeal"),
    path("cases/<int:pk>/now.jpg", report_views.now, name="case_now"),
    path("evidence/<int:pk>.jpg", report_views.picture, name="evidence"),
    path("sanctions/", private(sanctions.listing), name="sanctions"),
    path("sanctions/new/", private(sanctions.new), name="sanction_new"),
    path("sanctions/<int:pk>/", private(sanctions.sanction), name="sanction"),
    path("sanctions/<int:pk>/lift", private(sanctions.lift), name="sanction_lift"),
    path("waiting/", private(pending.listing), name="pending"),
    path("waiting/<int:pk>/", private(pending.act), name="pending_act"),
    path("waiting/<int:pk>/answer", private(pending.answer), name="pending_answer"),
    path("waiting/<int:pk>/undo", private(pending.take_back), name="pending_undo"),
    path("people/", private(people.people), name="people"),
    path("people/<int:pk>/", private(people.person), name="person"),
    path("people/<int:pk>/note", private(people.note), name="person_note"),
    path("signals/", private(signals.signals), name="signals"),
    path("signals/<int:pk>/seen", private(signals.see), name="signal_seen"),
    path("log/", private(audit.log), name="audit"),
    path("summary/", summary.month, name="summary"),
    path("summary/<int:year>/<int:number>/", summary.month, name="summary_month"),
]

urlpatterns = [
    path("moderation/", include(dashboard)),
    path("c/<slug:slug>/moderation/", include(panel)),
    path("c/<slug:slug>/next-style", switches.next_style, name="next_style"),
    path("c/<slug:slug>/cover", covers.cover, name="cover"),
    path("report/", report_views.report, name="report"),
    path("account-status/", status_views.user_status, name="user_status"),
    path("account-status/<int:pk>/appeal", status_views.appeal, name="appeal"),
    path("account-status/<int:pk>/acknowledge", status_views.acknowledge, name="acknowledge"),
    path("suspended/<str:token>/", status_views.suspended, name="suspended"),
]
