"""The whole recipe as a form, made of its declaration (dreamer.engine.Recipe), as the command's help is.

A field that is left empty is as the sliders and the network's preset say. `settings_of` goes the other way: the fields
that give a work's recipe again.
"""

from __future__ import annotations

from dataclasses import Field as DataclassField
from dataclasses import fields
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from dreamer.engine import Recipe

# Fields of the recipe that are none of this form, and why.
LEFT_OUT = {
    "model": "the network, which is chosen above the styles",
    "noise": "static has a size of its own in the studio",
    "tile": "bounds the memory of the machine, which is the operator's",
    "seed": "a field of the form itself",
    "keep_colours": "a field of the form itself",
}


class YesNo(forms.TypedChoiceField):
    """Three answers: as usual (None), yes (True), no (False)."""

    def __init__(self, **more: Any) -> None:
        choices = [("", _("as usual")), ("yes", _("yes")), ("no", _("no"))]
        super().__init__(choices=choices, coerce=lambda text: text == "yes", empty_value=None, required=False, **more)

    def prepare_value(self, value: Any) -> Any:
        return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value


def _form_field(declared: DataclassField[Any]) -> forms.Field:
    limits, default = declared.metadata, declared.default
    words = {"label": capfirst(declared.name.replace("_", " ")), "help_text": capfirst(limits["help"]) + "."}
    if isinstance(default, bool):
        return YesNo(**words)
    if limits.get("choices"):
        choices = [("", _("as usual")), *((choice, choice) for choice in limits["choices"])]
        return forms.ChoiceField(choices=choices, required=False, **words)
    bounds = {"min_value": limits["low"], "max_value": limits["high"], "required": False}
    if isinstance(default, int):
        return forms.IntegerField(**bounds, **words)
    return forms.FloatField(widget=forms.NumberInput(attrs={"step": "any"}), **bounds, **words)


DECLARED = {f.name: f for f in fields(Recipe) if f.metadata and f.name not in LEFT_OUT}


class RecipeForm(forms.Form):
    """A field for each of the recipe's that a person may set. `usual` is what an empty one means, shown in it."""

    def __init__(self, data: Any = None, *, initial: Any = None, usual: dict[str, Any] | None = None) -> None:
        super().__init__(data, prefix="recipe", initial=initial)
        for name, declared in DECLARED.items():
            self.fields[name] = field = _form_field(declared)
            value = (usual or {}).get(name, declared.default)
            if isinstance(field, forms.IntegerField | forms.FloatField):
                field.widget.attrs["placeholder"] = value
            elif isinstance(field, forms.ChoiceField):
                shown = {True: _("yes"), False: _("no")}.get(value, value) if isinstance(value, bool) else value
                given: Any = field.choices
                field.choices = [("", _("as usual: %(value)s") % {"value": shown}), *list(given)[1:]]

    @property
    def chosen(self) -> dict[str, Any]:
        """The recipe's fields that were filled in."""
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}
