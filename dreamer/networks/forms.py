"""What the owner says about a network: a file to import, a style of one's own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dreamer.library import LibraryError, ModelFiles, nearest
from dreamer.library.conventions import CONVENTIONS
from dreamer.library.formats import SUFFIXES
from dreamer.networks import choosing, importing
from dreamer.networks.fetching import amount
from dreamer.registered import registry

TEXTS_LIMIT = 4_000_000  # bytes of a description or of a list of class names
EXOTIC = ("convention", "channel_order", "mean", "scale", "prototxt")  # fields for networks that nobody knows
ORDERS = [("", "–"), ("RGB", "RGB"), ("BGR", "BGR")]


def _said(conventions: Any) -> list[tuple[str, Any]]:
    return [("", gettext_lazy("as the file says, or as known")), *((name, name) for name in conventions)]


class ImportForm(forms.Form):
    """A network's file. Its checks by eye; those of its content are the worker's, the same as the command's."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        widget=forms.FileInput(attrs={"accept": ",".join(SUFFIXES)}),
        help_text=gettext_lazy("A name ending in .onnx, .caffemodel or .pb."),
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        required=False,
        max_length=64,
        help_text=gettext_lazy("Lower-case letters, digits and dashes. Empty: from the file’s name."),
    )
    title = forms.CharField(
        label=gettext_lazy("Title"), required=False, max_length=80, help_text=gettext_lazy("As people see it.")
    )
    labels = forms.FileField(
        label=gettext_lazy("Class names"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".txt,text/plain"}),
        help_text=gettext_lazy("A text with one name a line, in the order of the network’s outputs."),
    )
    prototxt = forms.FileField(
        label=gettext_lazy("Description (.prototxt)"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".prototxt"}),
        help_text=gettext_lazy("Only for a .caffemodel that does not describe itself."),
    )
    licence = forms.CharField(label=gettext_lazy("Licence"), required=False, max_length=200)
    convention = forms.ChoiceField(
        label=gettext_lazy("Fed as"),
        required=False,
        choices=lambda: _said(CONVENTIONS),
        help_text=gettext_lazy("How it wants its pictures. For networks that the site does not know, no file says it."),
    )
    channel_order = forms.ChoiceField(label=gettext_lazy("Channels"), required=False, choices=ORDERS)
    mean = forms.CharField(
        label=gettext_lazy("Mean"),
        required=False,
        max_length=80,
        help_text=gettext_lazy("One number or three with commas, in 0 to 255, in the order of the channels."),
    )
    scale = forms.FloatField(label=gettext_lazy("Scale"), required=False)
    sure = forms.BooleanField(
        label=gettext_lazy("Also where a canvas changes by it, or a network of this name is replaced"), required=False
    )

    def plain(self) -> list[forms.BoundField]:
        """The fields that every file needs."""
        return [field for field in self if field.name not in (*EXOTIC, "sure")]

    def exotic(self) -> list[forms.BoundField]:
        return [self[name] for name in EXOTIC]

    def exotic_filled(self) -> bool:
        return any(self[name].errors or self[name].data for name in EXOTIC)

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if Path(file.name).suffix.lower() not in SUFFIXES:
            raise ValidationError(
                _("%(name)s is no file of a kind that can be imported: expected a name ending in %(suffixes)s.")
                % {"name": file.name, "suffixes": ", ".join(SUFFIXES)}
            )
        return file

    def clean_labels(self) -> Any:
        return self._small("labels")

    def clean_prototxt(self) -> Any:
        return self._small("prototxt")

    def _small(self, field: str) -> Any:
        file = self.cleaned_data[field]
        if file and file.size > TEXTS_LIMIT:
            raise ValidationError(
                _("%(name)s has %(size)s, expected a text of %(limit)s at most.")
                % {"name": file.name, "size": amount(0, file.size), "limit": amount(0, TEXTS_LIMIT)}
            )
        return file

    def clean_mean(self) -> tuple[float, ...] | None:
        text = self.cleaned_data["mean"].strip()
        if not text:
            return None
        try:
            values = [float(part) for part in text.split(",")]
        except ValueError:
            values = []
        values = values * 3 if len(values) == 1 else values
        if len(values) != 3:
            raise ValidationError(_("%(text)s is not one number, or three with commas.") % {"text": text})
        return tuple(values)

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if "file" not in data:
            return data
        try:
            data["name"] = data.get("name") or importing.name_of(data["file"].name)
            importing.check_name(data["name"])
        except LibraryError as error:
            self.add_error("name", str(error))
            return data
        if not data.get("sure"):
            self._ask(data["name"])
        return data

    def _ask(self, name: str) -> None:
        """Nothing that lives changes by an import that does not say so."""
        titles = ", ".join(canvas.title for canvas in choosing.surprised(name, replaced=True))
        if name in registry().names():
            warning = _("There is a network called %(name)s, which this one would replace.") % {"name": name}
            if titles:
                warning += " " + _("%(canvases)s would change at once.") % {"canvases": titles}
        elif titles:
            warning = _("%(canvases)s would dream with it at once: the site’s own network is called %(name)s.") % {
                "canvases": titles,
                "name": name,
            }
        else:
            return
        confirm = _("If you mean it, choose the file again and tick this box; or take another name.")
        self.add_error("sure", f"{warning} {confirm}")

    def options(self, folder: Path) -> dict[str, Any]:
        """What the job is told; `store` has put the files under these names."""
        data = self.cleaned_data
        fields = ("title", "licence", "convention", "channel_order", "mean", "scale")
        return {
            **{field: data[field] for field in fields if data.get(field)},
            "folder": folder.name,
            "file": stored_name(data["file"].name),
            "source": Path(data["file"].name).name,
            "replace": bool(data.get("sure")),
            **({"labels": "labels.txt"} if data.get("labels") else {}),
            **({"prototxt": "net.prototxt"} if data.get("prototxt") else {}),
        }

    def uploads(self) -> list[tuple[str, Any]]:
        data = self.cleaned_data
        named = [(stored_name(data["file"].name), data["file"]), ("labels.txt", data.get("labels"))]
        return [(name, file) for name, file in [*named, ("net.prototxt", data.get("prototxt"))] if file]


def stored_name(name: str) -> str:
    """An uploaded file's name, as far as it says something and can do no harm."""
    path = Path(name)
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem)[:60].strip("-.") or "network"
    return stem + path.suffix.lower()


class OwnStyleForm(forms.Form):
    """A layer and a channel of it, or a class by name. `layers` are the network's: name to number of channels."""

    layer = forms.ChoiceField(label=gettext_lazy("Layer"), required=False)
    channel = forms.IntegerField(
        label=gettext_lazy("Channel"), required=False, min_value=0, help_text=gettext_lazy("Empty: the whole layer.")
    )
    wanted = forms.CharField(
        label=gettext_lazy("Or a class"),
        required=False,
        max_length=120,
        widget=forms.TextInput(attrs={"list": "classes", "autocomplete": "off"}),
    )
    title = forms.CharField(label=gettext_lazy("Title"), required=False, max_length=120)

    def __init__(self, network: ModelFiles, layers: dict[str, int], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.network, self.layers = network, layers
        shown = [(name, f"{name} ({count})") for name, count in layers.items() if name != network.info.logits]
        cast(forms.ChoiceField, self.fields["layer"]).choices = [("", "–"), *shown]
        if not network.info.logits or not network.labels:
            del self.fields["wanted"]

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        wanted = (data.get("wanted") or "").strip()
        if wanted:
            data["layer"], data["channel"] = self.network.info.logits, self._class(wanted)
            data["title"] = data.get("title") or wanted
        elif not data.get("layer"):
            if "layer" not in self.errors:
                self.add_error("layer", _("Choose a layer, or a class."))
        else:
            channel, count = data.get("channel"), self.layers[data["layer"]]
            if channel is not None and channel >= count:
                self.add_error("channel", _("This layer has channels 0 to %(last)d.") % {"last": count - 1})
            data["title"] = data.get("title") or data["layer"] + ("" if channel is None else f" {channel}")
        return data

    def _class(self, wanted: str) -> int | None:
        # Labels may list synonyms: 'great grey owl, great gray owl, Strix nebulosa'.
        names = {
            part.strip().lower(): number
            for number, label in reversed(list(enumerate(self.network.labels)))
            for part in [*label.split(","), label]
        }
        if wanted.lower() in names:
            return names[wanted.lower()]
        close = ", ".join(nearest(wanted.lower(), names)) or _("those in the list")
        self.add_error(
            "wanted", _("It knows no class %(wanted)s; near are %(close)s.") % {"wanted": wanted, "close": close}
        )
        return None
