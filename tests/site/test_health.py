"""What those who watch over the site are told."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer
from django.core.files.storage import default_storage
from django.db import OperationalError, connection
from django.test import AsyncClient, Client
from django.utils import timezone

from canvas.hub import hub
from canvas.models import Batch, Canvas, Dream, Frame
from dreamsite import health, stopping
from dreamsite.core.models import SiteState
from tests.running import PATIENCE
from tests.services import Redis

pytestmark = pytest.mark.django_db
in_thread = health.in_thread  # the real one
NOTHING_DREAMS = {"canvases": 0, "age_seconds": None, "late": False}


def test_healthz_asks_nobody(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_readyz_when_all_is_well(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    report = answer.json()
    assert report["ready"] is True
    assert {name: report[name]["state"] for name in ("database", "storage", "layer")} == dict.fromkeys(
        ("database", "storage", "layer"), "ok"
    )
    assert report["dream"] == {"state": "ok", "ms": report["dream"]["ms"], **NOTHING_DREAMS}
    assert "no-store" in answer["Cache-Control"]


async def test_readyz_under_asgi() -> None:
    assert (await AsyncClient().get("/readyz")).json()["ready"] is True


def test_no_database_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise OperationalError("the password is hunter2")

    monkeypatch.setattr(connection, "cursor", gone)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"] == {"state": "failed"}
    assert answer.json()["dream"] == {"state": "unknown"}
    assert "hunter2" not in answer.content.decode()


def test_a_storage_that_fails_is_told_but_serves(client: Client, settings: Any, tmp_path: Path) -> None:
    """It fails in all processes at once, and the canvas works without it."""
    (tmp_path / "file").write_text("in the way")
    settings.MEDIA_ROOT = tmp_path / "file"
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["storage"] == {"state": "failed"}


def test_a_bucket_is_asked(client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SERVE_MEDIA = False

    def denied(name: str) -> bool:
        raise PermissionError(name)

    monkeypatch.setattr(type(default_storage), "exists", lambda self, name: denied(name), raising=False)
    assert client.get("/readyz").json()["storage"] == {"state": "failed"}


def test_a_silent_layer_is_told_but_serves(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lose(self: InMemoryChannelLayer, channel: str, message: dict[str, Any]) -> None:
        return None

    monkeypatch.setattr(InMemoryChannelLayer, "send", lose)
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 0.05)
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["layer"] == {"state": "failed"}


@pytest.mark.parametrize(("age", "late"), [(20, False), (100_000, True)])
def test_a_late_dream_is_told_but_serves(client: Client, settings: Any, age: float, late: bool) -> None:
    dreamed(Canvas.objects.default(), age)
    answer = client.get("/readyz")
    assert answer.status_code == 200
    dream = answer.json()["dream"]
    assert (dream["canvases"], dream["late"]) == (1, late)
    assert dream["age_seconds"] == pytest.approx(age, abs=60)


def dreamed(canvas: Canvas, age: float, state: str = "waiting", **dream: Any) -> None:
    """Its newest dream, of all the ink there is, was kept so many seconds ago."""
    at = timezone.now() - timedelta(seconds=age)
    shape = {"width": 1, "height": 1, "size": 1, "sha256": "0"}
    frame = Frame.objects.create(canvas=canvas, number=1, seq=canvas.head, made_at=at, **shape)
    Canvas.objects.filter(pk=canvas.pk).update(frame=frame)
    Dream.objects.create(canvas=canvas, state=state, **dream)


def drawn(canvas: Canvas, age: float) -> None:
    """Its first ink since then came so many seconds ago."""
    at = timezone.now() - timedelta(seconds=age)
    Batch.objects.create(canvas=canvas, first=canvas.head + 1, last=canvas.head + 1, at=at, payload=b"")
    Canvas.objects.filter(pk=canvas.pk).update(head=canvas.head + 1)


def test_what_dreams_now_is_looked_at_and_nothing_else() -> None:
    """A canvas at rest for a week is not late, whoever's it is; nor does another's fresh dream hide one that waits."""
    week, long_ago = 7 * 86_400.0, timezone.now() - timedelta(days=1)
    main = Canvas.objects.default()
    dreamed(main, week, "resting")
    for slug, state, more in (("hers", "resting", {}), ("held", "paused", {"paused": True})):
        dreamed(Canvas.objects.create(slug=slug, title=slug), week, state, **more)
    dreamed(Canvas.objects.create(slug="closed", title="Closed", closed_at=long_ago), week)
    dreamed(Canvas.objects.create(slug="days", title="Days", daily=True), week)
    Canvas.objects.create(slug="blank", title="Blank")
    assert health._last_dream() == NOTHING_DREAMS

    drawn(main, 12)
    told = health._last_dream()
    assert (told["canvases"], told["late"]) == (1, False)
    assert told["age_seconds"] == pytest.approx(12, abs=60)

    dreamed(Canvas.objects.create(slug="slow", title="Slow", rhythm=86_400), 4000)
    assert not health._last_dream()["late"], "by its own rhythm it is not"
    Canvas.objects.filter(slug="slow").update(rhythm=20)
    told = health._last_dream()
    assert (told["canvases"], told["late"]) == (2, True)
    assert told["age_seconds"] == pytest.approx(4000, abs=60)
    SiteState.end(timezone.now())
    assert health._last_dream() == NOTHING_DREAMS


def test_ink_that_no_dreamer_ever_came_for_is_late() -> None:
    drawn(Canvas.objects.default(), 4000)
    assert health._last_dream()["late"]


def test_many_questions_are_one(client: Client, django_assert_num_queries: Any) -> None:
    first = client.get("/readyz").json()
    with django_assert_num_queries(0):
        assert client.get("/readyz").json() == first


async def test_asking_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = InMemoryChannelLayer()
    monkeypatch.setattr(health, "get_channel_layer", lambda: layer)
    for _ in range(5):
        await health._ask_layer()
    assert layer.channels == {}


@pytest.mark.redis
async def test_asking_leaves_no_subscription_at_redis(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Probes ask for ever: one subscription left by each would fill both ends."""
    from channels_redis.pubsub import RedisPubSubChannelLayer
    from redis.asyncio import from_url

    layer = RedisPubSubChannelLayer(hosts=[redis.url], prefix="probe")
    monkeypatch.setattr(health, "get_channel_layer", lambda: layer)
    for _ in range(5):
        assert await health._ask_layer() == {"kind": "RedisPubSubChannelLayer"}
    async with from_url(redis.url) as client:
        assert await client.pubsub_channels() == []
    await layer.flush()


async def test_a_hung_database_holds_one_thread_however_often_probes_come(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, calls = threading.Event(), []

    def hang() -> dict[str, Any]:
        calls.append(threading.current_thread().name)
        answers.wait(PATIENCE)
        return {"kind": "slow"}

    monkeypatch.setattr(health, "in_thread", in_thread)
    monkeypatch.setattr(health, "_ask_database", hang)
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 0.02)
    monkeypatch.setattr(health, "_ask_storage", lambda: {"kind": "quick"})
    try:
        for _ in range(12):
            assert (await health._report())["database"] == {"state": "failed"}
        assert len(calls) == 1
        assert calls[0].startswith("readyz"), "not one of those that files are streamed from"
        assert getattr(asyncio.get_running_loop(), "_default_executor", None) is None
    finally:
        answers.set()
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 20)
    assert (await health.part("database", in_thread(hang)))["kind"] == "slow"


def test_ink_that_cannot_be_written_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck, well = (SimpleNamespace(stuck=is_so, trouble=None, members=(), waiting=0) for is_so in (True, False))
    monkeypatch.setattr(hub, "rooms", lambda: [well])
    assert client.get("/readyz").json()["ink"] == {"state": "ok"}
    health._kept = None
    monkeypatch.setattr(hub, "rooms", lambda: [well, stuck])
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["ink"]) == (503, {"state": "failed"})


def test_a_process_that_is_about_to_end_is_not_ready_and_well(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/readyz").status_code == 200
    monkeypatch.setattr(stopping, "begun", True)
    answer = client.get("/readyz")  # at once, not when it is asked anew
    assert (answer.status_code, answer.json()["stopping"]) == (503, True)
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("host", ["10.0.0.7", "127.0.0.1:8721", "web-1", "[fd00::7]:8000"])
@pytest.mark.parametrize("address", ["/healthz", "/readyz", "/metrics"])
def test_probes_ask_by_any_address(client: Client, settings: Any, host: str, address: str) -> None:
    settings.SITE_URL, settings.ALLOWED_HOSTS = "https://draw.example.org", ["draw.example.org"]
    settings.SECURE_SSL_REDIRECT = True
    assert client.get(address, headers={"host": host}).status_code == 200
    assert client.get("/history/", headers={"host": host}).status_code == 400


STRANGERS: list[dict[str, Any]] = [
    {"REMOTE_ADDR": "203.0.113.7"},
    {"headers": {"x-forwarded-for": "127.0.0.1"}},
    {"headers": {"forwarded": "for=127.0.0.1"}},
    {"REMOTE_ADDR": "203.0.113.7", "headers": {"authorization": "Bearer wrong"}},
    {"REMOTE_ADDR": "203.0.113.7", "headers": {"authorization": "Bearer "}},
]


@pytest.mark.parametrize("stranger", STRANGERS)
@pytest.mark.parametrize("token", ["", "the-token"])
def test_details_are_for_this_machine_and_for_the_token(
    client: Client, settings: Any, stranger: dict[str, Any], token: str
) -> None:
    settings.METRICS_TOKEN = token
    assert client.get("/readyz", **stranger).json() == {"ready": True}
    assert client.get("/metrics", **stranger).status_code == 404
    if token:
        known = {"REMOTE_ADDR": "203.0.113.7", "headers": {"authorization": f"Bearer {token}"}}
        assert "database" in client.get("/readyz", **known).json()
        assert client.get("/metrics", **known).status_code == 200
