"""What people may set of a dream: a few words and two sliders, and from them a recipe."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dreamer.engine import Recipe
from dreamer.registered import preset
from gallery.studio.jobs import recipe_for
from gallery.studio.models import Work, WorkReport

DEPTHS = (0.35, 0.6, 1.0, 1.6, 2.4)  # times the photograph's own number of steps, faint to deep
SIZES = (2, 3, 0, 6, 8)  # octaves, fine to large; 0: the photograph's own
LICENCES = [
    ("", _("All rights reserved")),
    ("CC BY 4.0", "CC BY 4.0"),
    ("CC BY-SA 4.0", "CC BY-SA 4.0"),
    ("CC0 1.0", "CC0 1.0"),
]


class DreamForm(forms.Form):
    """A style and how strongly. `recipe` makes of it what the engine dreams by."""

    network = forms.CharField(max_length=64)
    layer = forms.CharField(max_length=120)
    channel = forms.IntegerField(min_value=0, required=False)
    title = forms.CharField(max_length=120, required=False)
    depth = forms.IntegerField(label=_("Faint to deep"), min_value=1, max_value=5, initial=3)
    size = forms.IntegerField(label=_("Fine to large"), min_value=1, max_value=5, initial=3)
    keep_colours = forms.BooleanField(label=_("Keep the colours"), required=False)
    seed = forms.IntegerField(min_value=0, max_value=2**53, required=False)

    def recipe(self, seed: int) -> Recipe:
        """Raises ValueError or TypeError where the fields make none."""
        given = self.cleaned_data
        style = {"layer": given["layer"], "channel": given["channel"]}
        usual = preset("photo", given["network"])
        depth, octaves = DEPTHS[given["depth"] - 1], SIZES[given["size"] - 1]
        fields: dict[str, Any] = {
            "iterations": max(1, round(usual.get("iterations", 1) * depth)),
            "keep_colours": given["keep_colours"],
        }
        if octaves:
            fields["octaves"] = octaves
        return recipe_for(given["network"], style, seed=given["seed"] if given["seed"] is not None else seed, **fields)


class ShowForm(forms.ModelForm[Work]):
    """What its maker says of a dream that everybody may see."""

    licence = forms.ChoiceField(label=_("Licence"), choices=LICENCES, required=False)

    class Meta:
        model = Work
        fields = ["caption", "licence", "show_before"]
        labels = {"caption": _("Title"), "show_before": _("Show the picture from before, too")}


class ReportForm(forms.ModelForm[WorkReport]):
    category = forms.ChoiceField(
        label=_("What is wrong?"), choices=WorkReport.Category.choices, widget=forms.RadioSelect
    )

    class Meta:
        model = WorkReport
        fields = ["category", "text", "contact"]
        labels = {"text": _("Anything we should know"), "contact": _("Your mail address")}
        help_texts = {
            "text": _("Where the original is, for example. Only moderators read it."),
            "contact": _("If you want an answer. It is used for nothing else."),
        }
        widgets = {"text": forms.Textarea(attrs={"rows": 3})}

    @property
    def details(self) -> list[forms.BoundField]:
        return [self["text"], self["contact"]]
