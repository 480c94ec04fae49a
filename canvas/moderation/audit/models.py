"""The log of everything staff does, and the verbs it knows.

Every act of anybody with power goes through `Act.objects.record`, in the act's own transaction. Rows are added and
never changed: not by Python, not by SQL (triggers.py). After the commit each becomes a link of the chain (chain.py).
Names alone can be taken out, when somebody leaves.
"""

from __future__ import annotations

import secrets
import uuid
from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

VERB_MOST = 40  # letters of a verb


class AppendOnly(Exception):
    """Somebody tried to change or delete what is in the log."""


def nameless(pk: int) -> str:
    """What stands for the name of an account that is closed for good; nobody could choose it."""
    return f"~{pk}"


class ActQuerySet(models.QuerySet["Act"]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnly("The log of acts is append-only: record another act that undoes this one.")

    def delete(self) -> NoReturn:
        raise AppendOnly("The log of acts is append-only: nothing in it can be deleted.")

    def record(
        self,
        by: Any,
        verb: str,
        *,
        canvas: Any = None,
        person: Any = None,
        why: str = "",
        op: uuid.UUID | None = None,
        undoes: Act | None = None,
        **what: Any,
    ) -> Act:
        """One row. `by` None is the site itself; `what` must be JSON. Raises ValueError for an unknown verb."""
        if verb not in Act.VERBS:
            raise ValueError(f"verb {verb!r} is unknown, expected one of {', '.join(sorted(Act.VERBS))}")
        return self.create(
            by=by,
            by_name=by.get_username() if by else "",
            by_salt=secrets.token_hex(16) if by else "",
            verb=verb,
            canvas=canvas,
            person=person,
            person_name=person.get_username() if person else "",
            person_salt=secrets.token_hex(16) if person else "",
            what=what,
            why=why.strip()[:2000],
            op=op or uuid.uuid4(),
            undoes=undoes,
        )

    def frames_to_go_back_to(self) -> set[int]:
        """What the canvas started from before each act on its picture that can be taken back, by id."""
        acts = self.filter(what__kind="picture", undone_by=None)
        return {pk for pk in acts.values_list("what__before", flat=True) if pk}

    def forget(self, pk: int) -> None:
        """Takes somebody's name out, who has left: their account's number stays, and the chain holds."""
        super().filter(by=pk).exclude(by_salt="").update_names(by_name=nameless(pk), by_salt="")
        super().filter(person=pk).exclude(person_salt="").update_names(person_name=nameless(pk), person_salt="")

    def update_names(self, **names: str) -> int:
        return super().update(**names)

    def with_undone(self) -> ActQuerySet:
        return self.select_related("canvas", "undone_by")


class Act(models.Model):
    """Who did what, where, to whom, and why. `op` groups the rows of one operation."""

    # verb -> how the log says it. Whoever brings acts of a new kind adds their verbs here, or with `add_verb`.
    VERBS: ClassVar[dict[str, str | Promise]] = {
        "rollback": _("Removed strokes from the picture"),
        "restore": _("Restored an earlier picture"),
        "undo": _("Undid an action"),
        "freeze": _("Froze the canvas"),
        "unfreeze": _("Unfroze the canvas"),
        "lock-region": _("Locked a region"),
        "unlock-region": _("Unlocked a region"),
        "slow": _("Changed the slow mode"),
        "newcomers": _("Changed who may draw by when they joined"),
        "members-only": _("Let only members draw"),
        "marks-off": _("Switched marks at places off"),
        "marks-on": _("Switched marks at places on"),
        "guests-too": _("Let guests draw"),
        "list-canvas": _("Put a canvas on the list"),
        "unlist-canvas": _("Took a canvas off the list"),
        "pause-dream": _("Paused the dream"),
        "resume-dream": _("Resumed the dream"),
        "next-style": _("Asked for another style"),
        "this-style": _("Chose a style"),
        "hide-frame": _("Hid a frame"),
        "show-frame": _("Showed a frame again"),
        "look-up": _("Looked up who drew"),
        "remove-second-factor": _("Removed second factors, from the command line"),
    }

    at = models.DateTimeField(_("when"), default=timezone.now, db_index=True)
    # Neither account is held by the log, nor taken out of it. Names stay as they were, until their people leave; the
    # salts are theirs (chain.py).
    by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("who"),
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="acts",
    )
    by_name = models.CharField(_("who"), max_length=150, blank=True)  # empty for the site itself
    by_salt = models.CharField(max_length=32, blank=True, editable=False)
    verb = models.CharField(_("did"), max_length=VERB_MOST, db_index=True)  # of VERBS
    canvas = models.ForeignKey("canvas.Canvas", null=True, on_delete=models.PROTECT, related_name="acts")
    person: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("to"),
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="acts_about",
    )
    person_name = models.CharField(_("to"), max_length=150, blank=True)
    person_salt = models.CharField(max_length=32, blank=True, editable=False)
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

    @classmethod
    def add_verb(cls, name: str, title: str | Promise) -> str:
        """Makes a verb known; its name, so that it can be a constant of the module that brings it."""
        if len(name) > VERB_MOST:
            raise ValueError(f"verb {name!r} has {len(name)} letters, expected at most {VERB_MOST}")
        cls.VERBS[name] = title
        return name

    @property
    def title(self) -> str:
        return str(self.VERBS.get(self.verb, self.verb))


class LinkQuerySet(models.QuerySet["Link"]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnly("The chain of the log is append-only.")

    def delete(self) -> NoReturn:
        raise AppendOnly("The chain of the log is append-only.")


class Link(models.Model):
    """An act's place in the chain: its digest holds the one before it, so that none can change, go or come unseen."""

    number = models.PositiveBigIntegerField(primary_key=True)  # 1, 2, 3, … without gaps
    act = models.OneToOneField(Act, on_delete=models.PROTECT, related_name="link")
    digest = models.CharField(max_length=64)  # SHA-256, hex digits
    # Digests of salt and name: they stay when the name and its salt are taken out, and tell nothing then.
    by_digest = models.CharField(max_length=64, blank=True)
    person_digest = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    objects: ClassVar[Any] = LinkQuerySet.as_manager()

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return f"{self.number}: {self.digest}"


class LookUp(models.Model):
    """What somebody looked up in the hour that is running, by kind (look_ups.py); then it goes into the log."""

    key = models.CharField(max_length=120, unique=True)  # who, verb, canvas, person, hour
    by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    verb = models.CharField(max_length=VERB_MOST)
    canvas = models.ForeignKey("canvas.Canvas", null=True, on_delete=models.CASCADE, related_name="+")
    person: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    hour = models.DateTimeField(db_index=True)
    last_at = models.DateTimeField(default=timezone.now)
    count = models.PositiveIntegerField(default=0)
    seen = models.JSONField(default=dict)  # name -> numbers or places

    class Meta:
        ordering = ["-last_at"]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H} {self.verb}: {self.count}"

    @property
    def title(self) -> str:
        return str(Act.VERBS.get(self.verb, self.verb))
