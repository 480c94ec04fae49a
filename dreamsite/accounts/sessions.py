"""The list of one's sessions: kept up to date without a write for every page, and without anybody's whole address."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from typing import Any

from allauth.usersessions.models import UserSession
from django.db.models.signals import pre_save
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from dreamsite.core.models import User

NOTED_EVERY = 600.0  # seconds between two notes of a session's life
_NOTED = "noted"


def note_sessions(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: puts a signed-in session into the list, and from time to time that it is still used."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        # After the view: it may have signed somebody in or out. Who never looked at the session need not begin here.
        session = request.session
        if session.accessed and isinstance(request.user, User) and time.time() - session.get(_NOTED, 0.0) > NOTED_EVERY:
            session[_NOTED] = time.time()
            note(request)
        return response

    return answer


def note(request: HttpRequest) -> None:
    session = request.session
    if not UserSession.objects.filter(session_key=session.session_key).update(last_seen_at=timezone.now()):
        UserSession.objects.create_from_request(request)


@receiver(pre_save, sender=UserSession)
def shorten(sender: Any, instance: UserSession, **kwargs: Any) -> None:
    """Enough to tell home from a stranger's country, too little to tell one household from the next."""
    address = ipaddress.ip_address(instance.ip)
    network = ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False)
    instance.ip = str(network.network_address)


# What a browser says of itself, from the particular to the general: many pretend to be others.
_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def browser_name(user_agent: str) -> tuple[str, str]:
    """Browser and system as people call them; empty where the text tells neither."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return browser, system
