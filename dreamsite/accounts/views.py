"""One's own page, the public page of a person, one's sessions, and the two ways out: with one's data, and for good."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.account.models import EmailAddress
from allauth.decorators import rate_limit
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import get_adapter as get_social_adapter
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from canvas import strokes
from canvas.models import Stroke
from canvas.moderation.permissions import MODERATE
from dreamsite.accounts import closing, export, sessions
from dreamsite.core.errors import Busy, NotFound
from dreamsite.core.models import User
from dreamsite.core.sessions import stored
from dreamsite.core.turns import Pace, Turns
from gallery.models import BesideFeed

SHOWN_FRAMES = 12
_pace = Pace("whether somebody drew", 10, 6.0)  # all that is new on any canvas is read for it
_reading = Turns("the newest strokes", 1, patience=2.0, waiting=4)


def sign_in_options(request: HttpRequest) -> dict[str, Any]:
    """Context processor: what the pages of accounts may offer on this site."""
    providers = SimpleLazyObject(lambda: get_social_adapter(request).list_providers(request))
    return {"mail_works": bool(settings.EMAIL_HOST), "providers": providers if settings.SOCIALACCOUNT_PROVIDERS else []}


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the views ask for a sign-in
    return request.user


def _read_newest(user: User) -> None:
    """Their strokes may be newer than what a dream, or anybody, looked at. Many who come at once, or one who comes
    often, see what was looked at already: the page waits for nobody's reading."""
    with suppress(Busy):
        _pace.take_as(user.pk)
        with _reading.take():
            strokes.index_all()


@never_cache
@login_required
def account(request: HttpRequest) -> HttpResponse:
    """The user's own page: name, sign-in methods, what they drew, export and leaving."""
    user = _person(request)
    latest = list(user.frames.visible().select_related("canvas").defer("recipe").order_by("-id")[:6])
    if not latest:
        _read_newest(user)
    kinds = list(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    feed = BesideFeed.objects.filter(user=user).first()
    context = {
        "section": "account",
        "waits": not latest and Stroke.objects.by(user).shown().exists(),
        "latest": [{"frame": frame, "unlinked": not frame.canvas.known_to(user)} for frame in latest],
        "email": EmailAddress.objects.filter(user=user).order_by("-primary", "-verified", "pk").first(),
        "by_app": Authenticator.Type.TOTP in kinds,
        "keys": kinds.count(Authenticator.Type.WEBAUTHN),
        "elsewhere": SocialAccount.objects.filter(user=user).count(),
        "sessions": UserSession.objects.filter(user=user).count(),
        "feed": feed and request.build_absolute_uri(feed.get_absolute_url()),
    }
    return render(request, "account/overview.html", context)


@require_safe
def person(request: HttpRequest, name: str) -> HttpResponse:
    """What everybody may know of somebody: name, since when, how much, and where it went."""
    found = User.objects.filter(username__iexact=name, closes_at=None, closed_at=None).first()
    if found is None:
        raise NotFound(_("Nobody here has this name."))
    if found.username != name:
        return redirect(found)
    frames = found.frames.public()
    context = {
        "person": found,
        # Nobody else gets this mark, whatever they call themselves.
        "speaks_for_the_site": found.has_perm(MODERATE),
        "strokes": Stroke.objects.by(found).filter(canvas__listed=True).count(),
        "frames": frames.count(),
        "latest": list(frames.select_related("canvas").defer("recipe").order_by("-id")[:SHOWN_FRAMES]),
        "section": "account" if found == request.user else "",
    }
    return render(request, "account/person.html", context)


@never_cache
@login_required
def own_sessions(request: HttpRequest) -> HttpResponse:
    """Where one is signed in. POST `session` ends one of them, or with "others" all but this one."""
    user = _person(request)
    held = sessions.held(user)
    if request.method == "POST":
        wanted = request.POST.get("session", "")
        this = stored(request.session.session_key or "")
        chosen = [one for one in held if (one.session_key != this if wanted == "others" else str(one.pk) == wanted)]
        sessions.end(chosen)
        if any(session.session_key == this for session in chosen):
            logout(request)
            return redirect("canvas")
        if chosen:
            messages.success(request, _("Signed out there."))
        return redirect("usersessions_list")
    here = stored(request.session.session_key or "")
    held.sort(key=lambda session: (session.session_key != here, -session.last_seen_at.timestamp()))
    rows = [
        {"session": one, "here": one.session_key == here, "browser": sessions.browser_name(one.user_agent)}
        for one in held
    ]
    return render(request, "usersessions/usersession_list.html", {"rows": rows, "section": "account"})


@require_POST
@login_required
@rate_limit(action="export")
@reauthentication_required(app="allauth.account")
def export_data(request: HttpRequest) -> HttpResponseBase:
    """Everything the site knows about oneself."""
    return data_of(request, _person(request))


def data_of(request: HttpRequest, user: User) -> HttpResponseBase:
    """Everything the site knows about somebody, as one zip that is written while it is sent."""
    chunks = export.chunks_async if isinstance(request, ASGIRequest) else export.chunks
    response = StreamingHttpResponse(chunks(user), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="dreamsite-{user.username}-{timezone.now():%Y-%m-%d}.zip"'
    response["Cache-Control"] = "no-store"
    return response


@never_cache
@login_required
@rate_limit(action="close")
@reauthentication_required(app="allauth.account", allow_get=True)
def close(request: HttpRequest) -> HttpResponse:
    """Says what closing an account means; POST closes it."""
    user = _person(request)
    if user.is_last_owner():
        return render(request, "account/close.html", {"last_owner": True, "section": "account"}, status=409)
    if request.method == "POST":
        closing.close(user)
        until = user.closes_at
        logout(request)
        return render(request, "account/closed.html", {"until": until})
    return render(request, "account/close.html", {"days": closing.GRACE.days, "section": "account"})
