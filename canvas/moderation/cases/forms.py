"""The forms of reports, notes, sanctions and appeals; each says in words what it did not understand."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from canvas.models import Canvas, Frame
from canvas.moderation.cases import services as cases
from canvas.moderation.cases.models import TEXT_MOST
from canvas.moderation.models import Report

# Takedowns are asked for about a picture that somebody made, not about everybody's canvas.
CATEGORIES = [choice for choice in Report.Category.choices if choice[0] not in Report.TAKEDOWNS]


class ReportForm(forms.Form):
    """A report, with the spot or the frame it is about in hidden fields. `where` is what they mean."""

    canvas = forms.SlugField(required=False, widget=forms.HiddenInput)
    frame = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)
    x = forms.IntegerField(required=False, widget=forms.HiddenInput)
    y = forms.IntegerField(required=False, widget=forms.HiddenInput)
    r = forms.IntegerField(required=False, widget=forms.HiddenInput)
    category = forms.ChoiceField(label=_("What is it?"), choices=CATEGORIES, widget=forms.RadioSelect)
    text = forms.CharField(
        label=_("Anything we should know"),
        required=False,
        max_length=TEXT_MOST,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("If you like. Only moderators read it."),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not any(self.errors.get(name) for name in ("canvas", "frame", "x", "y", "r")):
            self.where = where(data)
        if getattr(self, "where", None) is None:
            raise forms.ValidationError(
                _("This report is about nothing that exists. Open it again from the canvas or the frame.")
            )
        return data

    @classmethod
    def where_of(cls, sent: Any) -> cases.Where | None:
        """What a form's hidden fields mean, also where the rest is missing."""
        form = cls(sent)
        form.is_valid()
        found: cases.Where | None = getattr(form, "where", None)
        return found


def where(data: dict[str, Any]) -> cases.Where | None:
    """A visible frame, or a spot that lies on its canvas; None where there is no such thing.

    A frame of a canvas that is not listed needs its canvas' address beside it, as its page does (gallery.frame.views).
    """
    if data.get("frame"):
        found = Frame.objects.visible().filter(Q(canvas__listed=True) | Q(canvas__slug=data.get("canvas") or ""))
        frame = found.filter(canvas__deleted_at=None, pk=data["frame"]).select_related("canvas").first()
        return cases.Where(frame.canvas, frame) if frame else None
    canvas = Canvas.objects.existing().filter(slug=data.get("canvas") or "").first()
    x, y, r = data.get("x"), data.get("y"), data.get("r")
    if canvas is None or x is None or y is None or not (0 <= x < canvas.width and 0 <= y < canvas.height):
        return None
    r = min(max(r or 64, cases.RADIUS_LEAST), cases.RADIUS_MOST)
    return cases.Where(canvas, None, x, y, r)


class NoteForm(forms.Form):
    text = forms.CharField(label=_("Note"), max_length=TEXT_MOST, widget=forms.Textarea(attrs={"rows": 2}), strip=True)
