from __future__ import annotations

from django.urls import path

from gallery.downloads import views

urlpatterns = [
    path("downloads/", views.days, name="downloads"),
    path("downloads.json", views.as_json, name="downloads_json"),
    path("downloads/<day:day>/", views.day, name="download_day"),
]
