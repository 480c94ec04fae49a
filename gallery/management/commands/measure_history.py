"""`manage.py measure_history`: how long the server takes for each kind of history page, on the history it has."""

from __future__ import annotations

import json
import re
import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.cache import caches
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from canvas.models import Canvas, Frame
from gallery import query_params
from gallery.converters import utc_iso
from gallery.links import canvas_url
from gallery.timeline import activity, chart

BUDGET = 100.0  # ms
# Tables that grow for as long as the site lives: a page that walks through one gets slower every day.
GROWING = ("canvas_frame", "canvas_frame_contributors", "canvas_batch", "canvas_stroke", "gallery_quarterhour")


class Command(BaseCommand):
    help = "Asks for every kind of history page in this process and tells the server's time for each, caches emptied."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--times", type=int, default=9, help="how often each page is asked for (default 9)")
        parser.add_argument("--canvas", default=settings.CANVAS_SLUG)
        parser.add_argument(
            "--plans", action="store_true", help="tell which queries walk through a whole table instead of measuring"
        )
        parser.add_argument("--zone", default="Europe/Berlin", help="the viewer's time zone")

    def handle(self, *args: Any, **options: Any) -> None:
        canvas = Canvas.objects.filter(slug=options["canvas"]).first()
        extent = chart.extent(canvas) if canvas else None
        if canvas is None or extent is None:
            raise CommandError("There is no history to measure: see manage.py seed_history.")
        count = Frame.objects.filter(canvas=canvas).count()
        self.stdout.write(f"{canvas}: {count:,} frames, {canvas.head:,} operations, {connection.vendor}")
        activity.store_finished(canvas)
        # As a browser comes to it: at an https address plain requests are only sent on.
        client = Client(headers={"host": str(settings.ALLOWED_HOSTS[0])})
        client.cookies[query_params.ZONE_COOKIE] = options["zone"]
        user = get_user_model().objects.filter(frames__canvas=canvas).order_by("pk").first()
        if user:
            client.force_login(user)
        if options["plans"]:
            self._plans(client, _addresses(canvas, extent))
            return
        slow = 0
        for name, address in _addresses(canvas, extent):
            times, processor, queries, status = [], [], 0, 0
            for _ in range(options["times"]):
                caches["pages"].clear()
                begun, used = time.perf_counter(), time.process_time()
                response = client.get(address, secure=settings.HTTPS)
                times.append(1000 * (time.perf_counter() - begun))
                processor.append(1000 * (time.process_time() - used))
                status = response.status_code
            with CaptureQueriesContext(connection) as captured:
                client.get(address, secure=settings.HTTPS)
                queries = len(captured)
            if status not in (200, 410):
                raise CommandError(
                    f"{name}: {address} answered {status}, which is not the page that was to be measured."
                )
            median = statistics.median(times)
            slow += median > BUDGET
            self.stdout.write(
                f"{name:<28} {median:7.1f} ms  (most {max(times):6.1f}, processor "
                f"{statistics.median(processor):6.1f})  {queries:3} queries  "
                f"{len(response.content) / 1024:6.0f} KiB  {status}"
            )
        self.stdout.write(f"{slow} over {BUDGET:.0f} ms" if slow else f"All within {BUDGET:.0f} ms.")

    def _plans(self, client: Client, addresses: list[tuple[str, str]]) -> None:
        found: set[str] = set()
        printed: set[str] = set()

        def look(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            if sql.startswith("SELECT") and not many:
                found.update(f"{table}: {sql}" for table in _walked(sql, params))
            return execute(sql, params, many, context)

        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:  # else a table with few rows is walked through, index or not
                cursor.execute("SET enable_seqscan = off")
        for name, address in addresses:
            caches["pages"].clear()
            activity.clear_cache()
            with connection.execute_wrapper(look):
                client.get(address, secure=settings.HTTPS)
            for query in sorted(found - printed):
                self.stdout.write(f"{name} walks through {query[:600]}")
            printed |= found
        self.stdout.write(f"{len(found)} queries walk through a table that grows, {connection.vendor}")


def _walked(sql: str, params: Any) -> set[str]:
    """The growing tables that a query reads from end to end, however few rows they have now."""
    if connection.vendor == "sqlite":
        # Beside Django's cursor, which would come by here again.
        with closing(connection.connection.cursor()) as cursor:
            steps = [row[3] for row in cursor.execute("EXPLAIN QUERY PLAN " + sql.replace("%s", "?"), params or ())]
        names = [re.match(r"SCAN (\w+)$", step) for step in steps]
        tables = {match[1] for match in names if match}
        return {table for table in GROWING if table in tables or _alias(sql, table) in tables}
    with connection.connection.cursor() as cursor:
        cursor.execute("EXPLAIN (FORMAT JSON) " + sql, params)
        (answer,) = cursor.fetchone()
    plan = json.loads(answer) if isinstance(answer, str) else answer
    return {table for table in _sequential(plan[0]["Plan"]) if table in GROWING}


def _alias(sql: str, table: str) -> str:
    match = re.search(rf'"{table}" (\w+)', sql)
    return match[1] if match else table


def _sequential(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] in ("Seq Scan", "Parallel Seq Scan"):
        yield node["Relation Name"]
    for inner in node.get("Plans", ()):
        yield from _sequential(inner)


def _addresses(canvas: Canvas, extent: tuple[int, int]) -> list[tuple[str, str]]:
    frames = Frame.objects.visible().filter(canvas=canvas).order_by("number")
    newest = frames.last()
    assert newest is not None
    middle = frames.filter(number__gte=newest.number // 2).first() or newest
    moment = activity.moment(int(middle.made_at.timestamp()) + 7)
    day = middle.made_at.date()
    hidden = Frame.objects.filter(canvas=canvas).exclude(hidden_at=None).order_by("number").last()

    def at(name: str, *args: Any, **query: Any) -> str:
        return canvas_url(name, canvas, *args, **query)

    found = [
        ("history", at("history")),
        ("history, the middle", at("history", before=middle.number)),
        ("history, the first", at("history", after=0)),
        ("history.json", at("history_json")),
        ("timeline.json", at("timeline_json")),
        ("timeline.json, 400 bars", at("timeline_json", bars=400)),
        (
            "timeline.json, a day",
            at(
                "timeline_json",
                **{
                    "from": utc_iso(activity.moment(moment.timestamp() - 43_200)),
                    "to": utc_iso(activity.moment(moment.timestamp() + 43_200)),
                },
            ),
        ),
        ("a moment", at("moment", moment)),
        ("a moment's JSON", at("moment_json", moment)),
        ("a moment's ink", at("ink", frame=middle.pk)),
        ("the oldest moment", at("moment", activity.moment(extent[0]))),
        ("a day", at("day", day)),
        ("calendar", at("calendar")),
        ("calendar, the middle", at("calendar_month", day)),
        ("frame", reverse("frame", args=[middle.pk])),
        ("frame.json", reverse("frame_json", args=[middle.pk])),
        ("slideshow", at("slideshow")),
        ("where I drew", at("my_strokes")),
        ("who drew over mine", at("drawn_over")),
        ("highlights", at("highlights")),
        ("feed", reverse("history_feed")),
        ("highlights feed", reverse("highlights_feed")),
        ("embed", reverse("frame_embed", args=[middle.pk])),
        ("oEmbed", f"{reverse('oembed')}?url={reverse('frame', args=[middle.pk])}"),
        ("sitemap", reverse("sitemap")),
        ("sitemap, a part", at("sitemap_frames", day, 1)),
    ]
    return [*found, ("a hidden frame", reverse("frame", args=[hidden.pk]))] if hidden else found
