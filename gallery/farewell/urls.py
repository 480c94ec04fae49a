"""Included before the canvas' own addresses: the same address is something else after the end."""

from __future__ import annotations

from django.urls import path

from gallery.farewell import views

urlpatterns = [
    path("", views.home),
    path("c/<slug:slug>/", views.home),
    path("canvas/", views.last_canvas, name="last_canvas"),
]
