"""The public summary of a month."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client

from canvas.models import Canvas
from canvas.moderation.cases import services as cases
from canvas.moderation.sanctions import services as sanctions
from dreamsite.core.models import User
from tests.moderation.helpers import reported

pytestmark = pytest.mark.django_db


def test_the_summary_counts_and_names_nobody(canvas: Canvas, people: list[User], mona: User, otto: User) -> None:
    case = reported(canvas, reporter=people[0])
    case.refresh_from_db()
    cases.decide(case, case.version, mona, "acted", "secret words")
    first = sanctions.issue(mona, people[1], "read_only", "secret reason")
    appeal = sanctions.appeal(first, "secret plea")
    sanctions.decide(appeal, 1, otto, "overturned", "secret answer")
    page = Client().get("/moderation/summary/")
    month = page.context["month"]
    assert [(row.title, row.count) for row in month.sanctions] == [("Read only", 1)]
    assert [(row.title, row.count) for row in month.appeals] == [("The sanction was overturned", 1)]
    assert [(row.title, row.count) for row in month.reports] == [("Hate or harassment", 1)]
    assert {row.title: row.count for row in month.acts}["Issued a sanction"] == 1
    words = page.content.decode()
    assert "secret" not in words and all(f">{name}<" not in words for name in ("mona", "otto", "ann"))


def test_a_quiet_month_says_so_and_months_lead_to_each_other(canvas: Canvas) -> None:
    assert "quiet month" in Client().get("/moderation/summary/").content.decode()
    case = reported(canvas)
    case.reports.update(at=datetime(2024, 2, 29, tzinfo=UTC))
    page = Client().get("/moderation/summary/2024/2/")
    assert page.status_code == 200 and page.context["month"].after.month == 3 and page.context["month"].before is None
    assert Client().get("/moderation/summary/2199/1/").status_code == 404
    assert Client().get("/moderation/summary/1066/10/").status_code == 404
