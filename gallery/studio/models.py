"""Pictures and videos that people upload to the studio, and what is dreamed on them."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Q
from django.db.models.signals import post_delete, pre_delete
from django.dispatch import receiver
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from canvas.models import Frame
from dreamer.film import music
from dreamer.film.music import Credit
from dreamsite.core.tasks.jobs import OPEN, BackgroundJob, JobQuerySet, State
from gallery.jobs import files

DAY = timedelta(hours=24)  # in which a person's units are counted
NEWS_STAYS = timedelta(days=2)  # so long a page says that a dream is done


def new_key() -> str:
    """A name in addresses and of files that nobody can guess. None begins as an option of a command does."""
    key = secrets.token_urlsafe(12)
    return new_key() if key.startswith("-") else key


class Original(models.Model):
    """A picture somebody uploaded, re-encoded (gallery.uploads.pictures). Deleted after a week."""

    key = models.CharField(max_length=20, unique=True, default=new_key, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="studio_originals")
    picture = models.FileField(max_length=200)
    # Of a video: made anew (dreamer.video.clean), and what came out, a clean.Made; the picture is then its first one.
    video = models.FileField(max_length=200, blank=True)
    film: Any = models.JSONField(null=True)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    # As large as it came, where that is larger than `picture`: for prints alone. Pages show the other one.
    large = models.FileField(max_length=200, blank=True)
    large_width = models.PositiveIntegerField(default=0)
    large_height = models.PositiveIntegerField(default=0)
    complete = models.BooleanField(default=True)  # False: a small version; the picture itself is on its way
    keep = models.BooleanField(default=False)  # beyond the week
    is_static = models.BooleanField(default=False)  # noise of our own: a class grows from it by a recipe of its own
    created_at = models.DateTimeField(default=timezone.now)
    # The sheet: styles in the order in which they suit this picture, for each network that looked at it.
    styles: Any = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["owner", "-created_at"]), models.Index(fields=["keep", "created_at"])]

    def __str__(self) -> str:
        return f"{self.width} × {self.height}"

    def get_absolute_url(self) -> str:
        return reverse("studio_original", args=[self.key])

    @property
    def seconds(self) -> float:
        """Of a video."""
        return float(self.film["frames"] / self.film["fps"]) if self.film else 0.0

    @property
    def readings(self) -> WorkQuerySet:
        """Music for dreams of this video that came and is read, or was, the newest first."""
        return Work.objects.filter(original=self, kind=Work.Kind.MUSIC).order_by("-pk")


class Journey(models.Model):
    """A film that goes deeper and deeper into a picture: what is dreamed, and how its film is shown (dreamer.journey).

    Its key frames and films are works. Whoever made it goes where they like, one key frame after another; or it goes
    by itself, up to key frame `until`.
    """

    class Kind(models.TextChoices):
        ZOOM = "zoom", _("Deeper and deeper")
        LAYERS = "layers", _("Through the layers of the network")
        CLASSES = "classes", _("From one thing to the next")

    key = models.CharField(max_length=20, unique=True, default=new_key, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="studio_journeys")
    original = models.ForeignKey(Original, null=True, on_delete=models.SET_NULL, related_name="journeys")
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.ZOOM)
    title = models.CharField(max_length=120, blank=True)
    network = models.CharField(max_length=64)
    recipe: Any = models.JSONField()  # dreamer.engine.Recipe
    stages: Any = models.JSONField()  # targets, one after another
    each = models.PositiveIntegerField()  # key frames of each
    zoom = models.FloatField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()

    fps = models.PositiveIntegerField(default=24)
    seconds = models.FloatField(default=2.5)  # from one key frame to the next
    loop = models.BooleanField(default=False)
    follow = models.BooleanField(default=False)  # the dream's strength follows the music's loudness

    until = models.PositiveIntegerField(default=0)  # the key frame up to which it goes by itself
    film_next = models.BooleanField(default=False)  # its film is made as soon as it is there
    reserved = models.FloatField(default=0.0)  # what that will cost, beside the works that are rows already
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["owner", "-created_at"])]

    def __str__(self) -> str:
        return self.title or self.key

    def get_absolute_url(self) -> str:
        return reverse("studio_journey", args=[self.key])

    @property
    def key_frames(self) -> WorkQuerySet:
        """Its key frames, made and to be made, in their order."""
        return Work.objects.filter(journey=self, kind=Work.Kind.KEY_FRAME).order_by("number")

    @property
    def films(self) -> WorkQuerySet:
        """Its films, made and to be made, the newest first."""
        return Work.objects.filter(journey=self, kind=Work.Kind.FILM).order_by("-pk")

    @property
    def readings(self) -> WorkQuerySet:
        """Music that came and is read, or was, the newest first. What was sent of its credit is the recipe."""
        return Work.objects.filter(journey=self, kind=Work.Kind.MUSIC).order_by("-pk")

    def forget(self) -> None:
        """Deletes it and its key frames; films that are made stay."""
        self.films.filter(state=State.DONE).update(journey=None)
        self.delete()


class Music(models.Model):
    """What is heard under a journey's film, or under dreams of a video, made anew from what was uploaded
    (dreamer.film.music), and its credit. It goes with the one it belongs to."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    journey = models.OneToOneField(Journey, null=True, on_delete=models.CASCADE, related_name="music")
    original = models.OneToOneField(Original, null=True, on_delete=models.CASCADE, related_name="music")
    file = models.FileField(max_length=200)
    seconds = models.FloatField()
    loudness: Any = models.JSONField()  # 0 to 1, of each tenth of a second
    title = models.CharField(max_length=120)
    author = models.CharField(max_length=120)
    licence = models.CharField(max_length=60)
    link = models.URLField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(journey=None, original__isnull=False) | Q(journey__isnull=False, original=None),
                name="studio_music_of_one",
            )
        ]

    def __str__(self) -> str:
        return self.credit.words

    @classmethod
    def of(cls, found: Journey | Original | None) -> Music | None:
        """The music of a journey or of a video; None where it has none."""
        if found is None or found.pk is None:
            return None
        return cls.objects.filter(**{type(found).__name__.lower(): found}).first()

    @property
    def credit(self) -> Credit:
        return Credit(self.title, self.author, self.licence, self.link)

    @property
    def sound(self) -> music.Music:
        return music.Music(self.seconds, tuple(self.loudness))


# What only the page of one work, or its worker, reads: up to a megabyte of each row.
BULKY = ("mask", "growing", "pieces", "recipe", "seen")
BULKY_ORIGINAL = ("styles", "film")


class WorkQuerySet(JobQuerySet["Work"]):
    def light(self) -> WorkQuerySet:
        """For lists: without BULKY columns."""
        return self.defer(*BULKY)

    def ended(self) -> WorkQuerySet:
        """What nobody will go on with."""
        return self.exclude(state__in=OPEN)

    def arriving(self) -> WorkQuerySet:
        """What is to be read, and is not stored yet: nobody takes it up."""
        return self.filter(state=State.WAITING, kind__in=Work.READS, upload="")

    def dreams(self) -> WorkQuerySet:
        """What people dream to keep or to show: pictures and films, not what was only tried."""
        return self.filter(kind__in=Work.KEPT)

    def unseen(self, user: Any) -> WorkQuerySet:
        """This person's dreams that ended lately, and whose end this person has not seen."""
        ended = Q(state__in=(State.DONE, State.FAILED), finished_at__gte=timezone.now() - NEWS_STAYS)
        return self.dreams().filter(ended, owner=user, seen_at=None)

    def mark_seen(self) -> None:
        self.filter(seen_at=None).update(seen_at=timezone.now())

    def proposed(self) -> WorkQuerySet:
        """What curators may hang: shown to everybody, proposed by its maker, and not decided yet."""
        return self.published().filter(proposed_at__isnull=False, declined_at=None, hung=None).order_by("proposed_at")

    def published(self) -> WorkQuerySet:
        """What everybody may see, the newest first."""
        shown = self.filter(published_at__lte=timezone.now(), hidden_at=None, state=State.DONE)
        return shown.select_related("owner").light().order_by("-published_at")


class Work(BackgroundJob):
    """A dream that somebody asked for, or a step of it, and the job that makes it."""

    class Kind(models.TextChoices):
        SHEET = "sheet", _("Styles that suit the picture")
        SKETCH = "sketch", _("A style tried, small")
        PREVIEW = "preview", _("A preview")
        DREAM = "dream", _("A dream")
        LESSON = "lesson", _("What the network sees in the picture")
        STEP = "step", _("What one layer makes of it")
        READ = "read", _("A video that is read")
        VIDEO = "video", _("A dreamed video")
        KEY_FRAME = "keyframe", _("A key frame of a journey")
        FILM = "film", _("A journey")
        PRINT = "print", _("A dream as large as the picture came")
        MUSIC = "music", _("Music")

    class Sound(models.TextChoices):
        OWN = "own", _("The video’s own")
        MUSIC = "music", _("Music instead")
        NONE = "none", _("None")

    KEPT = (Kind.DREAM, Kind.VIDEO, Kind.FILM)
    READS = (Kind.READ, Kind.MUSIC)  # files that people sent, which the worker opens
    FILES = ("picture", "thumbnail", "gif", "mp4", "strip")  # columns that name what came out

    key = models.CharField(max_length=20, unique=True, default=new_key, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="studio_works")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    # What it is dreamed on: at most one. Neither: the recipe begins with noise.
    original = models.ForeignKey(Original, null=True, on_delete=models.SET_NULL, related_name="works")
    frame = models.ForeignKey(Frame, null=True, on_delete=models.PROTECT, related_name="+")

    # Of a print: the dream that it is a large version of.
    of = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="prints")

    # Where it may work: a painted PNG, white where it may, black where the picture stays. None: everywhere.
    mask = models.BinaryField(null=True)
    # The picture whose features it dreams of, where the recipe's target has a guide.
    guide = models.ForeignKey(Original, null=True, on_delete=models.SET_NULL, related_name="+")

    network = models.CharField(max_length=64)
    title = models.CharField(max_length=120, blank=True)  # the style's
    recipe: Any = models.JSONField(default=dict)  # dreamer.engine.Recipe
    units = models.FloatField(default=0.0)  # what it costs, in millions of pixels times steps (gallery.studio.cost)

    # Of a key frame or a film: its journey. A key frame has a number, from 0, and may know where the next one lies.
    journey = models.ForeignKey(Journey, null=True, on_delete=models.CASCADE, related_name="works")
    number = models.PositiveIntegerField(null=True)
    towards: Any = models.JSONField(null=True)  # [x, y, zoom]: dreamer.journey.path.Waypoint
    credit = models.CharField(max_length=320, blank=True)  # of the music in a film or a video
    credit_link = models.URLField(blank=True)

    # Of a video: what is heard, and whether the dream's strength follows the music's loudness.
    sound = models.CharField(max_length=5, choices=Sound.choices, default=Sound.OWN)
    follow = models.BooleanField(default=False)

    # Of a lesson: what the network takes the picture for, before or after it was dreamed on: [[label, chance], ...].
    seen: Any = models.JSONField(default=list)
    growing = models.BinaryField(null=True)  # a small JPEG of it while it is dreamed
    seconds = models.FloatField(default=0.0)

    # Of what is read: the file as it came, until it is read. No address leads to it.
    upload = models.FileField(max_length=200, blank=True)
    # Of a film under way: its stored segments (gallery.studio.pieces).
    pieces: Any = models.JSONField(default=dict)
    passing = models.BooleanField(default=False)  # there may be something of both

    picture = models.FileField(max_length=200, blank=True)
    thumbnail = models.FileField(max_length=200, blank=True)
    gif = models.FileField(max_length=200, blank=True)
    as_png = models.BooleanField(default=False)  # of a print: its picture is a PNG, else a JPEG
    mp4 = models.FileField(max_length=200, blank=True)
    strip = models.FileField(max_length=200, blank=True)  # its steps, small, from left to right
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)

    caption = models.CharField(max_length=120, blank=True)
    licence = models.CharField(max_length=40, blank=True)
    show_before = models.BooleanField(default=False)
    requested_at = models.DateTimeField(null=True)  # when its maker asked to show it to everybody
    proposed_at = models.DateTimeField(null=True)  # when its maker proposed it for an exhibit
    declined_at = models.DateTimeField(null=True)  # by a curator
    published_at = models.DateTimeField(null=True)
    hidden_at = models.DateTimeField(null=True)  # by a moderator

    created_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(null=True)  # when its maker saw how it ended

    objects = WorkQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["state"], condition=Q(state__in=["waiting", "running"]), name="studio_open"),
            models.Index(fields=["passing"], condition=Q(passing=True), name="studio_passing"),
            models.Index(fields=["owner", "kind", "-created_at"], name="studio_mine"),
            models.Index(fields=["owner", "finished_at"], condition=Q(seen_at=None), name="studio_unseen"),
            models.Index(fields=["published_at"], condition=Q(published_at__isnull=False), name="studio_public"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["journey", "number"], condition=Q(number__isnull=False), name="studio_key_frame_once"
            )
        ]

    def __str__(self) -> str:
        return self.caption or self.title or self.key

    def get_absolute_url(self) -> str:
        return reverse("studio_work", args=[self.key])

    @property
    def files(self) -> list[Any]:
        return [file for column in self.FILES if (file := getattr(self, column))]

    @property
    def piece_names(self) -> list[str]:
        """The stored files of its segments."""
        return [name for saved in self.pieces.get("segments", {}).values() for name in saved.values()]

    @property
    def passing_files(self) -> list[str]:
        """What is stored of it only until it has ended."""
        return [*([str(self.upload.name)] if self.upload else []), *self.piece_names]


class Spent(models.Model):
    """What was made of a work that its maker has deleted since cost: the units of a day are not given back."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    units = models.FloatField()
    at = models.DateTimeField()  # when the work was asked for

    class Meta:
        indexes = [models.Index(fields=["owner", "at"])]

    def __str__(self) -> str:
        return f"{self.units:.1f}"


class Proposal(Work):
    """A dream proposed for an exhibit, as curators see it in the administration."""

    class Meta:
        proxy = True
        verbose_name = _("proposed dream")


@receiver(post_delete, sender=Original)
def _delete_original(instance: Original, **_kwargs: Any) -> None:
    files.delete_after_commit(str(file.name) for file in (instance.picture, instance.large, instance.video) if file)


@receiver(pre_delete, sender=Work)
def _lock_work(instance: Work, **_kwargs: Any) -> None:
    """A worker may have ended it since it was read: what goes with it are its files, and its price, of now."""
    now = Work.objects.select_for_update().filter(pk=instance.pk).first()
    if now is not None:
        for column in (*Work.FILES, "upload", "pieces", "state", "units", "fraction"):
            setattr(instance, column, getattr(now, column))


@receiver(post_delete, sender=Work)
def _delete_work(instance: Work, origin: Any = None, **_kwargs: Any) -> None:
    whole_account = getattr(origin, "model", type(origin)) is get_user_model()
    part = {State.DONE: 1.0, State.FAILED: 0.0}.get(State(instance.state), instance.fraction)
    if part > 0 and instance.created_at > timezone.now() - DAY and not whole_account:
        Spent.objects.create(owner_id=instance.owner_id, units=instance.units * part, at=instance.created_at)
    files.delete_after_commit([*(str(file.name) for file in instance.files), *instance.passing_files])


@receiver(post_delete, sender=Music)
def _delete_music(instance: Music, **_kwargs: Any) -> None:
    files.delete_after_commit([str(instance.file.name)])
