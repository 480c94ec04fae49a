"""The list of one's sessions: kept up to date without a write for every page, and without anybody's whole address.

The rows are allauth's, who would keep the keys of sessions in them. Here they hold what the sessions' own table holds:
the keys' digests.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterable
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.signals import password_changed, password_set, user_logged_in
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models.signals import pre_save
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from dreamsite.core.models import User
from dreamsite.core.sessions import stored

NOTED_EVERY = 600.0  # seconds between two notes of a session's life
_NOTED = "noted"


def note_sessions(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: puts a signed-in session into the list, and from time to time that it is still used."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        # After the view: it may have signed somebody in or out. Who never looked at the session need not begin here.
        session = request.session
        now = time.time()
        # More or less: somebody may have set the clock back.
        if session.accessed and isinstance(request.user, User) and abs(now - session.get(_NOTED, 0.0)) > NOTED_EVERY:
            session[_NOTED] = now
            note(request)
        return response

    return answer


def note(request: HttpRequest) -> None:
    """Puts the request's session into the list, or writes down that it is used."""
    if not request.session.session_key:
        request.session.save()
    key, now = stored(request.session.session_key or ""), timezone.now()
    if not UserSession.objects.filter(session_key=key, user=request.user).update(last_seen_at=now):
        agent = request.META.get("HTTP_USER_AGENT", "")[: UserSession._meta.get_field("user_agent").max_length]
        facts = {"user": request.user, "ip": get_adapter().get_client_ip(request), "user_agent": agent}
        UserSession.objects.update_or_create(session_key=key, defaults={**facts, "last_seen_at": now})


def held(user: User) -> list[UserSession]:
    """The sessions somebody has; those that ended otherwise leave the list."""
    rows = UserSession.objects.filter(user=user)
    live = Session.objects.filter(session_key__in=rows.values("session_key"), expire_date__gt=timezone.now())
    keys = set(live.values_list("session_key", flat=True))
    rows.exclude(session_key__in=keys).delete()
    return list(rows.filter(session_key__in=keys))


def end(rows: Iterable[UserSession]) -> None:
    """Signs out whoever uses these sessions."""
    for row in rows:
        Session.objects.filter(session_key=row.session_key).delete()
        row.delete()


@receiver(user_logged_in)
def signed_in(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    held(user)
    note(request)


@receiver([password_set, password_changed])
def another_key(sender: Any, request: HttpRequest, **kwargs: Any) -> None:
    """Who changes the password stays signed in, in a session with another key."""
    note(request)


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
