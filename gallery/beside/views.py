"""Switching one's own feed on, to another address, and off."""

from __future__ import annotations

from allauth.core.internal import ratelimit
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from dreamsite.core.errors import Busy
from dreamsite.core.members import member_required
from dreamsite.core.models import User
from gallery.beside.models import BesideFeed


@require_POST
@member_required
def switch(request: HttpRequest) -> HttpResponse:
    """POST `act`: "on", "renew" or "off". Done twice it is as done once, but for "renew"."""
    user, act = request.user, request.POST.get("act", "")
    assert isinstance(user, User)
    if not ratelimit.consume(request, app="allauth.account", action="beside_switch"):
        raise Busy("the feed", status=429)
    if act == "on":
        BesideFeed.objects.get_or_create(user=user)
    elif act == "renew" and (feed := BesideFeed.objects.filter(user=user).first()):
        feed.renew()
        messages.success(request, _("The feed has another address. The old one leads nowhere."))
    elif act == "off":
        BesideFeed.objects.filter(user=user).delete()
        messages.success(request, _("The feed is switched off."))
    return redirect(reverse("account") + "#feed")
