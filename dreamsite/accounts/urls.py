from __future__ import annotations

from django.urls import include, path

from dreamsite.accounts import guests, staff, suspended, views

urlpatterns = [
    path("account/", views.account, name="account"),
    path("account/export/", views.export_data, name="account_export"),
    path("account/close/", views.close, name="account_close"),
    path("suspended/<str:token>/export", suspended.suspended_export, name="suspended_export"),
    path("suspended/<str:token>/close", suspended.suspended_close, name="suspended_close"),
    path("people/<str:name>/", views.person, name="person"),
    path("accounts/sessions/", views.own_sessions, name="usersessions_list"),  # before allauth's, in whose place it is
    path("accounts/signup/", guests.sign_up, name="account_signup"),  # as well
    path("accounts/login/", guests.sign_in, name="account_login"),
    path("accounts/guest/", guests.enter, name="guest"),
    path("accounts/keep/", guests.keep, name="account_keep"),
    path("accounts/second-factor/", staff.second_factor, name="second_factor"),
    path("accounts/", include("allauth.urls")),
]
