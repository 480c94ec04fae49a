"""People as moderators see them, and the signals the site noticed. Whoever looks at a person is in the log for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.sessions.models import Session
from django.core.paginator import Paginator
from django.db.models import Count, Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from canvas import strokes
from canvas.models import Sanction, Stroke
from canvas.moderation.audit import look_ups
from canvas.moderation.cases import services as cases
from canvas.moderation.cases.forms import NoteForm
from canvas.moderation.models import Act, Case, IpDigest, LookUp, Note, Report, Signal
from canvas.moderation.permissions import MODERATE, moderator_required
from canvas.moderation.signals import ip_digests
from dreamsite.core.models import User

PAGE = 50
LATELY = timedelta(hours=24)


@require_safe
@moderator_required(MODERATE)
def people(request: HttpRequest) -> HttpResponse:
    """A search by name; without one, who drew during the last day, also those who have left."""
    query = request.GET.get("q", "").strip()[:150]
    drew: dict[int, dict[str, Any]] = {}
    if query:
        found = User.objects.filter(username__icontains=query).order_by("username")
    else:
        strokes.index_all()
        recent = Stroke.objects.between(timezone.now() - LATELY).order_by().values("author")
        counts: Any = recent.annotate(count=Count("pk"), last=Max("ended_at")).order_by("-last")
        drew = {row["author"]: row for row in counts[:500]}
        found = User.objects.filter(pk__in=drew).order_by("pk")
    listed = sorted(found[:500], key=lambda person: drew[person.pk]["last"], reverse=True) if drew else found[:500]
    page = Paginator(listed, PAGE).get_page(request.GET.get("page"))
    if drew:
        look_ups.record(request.user, look_ups.RECENT, people=[person.pk for person in page])
    in_force = {sanction.user_id: sanction for sanction in Sanction.objects.in_force().filter(user__in=list(page))}
    rows = [(person, drew.get(person.pk), in_force.get(person.pk)) for person in page]
    return render(request, "moderation/people.html", {"page": page, "rows": rows, "query": query, "section": "people"})


@require_safe
@moderator_required(MODERATE)
def person(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(User, pk=pk)
    look_ups.record(request.user, look_ups.PERSON, person=found)
    return _page(request, found, NoteForm())


def _page(request: HttpRequest, found: Any, form: NoteForm, *, status: int = 200) -> HttpResponse:
    strokes.index_all()
    drawn = Stroke.objects.by(found)
    right, wrong = cases.accuracy(found)
    about = Case.objects.with_all().filter(sanctions__user=found).distinct()
    context = {
        "person": found,
        "section": "people",
        "note_form": form,
        "notes": Note.objects.filter(person=found).select_related("author"),
        "strokes": drawn.count(),
        "hidden": drawn.exclude(hidden=0).count(),
        "last": drawn.newest().first(),
        "frames": found.frames.count(),
        "latest": found.frames.order_by("-id")[:6],
        "sessions": _sessions(found),
        "sanctions": Sanction.objects.filter(user=found).select_related("created_by", "appeal"),
        "in_force": set(Sanction.objects.in_force(found).values_list("pk", flat=True)),
        "reports": Report.objects.filter(reporter=found).select_related("case").order_by("-pk")[:20],
        "right": right,
        "wrong": wrong,
        "about": about[:20],
        "signals": Signal.objects.filter(person=found)[:20],
        "neighbours": _neighbours(found),
        "groups": [group.name for group in found.groups.all()],
        "acts": Act.objects.filter(person=found).exclude(verb=look_ups.PERSON).order_by("-pk")[:30],
        "views": _views(found),
    }
    return render(request, "moderation/person.html", context, status=status)


def _views(person: Any) -> list[tuple[str, Any]]:
    """Who looked at this person and when, this hour's first."""
    now = LookUp.objects.filter(person=person, verb=look_ups.PERSON).select_related("by").order_by("-last_at")
    past = Act.objects.filter(person=person, verb=look_ups.PERSON).order_by("-pk")[:10]
    return [*((row.by.username, row.last_at) for row in now), *((act.by_name, act.at) for act in past)]


def _sessions(person: Any) -> int:
    """How many browsers this person is signed in with, as allauth keeps count; None of them is shown."""
    from allauth.usersessions.models import UserSession

    keys = UserSession.objects.filter(user=person).values("session_key")
    return Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now()).count()


def _neighbours(person: Any) -> list[Any]:
    """Others who came from the same address lately."""
    digests = IpDigest.objects.filter(person=person, at__gt=timezone.now() - ip_digests.LIFE).values("digest")
    beside = IpDigest.objects.filter(digest__in=digests).exclude(person=person).values("person")
    return list(User.objects.filter(pk__in=beside).order_by("-date_joined")[:20])


@require_POST
@moderator_required(MODERATE)
def note(request: HttpRequest, pk: int) -> HttpResponse:
    found, form = get_object_or_404(User, pk=pk), NoteForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form, status=422)
    cases.note(request.user, form.cleaned_data["text"], person=found)
    return redirect(reverse("person", args=[pk]) + "#notes")
