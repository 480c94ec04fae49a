"""Included before the canvas' own addresses: after the end the same addresses show something else."""

from __future__ import annotations

from django.urls import path

from gallery.farewell import views

urlpatterns = [
    path("", views.home),
    path("c/<slug:slug>/", views.home),
    path("canvas/", views.last_canvas, name="last_canvas"),
]
