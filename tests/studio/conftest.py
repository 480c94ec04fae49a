"""Who is at work in the studio, and on what."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from PIL import Image

from dreamsite.core.models import User
from dreamsite.core.tasks import STUDIO, worker
from dreamsite.core.tasks.jobs import State
from gallery.studio import jobs
from gallery.studio.models import Original, Work
from tests.studio.sending import uploaded


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("ada", password="hunter2 hunter2")


@pytest.fixture
def client(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client


@pytest.fixture
def house(settings: Any, tmp_path: Path, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site that dreams with the house model and has nothing yet."""
    settings.MEDIA_ROOT, settings.MODELS_DIR = tmp_path / "media", tmp_path / "models"
    settings.DREAM_THREADS, settings.HOUSE_MODEL = 1, True
    monkeypatch.setattr(jobs, "SHEET", 2)  # styles tried; what a person gets is tested once, in test_studio


@pytest.fixture
def original(house: None, client: Client) -> Original:
    """A picture with its sheet tried."""
    found = uploaded(client)
    worker.empty(STUDIO)
    found.refresh_from_db()
    return found


@pytest.fixture
def files(settings: Any, tmp_path: Path, db: None) -> None:
    """Files are stored for this test alone."""
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def moderator(db: None) -> User:
    user = User.objects.create_user("mod", password="hunter2 hunter2", is_staff=True)
    names = "moderate", "review_report"
    user.user_permissions.add(*Permission.objects.filter(content_type__app_label="moderation", codename__in=names))
    return User.objects.get(pk=user.pk)


@pytest.fixture
def work(files: None, ada: User) -> Work:
    """A finished dream that its maker asked to show, not published yet."""
    buffer = io.BytesIO()
    Image.new("RGB", (600, 400), "teal").save(buffer, "JPEG")
    names = {
        column: default_storage.save(f"studio/made.{suffix}", ContentFile(buffer.getvalue()))
        for column, suffix in (("picture", "jpg"), ("thumbnail", "small.jpg"))
    }
    return Work.objects.create(
        owner=ada,
        kind=Work.Kind.DREAM,
        network="house",
        title="Rings",
        caption="My hill",
        state=State.DONE,
        width=600,
        height=400,
        requested_at=timezone.now(),
        **names,
    )


@pytest.fixture
def published(work: Work) -> Work:
    Work.objects.update(published_at=timezone.now())
    return Work.objects.get()
