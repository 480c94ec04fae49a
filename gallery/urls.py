from __future__ import annotations

from django.urls import include, path

from gallery import media, views
from gallery.feeds import HistoryFeed

urlpatterns = [
    path("history/", views.history, name="history"),
    path("history.json", views.history_json, name="history_json"),
    path("history/feed/", HistoryFeed(), name="history_feed"),
    path("frames/<int:pk>/", views.frame, name="frame"),
    path("frames/<int:pk>.json", views.frame_json, name="frame_json"),
    path("frames/<int:pk>/picture", views.picture, name="frame_picture"),
    path("", include("gallery.exhibits.urls")),
    path("media/<path:path>", media.media, name="media"),
]
