"""What the gate (canvas/gate.py) goes by, as rows: a canvas' rules, and its locked and covered regions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from canvas import limits


class RulesQuerySet(models.QuerySet["Rules"]):
    def of(self, canvas: Any) -> Rules:
        """The canvas' rules; made with nothing switched on at the first call."""
        return self.get_or_create(canvas=canvas)[0]

    def touch(self, canvas_id: int) -> None:
        """Says that something about the canvas' rules has changed; every room reads them again."""
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
    members_only = models.BooleanField(
        _("members only"), default=False, help_text=_("Guests, who have not signed up, may not draw.")
    )
    reactions = models.BooleanField(_("marks"), default=True, help_text=_("People may leave marks at places."))
    version = models.PositiveBigIntegerField(default=1, editable=False)

    objects = RulesQuerySet.as_manager()

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
    """A rectangle of a canvas where nobody can draw: locked by a moderator, or covered by several trusted people."""

    class Kind(models.TextChoices):
        LOCK = "lock", _("Locked")
        COVER = "cover", _("Covered")  # hidden in browsers too, until somebody has looked

    canvas = models.ForeignKey("canvas.Canvas", on_delete=models.CASCADE, related_name="regions")
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.LOCK)
    x = models.PositiveIntegerField()
    y = models.PositiveIntegerField()
    width = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    height = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    why = models.CharField(_("why"), max_length=200, blank=True, help_text=_("Everybody sees it."))
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # Nobody for a cover: several people made it, and its votes name them.
    created_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    until = models.DateTimeField(_("until"), null=True, blank=True, help_text=_("Empty: until somebody lifts it."))
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)
    lifted_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = RegionQuerySet.as_manager()

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
