from __future__ import annotations

from django.urls import include, path, register_converter

from dreamsite.core.languages import in_one_language
from gallery import converters, media, my_strokes, slideshow, views
from gallery.beside import views as beside
from gallery.beside.feed import feed as beside_feed
from gallery.feeds import HighlightsFeed, HistoryFeed
from gallery.frame import actions
from gallery.frame import views as frame
from gallery.highlights import views as highlights
from gallery.moments import views as moments
from gallery.sharing import sitemap
from gallery.sharing import views as sharing
from gallery.timeline import views as timeline

register_converter(converters.MomentConverter, "moment")
register_converter(converters.DayConverter, "day")
register_converter(converters.MonthConverter, "month")

urlpatterns = [
    path("history/", views.history, name="history"),
    path("history.json", views.history_json, name="history_json"),
    path("history/feed/", in_one_language(HistoryFeed()), name="history_feed"),
    path("history/timeline.json", timeline.as_json, name="timeline_json"),
    path("history/now", moments.now, name="now"),
    path("history/ink", moments.ink_of, name="ink"),
    path("history/calendar/", timeline.calendar, name="calendar"),
    path("history/calendar/<month:month>/", timeline.calendar, name="calendar_month"),
    path("history/slideshow/", slideshow.slideshow, name="slideshow"),
    path("history/mine/", my_strokes.my_strokes, name="my_strokes"),
    path("history/mine/over/", my_strokes.drawn_over, name="drawn_over"),
    path("history/mine.json", my_strokes.my_strokes_json, name="my_strokes_json"),
    path("history/mine/feed/", beside.switch, name="beside_switch"),
    path("feeds/beside/<int:person>/<slug:key>/", beside_feed, name="beside_feed"),
    path("history/<day:day>/", timeline.day, name="day"),
    path("history/<moment:moment>", moments.page, name="moment"),
    path("history/<moment:moment>.json", moments.as_json, name="moment_json"),
    path("history/<moment:moment>.png", moments.picture, name="moment_png"),
    path("highlights/", highlights.highlights, name="highlights"),
    path("highlights/feed/", in_one_language(HighlightsFeed()), name="highlights_feed"),
    path("frames/<int:pk>/", frame.page, name="frame"),
    path("frames/<int:pk>.json", frame.page_json, name="frame_json"),
    path("frames/<int:pk>/picture", frame.picture, name="frame_picture"),
    path("frames/<int:pk>/drawing.png", frame.drawing, name="frame_drawing"),
    path("frames/<int:pk>/recipe.json", frame.recipe_json, name="frame_recipe"),
    path("frames/<int:pk>/origins.json", frame.origins_json, name="frame_origins"),
    path("frames/<int:pk>/embed/", sharing.embed, name="frame_embed"),
    path("frames/<int:pk>/highlight/", highlights.choose, name="frame_highlight"),
    path("frames/<int:pk>/dream-again/", actions.dream_again, name="frame_dream_again"),
    path("frames/<int:pk>/hide/", actions.hide, name="frame_hide"),
    path("frames/<int:pk>/card.jpg", sharing.frame_card, name="frame_card"),
    path("frames/<int:pk>/pair.jpg", sharing.frame_pair, name="frame_pair"),
    path("c/<slug:slug>/embed/", sharing.canvas_embed, name="canvas_embed"),
    path("oembed", sharing.oembed, name="oembed"),
    path("sitemap.xml", sitemap.index, name="sitemap"),
    path("sitemap/pages.xml", sitemap.pages, name="sitemap_pages"),
    path("sitemap/<month:month>-<int:part>.xml", sitemap.frames, name="sitemap_frames"),
    path("", include("gallery.exhibits.urls")),
    path("", include("gallery.films.urls")),
    path("", include("gallery.downloads.urls")),
    path("", include("gallery.studio.urls")),
    path("media/<path:path>", media.media, name="media"),
]
