from __future__ import annotations

from django.urls import path

from gallery.studio import views

urlpatterns = [
    path("studio/", views.studio, name="studio"),
    path("studio/bring/", views.bring, name="studio_bring"),
    path("studio/from-frame/<int:pk>/", views.from_frame, name="studio_from_frame"),
    path("studio/pictures/<str:key>/", views.original, name="studio_original"),
    path("studio/pictures/<str:key>.json", views.original_json, name="studio_original_json"),
    path("studio/pictures/<str:key>/whole/", views.whole, name="studio_whole"),
    path("studio/pictures/<str:key>/order/", views.order, name="studio_order"),
    path("studio/pictures/<str:key>/keep/", views.keep, name="studio_keep"),
    path("studio/pictures/<str:key>/delete/", views.delete_original, name="studio_delete_original"),
    path("studio/noise/", views.from_noise, name="studio_noise"),
    path("studio/dreams/<str:key>/", views.work, name="studio_work"),
    path("studio/dreams/<str:key>.json", views.work_json, name="studio_work_json"),
    path("studio/dreams/<str:key>/growing.jpg", views.growing, name="studio_growing"),
    path("studio/dreams/<str:key>/cancel/", views.cancel, name="studio_cancel"),
    path("studio/dreams/<str:key>/show/", views.show, name="studio_show"),
    path("studio/dreams/<str:key>/delete/", views.delete, name="studio_delete"),
    path("dreams/", views.dreams, name="dreams"),
]
