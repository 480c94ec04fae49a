"""Words at the root of the site. Included last: what the site itself has goes before."""

from __future__ import annotations

from django.urls import path, register_converter

from gallery.donations import views as donations
from gallery.pages import views
from gallery.pages.models import PageConverter

register_converter(PageConverter, "page")

urlpatterns = [
    path("donate/", donations.donate, name="donate"),
    path("donate/bitcoin.svg", donations.bitcoin_code, name="bitcoin_code"),
    path("<page:slug>/", views.page, name="page"),
]
