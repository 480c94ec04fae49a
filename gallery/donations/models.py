"""Income and costs, as the staff records them. It may stay empty."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Money:
    amount: Decimal
    currency: str

    def __str__(self) -> str:
        # As much as is there, at least cents: 0.00120000 BTC is 0.0012, 5 EUR is 5.00.
        exponent = self.amount.normalize().as_tuple().exponent
        places = min(max(2, -int(exponent)), 8)
        return f"{self.amount:,.{places}f} {self.currency}"


class LedgerEntry(models.Model):
    """One line of the ledger. Amounts keep eight places, as bitcoin has."""

    class Kind(models.TextChoices):
        GIFT = "gift", _("Gift")
        COST = "cost", _("Cost")

    day = models.DateField(default=timezone.localdate)
    kind = models.CharField(max_length=4, choices=Kind.choices, default=Kind.GIFT)
    amount = models.DecimalField(max_digits=18, decimal_places=8, validators=[MinValueValidator(Decimal("0.00000001"))])
    currency = models.CharField(
        max_length=5, default="EUR", validators=[RegexValidator(r"\A[A-Z]{3,5}\Z", _("Letters like EUR, USD or BTC."))]
    )
    worth = models.DecimalField(
        max_digits=18,
        decimal_places=2,
        null=True,
        blank=True,
        help_text=_("Of a gift in another currency: what it was worth in the currency of the costs."),
    )
    days = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Of a cost: how many days of the site it paid for."),
    )
    note = models.CharField(max_length=200, blank=True, help_text=_("Everybody can read it."))

    class Meta:
        ordering = ["-day", "-pk"]
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger")

    def __str__(self) -> str:
        return f"{self.day} {self.get_kind_display()} {self.money}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    def clean(self) -> None:
        if self.kind == self.Kind.COST and not self.days:
            raise ValidationError({"days": _("For how many days does this cost pay?")})
        if self.kind == self.Kind.GIFT and self.days:
            raise ValidationError({"days": _("Only a cost pays for days; leave this empty for a gift.")})
        if self.kind == self.Kind.COST and self.worth is not None:
            raise ValidationError({"worth": _("Only a gift in another currency needs this.")})
