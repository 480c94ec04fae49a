from __future__ import annotations

from django.urls import path

from gallery.films import own_views, views

urlpatterns = [
    path("films/", views.films, name="films"),
    path("films.json", views.films_json, name="films_json"),
    path("films/order", views.request_whole, name="film_request"),
    path("films/mine/", own_views.own_films, name="own_films"),
    path("films/<int:pk>/clip", own_views.order_clip, name="film_clip"),
    path("films/<int:pk>/", views.film, name="film"),
    path("films/<int:pk>.json", views.film_json, name="film_json"),
    path("films/<int:pk>/chapters.vtt", views.chapters, name="film_chapters"),
    path("films/<int:pk>/previews.vtt", views.previews, name="film_previews"),
    path("films/<int:pk>/frame", views.frame_at, name="film_frame"),
    path("films/<int:pk>/change", views.change, name="film_change"),
]
