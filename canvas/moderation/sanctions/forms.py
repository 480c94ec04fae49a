"""The forms of sanctions and appeals; each says in words what it did not understand."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from canvas import degrees
from canvas.models import Sanction
from canvas.models.people import degree_choices
from canvas.moderation.cases.models import TEXT_MOST
from canvas.moderation.models import Appeal
from dreamsite.core.models import User

LENGTHS: list[tuple[str, Any, timedelta | None]] = [
    ("hour", _("An hour"), timedelta(hours=1)),
    ("day", _("A day"), timedelta(days=1)),
    ("days", _("Three days"), timedelta(days=3)),
    ("week", _("A week"), timedelta(days=7)),
    ("month", _("Thirty days"), timedelta(days=30)),
    ("open", _("Until somebody lifts it"), None),
]


class PersonField(forms.CharField):
    """A username, in any case; cleaned to the person."""

    def clean(self, value: Any) -> Any:
        name = super().clean(value)
        person = User.objects.filter(username__iexact=name).first() if name else None
        if name and person is None:
            raise forms.ValidationError(_("Nobody here is called %(name)s."), params={"name": name})
        return person


class SanctionForm(forms.Form):
    """A sanction to issue, or with `sanction` one to change; `until` is what the length comes to."""

    person = PersonField(label=_("Who"), max_length=150)
    degree = forms.ChoiceField(label=_("What"), choices=degree_choices, widget=forms.RadioSelect)
    length = forms.ChoiceField(label=_("For how long"), choices=[(name, title) for name, title, _span in LENGTHS])
    reason = forms.CharField(
        label=_("Why"),
        max_length=TEXT_MOST,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The person reads this. Say what happened and where, and what you expect from now on."),
    )
    again = forms.BooleanField(label=_("Issue another one all the same"), required=False)
    seen_degree = forms.CharField(required=False, widget=forms.HiddenInput)
    seen_reason = forms.CharField(required=False, widget=forms.HiddenInput, strip=False)
    seen_until = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, sanction: Sanction | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sanction = sanction
        if sanction is not None:
            del self.fields["person"], self.fields["again"]
            length = self.fields["length"]
            assert isinstance(length, forms.ChoiceField)
            length.choices = [("keep", _("As it is")), *[(name, title) for name, title, _span in LENGTHS]]

    @classmethod
    def of(cls, sanction: Sanction) -> SanctionForm:
        """The form as it opens on a sanction that is there."""
        until = sanction.until.isoformat() if sanction.until else ""
        shown = {"degree": sanction.degree, "reason": sanction.reason, "length": "keep"}
        seen = {"seen_degree": sanction.degree, "seen_reason": sanction.reason, "seen_until": until}
        return cls(sanction=sanction, initial={**shown, **seen})

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("degree") in degrees.ACKNOWLEDGED:
            data["until"] = None  # it stands until the person has read it
        elif data.get("length") == "keep" and self.sanction is not None:
            data["until"] = self.seen["until"]
        elif "length" in data:
            span = {name: span for name, _title, span in LENGTHS}[data["length"]]
            data["until"] = span and timezone.now() + span
        return data

    @property
    def seen(self) -> dict[str, Any]:
        """What the sanction was when the form was opened."""
        try:
            until = datetime.fromisoformat(self.data.get("seen_until") or "")
        except ValueError:
            until = None
        reason = str(self.data.get("seen_reason") or "").replace("\r\n", "\n")
        return {"degree": self.data.get("seen_degree"), "reason": reason, "until": until}


class AppealForm(forms.Form):
    text = forms.CharField(
        label=_("Your appeal"),
        max_length=TEXT_MOST,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("Say what we should know. You can appeal once, so take your time."),
    )


class AnswerForm(forms.Form):
    """The decision of an appeal."""

    outcome = forms.ChoiceField(
        label=_("Decision"),
        choices=[(value, Appeal.Outcome(value).label) for value in ("stands", "overturned")],
        widget=forms.RadioSelect,
    )
    answer = forms.CharField(
        label=_("Answer"),
        max_length=TEXT_MOST,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The person reads it."),
    )
