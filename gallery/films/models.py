"""Films, and their music."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from canvas.models import Canvas
from dreamsite.core.tasks.jobs import JobQuerySet, State
from gallery.jobs import files
from gallery.jobs.models import FileJob

BULKY = ("chapters", "tiles")  # what only the page of one film shows
CHANGED = "What it showed has changed."  # the message of what was withdrawn, and is not made anew by itself


class Track(models.Model):
    """Music for films, with the credit that its author is owed."""

    title = models.CharField(_("title"), max_length=120)
    author = models.CharField(_("author"), max_length=120)
    licence = models.CharField(_("licence"), max_length=60, help_text=_("As CC BY 4.0; it must allow this use."))
    link = models.URLField(_("link"), blank=True, help_text=_("Where the track and its terms are found."))
    file = models.FileField(_("file"), upload_to="tracks/", max_length=200)
    seconds = models.FloatField(editable=False, default=0.0)
    for_new = models.BooleanField(_("under new films"), default=False, help_text=_("The newest such track is used."))
    added_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.title} – {self.author}"

    @property
    def credit(self) -> str:
        return _("“%(title)s” by %(author)s, %(licence)s") % {
            "title": self.title,
            "author": self.author,
            "licence": self.licence,
        }


class FilmQuerySet(JobQuerySet["Film"]):
    def public(self) -> FilmQuerySet:
        """Films of canvases that everybody may come across, and their clips; nobody's own."""
        return self.filter(canvas__listed=True, owner=None)

    def seen_by(self, person: Any) -> FilmQuerySet:
        """The public ones and those of one's own."""
        if not person.is_authenticated:
            return self.public()
        return self.filter(Q(canvas__listed=True, owner=None) | Q(owner=person, canvas__deleted_at=None))

    def whole(self) -> FilmQuerySet:
        """Films that are no clips."""
        return self.filter(shape="")

    def ready(self) -> FilmQuerySet:
        return self.public().whole().filter(state=State.DONE)

    def showing(self, canvas: Any, at: datetime) -> FilmQuerySet:
        """Films, made or not, that a frame of this canvas and moment belongs to."""
        return self.filter(canvas=canvas, starts_at__lte=at, ends_at__gt=at)


class Film(FileJob):
    """The frames of a canvas from `starts_at` up to, not with, `ends_at`."""

    class Kind(models.TextChoices):
        HOURS = "hours", _("Some hours")
        DAY = "day", _("A day")
        WHOLE = "whole", _("The whole film")
        PART = "part", _("A part")
        MINE = "mine", _("One’s own strokes")  # of its owner
        PLACE = "place", _("A place")

    class Shape(models.TextChoices):
        """Of a clip of fifteen seconds, to post."""

        SQUARE = "square", _("Square")
        UPRIGHT = "upright", _("Upright")

    canvas = models.ForeignKey(Canvas, on_delete=models.PROTECT, related_name="films")
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.WHOLE)
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("to"))
    title = models.CharField(_("title"), max_length=120, blank=True)
    description = models.TextField(_("description"), blank=True)
    drawing = models.BooleanField(_("strokes"), default=False, help_text=_("Shows how each drawing came about."))
    lossless = models.BooleanField(
        _("visually lossless"), default=False, help_text=_("Makes one more file, many times as large, to keep.")
    )
    track = models.ForeignKey(Track, null=True, blank=True, on_delete=models.SET_NULL, related_name="films")
    area: Any = models.JSONField(null=True, editable=False)  # left, top, right, bottom in px; None: all of the canvas
    shape = models.CharField(max_length=8, choices=Shape.choices, blank=True, editable=False)  # of a clip
    of = models.ForeignKey(
        "self", null=True, editable=False, on_delete=models.CASCADE, related_name="clips"
    )  # the film that this is a clip of
    # Who made it for themselves: nobody else sees it, and it goes after some weeks (gallery.films.own).
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.CASCADE, related_name="own_films"
    )
    requested_at = models.DateTimeField(default=timezone.now, editable=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )

    # What came out.
    frames = models.PositiveIntegerField(default=0, editable=False)
    first_number = models.PositiveIntegerField(null=True, editable=False)
    last_number = models.PositiveIntegerField(null=True, editable=False)
    width = models.PositiveIntegerField(default=0, editable=False)
    height = models.PositiveIntegerField(default=0, editable=False)
    fps = models.PositiveSmallIntegerField(default=24, editable=False)
    seconds = models.FloatField(default=0.0, editable=False)
    licence = models.CharField(max_length=20, blank=True, editable=False)
    credit = models.CharField(max_length=320, blank=True, editable=False)  # of the track in it
    credit_link = models.URLField(blank=True, editable=False)
    chapters: Any = models.JSONField(default=list, editable=False)  # [{"at": seconds, "title", "number"}, …]
    poster = models.FileField(max_length=200, blank=True, editable=False)
    sprite = models.FileField(max_length=200, blank=True, editable=False)
    tiles: Any = models.JSONField(default=dict, editable=False)  # gallery.films.previews.Tiles

    objects = FilmQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["canvas", "kind", "starts_at"],
                condition=Q(kind__in=["hours", "day"], shape=""),
                name="film_once",
            ),
            models.UniqueConstraint(fields=["of", "shape"], name="film_clip_once"),
            models.CheckConstraint(condition=Q(ends_at__gt=models.F("starts_at")), name="film_lasts"),
        ]
        indexes = [models.Index(fields=["state", "canvas", "starts_at"], name="film_list")]

    def __str__(self) -> str:
        return f"{self.canvas} {self.kind} {self.starts_at:%Y-%m-%d %H:%M}"

    def get_absolute_url(self) -> str:
        return reverse("film", args=[self.pk])

    @property
    def by_member(self) -> bool:
        """Whether somebody has it for themselves, or it is a clip: it is made after the others, and not by itself."""
        return self.owner_id is not None or self.shape != ""

    @property
    def turn(self) -> dict[str, bool]:
        """What staff order is made before the films of the schedule, what members order after them."""
        return {"first": self.kind in (self.Kind.PART, self.Kind.WHOLE) and not self.by_member, "last": self.by_member}

    @property
    def has_changed(self) -> bool:
        """Whether it was withdrawn since something in its picture was hidden or put back."""
        return self.state == State.CANCELLED and self.message == CHANGED

    def withdraw(self) -> None:
        published = [str(name) for name in self.files.values_list("file", flat=True)]
        files.delete_after_commit([*published, str(self.poster), str(self.sprite)])
        FilmFile.objects.filter(film=self).delete()
        Shots.objects.filter(film=self).delete()
        Film.objects.filter(pk=self.pk).update(poster="", sprite="", chapters=[], tiles={}, made_at=None)


class Shots(models.Model):
    """What a finished film shows when, where that is not plain arithmetic: with strokes, or of chosen frames."""

    film = models.OneToOneField(Film, on_delete=models.CASCADE, primary_key=True)
    packed = models.BinaryField()  # gallery.films.source.SHOT, in order
    area: Any = models.JSONField(null=True)  # what is seen of the canvas: left, top, right, bottom, px; None: all

    def __str__(self) -> str:
        return str(self.film_id)


class FilmFile(models.Model):
    """A film as one file."""

    class Codec(models.TextChoices):
        AV1 = "av1", "AV1"
        H264 = "h264", "H.264"
        LOSSLESS = "lossless", _("H.264, visually lossless")

    film = models.ForeignKey(Film, on_delete=models.CASCADE, related_name="files")
    codec = models.CharField(max_length=10, choices=Codec.choices)
    file = models.FileField(max_length=200)
    codecs = models.CharField(max_length=60)  # as in type="video/mp4; codecs=…"
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ["codec"]  # av1 before h264: a browser takes the first it can play
        constraints = [models.UniqueConstraint(fields=["film", "codec"], name="film_codec")]

    def __str__(self) -> str:
        return f"{self.film_id} {self.codec}"

    @property
    def mime(self) -> str:
        return f'video/mp4; codecs="{self.codecs}"' if self.codecs else "video/mp4"


# Rows go with their canvas, their account or the film they are a clip of, and their files with them.


@receiver(post_delete, sender=Film)
def _delete_pictures(instance: Film, **_kwargs: Any) -> None:
    files.delete_after_commit([str(instance.poster), str(instance.sprite)])


@receiver(post_delete, sender=FilmFile)
def _delete_file(instance: FilmFile, **_kwargs: Any) -> None:
    files.delete_after_commit([str(instance.file)])
