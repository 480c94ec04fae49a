"""Dreams in which nobody drew are one entry of the history, however many they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

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


def folds(entries: list[Frame | frames.Fold]) -> set[int]:
    """The numbers that are folded away."""
    return {
        number for entry in entries if isinstance(entry, frames.Fold) for number in range(entry.first, entry.last + 1)
    }


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


def test_a_picture_that_was_put_back_is_never_folded(client: Client, many: Many) -> None:
    """Its number of the journal is older than that of the frames before it."""
    many(20)
    quieten((5, 9))
    Frame.objects.filter(number=10).update(kind=Frame.Kind.RESTORED, seq=3)
    Frame.objects.filter(number__range=(11, 15)).update(seq=3)
    Frame.objects.filter(number=16).update(kind=Frame.Kind.RESTORED, seq=3)
    Frame.objects.filter(number__range=(17, 20)).update(seq=9)
    page = client.get("/history/").content.decode()
    assert page.count("<details>") == 3 and {4, 10, 16, 17} <= set(numbers(page))
    said = {frame["number"]: frame["quiet"] for frame in client.get("/history.json").json()["frames"]}
    assert {number for number, is_quiet in said.items() if is_quiet} == {*range(5, 10), *range(11, 16), 18, 19, 20}


def test_a_fold_over_several_days_says_which(client: Client, many: Many) -> None:
    many(8)
    quieten((2, 8))
    span = re.compile(r'<span class="tile-span">(.*?)</span>')
    (times,) = span.findall(client.get("/history/").content.decode())
    assert "Nov" not in times and "2026" not in re.sub('datetime="[^"]*"', "", times)
    frame = Frame.objects.get(number=8)
    Frame.objects.filter(pk=frame.pk).update(made_at=frame.made_at + timedelta(days=2))
    (times,) = span.findall(client.get("/history/").content.decode())
    shown = re.sub("<[^>]*>", "", times)
    assert "20" in shown.split("–")[0] and "22" in shown.split("–")[1] and shown.count("2026") == 2, shown


# What made a frame: how much ink is new in it (less: a moderator put an earlier picture back), and of which kind it is.
MADE = st.one_of(
    st.just((0, "dream")),
    st.tuples(st.integers(-9, 3), st.sampled_from(["dream", "restored", "checkpoint"])),
)


class Folding(TestCase):
    """Whatever was drawn when: from page to page, each frame comes once, in both directions."""

    @given(st.lists(MADE, min_size=1, max_size=200))
    @settings(max_examples=25, deadline=None)
    def test_every_frame_is_on_one_page(self, made: list[tuple[int, str]]) -> None:
        canvas = Canvas.objects.create(slug="folding")
        seq, rows = 0, []
        for number, (new, kind) in enumerate(made, 1):
            seq = max(0, seq + new)
            more = {"kind": kind, "width": 1, "height": 1, "size": 1, "sha256": "0" * 64}
            rows.append(Frame(canvas=canvas, number=number, seq=seq, **more))
        Frame.objects.bulk_create(rows)
        quiet = {row.number for before, row in pairwise(rows) if row.seq == before.seq and row.kind == Frame.Kind.DREAM}
        page = frames.folded_page(canvas)
        seen, folded = covered(page.entries), folds(page.entries)
        assert page.newer is None
        while page.older:
            page = frames.folded_page(canvas, before=page.older)
            assert len(page.entries) <= frames.PAGE
            seen += covered(page.entries)
            folded |= folds(page.entries)
        assert seen == list(range(len(made), 0, -1))
        assert folded <= quiet, "no ink is folded away"
        # All of it is folded where there is enough in a row.
        rest = quiet - folded
        assert not any({number, number + 1, number + 2} <= rest for number in rest)
        listed = frames.page(canvas, size=len(made)).frames
        assert {frame.number for frame in listed if frame.pk in frames.quiet(listed)} == quiet
        back: list[int] = []
        again: set[int] = set()
        after: int | None = 0
        while after is not None:
            page = frames.folded_page(canvas, after=after)
            assert len(page.entries) <= frames.PAGE
            back = covered(page.entries) + back
            again |= folds(page.entries)
            after = page.newer
        assert back == seen and again == folded
