from __future__ import annotations

from django.urls import path

from gallery.exhibits import views
from gallery.uploads import views as uploads

urlpatterns = [
    path("exhibits/", views.exhibits, name="exhibits"),
    path("exhibits/<slug:slug>/", views.exhibit, name="exhibit"),
    path("exhibits/<slug:slug>.json", views.exhibit_json, name="exhibit_json"),
    path("uploads/<slug:key>", uploads.picture, name="upload"),
]
