"""What a member chooses for a canvas of theirs: once, its size and background; and again and again the rest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from canvas.models import Canvas
from dreamer.library import LibraryError
from dreamer.library.files import ModelFiles
from dreamer.networks import shelves
from dreamer.registered import default_model, registry
from dreamer.styles import key

# name -> (width, height) as shares of the side of the site's own canvas, and how people see it
SHAPES: dict[str, tuple[float, float, Any]] = {
    "small": (0.5, 0.5, _("Small square")),
    "square": (1, 1, _("Large square")),
    "wide": (1, 0.5625, _("Wide")),
    "tall": (0.5625, 1, _("Tall")),
}
RHYTHMS = (60, 120, 300, 900, 3600)  # s from dream to dream, beside the site's own
# name -> (front, growth), and how people see it; the numbers are those of canvas.models.Canvas
SPREADS: dict[str, tuple[float, float, Any]] = {
    "near": (0.06, 0.03, _("Slowly, close to new ink")),
    "usual": (0.125, 0.08, _("From new ink outwards")),
    "far": (0.3, 0.2, _("Fast, far around new ink")),
    "whole": (0, 0, _("The whole canvas at once")),
}
HOLDS: dict[str, tuple[float, Any]] = {
    "firm": (0.9, _("Strokes keep their place and colour")),
    "half": (0.5, _("Strokes loosen")),
    "none": (0, _("Strokes melt away")),
}
AS_IT_IS = "as-it-is"  # numbers that somebody chose in the administration


def size(shape: str) -> tuple[int, int]:
    """Width and height of a new canvas of this shape, px: whole cells of 16."""
    wide, tall, _title = SHAPES[shape]
    side = settings.CANVAS_SIZE
    return tuple(max(64, round(side * share / 16) * 16) for share in (wide, tall))  # type: ignore[return-value]


def _every(seconds: float) -> str:
    if seconds < 120:
        whole = round(seconds)
        return ngettext("Every second", "Every %(count)s seconds", whole) % {"count": whole}
    minutes = round(seconds / 60)
    return ngettext("Every minute", "Every %(count)s minutes", minutes) % {"count": minutes}


def networks() -> list[ModelFiles]:
    found = []
    for name in registry().names():
        try:
            found.append(registry().get(name))
        except (LibraryError, OSError):  # damaged, or being replaced
            continue
    return found


class Settings(forms.Form):
    """What can be changed at any time."""

    title = forms.CharField(label=_("Title"), max_length=80, strip=True)
    guests = forms.BooleanField(label=_("Guests may draw here too, without an account"), required=False, initial=True)
    network = forms.ChoiceField(label=_("Network"), required=False)
    rhythm = forms.ChoiceField(label=_("A dream"), required=False)
    spread = forms.ChoiceField(label=_("The dream spreads"), required=False)
    hold = forms.ChoiceField(label=_("New strokes"), required=False)

    def __init__(self, data: Any = None, *, canvas: Canvas | None = None, network: str = "", **kwargs: Any) -> None:
        self.canvas = canvas
        super().__init__(data, initial=_initial(canvas, network) | kwargs.pop("initial", {}), **kwargs)
        self._choices("network", [("", _("The same as the site")), *((one.name, one.info.title) for one in networks())])
        slower = [seconds for seconds in RHYTHMS if seconds > settings.DREAM_INTERVAL]
        rhythms = [("", _every(settings.DREAM_INTERVAL)), *((str(seconds), _every(seconds)) for seconds in slower)]
        now = self.initial["rhythm"]
        if now not in dict(rhythms):
            rhythms.append((now, _every(float(now))))
        self._choices("rhythm", rhythms)
        for name, table in (("spread", SPREADS), ("hold", HOLDS)):
            choices: list[tuple[str, Any]] = [(value, row[-1]) for value, row in table.items()]
            if self.initial[name] == AS_IT_IS:
                choices.append((AS_IT_IS, _("As it is now")))
            self._choices(name, choices)

    def _choices(self, name: str, choices: Iterable[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = list(choices)

    def clean_title(self) -> str:
        title: str = self.cleaned_data["title"]
        if not title.isprintable():
            raise ValidationError(_("A title is one line of letters, figures and signs."))
        return title

    def columns(self) -> dict[str, Any]:
        """The columns of the canvas that the form says."""
        data = self.cleaned_data
        found: dict[str, Any] = {"title": data["title"], "rhythm": float(data["rhythm"]) if data["rhythm"] else None}
        if data["spread"] in SPREADS:
            found["front"], found["growth"], _title = SPREADS[data["spread"]]
        if data["hold"] in HOLDS:
            found["hold"] = HOLDS[data["hold"]][0]
        return found


class NewCanvas(Settings):
    shape = forms.ChoiceField(label=_("Size"))
    background = forms.RegexField(
        r"^#[0-9a-f]{6}$",
        label=_("Background"),
        initial="#ffffff",
        widget=forms.TextInput(attrs={"type": "color"}),
        error_messages={"invalid": _("A background is a colour like #ffffff, in small letters.")},
    )
    listed = forms.ChoiceField(
        label=_("Who finds it"),
        widget=forms.RadioSelect,
        initial="link",
        choices=[
            ("link", _("Only those who have its link")),
            ("ask", _("Everybody, in the list of canvases, once a moderator has said yes")),
        ],
    )
    field_order = ["title", "shape", "background", "listed", "guests", "network", "rhythm", "spread", "hold"]

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        shapes = []
        for name, (_wide, _tall, title) in SHAPES.items():
            width, height = size(name)
            shapes.append((name, f"{title} ({width} × {height})"))
        self._choices("shape", shapes)
        self.fields["shape"].initial = "square"

    def columns(self) -> dict[str, Any]:
        width, height = size(self.cleaned_data["shape"])
        background = self.cleaned_data["background"]
        return super().columns() | {"width": width, "height": height, "background": background}


def _initial(canvas: Canvas | None, network: str) -> dict[str, Any]:
    if canvas is None:
        return {"network": "", "rhythm": "", "spread": "usual", "hold": "firm"}
    numbers = canvas.front, canvas.growth
    spread = next((name for name, row in SPREADS.items() if row[:2] == numbers), AS_IT_IS)
    if canvas.front == 0:
        spread = "whole"
    rules = getattr(canvas, "rules", None)
    return {
        "title": canvas.title,
        "guests": rules is None or not rules.members_only,
        "network": network,
        "rhythm": f"{canvas.rhythm:g}" if canvas.rhythm else "",
        "spread": spread,
        "hold": next((name for name, (hold, _title) in HOLDS.items() if hold == canvas.hold), AS_IT_IS),
    }


# --- The shelf -----------------------------------------------------------------------------------------------------


def shelf_of(canvas: Canvas, chosen: str) -> tuple[ModelFiles, list[tuple[str, str, bool]]] | None:
    """The network a canvas dreams with, and (key, title, on) of each of its styles; None where there is none."""
    try:
        files = registry().get(default_model(chosen))
    except (LibraryError, OSError):
        return None
    off = shelves.off_at(canvas, files.name)
    styles = [(key(style.layer, style.channel), style.title) for style in shelves.of_network(files)]
    return files, [(name, title, name not in off) for name, title in styles]
