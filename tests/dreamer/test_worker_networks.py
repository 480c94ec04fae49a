"""Which network the dreamer dreams with: each canvas its own, the site's once it is here, and never a surprise."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from canvas import journal, wire
from canvas.models import Canvas, Dream
from dreamer import loaded, worker
from dreamer.networks import choosing
from dreamer.worker import Dreamer
from tests.dreamer import nets


@pytest.fixture
def models(db: None, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.MEDIA_ROOT, settings.MODELS_DIR = tmp_path / "media", tmp_path / "models"
    settings.DREAM_THREADS = 1
    monkeypatch.setattr(worker, "dream", lambda pixels, *rest, **options: 255 - pixels)
    return tmp_path / "models"


def a_dreamer() -> Dreamer:
    return Dreamer(chance=random.Random(1))


def canvas(slug: str) -> Canvas:
    here = Canvas.objects.create(slug=slug, title=slug.title(), width=64, height=64)
    journal.append(here, [wire.Stroke(1, 0, (0, 0, 0), 255, 0, ((200, 200, 96),), True, 1)])
    return here


def dreamed(dreamer: Dreamer) -> dict[str, str]:
    """Lets the dreamer dream everywhere at once; canvas -> network."""
    Dream.objects.update(next_at=timezone.now())
    dreamer.look()
    return {dream.canvas.slug: dream.style.get("model", "") for dream in Dream.objects.select_related("canvas")}


def test_each_canvas_dreams_with_its_own_and_what_nobody_uses_is_closed(models: Path) -> None:
    dreamer = a_dreamer()
    nets.register_tiny(models, "first")
    here, there = canvas("here"), canvas("there")
    dreamer.look()
    assert dreamed(dreamer) == {"here": "first", "there": "first"}
    nets.register_tiny(models, "another")  # by its name it would come first
    assert dreamed(dreamer) == {"here": "first", "there": "first"}
    choosing.use(there, "another", None)
    assert dreamed(dreamer) == {"here": "first", "there": "another"}
    assert set(dreamer._networks.opened) == {"first", "another"}
    choosing.use(here, "another", None)
    assert dreamed(dreamer) == {"here": "another", "there": "another"} and set(dreamer._networks.opened) == {"another"}
    choosing.use(there, "", None)
    assert dreamed(dreamer) == {"here": "another", "there": "first"}


def test_the_site_s_network_takes_over_when_it_is_there_but_not_where_somebody_chose(
    models: Path, settings: Any
) -> None:
    settings.HOUSE_MODEL, settings.DREAM_FETCH = True, "googlenet"
    dreamer = a_dreamer()
    canvas("here")
    choosing.use(canvas("there"), "house", None)
    dreamer.look()
    assert dreamed(dreamer) == {"here": "house", "there": "house"}
    nets.register_tiny(models, "googlenet")
    assert dreamed(dreamer) == {"here": "googlenet", "there": "house"}


def test_where_the_site_s_network_cannot_be_opened_the_house_model_goes_on(models: Path, settings: Any) -> None:
    settings.HOUSE_MODEL, settings.DREAM_FETCH = True, "googlenet"
    dreamer = a_dreamer()
    (nets.register_tiny(models, "googlenet") / "model.onnx").write_bytes(b"half a network")
    here = canvas("here")
    dreamer.look()
    assert dreamed(dreamer) == {"here": "house"}
    # Somebody's own choice is nobody else's: it is told, and nothing else is dreamed.
    (models / "mine").mkdir()
    nets.register_tiny(models, "mine")
    choosing.use(here, "mine", None)
    (models / "mine" / "model.onnx").write_bytes(b"half a network")
    dreamer.look()
    dream = Dream.objects.get()
    assert dream.state == "no-model" and "mine" in dream.message


def test_of_many_networks_two_are_in_memory(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any member may choose any network for a canvas: each look opens none that it does not dream with."""
    names, opened = ["first", "second", "third", "fourth"], list[str]()
    for name in names:
        nets.register_tiny(models, name)
        choosing.use(canvas(name), name, None)
    dreamer, plain = a_dreamer(), loaded.Network.open
    most = 0

    def counted(folder: Path, **options: Any) -> Any:
        nonlocal most
        opened.append(folder.name)
        most = max(most, len(dreamer._networks.in_memory) + 1)
        return plain(folder, **options)

    monkeypatch.setattr(loaded.Network, "open", counted)
    dreamer.look()
    assert sorted(opened) == sorted(names), "each is tried once"
    for _ in range(3):
        dreamer.look()
    assert len(opened) == 4, "and none is opened while no dream is due"
    assert dreamed(dreamer) == {name: name for name in names}
    assert Dream.objects.filter(state="waiting").count() == 4
    assert most == loaded.KEPT == len(dreamer._networks.in_memory)
    opened.clear()
    Dream.objects.filter(canvas__slug=next(iter(dreamer._networks.in_memory))).update(next_at=timezone.now())
    dreamer.look()
    assert not opened, "those used last are still there"
