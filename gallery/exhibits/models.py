"""Exhibits: pictures that somebody on the staff chose and put in order, with text."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from canvas.models import Frame
from gallery import markdown
from gallery.studio.models import BULKY, BULKY_ORIGINAL
from gallery.uploads.models import Upload


class ExhibitQuerySet(models.QuerySet["Exhibit"]):
    def published(self) -> ExhibitQuerySet:
        return self.filter(published_at__lte=timezone.now())

    def with_pictures(self) -> ExhibitQuerySet:
        sides = (
            *("before_frame__canvas", "after_frame__canvas", "before_upload", "after_upload"),
            *("after_work__owner", "after_work__original"),
        )
        bulky = ["after_frame__recipe", "before_frame__recipe", *(f"after_work__{name}" for name in BULKY)]
        bulky += [f"after_work__original__{name}" for name in BULKY_ORIGINAL]
        pictures = Picture.objects.select_related(*sides).defer(*bulky)
        return self.select_related("curator").prefetch_related(models.Prefetch("pictures", pictures))


class Exhibit(models.Model):
    title = models.CharField(max_length=120)
    slug = models.SlugField(_("address"), unique=True, max_length=60)
    statement = models.TextField(blank=True, help_text=_("Markdown: what is shown, how it was made, whom to thank."))
    statement_html = models.TextField(editable=False, blank=True)
    curator = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="exhibits"
    )
    published_at = models.DateTimeField(
        _("opens at"), null=True, blank=True, help_text=_("UTC. Empty: a draft, which only the staff can see.")
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ExhibitQuerySet.as_manager()

    class Meta:
        ordering = [models.F("published_at").desc(nulls_first=True), "-pk"]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.statement_html = markdown.render(self.statement)
        if (fields := kwargs.get("update_fields")) is not None:
            kwargs["update_fields"] = {*fields, "statement_html"}
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("exhibit", args=[self.slug])

    @property
    def open(self) -> bool:
        return self.published_at is not None and self.published_at <= timezone.now()


class Picture(models.Model):
    """One item: a picture and, if there is one, what it looked like before."""

    exhibit = models.ForeignKey(Exhibit, on_delete=models.CASCADE, related_name="pictures")
    position = models.PositiveIntegerField(default=0)
    # At most one of each pair. Frames are never deleted; the item of a hidden one is not shown.
    after_frame = models.ForeignKey(Frame, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    after_upload = models.ForeignKey(Upload, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    # A dream of the studio that its maker proposed, with its picture from before where the maker shows that. Whatever
    # becomes of the dream (hidden, taken back, deleted) becomes of the item.
    after_work = models.ForeignKey(
        "gallery.Work", null=True, blank=True, editable=False, on_delete=models.CASCADE, related_name="hung"
    )
    before_frame = models.ForeignKey(Frame, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    before_upload = models.ForeignKey(Upload, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    before_drawing = models.BooleanField(
        _("before: what was drawn"), default=False, help_text=_("The drawing that the frame after was dreamed of.")
    )
    caption = models.CharField(max_length=300, blank=True)
    credit = models.CharField(max_length=200, blank=True, help_text=_("Who made it, where it is from, its licence."))

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.caption or f"{self.position}"
