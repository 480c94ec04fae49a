"""The log of everything staff does. Rows are added and never changed: not by Python, not by SQL (guard.py)."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class AppendOnly(Exception):
    """Somebody tried to change or delete what is in the log."""


class ActQuerySet(models.QuerySet["Act"]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnly("The log of acts is append-only: record another act that undoes this one.")

    def delete(self) -> NoReturn:
        raise AppendOnly("The log of acts is append-only: nothing in it can be deleted.")

    def with_undone(self) -> ActQuerySet:
        return self.select_related("canvas", "undone_by")


class Act(models.Model):
    """Who did what, where, to whom, and why. `op` groups the rows of one operation."""

    at = models.DateTimeField(_("when"), default=timezone.now, db_index=True)
    # Neither account is held by the log, nor taken out of it: names stay as they were.
    by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("who"), null=True, on_delete=models.DO_NOTHING, db_constraint=False,
        related_name="acts",
    )  # fmt: skip
    by_name = models.CharField(_("who"), max_length=150, blank=True)  # empty for the site itself
    verb = models.CharField(_("did"), max_length=40, db_index=True)  # of audit.VERBS
    canvas = models.ForeignKey("canvas.Canvas", null=True, on_delete=models.PROTECT, related_name="acts")
    person: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("to"), null=True, on_delete=models.DO_NOTHING, db_constraint=False,
        related_name="acts_about",
    )  # fmt: skip
    person_name = models.CharField(_("to"), max_length=150, blank=True)
    what = models.JSONField(_("what"), default=dict)
    why = models.TextField(_("why"), blank=True)
    op = models.UUIDField(_("operation"), default=uuid.uuid4, db_index=True)
    undoes: Any = models.OneToOneField(
        "self", verbose_name=_("undoes"), null=True, on_delete=models.PROTECT, related_name="undone_by"
    )

    objects: ClassVar[Any] = ActQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["canvas", "-id"], name="act_canvas")]
        verbose_name = _("act")
        verbose_name_plural = _("acts")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.by_name or 'the site'}: {self.title}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly("The log of acts is append-only: record another act that undoes this one.")
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly("The log of acts is append-only: nothing in it can be deleted.")

    @property
    def title(self) -> str:
        from canvas.moderation.audit import VERBS

        return str(VERBS.get(self.verb, self.verb))
