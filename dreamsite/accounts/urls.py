from __future__ import annotations

from django.urls import include, path

from dreamsite.accounts import suspended, views

urlpatterns = [
    path("account/", views.account, name="account"),
    path("account/export/", views.export_data, name="account_export"),
    path("account/close/", views.close, name="account_close"),
    path("suspended/<str:token>/export", suspended.suspended_export, name="suspended_export"),
    path("suspended/<str:token>/close", suspended.suspended_close, name="suspended_close"),
    path("people/<str:name>/", views.person, name="person"),
    path("accounts/sessions/", views.own_sessions, name="usersessions_list"),  # before allauth's, in whose place it is
    path("accounts/", include("allauth.urls")),
]
