"""A small world for the table of addresses: five visitors, and one of everything that an address may name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

import numpy as np
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from canvas import frames
from canvas.models import Canvas, Frame, Sanction
from canvas.moderation.models import Case, PendingAct, Report, Signal
from canvas.moderation.permissions import MODERATORS
from dreamer.models import Guess
from dreamsite.core.models import User
from dreamsite.core.sessions import SessionStore
from gallery.models import Exhibit, Film, Page

RECIPE = {
    "target": {"terms": [{"layer": "inception_4c/output", "channels": [[63, 1.0]]}]},
    "model": "googlenet",
    "octaves": 6,
    "octave_scale": 1.31415,
    "iterations": 10,
    "step": 1.5,
    "seed": 7,
    "device": "cpu",
}
ROLES = "anonymous", "user", "suspended", "moderator", "admin"
PASSWORD = "a long walk by the sea"


@dataclass
class World:
    """Everything is made when first asked for. `visitor(role)` is a browser, signed in where the role is."""

    def begin(self) -> None:
        """Makes what is to be here before the first request: people, two canvases and a frame."""
        assert self.people and self.elsewhere and self.frame

    def visitor(self, role: str) -> Client:
        client = Client(raise_request_exception=False)
        if role == "anonymous":
            return client
        # To sign in takes longer than most pages: it is done again only where the session was ended.
        if not SessionStore().exists(self.sessions.get(role, "")):
            client.force_login(self.people[role])
            self.sessions[role] = client.cookies[settings.SESSION_COOKIE_NAME].value
        client.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[role]
        return client

    @cached_property
    def sessions(self) -> dict[str, str]:
        """The keys of those who have signed in, by their role."""
        return {}

    @cached_property
    def people(self) -> dict[str, User]:
        made = {role: User.objects.create_user(f"the-{role}", password=PASSWORD) for role in ROLES[1:]}
        made["moderator"].groups.add(Group.objects.get(name=MODERATORS))
        made["admin"].is_staff = made["admin"].is_superuser = True
        made["admin"].save()
        Sanction.objects.create(user=made["suspended"], degree="suspend", reason="Spam")
        return made

    @cached_property
    def canvas(self) -> Canvas:
        return Canvas.objects.default()

    @cached_property
    def elsewhere(self) -> Canvas:
        """A canvas that is not the one at `/`."""
        return Canvas.objects.create(slug="elsewhere", title="Elsewhere", width=96, height=96)

    @cached_property
    def frame(self) -> Frame:
        made = frames.encode(np.full((96, 96, 3), 128, np.uint8), Frame.Kind.DREAM)
        return frames.keep(
            frames.NewFrame(
                self.canvas,
                made,
                Frame.Kind.DREAM,
                0,
                authors=[self.people["user"].pk],
                title="a test",
                recipe=RECIPE,
                seconds=1.0,
            )
        )

    @cached_property
    def hideable(self) -> Frame:
        """A frame of its own: hiding moves files, which no rollback brings back."""
        made = frames.encode(np.full((96, 96, 3), 64, np.uint8), Frame.Kind.DREAM)
        return frames.keep(frames.NewFrame(self.elsewhere, made, Frame.Kind.DREAM, 0))

    @cached_property
    def sanction(self) -> Sanction:
        """Of the suspended one: their own page and appeal."""
        return Sanction.objects.get(user=self.people["suspended"])

    @cached_property
    def case(self) -> Case:
        return Case.objects.create(canvas=self.canvas, x=1, y=1, r=5)

    @cached_property
    def pending(self) -> PendingAct:
        """Waits for another's yes."""
        return PendingAct.objects.create(kind="frames", what={"frames": [], "hidden": True}, canvas=self.canvas)

    @cached_property
    def guess(self) -> Guess:
        return Guess.objects.create(
            canvas=self.elsewhere,
            network="house",
            seq=1,
            left=1,
            top=1,
            right=9,
            bottom=9,
            words=[{"number": 0, "label": "dog", "chance": 0.5}],
        )

    @cached_property
    def report(self) -> Report:
        return Report.objects.create(case=self.case, category="spam", reporter=self.people["user"])

    @cached_property
    def signal(self) -> Signal:
        return Signal.objects.create(
            person=self.people["user"], kind="rhythm", day=timezone.now().date(), value=2.0, limit=1.0
        )

    @cached_property
    def film(self) -> Film:
        """Ordered, and still to be made."""
        now = timezone.now()
        return Film.objects.create(
            canvas=self.canvas, kind=Film.Kind.PART, starts_at=now - timedelta(hours=1), ends_at=now
        )

    @cached_property
    def page(self) -> Page:
        return Page.objects.create(slug="a-page", title="A page", body="Words.", published=True)

    @cached_property
    def exhibit(self) -> Exhibit:
        return Exhibit.objects.create(slug="a-show", title="A show", published_at=timezone.now())
