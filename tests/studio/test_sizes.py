"""How large a dream is: to look at where nobody chooses, or as large as its picture; and the print of a small one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.test import Client
from PIL import Image

from dreamer.engine import Recipe
from dreamsite.core.tasks import STUDIO, worker
from gallery.studio import cost, jobs, prints, sizes
from gallery.studio.models import Original, Work
from gallery.uploads import pictures
from tests.studio.sending import painted, picked, pixels_of
from tests.studio.test_prints import dreamed, printed, sharp


@pytest.fixture
def original(house: None, client: Client, monkeypatch: pytest.MonkeyPatch) -> Original:
    """Dreams to look at are 80 px long instead of 1920; the picture has 160 on pages, and 480 as it came."""
    monkeypatch.setattr(jobs, "SHEET", 1)
    monkeypatch.setattr(pictures, "STORED_SIDE", 160)
    monkeypatch.setattr(sizes, "LOOK", 80)
    answer = client.post("/studio/upload/", {"picture": sharp()}, headers={"Accept": "application/json"})
    worker.empty(STUDIO)
    return Original.objects.get(key=answer.json()["url"].split("/")[-2])


def test_a_dream_is_made_to_look_at_unless_a_larger_one_is_chosen(client: Client, original: Original) -> None:
    page = client.get(original.get_absolute_url()).content.decode()
    assert "To look at" in page and "Large, to print" in page and 'name="side" value="80" checked' in page
    asked = picked(client, original, "preview", depth=5).json()["dream"]
    small_one, large_one = asked["sizes"]
    assert (small_one["side"], small_one["width"], small_one["height"]) == (80, 80, 60)
    assert (large_one["side"], large_one["width"], large_one["height"]) == (160, 160, 120)
    assert asked["units"] == small_one["units"] and asked["seconds"] == small_one["seconds"], "what nobody chooses"
    assert picked(client, original, "preview", side=160, depth=5).json()["dream"]["units"] == large_one["units"]
    assert small_one["seconds"] < large_one["seconds"]
    work = dreamed(client, original, depth=5)
    assert (work.width, work.height) == (80, 60) and pixels_of(work.picture).shape == (60, 80, 3)
    assert work.units == pytest.approx(max(cost.LEAST, cost.units(Recipe.from_json(work.recipe), 60, 80)))
    large = dreamed(client, original, side=160, depth=5)
    assert (large.width, large.height) == (160, 120) and large.units > work.units
    refused = picked(client, original, side=100_000)
    assert refused.status_code == 400 and "Size: " in refused.json()["detail"] and Work.objects.dreams().count() == 2


def test_a_picture_that_is_hardly_larger_is_dreamed_on_whole(
    client: Client, original: Original, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "LOOK", 150)
    assert sizes.choices(original) == [(160, "As it is")]
    assert 'name="side"' not in client.get(original.get_absolute_url()).content.decode(), "there is nothing to choose"
    assert dreamed(client, original).width == 160


@pytest.mark.parametrize("whole", [True, False])
def test_the_print_of_a_small_dream_looks_as_it_does(client: Client, original: Original, whole: bool) -> None:
    """Enlarged onto the picture as it came, or, where that is forgotten, onto the one that pages have."""
    if not whole:
        Original.objects.update(large="", large_width=0, large_height=0)
        original.refresh_from_db()
    work = dreamed(client, original, seed=7, mask=painted(spared=slice(0, 30)))
    times = 6 if whole else 2
    page = client.get(work.get_absolute_url()).content.decode()
    assert f"{80 * times} × {60 * times} pixels" in page and "s of work:" in page
    assert f"?again={work.key}&amp;side=160" in page, "a finer one is another dream, and is offered as that"
    made = printed(client, work)
    assert (made.width, made.height) == (80 * times, 60 * times)
    changed = {name for name, value in made.recipe.items() if value != work.recipe[name]}
    assert changed <= {"finest", "min_size"} and made.mask == work.mask, "the same, enlarged"
    before = pixels_of(original.large if whole else original.picture).astype(int)
    grown = (pixels_of(made.picture) - before).reshape(60, times, 80, times, 3).mean(axis=(1, 3))
    shown = np.asarray(Image.fromarray(before.astype(np.uint8)).resize((80, 60), Image.Resampling.LANCZOS)).astype(int)
    change = pixels_of(work.picture) - shown
    alike = float(np.corrcoef(change.ravel(), grown.ravel())[0, 1])
    assert alike > 0.8, f"{alike:.2f} alike"
    spared, dreamt = np.abs(grown[:, :30]).mean(), np.abs(grown[:, 50:]).mean()
    assert spared < 0.5 * dreamt, "and it spares the same part"


def test_a_dream_without_its_fine_octaves_is_printed_too(client: Client, original: Original) -> None:
    work = dreamed(client, original, **{"recipe-finest": 0.1})
    assert client.get(work.get_absolute_url()).status_code == 200
    made = prints.new(work)
    largest = Recipe.from_json(made.recipe).finest * 480
    assert largest == pytest.approx(80 * min(1, Recipe.from_json(work.recipe).min_size / 60)), "its largest octave"


def test_it_is_dreamed_again_at_its_own_size_or_another_one(client: Client, original: Original) -> None:
    work = dreamed(client, original, side=160)
    again = f"{original.get_absolute_url()}?again={work.key}"
    assert client.get(again).context["form"]["side"].value() == 160
    assert client.get(f"{again}&side=80").context["form"]["side"].value() == 80
    assert client.get(f"{again}&side=nonsense").context["form"]["side"].value() == 160


def test_the_command_makes_the_same_at_this_size(client: Client, original: Original, tmp_path: Path) -> None:
    work = dreamed(client, original)
    page = client.get(work.get_absolute_url()).content.decode()
    assert f"--recipe {work.key}.jpg --side 80" in page
    photo, recipe, own = tmp_path / "photo.jpg", tmp_path / "recipe.jpg", tmp_path / "own.jpg"
    photo.write_bytes(default_storage.open(original.picture.name).read())
    recipe.write_bytes(default_storage.open(work.picture.name).read())
    call_command("dream", str(photo), str(own), "--recipe", str(recipe), "--side", "80", threads=1)
    assert np.array_equal(np.asarray(Image.open(own)), pixels_of(work.picture)), "to the byte"
    refused: list[tuple[list[Any], str]] = [
        ([photo, own, "--side", "4"], "side: received 4"),
        ([own, "--noise", "64x64", "--side", "80"], "without a photograph"),
        ([photo, own, "--journey", "zoom", "--side", "80"], "expected --frame-side there"),
    ]
    for options, words in refused:
        with pytest.raises(CommandError, match=words):
            call_command("dream", *map(str, options), threads=1)


def test_what_a_day_has_left_is_enough_for_a_smaller_one(
    client: Client, original: Original, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe.from_json(dreamed(client, original, depth=5).recipe)
    small_one, large_one = (cost.units(recipe, *sizes.of(original, side)) for side in (80, 160))
    monkeypatch.setattr(cost, "DAILY", ((0, cost.spent(original.owner_id) + (small_one + large_one) / 2),))
    answer = picked(client, original, depth=5, side=160)
    assert answer.status_code == 429 and "smaller" in answer.json()["detail"]
    assert picked(client, original, depth=5).status_code == 201
