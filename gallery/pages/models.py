"""Pages that the staff writes: About, questions, and whatever else there is to say."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.urls import resolve, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery import markdown
from gallery.donations import text_check


class PageQuerySet(models.QuerySet["Page"]):
    def published(self) -> PageQuerySet:
        return self.filter(published=True)

    def of_every_language(self) -> PageQuerySet:
        return self.filter(language="")

    def in_footer(self) -> PageQuerySet:
        """Those linked in the footer of every page, and what languages have in their place."""
        return self.published().exclude(footer_order=0, language="").order_by("footer_order", "title").defer("html")


class Page(models.Model):
    """Text at `/slug/`. `html` is rendered and made safe when the page is saved, never when it is read.

    Each has a row without a language, which says where it is. Rows with one have another title and text for whoever
    speaks it (`choosing.py`).
    """

    class Template(models.TextChoices):
        PAGE = "page", _("Page")
        END = "end", _("End: the film and the numbers above the text")

    slug = models.SlugField(
        _("address"), max_length=40, help_text=_("“about” is at /about/. Others may link to it: keep it.")
    )
    language = models.CharField(
        _("language"),
        max_length=10,
        blank=True,
        choices=settings.LANGUAGES,
        help_text=_("Empty: the page itself. Otherwise its title and text for whoever speaks this language."),
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
        constraints = [models.UniqueConstraint(fields=["slug", "language"], name="page_once_in_a_language")]

    def __str__(self) -> str:
        return f"{self.title} ({self.get_language_display()})" if self.language else self.title

    edited_by: Any = None  # who saves it; the site itself where nobody says
    lang = ""  # what its words are in, where that is not the language of the request

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Saves it, and keeps what it says as a version, if it says something new."""
        self.html = markdown.render(self.body)
        self.updated_at = timezone.now()
        if (fields := kwargs.get("update_fields")) is not None:
            kwargs["update_fields"] = {*fields, "html", "updated_at"}
        with transaction.atomic(using=kwargs.get("using")):
            moved = self._languages_elsewhere() if fields is None or "slug" in fields else []
            super().save(*args, **kwargs)
            PageVersion.objects.using(self._state.db).keep(self, self.edited_by)
            for page in moved:
                page.slug, page.edited_by = self.slug, self.edited_by
                page.save()

    def get_absolute_url(self) -> str:
        return reverse("donate") if self.slug == "donate" else reverse("page", args=[self.slug])

    def _languages_elsewhere(self) -> list[Page]:
        """Its words in other languages, where it had another address until now."""
        if self.pk is None or self.language:
            return []
        old = Page.objects.of_every_language().filter(pk=self.pk).values("slug")
        return list(Page.objects.filter(slug__in=old).exclude(language="").exclude(slug=self.slug))

    def log_facts(self) -> dict[str, Any]:
        """For the log of acts, whose chain then guards the versions too."""
        version = self.versions.first()
        return {"version": version.number, "sha256": version.sha256} if version else {}

    def clean(self) -> None:
        if self.slug and not is_free(self.slug):
            raise ValidationError({"slug": _("The site itself has something at /%(slug)s/.") % {"slug": self.slug}})
        pages = Page.objects.of_every_language()
        if self.language and self.pk and pages.filter(pk=self.pk).exists():
            raise ValidationError({"language": _("This is the page itself. Add a page for a language of it.")})
        if self.slug and self.language and not pages.exclude(pk=self.pk).filter(slug=self.slug).exists():
            raise ValidationError({"language": _("There is no page at /%(slug)s/ yet.") % {"slug": self.slug}})
        html = markdown.render(self.body)
        if why := text_check.why_not(self.body, html, bitcoin=settings.DONATE_BITCOIN, pictures=self.slug != "donate"):
            raise ValidationError({"body": why})


@receiver(post_delete, sender=Page)
def delete_languages(instance: Page, using: str, **_signal: Any) -> None:
    """A page goes with its words in every language, whoever deletes it and however."""
    if not instance.language:
        Page.objects.using(using).filter(slug=instance.slug).exclude(language="").delete()


class PageVersionQuerySet(models.QuerySet["PageVersion"]):
    def keep(self, page: Page, by: Any = None) -> None:
        """Keeps what the page says now, unless its newest version says the same."""
        last = self.filter(page=page).order_by("-number").first()
        says = {name: getattr(page, name) for name in PageVersion.SAYS}
        if last is None or any(getattr(last, name) != value for name, value in says.items()):
            self.create(page=page, by=by, number=(last.number if last else 0) + 1, **says)


class PageVersion(models.Model):
    """What a page said from `at` on, until its next version. Kept for ever, also when the page is deleted."""

    SAYS: ClassVar[tuple[str, ...]] = ("slug", "language", "title", "template", "body", "footer_order", "published")

    page = models.ForeignKey(Page, null=True, on_delete=models.SET_NULL, related_name="versions")
    number = models.PositiveIntegerField()
    at = models.DateTimeField(_("since"), default=timezone.now, db_index=True)
    by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("by"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    slug = models.SlugField(_("address"), max_length=40)
    language = models.CharField(_("language"), max_length=10, blank=True)
    title = models.CharField(max_length=120)
    template = models.CharField(max_length=8)
    body = models.TextField(_("text"), blank=True)
    footer_order = models.PositiveSmallIntegerField(_("order in the footer"), default=0)
    published = models.BooleanField(default=True)

    objects = PageVersionQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-number"]
        constraints = [models.UniqueConstraint(fields=["page", "number"], name="page_version_once")]
        verbose_name = _("version of a page")
        verbose_name_plural = _("versions of pages")

    def __str__(self) -> str:
        return f"/{self.slug}/{f' ({self.language})' if self.language else ''}, version {self.number}"

    @property
    def before(self) -> PageVersion | None:
        if self.page_id is None:
            earlier = PageVersion.objects.filter(page=None, slug=self.slug, language=self.language, pk__lt=self.pk)
        else:
            earlier = PageVersion.objects.filter(page=self.page_id, number__lt=self.number)
        return earlier.order_by("-pk").first()

    @property
    def text(self) -> str:
        """All that it says, in lines."""
        head = [f"{name}: {getattr(self, name)}" for name in self.SAYS if name != "body"]
        return "\n".join([*head, "", *self.body.splitlines()])

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def is_free(slug: str) -> bool:
    """Whether `/slug/` is a page or nothing yet, and not an address of the site's own."""
    return resolve(f"/{slug}/").url_name in ("page", "donate")
