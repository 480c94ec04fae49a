"""Pictures that the staff uploaded, so that each can be found, credited and deleted."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery.jobs import files
from gallery.uploads import pictures


class UploadManager(models.Manager["Upload"]):
    def build(self, cleaned: pictures.CleanedPicture, *, by: Any = None, title: str = "") -> Upload:
        """Stores the file; the row is the caller's to save. Cut short, it leaves a file that nothing names."""
        return Upload(
            picture=pictures.store(cleaned),
            width=cleaned.width,
            height=cleaned.height,
            size=len(cleaned.data),
            sha256=cleaned.sha256,
            title=title[:120],
            by=by,
        )

    def of_key(self, key: str) -> Upload | None:
        """The picture whose file was stored under this `key`."""
        return self.filter(picture__startswith=f"uploads/{key}.").first()


class Upload(models.Model):
    """A picture as this site made it anew from an uploaded one (gallery.uploads.pictures): no original is kept."""

    picture = models.FileField(max_length=200, editable=False)
    width = models.PositiveIntegerField(editable=False)
    height = models.PositiveIntegerField(editable=False)
    size = models.PositiveBigIntegerField(editable=False, help_text=_("Bytes of the picture's file."))
    sha256 = models.CharField(max_length=64, editable=False)
    title = models.CharField(max_length=120, blank=True, help_text=_("To find it again."))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField(default=timezone.now, editable=False)

    objects = UploadManager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("uploaded picture")

    def __str__(self) -> str:
        return self.title or f"{self.width} × {self.height}, {self.at:%Y-%m-%d}"

    @property
    def key(self) -> str:
        """Its name in addresses: the file's, which nobody can guess, so that a draft's pictures are not counted out."""
        return PurePosixPath(str(self.picture.name)).stem


@receiver(post_delete, sender=Upload)
def _delete_file(instance: Upload, **_kwargs: Any) -> None:
    """Deletes the file once the deletion of the row is committed."""
    files.delete_after_commit([str(instance.picture.name)])
