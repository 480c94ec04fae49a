"""Who has an account, and what the site remembers about itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import ValidationError
from django.core.validators import MinLengthValidator, RegexValidator
from django.db import connection, models, transaction
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dreamsite.core import names
from dreamsite.core.signals import project_changed
from dreamsite.core.tasks.models import WorkerHeartbeat as WorkerHeartbeat

USERNAME_MIN = 2
USERNAME_MAX = 24  # names stand beside the ink and in the slim bar: longer ones do not fit a phone


TAKEN = _("Somebody has this name already, or one that looks like it.")


class Users(UserManager["User"]):
    def looking_like(self, name: str) -> models.QuerySet[User]:
        """Who has this name, or one that could be taken for it: at most one."""
        return self.filter(skeleton=names.skeleton(name))


class User(AbstractUser):
    """An account. Its name is public: it stands in the history beside every frame it drew on."""

    # One alphabet on purpose: names that look alike but differ ("аnna") would let people pose as each other.
    username = models.CharField(
        _("username"),
        max_length=USERNAME_MAX,
        unique=True,
        help_text=_("2 to 24 letters, digits, dots, dashes or underscores. Everybody sees it."),
        validators=[
            MinLengthValidator(USERNAME_MIN),
            RegexValidator(
                r"\A[A-Za-z0-9][A-Za-z0-9._-]*\Z",
                _("Use letters, digits, dots, dashes and underscores, beginning with a letter or a digit."),
            ),
        ],
        error_messages={"unique": _("Somebody has this name already.")},
    )

    # No two names look alike: `boss_` beside `boss` would speak for somebody else.
    skeleton = models.CharField(max_length=USERNAME_MAX, unique=True, editable=False)
    # Drew before signing up: a made-up name and a browser's session (dreamsite.accounts.guests).
    guest = models.BooleanField(_("guest"), default=False, editable=False)

    # In which they are written to, and which signing in brings to a browser; empty: never asked.
    language = models.CharField(_("language"), max_length=10, blank=True, editable=False)

    # Leaving: when what the site knows of them is to be scrubbed, unless they sign in before; and when it was.
    closes_at = models.DateTimeField(_("closes at"), null=True, blank=True, editable=False, db_index=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True, editable=False)

    objects: ClassVar[Users] = Users()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("username"),
                name="user_username_any_case",
                violation_error_message=_("Somebody has this name already."),
            )
        ]

    def clean(self) -> None:
        super().clean()
        if User.objects.looking_like(self.username).exclude(pk=self.pk).exists():
            raise ValidationError(TAKEN)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.skeleton = names.skeleton(self.username)
        if "username" in (fields := kwargs.get("update_fields") or ()):
            kwargs["update_fields"] = {*fields, "skeleton"}
        super().save(*args, **kwargs)

    def is_last_owner(self) -> bool:
        """Whether nobody else here is an owner: without one, nobody could ever give rights again.

        In a transaction those who ask at the same time wait for each other: two owners do not leave both.
        """
        owners = User.objects.filter(is_superuser=True, is_active=True, closes_at=None, closed_at=None).order_by("pk")
        if connection.in_atomic_block:
            owners = owners.select_for_update()
        return [owner.pk for owner in owners] == [self.pk]

    def get_absolute_url(self) -> str:
        return reverse("person", args=[self.username])


class Appearance(models.Model):
    """The one row (id 1) of what the site is called and how it looks; `dreamsite.core.appearance` reads it."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(
        _("name"),
        max_length=40,
        default="Dreamsite",
        help_text=_("Stands at the top of every page, and where it is shared."),
    )
    accent = models.CharField(
        _("colour"),
        max_length=7,
        blank=True,
        validators=[RegexValidator(r"\A#[0-9a-f]{6}\Z", _("Write a colour like #f2bd8d."))],
        help_text=_(
            "Of buttons and links. It is made lighter or darker where it could not be read. Empty: the site’s own."
        ),
    )
    # A PNG of at most appearance.LOGO_BYTES: it belongs in backups, and on pages shown while the storage is away.
    logo = models.BinaryField(default=b"", blank=True, editable=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="appearance_one_row")]
        verbose_name = verbose_name_plural = _("name and look")

    def __str__(self) -> str:
        return self.name


class SiteState(models.Model):
    """The one row (id 1) of what the site remembers about itself."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    claimed_at = models.DateTimeField(null=True, blank=True)
    # The project's last moment: from then on no ink is taken anywhere, and the history stays.
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    # When `manage.py backup` last came to its end, and which of the first steps the owner does without.
    backed_up_at = models.DateTimeField(null=True, blank=True, editable=False)
    steps_skipped = models.JSONField(default=list, blank=True, editable=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="sitestate_one_row")]
        verbose_name = verbose_name_plural = _("the project and its end")

    def __str__(self) -> str:
        return f"claimed {self.claimed_at:%Y-%m-%d %H:%M} UTC" if self.claimed_at else "unclaimed"

    @classmethod
    def ended(cls) -> bool:
        """Whether the project has ended."""
        return cls.objects.filter(id=1, ended_at__lte=timezone.now()).exists()

    @classmethod
    def end(cls, at: datetime | None) -> None:
        """Ends the project at a moment, or (None) opens it again; every process acts on it within a second."""
        cls.objects.update_or_create(id=1, defaults={"ended_at": at})
        transaction.on_commit(lambda: project_changed.send(cls))
