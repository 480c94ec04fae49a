"""What people bring to the moderators: reports with their evidence, gathered into cases, and notes beside them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from canvas.moderation.cases import subjects

TEXT_MOST = 1000  # characters of anything that a person writes here


class CaseQuerySet(models.QuerySet["Case"]):
    def open(self) -> CaseQuerySet:
        return self.filter(closed_at=None)

    def with_all(self) -> CaseQuerySet:
        people = ("claimed_by", "closed_by", "last_by", "appeal__person", "canvas__maker")
        return self.select_related("canvas", "frame__canvas", "region", *people)


class Case(models.Model):
    """One thing to decide: reports about a spot or frame, an appeal, a cover that people put up, a canvas to list,
    or something of another app that a newcomer wants to show to everybody."""

    class Kind(models.TextChoices):
        REPORT = "report", _("Report")
        APPEAL = "appeal", _("Appeal")
        COVER = "cover", _("Cover")
        LISTING = "listing", _("Canvas to list")
        SHOWING = "showing", _("Dream to show")

    class Outcome(models.TextChoices):
        # The first three tell a reporter's accuracy: right, wrong, and neither.
        ACTED = "acted", _("Something was done")
        DISMISSED = "dismissed", _("Nothing wrong")
        MOOT = "moot", _("No longer there")
        STANDS = "stands", _("The sanction stands")
        OVERTURNED = "overturned", _("The sanction was overturned")
        LISTED = "listed", _("On the list")
        UNLISTED = "unlisted", _("Not on the list")
        SHOWN = "shown", _("Shown to everybody")
        NOT_SHOWN = "not-shown", _("Not shown")
        LIFTED = "lifted", _("The sanction was lifted before a decision")

    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.REPORT)
    # The audit log's rows about this case, and about what was done from it, carry this id.
    op = models.UUIDField(default=uuid.uuid4, editable=False, unique=True)
    canvas = models.ForeignKey("canvas.Canvas", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    frame = models.ForeignKey("canvas.Frame", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    region = models.OneToOneField(
        "canvas.Region",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="case",
        help_text=_("Only for a cover."),
    )
    # Something of another app (cases.subjects): the kind of thing, and its key. Empty for everything else.
    subject_kind = models.CharField(max_length=20, blank=True, editable=False)
    subject_key = models.CharField(max_length=40, blank=True, editable=False)
    # The spot on the canvas, px; empty where a whole frame or a sanction is meant.
    x = models.PositiveIntegerField(null=True, blank=True)
    y = models.PositiveIntegerField(null=True, blank=True)
    r = models.PositiveIntegerField(null=True, blank=True)
    sanctions = models.ManyToManyField("canvas.Sanction", blank=True, related_name="cases")  # that came of it
    score = models.FloatField(default=0.0, help_text=_("The weights of those who reported it, added up."))
    opened_at = models.DateTimeField(default=timezone.now, db_index=True)
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="claimed_cases"
    )
    claimed_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="closed_cases"
    )
    # The optimistic lock, and who moved it last with what: a conflict can say so.
    version = models.PositiveIntegerField(default=1, editable=False)
    last_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    last_what = models.CharField(max_length=120, blank=True, editable=False)

    objects = CaseQuerySet.as_manager()

    class Meta:
        ordering = [F("score").desc(), "opened_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_at=None, outcome="") | (Q(closed_at__isnull=False) & ~Q(outcome="")),
                name="case_closed_with_outcome",
            ),
        ]
        indexes = [
            models.Index(fields=["closed_at", "-score"]),
            models.Index(fields=["subject_kind", "subject_key"], condition=~Q(subject_kind=""), name="case_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"

    @cached_property
    def subject(self) -> subjects.Subject | None:
        """What of another app it is about; None where that is gone, or it is about something else."""
        return subjects.find(self.subject_kind, self.subject_key)

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def may_reopen(self) -> bool:
        """An appeal is decided once; what its maker took back before anybody decided stays so."""
        moot_showing = self.kind == self.Kind.SHOWING and self.outcome == self.Outcome.MOOT
        return not self.is_open and self.kind != self.Kind.APPEAL and not moot_showing


class ReportQuerySet(models.QuerySet["Report"]):
    def by(self, person_id: int | None, address: str) -> ReportQuerySet:
        """Everything this person sent; of somebody without an account, what came from that address."""
        if person_id is not None:
            return self.filter(reporter=person_id)
        return self.filter(reporter=None, address=address)


class Report(models.Model):
    """What one person saw. Several about the same spot belong to one case."""

    class Category(models.TextChoices):
        # The first two ask for a takedown: whoever sends them says that the picture is of them, or theirs.
        PERSON = "person", _("I am in it, and do not want that")
        RIGHTS = "rights", _("It is made from my work without my permission")
        VANDALISM = "vandalism", _("Painting over other people’s work")
        HATE = "hate", _("Hate or harassment")
        SEXUAL = "sexual", _("Sexual or violent content")
        PRIVATE = "private", _("Somebody’s private details")
        ILLEGAL = "illegal", _("Something illegal")
        SPAM = "spam", _("Advertising or spam")
        OTHER = "other", _("Something else")

    TAKEDOWNS = (Category.PERSON, Category.RIGHTS)

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="reports")
    category = models.CharField(max_length=12, choices=Category.choices)
    text = models.TextField(blank=True, max_length=TEXT_MOST)
    x = models.PositiveIntegerField(null=True, blank=True)
    y = models.PositiveIntegerField(null=True, blank=True)
    r = models.PositiveIntegerField(null=True, blank=True)
    seq = models.BigIntegerField(default=0, help_text=_("The journal's number that is in the picture."))
    contact = models.EmailField(blank=True, help_text=_("For an answer, where they want one."))
    at = models.DateTimeField(default=timezone.now)
    reporter = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="reports"
    )
    # The digest of the address (signals.models.IpDigest), for limits and scores; emptied after thirty days.
    address = models.CharField(max_length=32, blank=True, editable=False)
    weight = models.FloatField(default=1.0, editable=False)

    objects = ReportQuerySet.as_manager()

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["address", "at"]), models.Index(fields=["reporter", "at"])]

    def __str__(self) -> str:
        return f"{self.get_category_display()}, {self.at:%Y-%m-%d %H:%M}"


class Evidence(models.Model):
    """How the reported spot looked when somebody reported it.

    In the database, not among the files: no address leads to it but the moderators' view, it comes and goes with its
    report in one transaction, and a bucket that everybody can read need not be trusted with it.
    """

    report = models.OneToOneField(Report, primary_key=True, on_delete=models.CASCADE, related_name="evidence")
    image = models.BinaryField()  # JPEG
    # Where the crop lies on the canvas, px, and how large it is there.
    left = models.PositiveIntegerField()
    top = models.PositiveIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "evidence"

    def __str__(self) -> str:
        return f"{self.width} × {self.height} at {self.left}, {self.top}"


class Note(models.Model):
    """What moderators tell each other about a person or a case. Never shown to others; never changed."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="notes_about"
    )
    case = models.ForeignKey(Case, null=True, blank=True, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="notes_written"
    )
    at = models.DateTimeField(default=timezone.now)
    text = models.TextField(max_length=TEXT_MOST)

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(person=None, case__isnull=False) | Q(person__isnull=False, case=None),
                name="note_about_one_thing",
            )
        ]

    def __str__(self) -> str:
        return self.text[:60]
