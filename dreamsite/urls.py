from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView

from dreamer import views as dreamer
from dreamer.guesses.views import answer as guess_answer
from dreamsite import appearance, claim, first_steps, health, languages, metrics, security

robots = TemplateView.as_view(
    template_name="robots.txt", content_type="text/plain", extra_context={"site": lambda: settings.SITE_URL}
)
urlpatterns = [
    path("", include("gallery.farewell.urls")),  # before the canvas: after the end `/` is something else
    path("", include("canvas.urls")),
    path("", include("dreamsite.canvases.urls")),
    path("", include("canvas.moderation.urls")),
    path("", include("gallery.urls")),
    path("c/<slug:slug>/guesses/<int:pk>/", guess_answer, name="guess"),
    path("c/<slug:slug>/styles/", dreamer.vote, name="style_vote"),
    path("c/<slug:slug>/styles/picture/", dreamer.style_picture, name="style_picture"),
    path("moderation/styles", dreamer.styles, name="moderation_styles"),
    path("", include("dreamsite.accounts.urls")),
    path("claim/<str:token>/", claim.claim, name="claim"),
    path("first-steps/", first_steps.first_steps, name="first_steps"),
    path("look/<slug:version>.css", appearance.accent_css, name="accent_css"),
    path("look/<slug:version>.png", appearance.logo, name="logo"),
    path("look/site.webmanifest", appearance.webmanifest, name="webmanifest"),
    path("language/", languages.choose, name="language"),
    path("words/<slug:language>-<slug:version>.json", languages.words, name="words"),
    path("robots.txt", robots, name="robots"),
    path(".well-known/security.txt", security.security_txt, name="security_txt"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path(f"{settings.ADMIN_PATH}/", admin.site.urls),
    path("", include("gallery.pages.urls")),  # last: any word not taken above may be a page's address
]

handler400 = "dreamsite.core.errors.bad_request"
handler403 = "dreamsite.core.errors.permission_denied"
handler404 = "dreamsite.core.errors.page_not_found"
handler500 = "dreamsite.core.errors.server_error"
