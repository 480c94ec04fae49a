"""What the site remembers about networks beside their files: choices, styles, figures, and the long work on them.

What is installed is what the registry finds on disk (dreamer.registered); no row says so.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from canvas.models import Canvas
from dreamsite.core.tasks.jobs import BackgroundJob, JobQuerySet


class Choice(models.Model):
    """What somebody chose for a canvas to dream with; a canvas without a row follows the site (dreamer.registered)."""

    canvas = models.OneToOneField(Canvas, primary_key=True, on_delete=models.CASCADE, related_name="choice")
    network = models.CharField(_("network"), max_length=64, blank=True)  # empty: as the site does
    # Whether half of the styles are chosen at random among everything the network knows.
    surprises = models.BooleanField(_("surprises"), default=True)
    votes = models.BooleanField(_("votes"), default=True)  # whether people vote for the next style

    def __str__(self) -> str:
        return f"{self.canvas}: {self.network or _('as the site')}"


class StyleOff(models.Model):
    """A style that a canvas does not dream of by itself."""

    canvas = models.ForeignKey(Canvas, on_delete=models.CASCADE, related_name="styles_off")
    network = models.CharField(max_length=64)
    style = models.CharField(max_length=220)  # dreamer.styles.key

    class Meta:
        constraints = [models.UniqueConstraint(fields=["canvas", "network", "style"], name="style_off_once")]

    def __str__(self) -> str:
        return f"{self.canvas}: not {self.style} of {self.network}"


class StyleVote(models.Model):
    """What somebody wants a canvas to dream of next (dreamer.voting); gone with the next style."""

    canvas = models.ForeignKey(Canvas, on_delete=models.CASCADE, related_name="style_votes")
    voter = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="style_votes")
    network = models.CharField(max_length=64)
    style = models.CharField(max_length=220)  # dreamer.styles.key
    at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["canvas", "voter"], name="style_vote_one_each")]

    def __str__(self) -> str:
        return f"{self.canvas}: {self.style} of {self.network}"


class OwnStyle(models.Model):
    """A style that the staff added to a network's shelf: a channel of a layer, a whole layer, or a class."""

    network = models.CharField(max_length=64)
    layer = models.CharField(max_length=200)
    channel = models.PositiveIntegerField(null=True)  # None: the whole layer
    title = models.CharField(max_length=120)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.title} ({self.network})"


class Network(models.Model):
    """What was measured of a network; only while its file is still the one that was measured (`sha256`)."""

    name = models.CharField(primary_key=True, max_length=64)
    sha256 = models.CharField(max_length=64)
    seconds = models.FloatField()  # of a live dream
    side = models.PositiveIntegerField()  # px, the longer one of the canvas it was measured on
    device = models.CharField(max_length=8)  # cpu or cuda
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("network")
        verbose_name_plural = _("networks")

    def __str__(self) -> str:
        return self.name


class Job(BackgroundJob):
    """Long work on a network: one row for each kind and network, used again by the next request for it."""

    class Kind(models.TextChoices):
        FETCH = "fetch", _("Fetching")
        IMPORT = "import", _("Importing")
        MEASURE = "measure", _("Measuring the speed of")
        PICTURES = "pictures", _("Dreaming the styles’ pictures of")
        PREVIEW = "preview", _("Dreaming a preview with")

    kind = models.CharField(max_length=10, choices=Kind.choices)
    network = models.CharField(max_length=64)
    done = models.BigIntegerField(default=0)  # of `total`: bytes, or pictures
    total = models.BigIntegerField(default=0)  # 0: nobody knows
    options: Any = models.JSONField(default=dict)  # of this kind of work
    # Who asked for it; None is the site itself.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    objects = JobQuerySet["Job"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "network"], name="job_one_of_a_kind")]
        indexes = [models.Index(fields=["state"], condition=Q(state__in=["waiting", "running"]), name="job_open")]

    def __str__(self) -> str:
        return f"{self.kind} {self.network}: {self.state}"


class GuessQuerySet(models.QuerySet["Guess"]):
    def leading(self, canvas: Canvas) -> GuessQuerySet:
        """Those that people agreed with and that still lead this canvas' dreams, the oldest first."""
        return self.filter(canvas=canvas, dreams_left__gt=0).order_by("pk")


class Guess(models.Model):
    """What the network saw in a drawing that had come to rest (dreamer.guesses). News, not ink."""

    LEADS = 3  # dreams

    canvas = models.ForeignKey(Canvas, on_delete=models.CASCADE, related_name="guesses")
    network = models.CharField(max_length=64)
    made_at = models.DateTimeField(default=timezone.now)
    seq = models.BigIntegerField()  # the journal's number of the drawing's newest ink
    # The drawing's box, px; the last two excluded.
    left = models.PositiveSmallIntegerField()
    top = models.PositiveSmallIntegerField()
    right = models.PositiveSmallIntegerField()
    bottom = models.PositiveSmallIntegerField()
    authors: Any = models.JSONField(default=list)  # ids of those who drew it
    words: Any = models.JSONField(default=list)  # [{"number": class, "label": word, "chance": 0 to 1}], likeliest first
    chosen = models.PositiveSmallIntegerField(null=True)  # the place among `words` of the one people agreed with
    by_author = models.BooleanField(default=False)  # and whether one who drew it did
    dreams_left = models.PositiveSmallIntegerField(default=0)  # that it still leads

    objects = GuessQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "guesses"
        indexes = [
            models.Index(fields=["canvas"], condition=Q(dreams_left__gt=0), name="guess_leading"),
            models.Index(fields=["canvas", "made_at"], name="guess_time"),
        ]

    def __str__(self) -> str:
        return ", ".join(word["label"] for word in self.words)

    def choose(self, word: int, who: int) -> bool:
        """Agrees with a word; False where one who drew it has said otherwise, or nothing changes."""
        author = who in self.authors
        if self.chosen == word or (self.by_author and not author):
            return False
        open_to = Guess.objects.filter(pk=self.pk) if author else Guess.objects.filter(pk=self.pk, by_author=False)
        if not open_to.update(chosen=word, by_author=author or self.by_author, dreams_left=self.LEADS):
            return False
        self.refresh_from_db()
        return True
