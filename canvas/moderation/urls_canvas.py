"""What the moderators' panel asks, below /c/<slug>/moderation/."""

from __future__ import annotations

from django.urls import path

from canvas.moderation import views_canvas as views

urlpatterns = [
    path("at", views.at, name="moderation_at"),
    path("people", views.people, name="moderation_people"),
    path("ink", views.ink, name="moderation_ink"),
    path("pictures", views.pictures, name="moderation_pictures"),
    path("state", views.state, name="moderation_state"),
    path("log", views.log, name="moderation_log"),
    path("preview", views.preview, name="moderation_preview"),
    path("apply", views.apply, name="moderation_apply"),
    path("undo", views.take_back, name="moderation_undo"),
    path("switch", views.switch, name="moderation_switch"),
]
