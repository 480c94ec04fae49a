"""Stored files are on the disk before anything names them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages

from dreamsite.core.storage import DurableStorage


def test_it_is_what_a_site_without_a_bucket_uses() -> None:
    assert isinstance(storages["default"], DurableStorage)


def test_the_file_and_every_folder_to_it_are_synced(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    synced: list[tuple[int, int]] = []  # inode, and its size at that moment
    real = os.fsync

    def fsync(handle: int) -> None:
        info = os.fstat(handle)
        synced.append((info.st_ino, info.st_size))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    name = default_storage.save("frames/here/2026/a.jpg", ContentFile(b"a dream"))
    path = tmp_path / "media" / name
    assert synced[0] == (path.stat().st_ino, 7), "the whole file first"
    folders = [path.parents[depth].stat().st_ino for depth in range(5)]
    assert path.parents[4] == tmp_path and [inode for inode, _ in synced[1:]] == folders
