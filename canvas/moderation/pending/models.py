"""An act that waits: for a second moderator's yes, and then for a worker to carry it out."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dreamsite.core.tasks.jobs import BackgroundJob, JobQuerySet, State

LIFE = timedelta(hours=48)  # for a yes; after it, whoever still wants it asks again


def _expiry() -> datetime:
    return timezone.now() + LIFE


class PendingActQuerySet(JobQuerySet["PendingAct"]):
    def undecided(self) -> PendingActQuerySet:
        """What waits for somebody's yes or no."""
        return self.filter(answer=PendingAct.Answer.NONE, expires_at__gt=timezone.now())

    def agreed(self) -> PendingActQuerySet:
        return self.filter(answer__in=[PendingAct.Answer.YES, PendingAct.Answer.NOT_NEEDED])


class PendingAct(BackgroundJob):
    """What is meant (`kind`, `what`), who asked, what somebody else answered, and how far a worker is with it."""

    class Kind(models.TextChoices):
        FRAMES = "frames", _("Hide or show frames")
        UNDO = "undo", _("Take an act back")
        SANCTION = "sanction", _("A sanction")
        EDIT = "edit", _("Change a sanction")
        LIFT = "lift", _("Lift a sanction")

    class Answer(models.TextChoices):
        NONE = "", _("No answer yet")
        YES = "yes", _("Agreed to")
        NO = "no", _("Refused")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        NOT_NEEDED = "alone", _("Needed no other’s yes")

    kind = models.CharField(max_length=8, choices=Kind.choices, editable=False)
    what = models.JSONField(default=dict, editable=False)  # see KINDS of services.py
    canvas = models.ForeignKey("canvas.Canvas", null=True, on_delete=models.CASCADE, related_name="+", editable=False)
    person: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+", editable=False
    )
    why = models.TextField(blank=True, editable=False)
    op = models.UUIDField(default=uuid.uuid4, db_index=True, editable=False)  # of its rows in the log
    reason = models.CharField(max_length=200, blank=True, editable=False)  # why it needs another's yes
    asked_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    asked_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(default=_expiry, editable=False)
    answer = models.CharField(max_length=9, choices=Answer.choices, blank=True, editable=False)
    answered_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    answered_at = models.DateTimeField(null=True, editable=False)
    done = models.PositiveIntegerField(default=0, editable=False)  # steps that changed something
    total = models.PositiveIntegerField(default=1, editable=False)

    objects = PendingActQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["answer", "expires_at"], name="pending_undecided")]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(answer="yes")
                | models.Q(answered_by=None)
                | models.Q(asked_by=None)
                | ~models.Q(answered_by=models.F("asked_by")),
                name="pending_yes_of_another",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.pk})"

    @property
    def undecided(self) -> bool:
        return self.answer == self.Answer.NONE and self.expires_at > timezone.now()

    @property
    def expired(self) -> bool:
        return self.answer == self.Answer.NONE and self.expires_at <= timezone.now()

    @property
    def agreed(self) -> bool:
        return self.answer in (self.Answer.YES, self.Answer.NOT_NEEDED)

    @property
    def under_way(self) -> bool:
        return self.agreed and self.state in (State.WAITING, State.RUNNING)
