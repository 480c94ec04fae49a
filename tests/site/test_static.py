"""What `manage.py up` collects: once, and again where a source has changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders

from dreamsite import static


def test_static_files_are_collected_again_only_where_one_has_changed(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source" / "style.css"
    source.parent.mkdir()
    source.write_text("body { color: red }")
    settings.STATICFILES_DIRS, settings.STATIC_ROOT = [source.parent], tmp_path / "static"
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "dreamsite.static.HashedStaticStorage"}}
    finders.get_finder.cache_clear()
    runs: list[str] = []
    plain = static.call_command
    monkeypatch.setattr(static, "call_command", lambda name, **how: (runs.append(name), plain(name, **how))[1])
    for _ in range(2):
        static.collect()
    assert len(runs) == 1
    os.utime(source, ns=(1, 1))
    static.collect()
    assert len(runs) == 2
    (source.parent / "more.css").write_text("p { margin: 0 }")
    static.collect()
    assert len(runs) == 3 and (tmp_path / "static" / "more.css").is_file()
    (tmp_path / "static" / ".sources").unlink()  # as with all of the folder
    static.collect()
    assert len(runs) == 4
    for lost in ("staticfiles.json", next((tmp_path / "static").glob("style.*.css")).name):
        (tmp_path / "static" / lost).unlink()
        static.collect()
        assert (tmp_path / "static" / lost).is_file(), "without it no page has its style"
    finders.get_finder.cache_clear()
