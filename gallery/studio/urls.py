from __future__ import annotations

from django.urls import path

from dreamsite.core.languages import in_one_language
from gallery.studio.feeds import DreamsFeed
from gallery.studio.views import (
    comparing,
    explaining,
    journeying,
    music,
    ordering,
    printing,
    reporting,
    showing,
    uploads,
    videos,
)

urlpatterns = [
    path("studio/", showing.studio, name="studio"),
    path("studio/explained/", explaining.explain, name="studio_explain"),
    path("studio/explained/order/", explaining.explain_order, name="studio_explain_order"),
    path("studio/upload/", uploads.upload, name="studio_upload"),
    path("studio/video/", videos.upload, name="studio_video"),
    path("studio/from-frame/<int:pk>/", uploads.from_frame, name="studio_from_frame"),
    path("studio/pictures/<str:key>/", ordering.original, name="studio_original"),
    path("studio/pictures/<str:key>.json", ordering.original_json, name="studio_original_json"),
    path("studio/pictures/<str:key>/full/", uploads.upload_full, name="studio_upload_full"),
    path("studio/pictures/<str:key>/order/", ordering.order, name="studio_order"),
    path("studio/pictures/<str:key>/compare/", comparing.compare, name="studio_compare"),
    path("studio/pictures/<str:key>/compare/order/", comparing.compare_order, name="studio_compare_order"),
    path("studio/pictures/<str:key>/music/", music.of_video, name="studio_video_music"),
    path("studio/pictures/<str:key>/keep/", uploads.keep, name="studio_keep"),
    path("studio/pictures/<str:key>/delete/", uploads.delete_original, name="studio_delete_original"),
    path("studio/classes.json", ordering.classes, name="studio_classes"),
    path("studio/noise/", uploads.from_noise, name="studio_noise"),
    path("studio/pictures/<str:key>/journey/price/", journeying.price, name="studio_journey_price"),
    path("studio/pictures/<str:key>/journey/order/", journeying.begin, name="studio_journey_order"),
    path("studio/journeys/<str:key>/", journeying.journey, name="studio_journey"),
    path("studio/journeys/<str:key>.json", journeying.journey_json, name="studio_journey_json"),
    path("studio/journeys/<str:key>/go/", journeying.go, name="studio_journey_go"),
    path("studio/journeys/<str:key>/film/", journeying.film, name="studio_journey_film"),
    path("studio/journeys/<str:key>/music/", music.of_journey, name="studio_journey_music"),
    path("studio/journeys/<str:key>/stop/", journeying.stop, name="studio_journey_stop"),
    path("studio/journeys/<str:key>/delete/", journeying.delete, name="studio_journey_delete"),
    path("studio/dreams/<str:key>/", showing.work, name="studio_work"),
    path("studio/dreams/<str:key>.json", showing.work_json, name="studio_work_json"),
    path("studio/dreams/<str:key>/mask.png", showing.mask, name="studio_mask"),
    path("studio/dreams/<str:key>/growing.jpg", showing.growing, name="studio_growing"),
    path("studio/dreams/<str:key>/cancel/", ordering.cancel, name="studio_cancel"),
    path("studio/dreams/<str:key>/print/", printing.order, name="studio_print"),
    path("studio/dreams/<str:key>/picture.png", printing.png, name="studio_png"),
    path("studio/dreams/<str:key>/show/", showing.show, name="studio_show"),
    path("studio/dreams/<str:key>/report/", reporting.report, name="studio_report"),
    path("studio/dreams/<str:key>/delete/", showing.delete, name="studio_delete"),
    path("dreams/", showing.dreams, name="dreams"),
    path("dreams/feed/", in_one_language(DreamsFeed()), name="dreams_feed"),
]
