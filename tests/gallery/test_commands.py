"""The made-up history, and the measuring of pages on it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from canvas import frames, strokes
from canvas.models import Canvas, Frame, IndexProgress, Stroke
from gallery.highlights.models import Highlight
from gallery.management.commands import measure_history
from tests import running
from tests.running import RunningSite
from tests.services import Postgres

pytestmark = pytest.mark.django_db
FIRST_OF_40 = (1, 8, "#60be31", 163)  # where the first stroke of a small one lies, its colour, and how many there are


@pytest.fixture
def seeded(settings: Any, tmp_path: Path) -> Canvas:
    settings.MEDIA_ROOT = tmp_path / "media"
    options = {"frames": 40, "pictures": 2, "side": 64, "canvas": "made-up"}
    call_command("seed_history", **options, stdout=io.StringIO())
    with pytest.raises(CommandError, match="drawn on already"):
        call_command("seed_history", **options, stdout=io.StringIO())
    return Canvas.objects.get(slug="made-up")


def test_the_index_of_a_made_up_history_is_what_its_journal_says(seeded: Canvas) -> None:
    fields = [field.name for field in Stroke._meta.fields if field.name != "id"]
    made = list(Stroke.objects.order_by("first_seq").values(*fields))
    assert made
    Stroke.objects.all().delete()
    IndexProgress.objects.all().delete()
    strokes.index(seeded)
    assert list(Stroke.objects.order_by("first_seq").values(*fields)) == made


@pytest.mark.parametrize("moment", ["2026-11-30T05:15", "2028-02-29T23:50", "2026-12-31T12:00", "2027-03-06T00:10"])
def test_a_made_up_history_is_drawn_on_at_any_hour(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    monkeypatch.setattr(timezone, "now", lambda: datetime.fromisoformat(moment).replace(tzinfo=UTC))
    call_command("seed_history", frames=40, pictures=1, side=64, canvas="night", stdout=io.StringIO())
    drawn = Stroke.objects.order_by("first_seq")
    assert len(drawn) > 40
    assert (drawn[0].left, drawn[0].top, drawn[0].colour, len(drawn)) == FIRST_OF_40
    assert timezone.now() - drawn[len(drawn) - 1].ended_at < timedelta(minutes=2)


def test_a_made_up_history_hangs_together(seeded: Canvas, client: Client) -> None:
    newest = Frame.objects.get(number=40)
    assert (seeded.head, seeded.frame) == (newest.seq, newest)
    assert Highlight.objects.exists()
    drawn = Stroke.objects.values_list("author", flat=True)
    assert set(drawn) == set(Frame.contributors.through.objects.values_list("user_id", flat=True))
    pixels = np.asarray(frames.compose(seeded).pixels)
    assert np.array_equal(pixels, frames.load(newest.pk)), "nobody drew after the last frame"


@pytest.mark.parametrize("https", [False, True])
def test_measuring_asks_for_every_kind_of_page(seeded: Canvas, settings: Any, https: bool) -> None:
    """The pages themselves: at an https address plain requests are only sent on."""
    settings.HTTPS = settings.SECURE_SSL_REDIRECT = https
    told = io.StringIO()
    call_command("measure_history", times=1, canvas="made-up", zone="Asia/Tokyo", stdout=told)
    rows = re.findall(r"^(.+?) +[\d.]+ ms .* (\d{3})$", told.getvalue(), re.MULTILINE)
    assert len(rows) >= 24
    assert {status for _, status in rows} == {"200"}, rows


def test_there_is_nothing_to_measure() -> None:
    with pytest.raises(CommandError, match="seed_history"):
        call_command("measure_history", canvas="none")


def test_no_page_walks_through_the_whole_history(seeded: Canvas) -> None:
    """Whatever its speed here: what an index answers is as quick with a hundred times as many frames."""
    told = io.StringIO()
    call_command("measure_history", plans=True, canvas="made-up", stdout=told)
    assert "0 queries walk through a table that grows, sqlite" in told.getvalue(), told.getvalue()


def test_a_query_that_walks_is_found(seeded: Canvas) -> None:
    for query in (Frame.objects.filter(title="x"), Frame.objects.filter(width__gt=5).order_by("sha256")):
        sql, params = query.query.sql_with_params()
        assert measure_history._walked(sql, params) == {"canvas_frame"}
    sql, params = Frame.objects.filter(pk=3).query.sql_with_params()
    assert measure_history._walked(sql, params) == set()


@pytest.mark.postgres
def test_nor_on_postgresql(
    make_site: Callable[..., RunningSite], postgres: Postgres, postgres_template: tuple[Path, str], tmp_path: Path
) -> None:
    template, address = postgres_template
    site = make_site(running.copy(template, tmp_path / "var"), DATABASE_URL=postgres.database(address))
    site.manage("seed_history", "--frames", "40", "--canvas", "made-up")
    told = site.manage("measure_history", "--plans", "--canvas", "made-up")
    assert "0 queries walk through a table that grows, postgresql" in told, told
