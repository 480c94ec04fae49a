"""Pages at the root of the site. Included last: the site's own addresses take precedence."""

from __future__ import annotations

from django.urls import path

from gallery.donations import views as donations
from gallery.pages import views

urlpatterns = [
    path("donate/", donations.donate, name="donate"),
    path("donate/bitcoin.svg", donations.bitcoin_code, name="bitcoin_code"),
    path("<slug:slug>/", views.page, name="page"),
    path("<slug:slug>", views.add_slash),  # so that a word which is no page's is not found, rather than led on
]
