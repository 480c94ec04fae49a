"""Which network a site dreams with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dreamer.registered import default_model, registry
from tests.dreamer import nets


@pytest.fixture(autouse=True)
def models(settings: Any, tmp_path: Path) -> Path:
    settings.MODELS_DIR, settings.DREAM_MODEL, settings.HOUSE_MODEL = tmp_path, "", True
    return tmp_path


def test_a_fresh_site_has_the_house_model_and_what_somebody_brings_goes_before_it(models: Path) -> None:
    assert registry().names() == ("house",) and default_model() == "house"
    nets.register_tiny(models, "zebra")
    assert registry().names() == ("house", "zebra") and default_model() == "zebra"


def test_a_setting_decides(models: Path, settings: Any) -> None:
    nets.register_tiny(models)
    settings.DREAM_MODEL = "house"
    assert default_model() == "house"


def test_without_the_house_model_there_may_be_none(settings: Any) -> None:
    settings.HOUSE_MODEL = False
    assert registry().names() == () and default_model() == ""
