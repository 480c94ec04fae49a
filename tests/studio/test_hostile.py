"""A share of `python -m tests.bench.hostile`: damaged files through the real upload, and only words come back."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from dreamsite.core.models import User
from tests.bench import hostile


@pytest.fixture
def client(settings: Any, tmp_path: Path, db: None) -> Client:
    settings.MEDIA_ROOT, settings.MODELS_DIR, settings.HOUSE_MODEL = tmp_path / "media", tmp_path / "models", True
    client = Client()
    client.force_login(User.objects.create_user("ada", password="hunter2 hunter2"))
    return client


@pytest.mark.django_db
def test_damaged_files_are_refused_in_words_and_leave_nothing(
    client: Client, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=False):
        found = hostile.attack(client, tmp_path / "media", 30, seed=7, share=0.15)
    taken = sum(count for answer, count in found.answers.items() if answer.endswith(" 201"))
    left = [line for line in found.trouble if "it left" in line]
    assert len(left) == taken, "only what was taken is stored, and deleted after the transaction"
    assert [line for line in found.trouble if "it left" not in line] == []
    assert found.answers["picture 422"] > 15 and found.answers["video 422"] > 5 and taken > 0


def test_the_damage_is_the_same_for_the_same_seed() -> None:
    import random

    files = hostile.honest()[hostile.PICTURE]
    first, second = (hostile.damaged(random.Random(5), files[0], files) for _ in range(2))
    assert first == second != files[0]
    assert Counter(kind for kind, _ in hostile.special())[hostile.VIDEO] >= 8
