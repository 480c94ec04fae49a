"""Pictures that the staff uploaded, so that each can be found, credited and deleted."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


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

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("uploaded picture")

    def __str__(self) -> str:
        return self.title or f"{self.width} × {self.height}, {self.at:%Y-%m-%d}"
