"""Files that nobody names any more: whose turn it is to delete them, and what happens while that cannot be done."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import OperationalError

from dreamsite.core.storage import DurableStorage, StorageUnavailable
from gallery.jobs import files
from gallery.jobs.models import PendingDeletion

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("files")]


@pytest.fixture
def three() -> list[str]:
    return [default_storage.save(f"studio/{n}.txt", ContentFile(b"x")) for n in range(3)]


def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that a storage which does not answer is asked to delete."""
    names: list[str] = []

    def away(self: Any, name: str) -> None:
        names.append(name)
        raise StorageUnavailable("no answer")

    monkeypatch.setattr(DurableStorage, "delete", away)
    return names


def test_a_storage_that_does_not_answer_is_asked_once_and_never_for_others_files(
    three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        names = asked(patch)
        files.delete_now(three[:2])
        assert len(names) == 1
        files.delete_now(three[2:])
        assert names[1:] == three[2:], "what waits of others is the worker's"
    assert PendingDeletion.objects.count() == 3 and all(map(default_storage.exists, three))
    files.delete_pending()
    assert not PendingDeletion.objects.exists() and not any(map(default_storage.exists, three))


def test_where_the_database_fails_the_files_go_all_the_same(three: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*args: Any, **options: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(type(PendingDeletion.objects.all()), "bulk_create", locked)
    files.delete_now(three)
    assert not any(map(default_storage.exists, three))
