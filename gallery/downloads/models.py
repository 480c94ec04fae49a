"""Downloads of days."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from canvas.models import Canvas
from dreamsite.core.tasks.jobs import JobQuerySet
from gallery.jobs import files
from gallery.jobs.models import FileJob


class Download(FileJob):
    """A day of a canvas (UTC), as one file to download."""

    class Kind(models.TextChoices):
        FRAMES = "frames", _("All frames")
        STROKES = "strokes", _("All strokes")

    canvas = models.ForeignKey(Canvas, on_delete=models.PROTECT, related_name="downloads")
    day = models.DateField()
    kind = models.CharField(max_length=8, choices=Kind.choices)
    file = models.FileField(max_length=200, blank=True, editable=False)
    size = models.PositiveBigIntegerField(default=0, editable=False)
    sha256 = models.CharField(max_length=64, blank=True, editable=False)
    count = models.PositiveIntegerField(default=0, editable=False)  # frames or strokes in it

    objects = JobQuerySet["Download"].as_manager()

    class Meta:
        ordering = ["-day", "kind"]
        constraints = [models.UniqueConstraint(fields=["canvas", "day", "kind"], name="download_once")]

    def __str__(self) -> str:
        return f"{self.canvas} {self.day} {self.kind}"

    @property
    def filename(self) -> str:
        return f"dreamsite-{self.canvas.file_name}-{self.day:%Y-%m-%d}-{self.kind}.zip"

    def withdraw(self) -> None:
        files.delete_after_commit([str(self.file)])
        Download.objects.filter(pk=self.pk).update(file="", size=0, sha256="", count=0, made_at=None)
