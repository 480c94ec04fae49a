from __future__ import annotations

from django.urls import path

from dreamsite.canvases import views

urlpatterns = [
    path("canvases/", views.canvases, name="canvases"),
    path("canvases/archive/", views.archive, name="canvases_archive"),
    path("canvases/new/", views.new, name="canvas_new"),
    path("c/<slug:slug>/settings/", views.change, name="canvas_settings"),
    path("c/<slug:slug>/settings/styles", views.styles, name="canvas_styles"),
    path("c/<slug:slug>/settings/<slug:act>/", views.act, name="canvas_act"),
]
