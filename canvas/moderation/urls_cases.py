from __future__ import annotations

from django.urls import path
from django.views.decorators.cache import never_cache as private  # nothing of the desk stays in a browser's cache

from canvas.moderation import views_log, views_people, views_queue, views_report, views_sanctions, views_standing

urlpatterns = [
    path("report/", views_report.report, name="report"),
    path("standing/", views_standing.standing, name="standing"),
    path("standing/<int:pk>/appeal", views_standing.appeal, name="appeal"),
    path("standing/<int:pk>/acknowledge", views_standing.acknowledge, name="acknowledge"),
    path("suspended/<str:token>/", views_standing.suspended, name="suspended"),
    path("moderation/", private(views_queue.queue), name="queue"),
    path("moderation/cases/<int:pk>/", private(views_queue.case), name="case"),
    path("moderation/cases/<int:pk>/claim", private(views_queue.claim), name="case_claim"),
    path("moderation/cases/<int:pk>/release", private(views_queue.release), name="case_release"),
    path("moderation/cases/<int:pk>/decide", private(views_queue.decide), name="case_decide"),
    path("moderation/cases/<int:pk>/reopen", private(views_queue.reopen), name="case_reopen"),
    path("moderation/cases/<int:pk>/frame", private(views_queue.hide_frame), name="case_frame"),
    path("moderation/cases/<int:pk>/note", private(views_queue.note), name="case_note"),
    path("moderation/cases/<int:pk>/appeal", private(views_sanctions.decide_appeal), name="case_appeal"),
    path("moderation/cases/<int:pk>/now.jpg", views_report.now, name="case_now"),
    path("moderation/evidence/<int:pk>.jpg", views_report.picture, name="evidence"),
    path("moderation/sanctions/", private(views_sanctions.listing), name="sanctions"),
    path("moderation/sanctions/new/", private(views_sanctions.new), name="sanction_new"),
    path("moderation/sanctions/<int:pk>/", private(views_sanctions.sanction), name="sanction"),
    path("moderation/sanctions/<int:pk>/lift", private(views_sanctions.lift), name="sanction_lift"),
    path("moderation/people/", private(views_people.people), name="desk_people"),
    path("moderation/people/<int:pk>/", private(views_people.person), name="desk_person"),
    path("moderation/people/<int:pk>/note", private(views_people.note), name="desk_note"),
    path("moderation/signals/", private(views_people.signals), name="signals"),
    path("moderation/signals/<int:pk>/seen", private(views_people.see), name="signal_seen"),
    path("moderation/log/", private(views_log.log), name="audit"),
    path("moderation/summary/", views_log.month, name="summary"),
    path("moderation/summary/<int:year>/<int:number>/", views_log.month, name="summary_month"),
]
