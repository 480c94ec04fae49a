"""The whole recipe as a form, and dreams made again with the same one."""

from __future__ import annotations

import html
from dataclasses import fields
from typing import Any

import pytest
from django.test import Client

from dreamer.engine import Recipe
from dreamsite.core.tasks.jobs import State
from gallery.studio.forms import settings_of
from gallery.studio.models import Original, Work
from tests.studio.sending import painted, picked, uploaded

Kind = Work.Kind
pytestmark = pytest.mark.usefixtures("house")


@pytest.fixture
def untried(client: Client) -> Original:
    """A picture whose styles are known, though none was tried on it."""
    found = uploaded(client)
    found.works.all().delete()
    found.styles = {"house": [{"layer": "inception_4c/output", "channel": None, "title": "Rings"}]}
    found.save()
    return found


def test_the_whole_recipe_is_a_form_made_of_its_declaration(client: Client, untried: Original) -> None:
    page = " ".join(html.unescape(client.get(untried.get_absolute_url()).content.decode()).split())
    for field in fields(Recipe):
        if field.metadata and field.name not in {"model", "noise", "tile", "keep_colours", "seed"}:
            assert f'name="recipe-{field.name}"' in page
            assert " ".join(field.metadata["help"].split())[1:] in page
    key = picked(client, untried, **{"recipe-step": "2.5", "recipe-colour": "vivid", "recipe-mean_free": "yes"}).json()
    made = Recipe.from_json(Work.objects.get(key=key["key"]).recipe)
    assert (made.step, made.colour, made.mean_free) == (2.5, "vivid", True)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("recipe-octaves", "33", "Octaves: "),
        ("recipe-step", "nan", "Step: "),
        ("recipe-colour", "mauve", "Colour: "),
        ("recipe-mean_free", "perhaps", "Mean free: "),
        ("position", "2,0", "Position: "),
        ("seed", "-1", "Seed: "),
    ],
)
def test_a_wrong_setting_is_told_with_its_name(
    client: Client, untried: Original, field: str, value: str, said: str
) -> None:
    response = picked(client, untried, **{field: value})
    assert response.status_code == 400 and response.json()["detail"].startswith(said)


AGAIN: list[dict[str, Any]] = [
    {},
    {"depth": 5, "size": 4, "keep_colours": "on", "seed": 77},
    {"recipe-iterations": 3, "recipe-octaves": 5, "recipe-smooth_pool": "yes", "recipe-near": 0.1},
    {"position": "0.25,0.5", "squared": "no"},
    {"layer": None, "channel": None, "label": "dog"},
]


@pytest.mark.parametrize("fields", AGAIN)
def test_a_dream_can_be_dreamed_again_with_the_same_recipe(
    client: Client, untried: Original, fields: dict[str, Any]
) -> None:
    work = Work.objects.get(key=picked(client, untried, mask=painted(), **fields).json()["key"])
    Work.objects.filter(pk=work.pk).update(state=State.DONE, picture="studio/x.jpg", thumbnail="studio/x.jpg")
    again = f"{untried.get_absolute_url()}?again={work.key}"
    assert again in client.get(work.get_absolute_url()).content.decode()
    page = client.get(again)
    assert b"data-again" in page.content
    sent = {name: value for name, value in settings_of(work).items() if name != "whole" and value is not None}
    sent |= {"squared": {True: "yes", False: "no"}.get(sent.get("squared"), "")}
    sent |= {f"recipe-{name}": value for name, value in settings_of(work).get("whole", {}).items()}
    sent = {n: ("yes" if v else "no") if isinstance(v, bool) and "recipe" in n else v for n, v in sent.items()}
    sent = {name: value for name, value in sent.items() if value is not False}
    for name in ("layer", "label", "position", "title"):
        assert f'value="{sent.get(name, "")}"' in html.unescape(page.content.decode())
    assert client.post(f"/studio/pictures/{untried.key}/order/", {"kind": "dream", **sent}).status_code == 302
    second = Work.objects.dreams().latest("pk")
    assert second.pk != work.pk and second.recipe == work.recipe and bytes(second.mask) == bytes(work.mask)
