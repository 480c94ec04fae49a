"""Pages that the staff writes: About, questions, and whatever else there is to say."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.urls import resolve, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery import markdown


class PageQuerySet(models.QuerySet["Page"]):
    def published(self) -> PageQuerySet:
        return self.filter(published=True)

    def in_footer(self) -> PageQuerySet:
        """Those linked in the footer of every page."""
        return self.published().exclude(footer_order=0).order_by("footer_order", "title")


class Page(models.Model):
    """Text at `/slug/`. `html` is rendered and made safe when the page is saved, never when it is read."""

    class Template(models.TextChoices):
        PAGE = "page", _("Page")
        END = "end", _("End: the film and the numbers above the text")

    slug = models.SlugField(
        _("address"), unique=True, max_length=40, help_text=_("“about” is at /about/. Others may link to it: keep it.")
    )
    title = models.CharField(max_length=120)
    template = models.CharField(max_length=8, choices=Template.choices, default=Template.PAGE)
    body = models.TextField(
        _("text"), blank=True, help_text=_("Markdown: ## heading, *emphasis*, [link](/history/), lists, tables, code.")
    )
    html = models.TextField(editable=False, blank=True)
    footer_order = models.PositiveSmallIntegerField(
        _("order in the footer"), default=0, help_text=_("Every page links to it, in this order; 0: no link.")
    )
    published = models.BooleanField(default=True, help_text=_("Otherwise only the staff can read it."))
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = PageQuerySet.as_manager()

    class Meta:
        ordering = ["footer_order", "title"]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.html = markdown.render(self.body)
        self.updated_at = timezone.now()
        if (fields := kwargs.get("update_fields")) is not None:
            kwargs["update_fields"] = {*fields, "html", "updated_at"}
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("donate") if self.slug == "donate" else reverse("page", args=[self.slug])

    def clean(self) -> None:
        if self.slug and not is_free(self.slug):
            raise ValidationError({"slug": _("The site itself has something at /%(slug)s/.") % {"slug": self.slug}})


def is_free(slug: str) -> bool:
    """Whether `/slug/` is a page or nothing yet, and not an address of the site's own."""
    return resolve(f"/{slug}/").url_name in ("page", "donate")
