"""The network says what it sees in a drawing, people agree, and the next dreams go that way there."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from canvas import frames, journal, wire
from canvas.brush import Pixels
from canvas.models import Canvas, Dream, Frame, Stroke
from dreamer import worker
from dreamer.engine import Network
from dreamer.engine.classes import chances
from dreamer.guesses import drawings, listening, seeing, steering, views
from dreamer.guesses.listening import Listener
from dreamer.house import BUILTIN
from dreamer.library.labels import spoken
from dreamer.models import Guess
from dreamer.worker import Dreamer
from dreamsite.core import counters
from dreamsite.core.models import User
from tests.dreamer import nets

WHITE = (255, 255, 255)


@pytest.fixture(scope="module")
def house() -> Network:
    return Network.open(BUILTIN / "house", threads=1)


@pytest.fixture
def canvas(db: None, settings: Any, tmp_path: Path) -> Canvas:
    settings.MEDIA_ROOT, settings.MODELS_DIR = tmp_path / "media", tmp_path / "models"
    settings.DREAM_THREADS, settings.HOUSE_MODEL = 1, True
    cache.clear()
    frames.load.cache_clear()
    return Canvas.objects.create(slug="here", title="Here", width=400, height=400)


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What browsers are told."""
    news: list[dict[str, Any]] = []
    monkeypatch.setattr(listening, "publish", lambda guess: news.append(listening.news(guess)))
    monkeypatch.setattr(views, "publish", listening.publish)
    return news


def line(number: int, author: int, *points: tuple[int, int], width: int = 12) -> wire.Stroke:
    """A black line through points in px."""
    return wire.Stroke(number, 0, (0, 0, 0), 255, 0, tuple((8 * x, 8 * y, 8 * width) for x, y in points), True, author)


def face(author: int = 7) -> list[wire.Stroke]:
    """A round thing with two eyes."""
    angles = np.linspace(0, 2 * np.pi, 40)
    ring = [(round(200 + 70 * np.cos(a)), round(200 + 70 * np.sin(a))) for a in angles]
    return [line(1, author, *ring), line(2, author, (175, 180)), line(3, author, (225, 180))]


def later(seconds: float) -> None:
    """All ink is so much older."""
    for stroke in Stroke.objects.all():
        Stroke.objects.filter(pk=stroke.pk).update(
            began_at=stroke.began_at - timedelta(seconds=seconds), ended_at=stroke.ended_at - timedelta(seconds=seconds)
        )


def looked_at(canvas: Canvas, network: Network) -> tuple[Listener, Guess | None]:
    """What a dreamer that was there before the drawing says when it has come to rest."""
    listener = Listener()
    listener.look(canvas, lambda: network)
    journal.append(canvas, face())
    canvas.refresh_from_db()
    assert listener.look(canvas, lambda: network) is None, "it waits until the drawing rests"
    later(10)
    listener._next.clear()
    return listener, listener.look(canvas, lambda: network)


def test_what_is_drawn_near_each_other_is_one_drawing() -> None:
    def stroke(left: int, top: int, author: int = 1, seq: int = 1) -> Stroke:
        now = timezone.now()
        return Stroke(author=author, left=left, top=top, right=left + 50, bottom=top + 50, last_seq=seq, ended_at=now)

    found = drawings.together([stroke(10, 10), stroke(300, 300, 2, 9), stroke(130, 10), stroke(70, 10, 3, 4)], 400, 400)
    found.sort(key=lambda drawing: drawing.box)
    assert [drawing.box for drawing in found] == [(10, 10, 180, 60), (300, 300, 350, 350)]
    assert (found[0].authors, found[0].last_seq) == (frozenset({1, 3}), 4)


def test_a_drawing_at_rest_is_answered_once_with_words_anybody_may_hear(
    canvas: Canvas, house: Network, announced: list[dict[str, Any]]
) -> None:
    listener, guess = looked_at(canvas, house)
    assert guess is not None and guess.authors == [7] and 1 <= len(guess.words) <= seeing.MOST
    assert guess.left <= 130 and guess.right >= 270
    labels = [word["label"] for word in guess.words]
    assert announced[0]["words"] == labels and announced[0]["chosen"] is None
    assert all(spoken(label) == label and label in house.labels for label in labels)
    listener._next.clear()
    assert listener.look(canvas, lambda: house) is None
    assert Guess.objects.count() == 1


def test_nothing_is_said_where_the_setting_is_off_or_a_network_has_no_classes(
    canvas: Canvas, house: Network, announced: list[dict[str, Any]], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DREAM_GUESSES = False
    assert looked_at(canvas, house)[1] is None
    settings.DREAM_GUESSES = True
    monkeypatch.setattr(house, "labels", ())
    assert seeing.guesses(house, np.zeros((99, 99, 3), np.uint8), (1, 1, 90, 90), WHITE) == ()
    assert not announced


def test_blank_paper_and_a_dot_say_nothing(canvas: Canvas, house: Network) -> None:
    paper = np.full((400, 400, 3), 255, np.uint8)
    assert seeing.guesses(house, paper, (100, 100, 300, 300), WHITE) == ()
    journal.append(canvas, [line(1, 7, (200, 200))])
    assert drawings.at_rest(canvas, timezone.now() + timedelta(seconds=9), 0) == []


def test_what_emoji_show_is_among_the_guesses(house: Network) -> None:
    """Whole pictures, as the house model has learned them; drawings by people are harder (docs/house-model.md)."""
    from PIL import Image

    from dreamer.house.sprites import sprites

    found = {label: versions for label, versions in sprites().items() if spoken(label)}
    right = 0
    for label, versions in found.items():
        page = Image.new("RGB", (400, 400), "white")
        drawn = Image.fromarray(versions[0][128].rgba).resize((240, 240))
        page.paste(drawn, (80, 80), drawn)
        right += label in [g.label for g in seeing.guesses(house, np.asarray(page), (80, 80, 320, 320), WHITE)]
    assert right >= 0.7 * len(found) > 70


def test_a_drawing_is_looked_at_alone_whatever_a_dream_has_made_of_it(canvas: Canvas) -> None:
    journal.append(canvas, [*face(), line(4, 9, (20, 390), (380, 390))])
    canvas.refresh_from_db()
    assert drawings.at_rest(canvas, timezone.now(), 0) == []  # not yet, but the index has them
    later(10)
    found = {drawing.authors: drawing for drawing in drawings.at_rest(canvas, timezone.now(), 0)}
    paper = drawings.alone(canvas, found[frozenset({7})])
    assert paper[130].min() < 50 and (paper[180, 175] < 50).all()  # the ring's top, and an eye
    assert (paper[380:] == 255).all()  # somebody else's line


def test_the_eye_looks_for_a_network_that_knows_no_drawings(house: Network, tmp_path: Path) -> None:
    """Its word is one of that network's classes: of several kinds the one that the network finds likeliest there."""
    from PIL import Image

    from dreamer.house.sprites import sprites

    labels = ["thing", "tabby, tabby cat", "tiger cat", "Egyptian cat", "starfish", "zebra", *"abcd"]
    other = Network.open(nets.register_tiny(tmp_path, labels=labels), threads=1)
    assert seeing.classes_called(house, "zebra") == [house.labels.index("zebra")]
    assert seeing.classes_called(other, "zebra") == [5] and seeing.classes_called(other, "fox") == []
    assert seeing.classes_called(other, "cat") == [1, 2, 3]
    page, shown = Image.new("RGB", (400, 400), "white"), Image.fromarray(sprites()["zebra"][0][128].rgba)
    page.paste(shown.resize((240, 240)), (80, 80), shown.resize((240, 240)))
    said = seeing.guesses(other, np.asarray(page), (80, 80, 320, 320), WHITE)
    assert ("zebra", 5) in [(guess.label, guess.number) for guess in said]
    assert all(labels[guess.number] not in ("thing", *"abcd") for guess in said)


@pytest.mark.parametrize(
    ("label", "word"),
    [
        ("great grey owl, great gray owl, Strix nebulosa", "great grey owl"),
        ("assault rifle, assault gun", ""),
        ("Cardigan, Cardigan Welsh corgi", "cardigan"),
        ("bikini, two-piece", ""),
        ("leopard_spots", "leopard spots"),
        ("281", ""),
        ("", ""),
    ],
)
def test_words_are_plain_and_fit_for_children(label: str, word: str) -> None:
    assert spoken(label) == word


# --- people answer --------------------------------------------------------------------------------------------------


@pytest.fixture
def guess(canvas: Canvas, people: dict[str, User]) -> Guess:
    words = [{"number": n, "label": label, "chance": 0.2} for n, label in enumerate(("dog", "fox", "wolf"))]
    return Guess.objects.create(
        canvas=canvas,
        network="house",
        seq=3,
        left=130,
        top=130,
        right=270,
        bottom=270,
        authors=[people["author"].pk],
        words=words,
    )


@pytest.fixture
def people(db: None) -> dict[str, User]:
    return {name: User.objects.create_user(name, password="hunter2 hunter2") for name in ("author", "bystander")}


Answer = Callable[[str, object], Any]


@pytest.fixture
def answer(guess: Guess, people: dict[str, User], announced: list[dict[str, Any]]) -> Answer:
    def post(who: str, word: object) -> Any:
        client = Client()
        client.force_login(people[who])
        url = f"/c/here/guesses/{guess.pk}/"
        return client.post(url, json.dumps({"word": word}), content_type="application/json")

    return post


def test_anybody_may_agree_and_whoever_drew_it_has_the_last_word(
    answer: Answer, guess: Guess, announced: list[dict[str, Any]]
) -> None:
    assert answer("bystander", 1).json() == {"chosen": 1}
    assert answer("author", 0).json() == {"chosen": 0}
    assert answer("bystander", 2).json() == {"chosen": 0}
    guess.refresh_from_db()
    assert (guess.chosen, guess.by_author, guess.dreams_left) == (0, True, Guess.LEADS)
    assert [news["chosen"] for news in announced] == [1, 0]


@pytest.mark.parametrize("word", [3, -1, "1", None, True, 0.0, [0]])
def test_an_answer_that_is_no_word_is_told_what_is_expected(answer: Answer, guess: Guess, word: object) -> None:
    response = answer("author", word)
    assert response.status_code == 400 and "0 to 2" in response.json()["detail"]
    guess.refresh_from_db()
    assert guess.chosen is None


def test_answers_are_limited(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "_key", lambda what, seconds: what)  # whenever a minute ends
    assert {answer("bystander", n % 3).status_code for n in range(20)} == {200}
    assert answer("bystander", 0).status_code == 429


# --- and the dream follows ------------------------------------------------------------------------------------------


def test_only_the_place_itself_is_led(house: Network) -> None:
    random_ink = np.random.default_rng(1).integers(0, 255, (400, 400, 3)).astype(np.uint8)
    wanted = steering.Wanted((150, 150, 250, 250), house.labels.index("fox"))
    led = steering.steer(random_ink, house, wanted, {"mean_free": True}, seed=1)
    changed = np.argwhere((led != random_ink).any(axis=2))
    assert len(changed) > 2000
    assert changed.min() >= 150 - 60 and changed.max() < 250 + 60


def test_a_led_place_is_taken_for_what_it_was_led_to(house: Network) -> None:
    number = house.labels.index("sunflower")
    page = np.full((400, 400, 3), 255, np.uint8)
    page[150:250, 150:250] = (240, 200, 60)
    led = steering.steer(page, house, steering.Wanted((130, 130, 270, 270), number), {"mean_free": True}, seed=1)

    def chance(picture: Pixels) -> float:
        return float(chances(house, "classes", np.ascontiguousarray(picture[120:280, 120:280]))[number])

    assert chance(led) > 3 * chance(page)


def test_the_next_dreams_are_led_and_say_so(
    guess: Guess, canvas: Canvas, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    seen: list[Pixels] = []
    monkeypatch.setattr(worker, "dream", lambda pixels, *_, **__: seen.append(pixels) or 255 - pixels)
    journal.append(canvas, face())
    guess.choose(1, guess.authors[0])
    dreamer = Dreamer(chance=random.Random(1))
    plain = frames.compose(canvas).pixels
    for number in range(Guess.LEADS + 1):
        dreamer.look()
        Dream.objects.update(next_at=timezone.now() - timedelta(seconds=0.1))
        dreamer.look()
        assert Frame.objects.count() == number + 1
    first, *_, last = Frame.objects.order_by("pk")
    assert (seen[0] != plain).any() and (seen[0][:20] == plain[:20]).all()
    assert first.recipe["guesses"] == [{"id": guess.pk, "word": "fox", "box": [130, 130, 270, 270]}]
    assert "guesses" not in last.recipe
    page = client.get(first.get_absolute_url()).content.decode()
    assert "People saw" in page and "fox" in page
