"""What the gate (canvas/gate.py) goes by, as rows: rules, regions, veils, sanctions, and what people have earned."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from canvas import limits


class RulesQuerySet(models.QuerySet["Rules"]):
    def of(self, place: Any) -> Rules:
        """The canvas' rules; made with nothing switched on at the first call."""
        return self.get_or_create(canvas=place)[0]

    def touch(self, canvas_id: int) -> None:
        """Says that something about the canvas' rules has changed; every room reads them anew."""
        if not self.filter(canvas_id=canvas_id).update(version=models.F("version") + 1):
            self.get_or_create(canvas_id=canvas_id)


class Rules(models.Model):
    """The switches of one canvas. Every save counts `version` up: rooms read the regions again only then.

    A save acts at the rooms' next poll, at the latest after half a second; `canvas.notify.look` makes it at once.
    """

    canvas = models.OneToOneField("canvas.Canvas", primary_key=True, on_delete=models.CASCADE, related_name="rules")
    frozen = models.BooleanField(_("frozen"), default=False, help_text=_("Nobody can draw or take back."))
    frozen_why = models.CharField(_("why it is frozen"), max_length=200, blank=True, help_text=_("Everybody sees it."))
    slow = models.PositiveSmallIntegerField(
        _("slow mode"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(limits.SLOWEST)],
        help_text=_("1: off. N: everybody has a newcomer's ink, and so many times less of it."),
    )
    newcomers_after = models.DateTimeField(
        _("signed up before"), null=True, blank=True, help_text=_("Accounts made after this moment may not draw.")
    )
    version = models.PositiveBigIntegerField(default=1, editable=False)

    objects: ClassVar[RulesQuerySet] = RulesQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = verbose_name_plural = _("rules")

    def __str__(self) -> str:
        return f"{self.canvas}: {'frozen' if self.frozen else 'open'}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Counts the version in the database, so that two who save at once both count."""
        if not self._state.adding:
            self.version = models.F("version") + 1
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], "version"}
        super().save(*args, **kwargs)
        self.refresh_from_db(fields=["version"])


class RegionQuerySet(models.QuerySet["Region"]):
    def in_force(self, now: datetime | None = None) -> RegionQuerySet:
        now = now or timezone.now()
        return self.filter(models.Q(until=None) | models.Q(until__gt=now), lifted_at=None)


class Region(models.Model):
    """A rectangle of a canvas where nobody can draw: locked by a moderator, or veiled by several trusted people."""

    class Kind(models.TextChoices):
        LOCK = "lock", _("Locked")
        VEIL = "veil", _("Veiled")  # covered in browsers too, until somebody has looked

    canvas = models.ForeignKey("canvas.Canvas", on_delete=models.CASCADE, related_name="regions")
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.LOCK)
    x = models.PositiveIntegerField()
    y = models.PositiveIntegerField()
    width = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    height = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    why = models.CharField(_("why"), max_length=200, blank=True, help_text=_("Everybody sees it."))
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # Nobody for a veil: several people made it, and its votes name them.
    created_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    until = models.DateTimeField(_("until"), null=True, blank=True, help_text=_("Empty: until somebody lifts it."))
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)
    lifted_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects: ClassVar[RegionQuerySet] = RegionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(width__gt=0, height__gt=0), name="region_not_empty"),
        ]
        indexes = [models.Index(fields=["canvas", "lifted_at", "until"], name="region_in_force")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.width} × {self.height} at {self.x}, {self.y}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            super().save(*args, **kwargs)
            Rules.objects.touch(self.canvas_id)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        with transaction.atomic():
            gone = super().delete(*args, **kwargs)
            Rules.objects.touch(self.canvas_id)
        return gone

    def lift(self, by: Any = None) -> None:
        """Ends it before its time. It stays on record, and can be made again."""
        self.lifted_at, self.lifted_by = timezone.now(), by
        self.save(update_fields=["lifted_at", "lifted_by"])


class VeilVote(models.Model):
    """A trusted person's wish to cover a place until a moderator has looked; see canvas/moderation/veils.py."""

    canvas = models.ForeignKey("canvas.Canvas", on_delete=models.CASCADE, related_name="veil_votes")
    user: Any = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="veil_votes")
    x = models.PositiveIntegerField()
    y = models.PositiveIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now, editable=False)
    region = models.ForeignKey(Region, null=True, blank=True, on_delete=models.SET_NULL, related_name="votes")

    class Meta:
        indexes = [models.Index(fields=["canvas", "at"], name="veilvote_recent")]

    def __str__(self) -> str:
        return f"{self.user}: {self.width} × {self.height} at {self.x}, {self.y}"


class SanctionQuerySet(models.QuerySet["Sanction"]):
    def in_force(self, user: Any = None, now: datetime | None = None) -> SanctionQuerySet:
        """Begun, not over, not lifted; a warning until it is acknowledged. Of one user (or id), or of everybody."""
        now = now or timezone.now()
        found = self.filter(
            models.Q(until=None) | models.Q(until__gt=now),
            ~models.Q(degree=Sanction.Degree.WARN) | models.Q(acknowledged_at=None),
            starts_at__lte=now,
            lifted_at=None,
        )
        return found if user is None else found.filter(user=user)

    def suspends(self, user: Any) -> bool:
        return self.in_force(user).filter(degree=Sanction.Degree.SUSPEND).exists()


class Sanction(models.Model):
    """What a person may not do for a while, and the reason they are shown.

    Whoever adds, changes or lifts one calls `canvas.notify.recheck([user.pk])` after the commit: it acts at once then.
    """

    class Degree(models.TextChoices):
        WARN = "warn", _("Warning")  # draws again once it is acknowledged
        COOL_DOWN = "cool_down", _("Cool down")  # draws with little ink
        READ_ONLY = "read_only", _("Read only")  # watches, and may take own strokes back
        SUSPEND = "suspend", _("Suspended")  # may not be here

    user: Any = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sanctions")
    degree = models.CharField(_("degree"), max_length=12, choices=Degree.choices)
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
    case = models.ForeignKey("canvas.Case", null=True, blank=True, on_delete=models.SET_NULL, related_name="sanctions")

    objects: ClassVar[SanctionQuerySet] = SanctionQuerySet.as_manager()  # type: ignore[assignment]

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

    def stands(self, now: datetime) -> bool:
        """As `in_force`, for a row at hand."""
        return (
            self.lifted_at is None
            and self.starts_at <= now
            and (self.until is None or self.until > now)
            and not (self.degree == self.Degree.WARN and self.acknowledged_at)
        )


class CleanHoursQuerySet(models.QuerySet["CleanHours"]):
    def drew(self, users: Any, at: datetime) -> None:
        """Counts the hour of `at` for these people (ids), once, unless something stands against them."""
        hour = int(at.timestamp()) // 3600
        sanctioned = Sanction.objects.in_force(now=at).filter(user__in=users).values("user")
        self.bulk_create([CleanHours(user_id=user) for user in users], ignore_conflicts=True)
        self.filter(user__in=users, last_hour__lt=hour).exclude(user__in=sanctioned).update(
            hours=models.F("hours") + 1, last_hour=hour
        )


class CleanHours(models.Model):
    """Hours of the clock in which a person's ink entered a journal while no sanction was in force: one row a person."""

    user: Any = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="clean_hours"
    )
    hours = models.PositiveIntegerField(default=0)
    last_hour = models.PositiveIntegerField(default=0, editable=False)  # hours since 1970: none is counted twice

    objects: ClassVar[CleanHoursQuerySet] = CleanHoursQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name_plural = _("clean hours")

    def __str__(self) -> str:
        return f"{self.user}: {self.hours} h"
