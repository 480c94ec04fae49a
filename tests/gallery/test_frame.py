"""A frame's permanent page and its JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from canvas.models import Canvas, Frame
from dreamsite.core.models import User
from gallery import recipe
from tests.gallery.conftest import RECIPE

pytestmark = pytest.mark.django_db
Many = Callable[..., list[Frame]]


def test_the_page_says_it_all(client: Client, kept: Frame) -> None:
    answer = client.get(f"/frames/{kept.pk}/")
    assert answer.status_code == 200
    page = answer.content.decode()
    for words in (
        "Frame 1",
        kept.made_at.strftime("%H:%M:%S UTC"),
        "ada-l",
        "bruno",
        "channel 63 of inception_4c/output",
        "looked for",
        "googlenet",
        "1.31415",
        "8.2 s",
        "processor",
        kept.sha256,
        "96 × 96",
        kept.picture.url,
        'download="dreamsite-main-000001.jpg"',
        f'href="/frames/{kept.pk}.json"',
        f'rel="canonical" href="http://localhost:8000/frames/{kept.pk}/"',
        f'property="og:image" content="http://localhost:8000/frames/{kept.pk}/card.jpg"',
    ):
        assert words in page, words


def test_where_small_sizes_took_more_steps_the_page_says_how_many(client: Client, kept: Frame) -> None:
    kept.recipe = {**kept.recipe, "octaves": 7, "iterations": 1, "taper": 1.3}
    kept.save(update_fields=["recipe"])
    page = client.get(f"/frames/{kept.pk}/").content.decode()
    assert "5, 4, 3, 2, 2, 1, 1" in page and "at each" not in page


def test_the_picture_is_there(client: Client, kept: Frame) -> None:
    answer = client.get(f"/frames/{kept.pk}/picture", follow=True)
    assert answer["Content-Type"] == "image/jpeg"
    assert b"".join(answer.streaming_content) == kept.picture.open().read()
    assert client.get(kept.thumbnail.url).status_code == 200


def test_json(client: Client, kept: Frame) -> None:
    answer = client.get(f"/frames/{kept.pk}.json").json()
    files = {file["name"]: file for file in answer.pop("files")}
    assert (files["original"]["size"], files["original"]["sha256"]) == (kept.size, kept.sha256)
    small = kept.thumbnail.open("rb").read()
    assert (files["thumbnail"]["size"], files["thumbnail"]["sha256"]) == (len(small), hashlib.sha256(small).hexdigest())
    assert client.get(answer.pop("moment")).context["base"].pk == kept.pk
    assert datetime.fromisoformat(answer.pop("made_at")) == kept.made_at
    assert answer == {
        "id": kept.pk,
        "canvas": "main",
        "number": 1,
        "kind": "dream",
        "hidden": False,
        "thinned": False,
        "page": f"http://localhost:8000/frames/{kept.pk}/",
        "title": "inception_4c/output 63",
        "seq": 12,
        "width": 96,
        "height": 96,
        "size": kept.size,
        "sha256": kept.sha256,
        "seconds": 8.25,
        "recipe": RECIPE,
        "picture": f"http://localhost:8000{kept.picture.url}",
        "thumbnail": f"http://localhost:8000{kept.thumbnail.url}",
        "contributors": ["ada-l", "bruno"],
        "licence": {"name": "CC BY-SA 4.0", "url": "https://creativecommons.org/licenses/by-sa/4.0/"},
        "previous": None,
        "next": None,
    }


def test_previous_and_next(client: Client, many: Many) -> None:
    first, second, third = many(3)
    page = client.get(f"/frames/{second.pk}/").content.decode()
    assert f'rel="prev" href="/frames/{first.pk}/"' in page
    assert f'rel="next" href="/frames/{third.pk}/"' in page
    answer = client.get(f"/frames/{second.pk}.json").json()
    assert client.get(answer["previous"]).json()["number"] == 1
    assert client.get(answer["next"]).json()["number"] == 3


def test_the_ends(client: Client, many: Many) -> None:
    first, last = many(2)
    page = client.get(f"/frames/{first.pk}/").content.decode()
    assert 'rel="prev"' not in page and "The first" in page
    page = client.get(f"/frames/{last.pk}/").content.decode()
    assert 'rel="next"' not in page and "Live" in page, "after the last frame comes the living canvas"


def test_neighbours_are_of_the_same_canvas(client: Client, many: Many) -> None:
    many(2)
    (alone,) = many(1, canvas=Canvas.objects.create(slug="night", title="The night"))
    answer = client.get(f"/frames/{alone.pk}.json").json()
    assert answer["previous"] is None and answer["next"] is None


def test_all_frames_lead_back_to_this_one(client: Client, many: Many) -> None:
    frame = many(120)[60]
    page = client.get(f"/frames/{frame.pk}/").context["around"]
    address, _, mark = page.partition("#")
    assert f'id="{mark}"' in client.get(address).content.decode()


def test_nobody_drew(client: Client, many: Many) -> None:
    (frame,) = many(1)
    assert "Nobody drew; the network kept dreaming." in client.get(f"/frames/{frame.pk}/").content.decode()


def test_a_crowd_is_shown_in_part_and_costs_no_more(
    client: Client, many: Many, django_assert_max_num_queries: Any
) -> None:
    (frame,) = many(1)
    frame.contributors.set(
        User.objects.bulk_create(User(username=name, skeleton=name) for name in map("person{:03}".format, range(200)))
    )
    with django_assert_max_num_queries(8):
        page = client.get(f"/frames/{frame.pk}/").content.decode()
    assert page.count('class="chip"') == 61
    assert "and 140 more" in page


def test_a_hidden_frame_says_so_and_leads_on(client: Client, many: Many) -> None:
    first, hidden, third = many(3)
    Frame.objects.filter(pk=hidden.pk).update(hidden_at=timezone.now())
    answer = client.get(f"/frames/{hidden.pk}/")
    assert answer.status_code == 410
    page = answer.content.decode()
    assert "Frame 2 is hidden" in page
    assert hidden.picture.url not in page and "layer 2" not in page
    assert f"/frames/{first.pk}/" in page and f"/frames/{third.pk}/" in page
    answer = client.get(f"/frames/{hidden.pk}.json")
    assert answer.status_code == 410
    assert {"picture", "recipe", "contributors"}.isdisjoint(answer.json())
    assert answer.json()["next"].endswith(f"/frames/{third.pk}.json")
    assert client.get(f"/frames/{hidden.pk}/picture").status_code == 410


def test_staff_sees_what_is_hidden_with_the_second_factor(as_staff: Client, many: Many, settings: Any) -> None:
    (hidden,) = many(1, hidden_at=timezone.now())
    settings.ADMIN_TWO_FACTOR = True
    assert as_staff.get(f"/frames/{hidden.pk}/").status_code == 410
    settings.ADMIN_TWO_FACTOR = False
    page = as_staff.get(f"/frames/{hidden.pk}/").content.decode()
    assert hidden.picture.url in page and "Hidden from everybody but the staff." in page
    assert as_staff.get(f"/frames/{hidden.pk}/picture").status_code == 302


@pytest.mark.parametrize(
    "address", ["/frames/999/", "/frames/999.json", "/frames/999/picture", "/frames/99999999999999999999/"]
)
def test_a_frame_that_is_not_there(client: Client, address: str) -> None:
    assert client.get(address).status_code == 404


def test_words_from_outside_stay_words(client: Client, many: Many) -> None:
    (frame,) = many(1)
    evil = '"><script>alert(1)</script>'
    Frame.objects.update(title=evil, recipe={**RECIPE, "model": evil, "target": {"terms": [{"layer": evil}]}})
    frame.contributors.add(User.objects.create(username=evil[:24]))
    for address in (f"/frames/{frame.pk}/", "/history/"):
        page = client.get(address).content.decode()
        assert "<script>alert" not in page and '"><script' not in page


def test_a_drawing_without_a_dream(many: Many) -> None:
    (frame,) = many(1, kind=Frame.Kind.CHECKPOINT)
    frame.recipe = {}
    assert recipe.sentence(frame) == "The drawing as it was, with no dream on it."
    assert recipe.facts(frame) == []


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ([{"layer": "a"}], "the whole of a"),
        ([{"layer": "a", "channels": [[1, 1.0]]}], "channel 1 of a"),
        ([{"layer": "a", "channels": [[1, 1.0], [2, 0.5]]}], "channels 1, 2 of a"),
        ([{"layer": "a"}, {"layer": "b"}, {"layer": "c"}], "the whole of a, the whole of b and the whole of c"),
    ],
)
def test_recipes_in_words(terms: list[dict[str, Any]], words: str) -> None:
    text = recipe.sentence(Frame(recipe={**RECIPE, "iterations": 1, "target": {"terms": terms}}))
    assert text == f"The network looked for {words} in the drawing."


PLAIN = st.none() | st.booleans() | st.integers(-10, 10**6) | st.floats(allow_nan=False) | st.text(max_size=8)
CHANNELS = PLAIN | st.lists(PLAIN | st.lists(PLAIN, max_size=2), max_size=8)
TERM = st.fixed_dictionaries({}, optional={"layer": PLAIN, "channels": CHANNELS})
TARGET = st.fixed_dictionaries({"terms": PLAIN | st.lists(PLAIN | TERM, max_size=5)})
JSON = PLAIN | st.lists(PLAIN, max_size=3) | TARGET
KEYS = st.sampled_from(
    ["target", "model", "octaves", "octave_scale", "iterations", "taper", "step", "seed", "device", "other"]
)


@given(st.dictionaries(KEYS, JSON), st.sampled_from(Frame.Kind.values))
def test_any_recipe_can_be_read(written: dict[str, Any], kind: str) -> None:
    """Recipes are kept for ever: one of a version long gone, or of one to come, must not break its page."""
    frame = Frame(recipe=written, kind=kind)
    assert recipe.sentence(frame).endswith(".")
    assert all(name and value for name, value in recipe.facts(frame))
