from __future__ import annotations

from django.urls import include, path

from canvas import views
from canvas.moderation import views_veil

urlpatterns = [
    path("", views.canvas, name="canvas"),
    path("c/<slug:slug>/", views.canvas, name="canvas"),
    path("c/<slug:slug>/veil", views_veil.veil, name="veil"),
    path("c/<slug:slug>/moderation/", include("canvas.moderation.urls_canvas")),
    path("c/<slug:slug>/next-style", views.next_style, name="next_style"),
    path("", include("canvas.moderation.urls_cases")),
]
