"""What the canvas is made of: its size, its journal, the frames that took the journal in, and the dream in progress."""

from __future__ import annotations

import secrets
import string
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from canvas import limits
from dreamsite.core import appearance

SLUG_LENGTH = 32
_SLUG_LETTERS = string.ascii_lowercase + string.digits


def secret_slug() -> str:
    """An address that nobody can guess: 32 letters and digits, 165 bits.

    One letter at least is no hexadecimal digit: by that dreamsite.logs tells it from the sum of a file, and masks it.
    """
    while True:
        slug = "".join(secrets.choice(_SLUG_LETTERS) for _ in range(SLUG_LENGTH))
        if not set(slug) <= set(string.hexdigits):
            return slug


OWN = models.Q(maker=None, by_member=False)


class CanvasQuerySet(models.QuerySet["Canvas"]):
    def default(self) -> Canvas:
        """The canvas at `/`; made on the first call."""
        return self.get_or_create(slug=settings.CANVAS_SLUG, defaults={"title": appearance.current().name})[0]

    def existing(self) -> CanvasQuerySet:
        """Those that were not deleted. Whatever opens a canvas by its address looks here."""
        return self.filter(deleted_at=None)

    def listed(self) -> CanvasQuerySet:
        """Those that lists, feeds, the sitemap and other people's pages may name; the others have their link only."""
        return self.filter(listed=True)

    def own(self) -> CanvasQuerySet:
        """The site's own."""
        return self.filter(OWN)

    def own_first(self) -> CanvasQuerySet:
        """The site's own before what members made, each by its newest picture."""
        theirs = models.Case(models.When(OWN, then=0), default=1)
        return self.order_by(theirs, models.F("frame__made_at").desc(nulls_last=True), "pk")

    def current(self) -> CanvasQuerySet:
        """Those that are not put away in the archive."""
        return self.filter(archived_at=None)

    def made_by(self, person: Any) -> CanvasQuerySet:
        return self.existing().filter(maker=person)

    def lock(self, pk: int) -> Canvas:
        """The canvas and its base, locked until the transaction's end. Always before the canvas' Dream."""
        return self.select_for_update(of=("self",)).select_related("frame").get(pk=pk)


def default_side() -> int:
    return int(settings.CANVAS_SIZE)


class Canvas(models.Model):
    slug = models.SlugField(unique=True, max_length=40)
    title = models.CharField(max_length=80)
    width = models.PositiveIntegerField(
        default=default_side,
        validators=[MinValueValidator(limits.MIN_SIDE), MaxValueValidator(limits.MAX_SIDE)],
    )
    height = models.PositiveIntegerField(
        default=default_side,
        validators=[MinValueValidator(limits.MIN_SIDE), MaxValueValidator(limits.MAX_SIDE)],
    )
    background = models.CharField(
        max_length=7,
        default="#ffffff",
        validators=[RegexValidator(r"^#[0-9a-f]{6}$", _("A colour like #ffffff."))],
    )
    # What a dream grows out of (dreamer.engine.Recipe has fields of these names).
    front = models.FloatField(
        _("growth front"),
        default=0.125,
        validators=[MinValueValidator(0), MaxValueValidator(2)],
        help_text=_("How far from new ink a dream works, as a share of the shorter side. 0: the whole canvas at once."),
    )
    growth = models.FloatField(
        _("growth"),
        default=0.08,
        validators=[MinValueValidator(0), MaxValueValidator(2)],
        help_text=_("How much further the front comes with each dream, as a share of the shorter side."),
    )
    hold = models.FloatField(
        _("hold"),
        default=0.9,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text=_("How much of its place, tone and colour new ink keeps in a dream: 0 nothing, 1 all. It fades."),
    )
    rhythm = models.FloatField(
        _("rhythm"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(86_400)],
        help_text=_("Seconds from dream to dream. Empty: as the whole site."),
    )
    # Whose canvas it is; nobody's where it is the site's own, or its maker has left: `own` tells which.
    maker: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="canvases"
    )
    by_member = models.BooleanField(default=False, editable=False)  # it stays a member's when that member leaves
    # Where not, the address is all there is to know it by, and nobody can guess it.
    listed = models.BooleanField(
        _("listed"), default=True, help_text=_("Everybody finds it. Otherwise only those who have its link see it.")
    )
    listing_asked_at = models.DateTimeField(null=True, blank=True, editable=False)  # its maker waits for a yes
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True, help_text=_("Nobody draws here any more."))
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True)  # closed for good; its history stays
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)  # gone for everybody, and purged later
    # A canvas that begins anew each day: what people draw on are its days, canvases of their own.
    daily = models.BooleanField(
        _("daily"), default=False, help_text=_("It begins anew each day; each day goes to the archive.")
    )
    day_of = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="days"
    )
    day = models.DateField(null=True, blank=True, editable=False)
    # The journal's last number. Locking this row is what makes numbers gapless and in commit order.
    head = models.BigIntegerField(default=0, editable=False)
    # The newest frame that counts: the base of the canvas as everybody sees it.
    frame = models.ForeignKey("Frame", null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    visibility = models.PositiveIntegerField(default=0, editable=False)  # counts frames hidden, shown or thinned
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = CanvasQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "canvases"
        constraints = [
            models.UniqueConstraint(fields=["day_of", "day"], name="canvas_day"),
            models.CheckConstraint(
                condition=models.Q(archived_at=None) | ~models.Q(closed_at=None), name="canvas_archived_is_closed"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        if self.slug == settings.CANVAS_SLUG:
            return reverse("canvas")
        return reverse("canvas", args=[self.slug])

    @property
    def own(self) -> bool:
        """Whether it is the site's own."""
        return self.maker_id is None and not self.by_member

    @property
    def key(self) -> str:
        """The query string that opens a page about something of a canvas that is not listed; "" for a listed one."""
        return "" if self.listed else f"?canvas={self.slug}"

    @property
    def file_name(self) -> str:
        """What names of folders and files call it: no picture that is sent around hands on the key of its canvas."""
        return self.slug if self.listed else str(self.pk)

    def known_to(self, person: Any) -> bool:
        """Whether a list of somebody's own things may name it: who was thrown out is not told its new address."""
        return self.deleted_at is None and (self.listed or (self.maker_id is not None and self.maker_id == person.pk))

    @property
    def new_ink(self) -> bool:
        """Whether the journal goes on after the base."""
        return self.head > (self.frame.seq if self.frame else 0)

    @property
    def interval(self) -> float:
        """Seconds from dream to dream."""
        return self.rhythm or float(settings.DREAM_INTERVAL)

    @property
    def background_rgb(self) -> tuple[int, int, int]:
        red, green, blue = bytes.fromhex(self.background[1:])
        return red, green, blue


class Batch(models.Model):
    """What one web process gathered in one tick: operations `first` to `last`, as they went over the wire."""

    canvas = models.ForeignKey(Canvas, on_delete=models.CASCADE, related_name="batches")
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    at = models.DateTimeField()
    payload = models.BinaryField()  # encoded operations, docs/protocol.md

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["canvas", "first"], name="batch_first"),
            models.CheckConstraint(condition=models.Q(last__gte=models.F("first")), name="batch_not_empty"),
        ]
        indexes = [models.Index(fields=["canvas", "last"]), models.Index(fields=["canvas", "at"])]

    def __str__(self) -> str:
        return f"{self.first}–{self.last}"


class FrameQuerySet(models.QuerySet["Frame"]):
    def visible(self) -> FrameQuerySet:
        return self.filter(hidden_at=None)

    def public(self) -> FrameQuerySet:
        """The visible ones of listed canvases: what everybody may come across."""
        return self.visible().filter(canvas__listed=True)

    def whole(self) -> FrameQuerySet:
        """Those that still have their large picture (gallery/space)."""
        return self.filter(thinned_at=None)

    def dreams(self) -> FrameQuerySet:
        return self.filter(kind=Frame.Kind.DREAM)

    def with_people(self) -> FrameQuerySet:
        return self.select_related("canvas").prefetch_related("contributors")


class Frame(models.Model):
    """The canvas at one moment, as a picture: everything up to operation `seq` is in it."""

    class Kind(models.TextChoices):
        DREAM = "dream", _("Dream")
        CHECKPOINT = "checkpoint", _("Drawing")  # taken without a dream, so that the journal's tail stays short
        RESTORED = "restored", _("Restored")  # an earlier picture put back by a moderator (canvas.moderation.rollback)

    canvas = models.ForeignKey(Canvas, on_delete=models.PROTECT, related_name="frames")
    number = models.PositiveIntegerField(help_text=_("Counts from 1 within the canvas, without gaps."))
    seq = models.BigIntegerField()
    # What the canvas started from when this was made; empty for the first.
    base = models.ForeignKey("self", null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.DREAM)
    made_at = models.DateTimeField(default=timezone.now, db_index=True)
    picture = models.FileField(max_length=200)
    thumbnail = models.FileField(max_length=200)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    size = models.PositiveBigIntegerField(help_text=_("Bytes of the picture's file."))
    sha256 = models.CharField(max_length=64)
    # The same of the thumbnail's, so that no page need read it; 0 where nobody measured it.
    thumbnail_size = models.PositiveIntegerField(default=0)
    thumbnail_sha256 = models.CharField(max_length=64, blank=True)
    recipe = models.JSONField(default=dict, blank=True)  # dreamer.engine.Recipe, plus device; empty for a checkpoint
    title = models.CharField(max_length=120, blank=True)  # what the network was dreaming of
    seconds = models.FloatField(default=0.0, help_text=_("How long the dream took."))
    device = models.CharField(max_length=8, blank=True)  # cpu, cuda or openvino
    contributors = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="frames", blank=True)
    hidden_at = models.DateTimeField(null=True, blank=True)
    # Since when `picture`, its size and its sides are the thumbnail's: the large one was given up.
    thinned_at = models.DateTimeField(null=True, blank=True)

    objects = FrameQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["canvas", "number"], name="frame_number")]
        indexes = [
            models.Index(fields=["canvas", "seq", "number"], name="frame_seq"),  # the first frame with a stroke in it
            models.Index(fields=["canvas", "made_at", "number"]),
        ]

    def __str__(self) -> str:
        return f"{self.canvas} {self.number}"

    def get_absolute_url(self) -> str:
        return reverse("frame", args=[self.pk]) + self.canvas.key


class Growth(models.Model):
    """How long ago ink fell on each part of a frame, as `canvas.growth` packs it: what the next dream grows out of."""

    frame = models.OneToOneField(Frame, primary_key=True, on_delete=models.CASCADE, related_name="growth")
    packed = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.frame}"


class Dream(models.Model):
    """A canvas' dreamer: the lease it holds, and what it is doing, as everybody may see it."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DREAMING = "dreaming"
        RESTING = "resting"
        NO_MODEL = "no-model"
        PAUSED = "paused"
        FAILED = "failed"

    canvas = models.OneToOneField(Canvas, primary_key=True, on_delete=models.CASCADE, related_name="dream")
    # The lease: a random name of the process that holds it, and until when if it says nothing more.
    holder = models.CharField(max_length=32, blank=True)
    expires_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    message = models.CharField(max_length=300, blank=True)
    position = models.BigIntegerField(default=0)  # ink up to here is being dreamed, or has been
    fraction = models.FloatField(default=0.0)
    octave = models.PositiveSmallIntegerField(default=0)
    octaves = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    missed = models.PositiveIntegerField(default=0)  # dreams that were due while another still ran
    device = models.CharField(max_length=8, blank=True)
    style: Any = models.JSONField(default=dict)  # {"model", "layer", "channel", "title"}
    style_until = models.DateTimeField(null=True)
    # What people ask for, obeyed by whoever holds the lease.
    style_wanted = models.BooleanField(default=False)
    style_named: Any = models.JSONField(null=True, default=None)  # a style to dream of next; see `style`
    paused = models.BooleanField(default=False)
    # What the network sees in the newest drawing (dreamer.guesses.listening.news), and until when browsers show it.
    guess: Any = models.JSONField(null=True, default=None)
    # What people want next, as far as they have voted (dreamer.voting): {"title", "votes"}.
    coming: Any = models.JSONField(null=True, default=None)
    # A better network that is being fetched, and will dream here then: {"title", "fraction"}; None: there is none.
    arriving: Any = models.JSONField(null=True, default=None)

    def __str__(self) -> str:
        return f"{self.canvas}: {self.state}"

    def held(self, now: datetime) -> bool:
        return bool(self.holder and self.expires_at and self.expires_at > now)
