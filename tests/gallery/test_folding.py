"""Dreams in which nobody drew are one entry of the history, however many they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from canvas.models import Canvas, Frame
from gallery import frames
from tests.gallery.test_history import link, numbers

pytestmark = pytest.mark.django_db
Many = Callable[..., list[Frame]]


def quieten(*spans: tuple[int, int]) -> None:
    """No new ink in these frames: they have the journal's number of the one before the first."""
    for first, last in spans:
        Frame.objects.filter(number__range=(first, last)).update(seq=first - 1)


def covered(entries: list[Frame | frames.Fold]) -> list[int]:
    found: list[int] = []
    for entry in entries:
        span = range(entry.first, entry.last + 1) if isinstance(entry, frames.Fold) else [entry.number]
        found += reversed(span)
    return found


def test_a_run_of_quiet_dreams_is_one_tile_that_opens(client: Client, many: Many) -> None:
    many(40)
    quieten((3, 4), (10, 30))
    page = client.get("/history/").content.decode()
    assert "21 dreams in which nobody drew" in page and page.count("<details>") == 1
    assert "2 dreams in which nobody drew" not in page, "two are not worth folding"
    assert {3, 4, 9, 31} <= set(numbers(page)) and len(numbers(page)) == 19 + frames.FOLD_SHOWS
    every = client.get(link(page, "Show every dream by itself")).content.decode()
    assert numbers(every) == list(range(40, 0, -1)) and "<details>" not in every
    all_of_them = client.get(link(page, "All 21")).content.decode()
    assert numbers(all_of_them)[:21] == list(range(30, 9, -1))


def test_the_json_version_says_which_were_quiet(client: Client, many: Many) -> None:
    many(frames.PAGE + 6)
    quieten((4, frames.PAGE + 3))
    answer = client.get("/history.json").json()
    older = client.get(answer["older"]).json()
    said = {frame["number"]: frame["quiet"] for frame in answer["frames"] + older["frames"]}
    assert {number for number, is_quiet in said.items() if is_quiet} == set(range(4, frames.PAGE + 4))


def test_a_fold_costs_the_same_however_long(client: Client, many: Many) -> None:
    many(3 * frames.PAGE)
    quieten((2, 3 * frames.PAGE))
    with CaptureQueriesContext(connection) as asked:
        (newest, *_rest) = frames.folded_page(Canvas.objects.default()).entries
    assert isinstance(newest, frames.Fold) and newest.count == 3 * frames.PAGE - 1 and len(asked) <= 6
    page = client.get("/history/").content.decode()
    assert f"{3 * frames.PAGE - 1} dreams in which nobody drew" in page and 'rel="next"' not in page
    around = client.get(f"/frames/{Frame.objects.get(number=70).pk}/").context["around"]
    assert 70 in numbers(client.get(around).content.decode()), "a frame's page leads to its own place, never folded"


class Folding(TestCase):
    """Whatever was drawn when: from page to page, each frame comes once, in both directions."""

    @given(st.lists(st.booleans(), min_size=1, max_size=260))
    @settings(max_examples=25, deadline=None)
    def test_every_frame_is_on_one_page(self, drew: list[bool]) -> None:
        canvas = Canvas.objects.create(slug="folding")
        seq, rows = 0, []
        for number, drawn in enumerate(drew, 1):
            seq += drawn
            rows.append(Frame(canvas=canvas, number=number, seq=seq, width=1, height=1, size=1, sha256="0" * 64))
        Frame.objects.bulk_create(rows)
        page = frames.folded_page(canvas)
        seen = covered(page.entries)
        assert page.newer is None
        while page.older:
            page = frames.folded_page(canvas, before=page.older)
            seen += covered(page.entries)
        assert seen == list(range(len(drew), 0, -1))
        back: list[int] = []
        after: int | None = 0
        while after is not None:
            page = frames.folded_page(canvas, after=after)
            assert len(page.entries) <= frames.PAGE
            back = covered(page.entries) + back
            after = page.newer
        assert back == seen
        folded = {entry.first for entry in page.entries if isinstance(entry, frames.Fold)}
        assert not any(drew[first - 1] for first in folded if first > 1), "no ink is folded away"
