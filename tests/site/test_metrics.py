"""Numbers for Prometheus, as Prometheus reads them, and logs as a machine reads them."""

from __future__ import annotations

import json
import os
import re
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from canvas.models import Canvas, Dream, Frame
from dreamsite import metrics
from dreamsite.core.storage import StorageUnavailable
from dreamsite.core.tasks import QUICK, STUDIO, enqueue, task
from tests.bucket import Bucket
from tests.forked import run
from tests.running import ROOT, free_port, until

pytestmark = pytest.mark.django_db


@task(queue_name=STUDIO)
def wait_here() -> None:
    pass


def read(client: Client) -> dict[str, dict[str, float]]:
    """Name -> label -> value, of all samples."""
    answer = client.get("/metrics")
    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/plain")
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(answer.content.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[",".join(sample.labels.values())] = sample.value
    return found


def test_what_the_database_and_the_queues_say(client: Client) -> None:
    canvas = Canvas.objects.default()
    Frame.objects.create(
        canvas=canvas, number=7, seq=1, width=1, height=1, size=1, sha256="0", seconds=8.5, made_at=timezone.now()
    )
    Dream.objects.create(canvas=canvas, missed=3, state="dreaming")
    enqueue(wait_here)
    seen = read(client)
    assert seen["dreamsite_database_up"][""] == 1
    assert seen["dreamsite_dream_seconds"]["main"] == 8.5
    assert seen["dreamsite_dream_age_seconds"]["main"] < 3600
    assert seen["dreamsite_dreams_missed"]["main"] == 3 and seen["dreamsite_frames"]["main"] == 7
    assert seen["dreamsite_dream_state"] | {"dreaming": 1} == seen["dreamsite_dream_state"]
    assert (seen["dreamsite_tasks_waiting"][STUDIO], seen["dreamsite_tasks_waiting"][QUICK]) == (1, 0)
    for name in ("dreamsite_viewers", "dreamsite_strokes_total", "dreamsite_tick_seconds_count"):
        assert "" in seen[name], name
    assert "dreamsite_write_seconds_bucket" in seen


def test_a_database_that_is_away_leaves_the_rest(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> dict[str, Any]:
        raise OperationalError("away")

    monkeypatch.setattr(metrics, "_ask_site", gone)
    seen = read(client)
    assert seen["dreamsite_database_up"][""] == 0
    assert "dreamsite_viewers" in seen and "dreamsite_frames" not in seen


def test_storage_errors_are_counted(client: Client, bucket: Bucket) -> None:
    before = read(client)["dreamsite_storage_errors_total"][""]
    bucket.set("denied")
    with pytest.raises(StorageUnavailable):
        default_storage.save("a.jpg", ContentFile(b"a"))
    bucket.set("")
    with pytest.raises(FileNotFoundError):
        default_storage.open("never.jpg")
    assert read(client)["dreamsite_storage_errors_total"][""] == before + 1


def test_the_boards_questions_are_about_numbers_that_there_are(client: Client) -> None:
    canvas = Canvas.objects.default()
    Dream.objects.create(canvas=canvas)
    names = {name.removesuffix("_total") for name in read(client)} | set(metrics.SITE)
    board = json.loads((ROOT / "deploy" / "grafana.json").read_text())
    asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    assert len(asked) > 12
    words = {word for text in asked for word in re.findall(r"dreamsite_[a-z_]+", text)}
    assert {word.removesuffix("_total") for word in words} <= names
    for needed in [
        "viewers",
        "strokes",
        "tick",
        "write",
        "dream_seconds",
        "missed",
        "tasks_waiting",
        "storage_errors",
        "pool",
    ]:
        assert any(needed in word for word in words), needed


def test_logs_for_machines_and_a_name_for_each_request(make_site: Callable[..., Any]) -> None:
    """One object a line, whatever library speaks; the id of the answer's header is in them."""
    site = make_site(LOG_FORMAT="json", BEHIND_PROXY="1")
    site.start_web()
    for given, kept in (("abc-123", True), ("no spaces here", False)):
        asked = urllib.request.Request(f"{site.url}/history/?q=private", headers={"X-Request-ID": given})
        with urllib.request.urlopen(asked) as answer:
            assert (answer.headers["X-Request-ID"] == given) == kept
            last = answer.headers["X-Request-ID"]
    site.stop()
    lines = [json.loads(line) for line in site.log().splitlines()]
    mine = [line for line in lines if line.get("request_id") == last and line["logger"] == "dreamsite.access"]
    assert [(line["method"], line["path"], line["status"]) for line in mine] == [("GET", "/history/", 200)]
    assert mine[0]["seconds"] >= 0 and mine[0]["time"] and mine[0]["level"] == "INFO"
    assert "private" not in site.log()


def test_a_dreamer_and_a_worker_answer_where_they_are_told(make_site: Callable[..., Any]) -> None:
    site = make_site()
    for start in (site.start_dreamer, site.start_worker):
        port = free_port()
        site.env["METRICS_ADDRESS"] = f"127.0.0.1:{port}"
        start()

        def asked(port: int = port) -> str:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
                    return str(answer.read().decode())
            except OSError:
                return ""

        assert "dreamsite_storage_errors_total" in until(asked, "its numbers")


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    for wrong in ("9101", "127.0.0.1", "127.0.0.1:99999"):
        ended = run(["manage", "check"], {**os.environ, "METRICS_ADDRESS": wrong, "DREAMSITE_VAR": str(tmp_path)})
        assert ended.returncode and "METRICS_ADDRESS" in ended.stderr and "like 127.0.0.1:9101" in ended.stderr
