"""What is for members only: those who have signed up, not guests with a made-up name."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

View = Callable[..., HttpResponseBase]


def member_required(view: View) -> View:
    """`login_required` that leads guests to where they become members, and back."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if getattr(request.user, "guest", False):
            back = request.get_full_path() if request.method in ("GET", "HEAD") else ""
            return redirect(f"{reverse('account_keep')}{'?' + urlencode({'next': back}) if back else ''}")
        return view(request, *args, **kwargs)

    return login_required(wrapper)
