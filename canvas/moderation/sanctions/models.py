"""A sanctioned person's one appeal, and its decision by somebody else; the database holds moderators to that too."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from canvas.moderation.cases.models import TEXT_MOST


class Appeal(models.Model):
    """One for each sanction. `issued_by` is the sanction's, copied: a constraint sees one row only."""

    class Outcome(models.TextChoices):
        STANDS = "stands", _("The sanction stands")
        OVERTURNED = "overturned", _("The sanction was overturned")
        LIFTED = "lifted", _("The sanction was lifted before a decision")  # its issuer may do that

    sanction = models.OneToOneField("canvas.Sanction", on_delete=models.CASCADE, related_name="appeal")
    case = models.OneToOneField("moderation.Case", on_delete=models.CASCADE, related_name="appeal")
    person: Any = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="appeals")
    issued_by: Any = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    text = models.TextField(max_length=TEXT_MOST)
    filed_at = models.DateTimeField(default=timezone.now)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    answer = models.TextField(max_length=TEXT_MOST, blank=True, help_text=_("The person reads it."))
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="appeals_decided"
    )

    class Meta:
        ordering = ["-filed_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="", decided_at=None) | (~Q(outcome="") & Q(decided_at__isnull=False)),
                name="appeal_decided_at",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=["", "lifted"])
                | Q(decided_by=None)
                | Q(issued_by=None)
                | ~Q(decided_by=F("issued_by")),
                name="appeal_by_somebody_else",
                violation_error_message=_("Who issued a sanction does not decide its appeal."),
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("person")),
                name="appeal_not_ones_own",
                violation_error_message=_("Nobody decides their own appeal."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.get_outcome_display() if self.outcome else _('waiting')}"
