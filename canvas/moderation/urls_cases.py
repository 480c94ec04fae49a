from __future__ import annotations

from django.urls import path

from canvas.moderation import views_log, views_people, views_queue, views_report, views_sanctions, views_standing

urlpatterns = [
    path("report/", views_report.report, name="report"),
    path("standing/", views_standing.standing, name="standing"),
    path("standing/<int:pk>/appeal", views_standing.appeal, name="appeal"),
    path("standing/<int:pk>/acknowledge", views_standing.acknowledge, name="acknowledge"),
    path("suspended/<str:token>/", views_standing.suspended, name="suspended"),
    path("moderation/", views_queue.queue, name="queue"),
    path("moderation/cases/<int:pk>/", views_queue.case, name="case"),
    path("moderation/cases/<int:pk>/claim", views_queue.claim, name="case_claim"),
    path("moderation/cases/<int:pk>/release", views_queue.release, name="case_release"),
    path("moderation/cases/<int:pk>/decide", views_queue.decide, name="case_decide"),
    path("moderation/cases/<int:pk>/reopen", views_queue.reopen, name="case_reopen"),
    path("moderation/cases/<int:pk>/frame", views_queue.hide_frame, name="case_frame"),
    path("moderation/cases/<int:pk>/note", views_queue.note, name="case_note"),
    path("moderation/cases/<int:pk>/appeal", views_sanctions.decide_appeal, name="case_appeal"),
    path("moderation/evidence/<int:pk>.jpg", views_report.picture, name="evidence"),
    path("moderation/sanctions/", views_sanctions.listing, name="sanctions"),
    path("moderation/sanctions/new/", views_sanctions.new, name="sanction_new"),
    path("moderation/sanctions/<int:pk>/", views_sanctions.sanction, name="sanction"),
    path("moderation/sanctions/<int:pk>/lift", views_sanctions.lift, name="sanction_lift"),
    path("moderation/people/", views_people.people, name="desk_people"),
    path("moderation/people/<int:pk>/", views_people.person, name="desk_person"),
    path("moderation/people/<int:pk>/note", views_people.note, name="desk_note"),
    path("moderation/signals/", views_people.signals, name="signals"),
    path("moderation/signals/<int:pk>/seen", views_people.see, name="signal_seen"),
    path("moderation/log/", views_log.log, name="audit"),
    path("moderation/summary/", views_log.month, name="summary"),
    path("moderation/summary/<int:year>/<int:number>/", views_log.month, name="summary_month"),
]
