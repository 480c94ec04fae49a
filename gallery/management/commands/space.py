"""`manage.py space`: how much room the site takes and will take, and what the rule of retention would give up."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Sum
from django.template.defaultfilters import filesizeformat

from canvas.models import Canvas
from gallery.space import compact, retention
from gallery.space.forecast import forecast


class Command(BaseCommand):
    help = (
        "Tells how much room the site takes and will take, and which pictures KEEP_ALL_DAYS gives up. Changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, help="as if KEEP_ALL_DAYS were this")
        parser.add_argument("--minutes", type=int, help="as if KEEP_ONE_MINUTES were this")
        parser.add_argument("--thin", action="store_true", help="give them up now; else workers do it by and by")

    def handle(self, *, days: int | None, minutes: int | None, thin: bool, **options: Any) -> None:
        if thin and (days, minutes) != (None, None):
            raise CommandError("--thin goes by the settings alone: set KEEP_ALL_DAYS and KEEP_ONE_MINUTES.")
        if days is not None:
            settings.KEEP_ALL_DAYS = max(days, 1)
        if minutes is not None:
            settings.KEEP_ONE_MINUTES = max(minutes, 1)
        seen, say = forecast(), self.stdout.write
        say(f"frames {_size(seen.frames)}, films {_size(seen.films)}, downloads {_size(seen.downloads)}")
        say(f"{_size(seen.a_day)} a day as in the last week, {_size(seen.a_year)} a year")
        if seen.free is not None:
            enough = f", enough for {seen.days_left:,.0f} days" if seen.days_left else ""
            say(f"{_size(seen.free)} free on this disk{enough}")
        if settings.KEEP_EXACT_DAYS:
            waiting = [compact.waiting(canvas) for canvas in Canvas.objects.select_related("frame")]
            size = sum(each.aggregate(total=Sum("size"))["total"] or 0 for each in waiting)
            say(f"Dreams older than {settings.KEEP_EXACT_DAYS} days are stored as AVIF: {_size(size)} wait for that")
        if not settings.KEEP_ALL_DAYS:
            say("Everything is kept (KEEP_ALL_DAYS is 0). --days 30 shows what thinning after a month would give up.")
            return
        say(
            f"Dreams that nobody drew on are thinned after {settings.KEEP_ALL_DAYS} days to one in "
            f"{settings.KEEP_ONE_MINUTES} minutes: {_size(seen.a_year_thinned)} a year"
        )
        for canvas in Canvas.objects.order_by("pk"):
            planned = list(retention.plan(canvas))
            say(f"{canvas.slug}: the pictures of {len(planned)} frames, {_size(sum(each.size for each in planned))}")
            for first, last in _runs([each.number for each in planned])[:10]:
                say(f"  {first}" + (f" to {last}" if last > first else ""))
            if thin:
                count, freed = retention.thin(canvas, most=10**9)
                say(self.style.SUCCESS(f"{canvas.slug}: {count} pictures given up, {_size(freed)}"))


def _size(count: float | None) -> str:
    return filesizeformat(count or 0).replace("\xa0", " ")


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    runs = []
    for _, run in groupby(enumerate(numbers), lambda each: each[1] - each[0]):
        inside = [number for _, number in run]
        runs.append((inside[0], inside[-1]))
    return runs
