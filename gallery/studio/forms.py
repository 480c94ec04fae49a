"""What people may set of a dream: a few words, two sliders, a painted mask, and from them a recipe."""

from __future__ import annotations

import base64
import binascii
import io
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from PIL import Image

from canvas.moderation.cases.models import TEXT_MOST
from canvas.moderation.models import Report
from dreamer.engine import Recipe
from dreamer.engine.target_options import parse_position
from dreamer.journey import plan, render
from dreamer.registered import preset, registry
from gallery.studio import sizes
from gallery.studio.jobs import recipe_for
from gallery.studio.journeys import plan_of
from gallery.studio.models import Journey, Music, Original, Work
from gallery.studio.recipe_form import RecipeForm, YesNo
from gallery.studio.sources import network_of

DEPTHS = (0.35, 0.6, 1.0, 1.6, 2.4)  # times the photograph's own number of steps, faint to deep
SIZES = (2, 3, 0, 6, 8)  # octaves, fine to large; 0: the photograph's own
LICENCES = [
    ("", _("All rights reserved")),
    ("CC BY 4.0", "CC BY 4.0"),
    ("CC BY-SA 4.0", "CC BY-SA 4.0"),
    ("CC0 1.0", "CC0 1.0"),
]


# What can be wrong with a dream: nobody paints over one.
CATEGORIES = [choice for choice in Report.Category.choices if choice[0] != Report.Category.VANDALISM]


class MaskField(forms.CharField):
    """A mask as the page paints it, `data:image/png;base64,…`. Cleaned: a grey PNG; None where nothing is spared."""

    BEGIN = "data:image/png;base64,"
    SIDE = 1024  # px

    def __init__(self) -> None:
        super().__init__(required=False, max_length=400_000, strip=True)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            if not text.startswith(self.BEGIN):
                raise ValueError(text[:40])
            with Image.open(
                io.BytesIO(base64.b64decode(text[len(self.BEGIN) :], validate=True)), formats=["PNG"]
            ) as image:
                if max(image.size) > self.SIDE:
                    raise ValueError(f"{image.size}")
                grey = image.convert("L")
        except (ValueError, OSError, SyntaxError, binascii.Error, Image.DecompressionBombError) as error:
            raise forms.ValidationError(_("The painted mask could not be read. Clear it and paint again.")) from error
        if grey.getextrema() == (255, 255):
            return None
        if grey.getextrema() == (0, 0):
            raise forms.ValidationError(_("All of the picture is spared, so there is nothing to dream on."))
        buffer = io.BytesIO()
        grey.save(buffer, "PNG", optimize=True)
        return buffer.getvalue()


class DreamForm(forms.Form):
    """A style or a class, how strongly, and, for whoever wants it, the whole recipe. `recipe` makes of it what the
    engine dreams by."""

    network = forms.CharField(max_length=64)
    layer = forms.CharField(max_length=120, required=False)
    channel = forms.IntegerField(min_value=0, required=False)
    label = forms.CharField(max_length=200, required=False)  # a class by name, instead of a layer
    guide = forms.CharField(max_length=20, required=False)  # the key of another picture of one's own
    title = forms.CharField(max_length=120, required=False)
    depth = forms.IntegerField(label=_("Faint to deep"), min_value=1, max_value=5, initial=3)
    size = forms.IntegerField(label=_("Fine to large"), min_value=1, max_value=5, initial=3)
    keep_colours = forms.BooleanField(label=_("Keep the colours"), required=False)
    mask = MaskField()
    side = forms.TypedChoiceField(label=_("Size"), coerce=int, required=False)  # the longer one
    seed = forms.IntegerField(
        label=_("Seed"),
        min_value=0,
        max_value=2**53,
        required=False,
        help_text=_("Another whole number gives another dream of the same kind."),
    )
    position = forms.CharField(
        label=_("Position"),
        max_length=40,
        required=False,
        help_text=_("Only the unit at this place of the picture dreams: two shares, such as 0.5,0.25."),
    )
    squared = YesNo(
        label=_("Squared"),
        help_text=_("Strengthen whatever is there, instead of adding what is wanted. Usual for a whole layer."),
    )
    guide_mode = forms.ChoiceField(
        label=_("Guide"),
        choices=[("match", _("its nearest feature at each place")), ("mean", _("its features on average"))],
        required=False,
        help_text=_("What is taken from the picture that guides."),
    )
    ADVANCED = ("seed", "position", "squared", "guide_mode")  # shown with the whole recipe

    def __init__(
        self, original: Original, data: Any = None, *, initial: dict[str, Any] | None = None, usual: Any = None
    ) -> None:
        self.original = original
        super().__init__(data, initial={"side": sizes.usual(original), **(initial or {})})
        side: Any = self.fields["side"]
        side.choices = sizes.choices(original)
        self.whole = RecipeForm(data, initial=(initial or {}).get("whole"), usual=usual)

    @property
    def advanced(self) -> list[forms.BoundField]:
        """The fields of the whole recipe, in order."""
        return [*(self[name] for name in self.ADVANCED), *self.whole]

    def clean_side(self) -> int:
        return int(self.cleaned_data["side"] or sizes.usual(self.original))

    def clean_position(self) -> tuple[float, float] | None:
        text = self.cleaned_data["position"]
        try:
            return parse_position(text) if text else None
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not (given.get("layer") or given.get("label")):
            raise forms.ValidationError(_("Choose a style first."))
        if given.get("guide") and given.get("label"):
            raise forms.ValidationError(_("A guide picture needs a style, not a class: choose one of the styles."))
        return given

    def is_valid(self) -> bool:
        return super().is_valid() and self.whole.is_valid()

    @property
    def trouble(self) -> str:
        """The first thing that is wrong, in words, and in which field of the recipe."""
        for form in (self, self.whole):
            for name, errors in form.errors.items():
                label = form.fields[name].label if form is self.whole or name in (*self.ADVANCED, "side") else ""
                return f"{label}: {errors[0]}" if label else str(errors[0])
        return ""

    def recipe(self) -> Recipe:
        """Raises ValueError or TypeError where the fields make none."""
        original, given = self.original, self.cleaned_data
        style = {"layer": given["layer"], "channel": given["channel"], "label": given["label"]}
        start = "noise" if given["label"] and original.is_static else "photo"
        usual = preset(start, given["network"])
        octaves = SIZES[given["size"] - 1]
        fields: dict[str, Any] = {
            "iterations": _iterations(usual, given["depth"]),
            "keep_colours": given["keep_colours"],
            "seed": original.pk if given["seed"] is None else given["seed"],
        }
        if octaves:
            fields["octaves"] = octaves
        term = {"position": given["position"], "squared": given["squared"]}
        guide = (given["guide_mode"] or "match") if given["guide"] else None
        return recipe_for(
            given["network"], style, start=start, guide=guide, term=term, **{**fields, **self.whole.chosen}
        )


def _iterations(usual: dict[str, Any], depth: int) -> int:
    count: int = usual.get("iterations", 1)
    return max(1, round(count * DEPTHS[depth - 1]))


def settings_of(work: Work) -> dict[str, Any]:
    """The fields of DreamForm that give a work's recipe again; those of the whole recipe under `whole`."""
    recipe = Recipe.from_json(work.recipe)
    plain, term = recipe.to_json(), recipe.target.terms[0]
    files = registry().get(work.network)
    given: dict[str, Any] = {
        "network": work.network,
        "title": work.title,
        "layer": term.layer,
        "guide": work.guide.key if work.guide else "",
        "guide_mode": term.guide or "match",
        "keep_colours": recipe.keep_colours,
        "seed": recipe.seed,
        "squared": term.squared,
        "position": f"{term.position[0]:g},{term.position[1]:g}" if term.position else "",
        "mask": "",
    }
    if work.original is not None:
        sides = [side for side, _words in sizes.choices(work.original)]
        given["side"] = min(sides, key=lambda side: abs(side - max(work.width, work.height)))
    if work.mask is not None:
        given["mask"] = MaskField.BEGIN + base64.b64encode(bytes(work.mask)).decode()
    if term.channels is not None:
        channel = term.channels[0][0]
        if term.layer == files.info.logits and channel < len(files.labels):
            given |= {"layer": "", "label": files.labels[channel]}
        else:
            given["channel"] = channel
    is_static = work.original is not None and work.original.is_static
    usual = preset("noise" if given.get("label") and is_static else "photo", work.network)
    plainly = Recipe.from_json({**usual, "target": plain["target"]}).to_json()
    whole = {name: plain[name] for name in RecipeForm().fields if plain[name] != plainly[name]}
    for depth in range(1, len(DEPTHS) + 1):
        if _iterations(usual, depth) == recipe.iterations:
            given["depth"] = depth
            whole.pop("iterations", None)
    for size, octaves in enumerate(SIZES, 1):
        if (octaves or plainly["octaves"]) == recipe.octaves:
            given["size"] = size
            whole.pop("octaves", None)
    if "depth" not in given:  # no slider gives as many
        whole["iterations"] = recipe.iterations
    return {"depth": 3, "size": 3, **given, "whole": whole}


class FilmForm(forms.ModelForm[Journey]):
    """How a journey's film is shown."""

    fps = forms.TypedChoiceField(
        label=_("Pictures a second"), coerce=int, initial=24, choices=[(n, str(n)) for n in (24, 25, 30, 50, 60)]
    )
    seconds = forms.FloatField(
        label=_("Seconds from one key frame to the next"),
        min_value=render.SECONDS[0],
        max_value=render.SECONDS[1],
        initial=2.5,
        widget=forms.NumberInput(attrs={"step": "0.5"}),
    )
    loop = forms.BooleanField(label=_("End where it began, so that it can be shown for ever"), required=False)
    follow = forms.BooleanField(label=_("With music: the louder, the deeper the dream"), required=False)

    class Meta:
        model = Journey
        fields = ["seconds", "fps", "loop", "follow"]


class SoundForm(forms.ModelForm[Work]):
    """What is heard with a dreamed video."""

    sound = forms.ChoiceField(
        label=_("Sound"),
        choices=Work.Sound.choices,
        initial=Work.Sound.OWN,
        required=False,
        widget=forms.RadioSelect,
    )
    follow = forms.BooleanField(label=_("With music: the louder, the deeper the dream"), required=False)

    class Meta:
        model = Work
        fields = ["sound", "follow"]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        sound = given.get("sound") or Work.Sound.OWN
        return {"sound": sound, "follow": sound == Work.Sound.MUSIC and given.get("follow", False)}


class MusicForm(forms.ModelForm[Music]):
    """A file of music, and all that is owed to whoever made it."""

    music = forms.FileField(label=_("File"), help_text=_("MP3, M4A, Ogg, FLAC or WAV, up to 15 minutes."))

    class Meta:
        model = Music
        fields = ["title", "author", "licence", "link"]
        labels = {"title": _("Title"), "author": _("Author"), "licence": _("Licence"), "link": _("Where it is found")}

    field_order = ["music"]


class JourneyForm(forms.Form):
    """A journey into a picture, beside DreamForm's style and strength."""

    kind = forms.ChoiceField(label=_("Where to"), choices=Journey.Kind.choices, initial=Journey.Kind.ZOOM)
    things = forms.CharField(
        label=_("From what to what"),
        required=False,
        max_length=400,
        widget=forms.TextInput(attrs={"placeholder": _("dog, banana")}),
        help_text=_(
            "Names the network knows, with commas between them. Only for a journey from one thing to the next."
        ),
    )
    each = forms.IntegerField(
        label=_("Key frames"),
        min_value=1,
        max_value=60,
        initial=8,
        help_text=_("Of all, or of each layer or thing."),
    )
    side = forms.TypedChoiceField(
        label=_("Size"),
        coerce=int,
        initial=1280,
        choices=[(640, "640"), (1280, "1280 (720p)"), (1920, "1920 (1080p)"), (3840, "3840 (4K)")],
    )
    led = forms.ChoiceField(
        label=_("Who leads"),
        choices=[
            ("", _("I do: I click where to go on each key frame")),
            ("1", _("the network: where it sees the most")),
        ],
        required=False,
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, prefix="journey")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        things = [one.strip() for one in given.get("things", "").split(",") if one.strip()]
        if given.get("kind") == Journey.Kind.CLASSES and not 2 <= len(things) <= 12:
            raise forms.ValidationError(
                _("A journey from one thing to the next needs two to twelve names, such as: dog, banana.")
            )
        return {**given, "things": things}

    @property
    def trouble(self) -> str:
        """The first thing that is wrong, in words."""
        for name, errors in self.errors.items():
            label = self.fields[name].label if name in self.fields else ""
            return f"{label}: {errors[0]}" if label else str(errors[0])
        return ""

    def journey(self, dreamed: DreamForm, film: FilmForm) -> Journey:
        """Not saved yet. Raises ValueError or TypeError where it cannot be, LibraryError without the network."""
        original, given, network = dreamed.original, self.cleaned_data, dreamed.cleaned_data["network"]
        kind = given["kind"]
        zoom = plan.ZOOMS[kind]
        recipe, title = dreamed.recipe(), dreamed.cleaned_data["title"]
        seed = recipe.seed
        if kind == Journey.Kind.LAYERS:
            opened = network_of(network)
            styles: list[dict[str, Any]] = [{"layer": name} for name in plan.layers_of(opened)]
            title = str(_("Through the layers"))
        else:
            styles = [{"label": one} for one in given["things"]]
        stages = [recipe.target]
        if kind != Journey.Kind.ZOOM:
            stages = [recipe_for(network, style, seed=seed).target for style in styles]
        if kind == Journey.Kind.CLASSES:
            title = " → ".join(given["things"])
        if any(term.guide for stage in stages for term in stage.terms):
            raise ValueError(_("A journey cannot be guided by a picture. Choose a style or names."))
        chosen = dreamed.whole.chosen
        usual = preset("photo", network)
        calm = {name: value for name, value in plan.CALM.items() if name not in chosen}
        # Each key frame is dreamed on as a photograph is, also where static is what it began with.
        base = {**recipe.to_json(), "noise": None, **calm}
        if original.is_static:
            depth = dreamed.cleaned_data["depth"]
            plainly = Recipe.from_json({**usual, "target": recipe.target.to_json()}).to_json()
            base = {**plainly, **calm, **chosen, "iterations": _iterations(usual, depth), "seed": seed}
            base["model"] = network
        height, width = plan.size_of(original.height, original.width, given["side"])
        made = Journey(
            owner=original.owner,
            original=original,
            kind=kind,
            title=(title or dreamed.cleaned_data["label"])[:120],
            network=network,
            recipe=Recipe.from_json(base).to_json(),
            stages=[stage.to_json() for stage in stages],
            each=given["each"],
            zoom=zoom,
            width=width,
            height=height,
            **{name: film.cleaned_data[name] for name in FilmForm.Meta.fields},
        )
        plan_of(made)  # says what is wrong
        if given["led"]:
            made.until, made.film_next = plan_of(made).key_frames, True
        return made


class ShowForm(forms.ModelForm[Work]):
    """What its maker says of a dream that everybody may see."""

    licence = forms.ChoiceField(label=_("Licence"), choices=LICENCES, required=False)

    class Meta:
        model = Work
        fields = ["caption", "licence", "show_before"]
        labels = {"caption": _("Title"), "show_before": _("Show the picture from before, too")}
        help_texts = {"show_before": _("It is kept for as long as it is shown.")}


class ReportForm(forms.Form):
    category = forms.ChoiceField(label=_("What is wrong?"), choices=CATEGORIES, widget=forms.RadioSelect)
    text = forms.CharField(
        label=_("Anything we should know"),
        required=False,
        max_length=TEXT_MOST,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Where the original is, for example. Only moderators read it."),
    )
    contact = forms.EmailField(
        label=_("Your mail address"),
        required=False,
        help_text=_("If you want an answer. It is used for nothing else."),
    )

    @property
    def details(self) -> list[forms.BoundField]:
        return [self["text"], self["contact"]]
