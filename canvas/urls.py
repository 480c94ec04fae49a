from __future__ import annotations

from django.urls import path

from canvas import views

urlpatterns = [
    path("", views.canvas, name="canvas"),
    path("c/<slug:slug>/", views.canvas, name="canvas"),
    path("c/<slug:slug>/stage/", views.stage, name="stage"),
]
