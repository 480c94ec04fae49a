"""What somebody wants a film of for themselves."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from canvas.models import Canvas
from dreamsite.core.rect import Rect
from gallery.films import crop
from gallery.films.models import Film

MOMENT = "%Y-%m-%dT%H:%M"


def _moment(label: Any) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MOMENT)
    return forms.DateTimeField(label=label, required=False, input_formats=[MOMENT, "%Y-%m-%dT%H:%M:%S"], widget=widget)


class OwnFilmForm(forms.Form):
    """Moments are in the current time zone, the rectangle in px of the canvas; none is all of it."""

    kind = forms.ChoiceField(
        choices=[(Film.Kind.MINE, _("My strokes")), (Film.Kind.PLACE, _("A place, whoever drew there"))],
        widget=forms.RadioSelect,
    )
    shape = forms.ChoiceField(
        required=False,
        choices=[
            ("", _("A film, as long as it takes")),
            (Film.Shape.SQUARE, _("15 seconds, square")),
            (Film.Shape.UPRIGHT, _("15 seconds, upright")),
        ],
        widget=forms.RadioSelect,
    )
    x = forms.IntegerField(label=_("Left"), required=False)
    y = forms.IntegerField(label=_("Top"), required=False)
    width = forms.IntegerField(label=_("Width"), required=False)
    height = forms.IntegerField(label=_("Height"), required=False)
    since = _moment(_("Begins at"))
    until = _moment(_("Ends at"))

    def __init__(self, *args: Any, canvas: Canvas, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._canvas = canvas

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        since, until = data.get("since"), data.get("until")
        if since and until and since >= until:
            raise ValidationError(_("The film would end before it begins."))
        sides = [data.get(name) for name in ("x", "y", "width", "height")]
        data["area"] = None
        if data.get("kind") == Film.Kind.PLACE and any(side is not None for side in sides):
            whole = Rect(0, 0, self._canvas.width, self._canvas.height)
            left, top, width, height = (side or 0 for side in sides)
            area = Rect.sized(left, top, width, height).intersection(whole)
            if min(area.width, area.height) < crop.SMALLEST:
                raise ValidationError(
                    _("The place must be at least %(least)s pixels wide and high, and on the canvas.")
                    % {"least": crop.SMALLEST}
                )
            data["area"] = None if area == whole else area
        return data
