"""What the gate (canvas/gate.py) goes by, as rows: sanctions against people, and people's clean hours."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from canvas import degrees, limits
from canvas.degrees import Degree


def degree_choices() -> list[tuple[str, Any]]:
    return [(degree.name, _(degree.label)) for degree in degrees.DEGREES]


class SanctionQuerySet(models.QuerySet["Sanction"]):
    def in_force(self, user: Any = None, now: datetime | None = None) -> SanctionQuerySet:
        """Begun, not over, not lifted; a warning until it is acknowledged. Of one user (or id), or of everybody."""
        now = now or timezone.now()
        found = self.filter(
            models.Q(until=None) | models.Q(until__gt=now),
            ~models.Q(degree__in=degrees.ACKNOWLEDGED) | models.Q(acknowledged_at=None),
            starts_at__lte=now,
            lifted_at=None,
        )
        return found if user is None else found.filter(user=user)

    def suspends(self, user: Any) -> bool:
        return self.in_force(user).filter(degree__in=degrees.SHUT_OUT).exists()


class Sanction(models.Model):
    """What a person may not do for a while, and the reason they are shown.

    Whoever adds, changes or lifts one calls `canvas.notify.recheck([user.pk])` after the commit: it acts at once then.
    """

    user: Any = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sanctions")
    degree = models.CharField(_("degree"), max_length=12, choices=degree_choices)
    reason = models.TextField(_("reason"), max_length=1000, help_text=_("The person sees it."))
    starts_at = models.DateTimeField(_("from"), default=timezone.now)
    until = models.DateTimeField(_("until"), null=True, blank=True, help_text=_("Empty: until it is lifted."))
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="sanctions_issued"
    )
    acknowledged_at = models.DateTimeField(_("acknowledged"), null=True, blank=True)
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)
    lifted_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="sanctions_lifted"
    )

    objects = SanctionQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_at"]
        indexes = [models.Index(fields=["user", "lifted_at", "until"], name="sanction_in_force")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(lifted_by=None) | ~models.Q(lifted_by=models.F("user")),
                name="sanction_not_lifted_by_oneself",
                violation_error_message=_("Nobody lifts a sanction against themselves."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_degree_display()}"

    @property
    def effects(self) -> Degree:
        """The row of its degree."""
        return degrees.BY_NAME[self.degree]

    def stands(self, now: datetime) -> bool:
        """As `in_force`, for a row at hand."""
        return (
            self.lifted_at is None
            and self.starts_at <= now
            and (self.until is None or self.until > now)
            and not (self.effects.must_acknowledge and self.acknowledged_at)
        )


class CleanHoursQuerySet(models.QuerySet["CleanHours"]):
    def dreamed(self, users: Any, at: datetime) -> None:
        """Counts the hour of `at` for people (ids) whose ink is in a dream made then.

        Once, some a day, and only if nothing stands against them.
        """
        hour = int(at.timestamp()) // 3600
        day = hour // 24
        sanctioned = Sanction.objects.in_force(now=at).filter(user__in=users).values("user")
        self.bulk_create([CleanHours(user_id=user) for user in users], ignore_conflicts=True)
        another_day = ~models.Q(day=day)
        # A last hour far ahead is from a clock that went wrong: it must not hold them for ever.
        due = self.filter(models.Q(last_hour__lt=hour) | models.Q(last_hour__gt=hour + 24), user__in=users)
        due = due.filter(another_day | models.Q(today__lt=limits.HOURS_DAILY)).exclude(user__in=sanctioned)
        due.update(
            hours=models.F("hours") + 1,
            last_hour=hour,
            today=models.Case(models.When(another_day, then=models.Value(1)), default=models.F("today") + 1),
            day=day,
        )


class CleanHours(models.Model):
    """Hours of the clock in which a person's ink became part of a dream while no sanction was in force.

    One row a person. Ink that was undone or hidden before the dream earns nothing, and nobody earns more than
    limits.HOURS_DAILY in a day.
    """

    user: Any = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="clean_hours"
    )
    hours = models.PositiveIntegerField(default=0)
    last_hour = models.PositiveIntegerField(default=0, editable=False)  # hours since 1970: none is counted twice
    day = models.PositiveIntegerField(default=0, editable=False)  # the last day that counted, in days since 1970,
    today = models.PositiveSmallIntegerField(default=0, editable=False)  # and how many hours of it did

    objects = CleanHoursQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("clean hours")

    def __str__(self) -> str:
        return f"{self.user}: {self.hours} h"
