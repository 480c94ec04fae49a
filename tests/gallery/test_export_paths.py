"""No link, however it is written, makes the export read or write outside of its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from dreamsite.core.files import is_within, within
from dreamsite.core.models import User
from gallery.pages.models import Page

SECRET = "nobody may read this"
LINKS = [
    "/people/%2e%2e%2f%2e%2e%2f%2e%2e%2fout/",
    "/people/..%2F..%2Fout/",
    "/people/..%5C..%5Cout/",
    "/people/%2Fout/",
    "/media/%2e%2e/%2e%2e/out",
    "/media/..%2f..%2fout.jpg",
    "/media//out",
    "/media/%2Fout",
    "/media/a/%00out",
    "/static/%2e%2e/secret.txt",
    "/static/..%2fsecret.txt",
    "/static/{secret}",
    "/static/%2F{secret}",
    "/static//{secret}",
    "/static/..%5csecret.txt",
    "/static/" + "a" * 300,
    "/people/" + "%2e" * 9 + "/",
    "/media/.hidden",
    "/.export.sqlite3",
]


@pytest.mark.django_db
def test_hostile_links_stay_inside(settings: Any, tmp_path: Path) -> None:
    settings.DEBUG = True
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    (tmp_path / "secret.txt").write_text(SECRET)
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_ROOT.mkdir(exist_ok=True)
    default_storage.save("a/inside.txt", ContentFile(b"inside"))
    User.objects.create(username="ada")
    secret = (tmp_path / "secret.txt").as_posix()
    body = "\n\n".join(f"[x]({link.format(secret=secret)})" for link in LINKS)
    Page.objects.create(slug="links", title="Links", body=f"{body}\n\n[in](/people/ada/)", footer_order=1)
    out = tmp_path / "deep" / "export"
    before = {path for path in tmp_path.rglob("*") if not path.is_relative_to(out)}
    call_command("export_static", str(out), "--no-frames")
    after = {path for path in tmp_path.rglob("*") if not path.is_relative_to(out)}
    assert after - before <= {out.parent}
    written = [path for path in out.rglob("*") if path.is_file()]
    assert (out / "links" / "index.html") in written
    assert not [path for path in written if SECRET.encode() in path.read_bytes()]


NAMES = st.text(alphabet="ab./\\:%\0 ~", max_size=12) | st.text(max_size=20)


@given(NAMES)
def test_whatever_is_within_is_within(name: str) -> None:
    folder = Path("/srv/export")
    if is_within(name):
        path = folder.joinpath(*name.split("/"))
        assert path.is_relative_to(folder) and ".." not in path.parts and path != folder


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/../b", "/a", "a//b", "a/", "\\\\host\\a", "c:\\a", "a\0b", ".a", "a/.b"]
)
def test_names_that_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="below"):
        within(tmp_path, name)


def test_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in" / "way").symlink_to(tmp_path / "out")
    assert within(tmp_path / "in", "file").parent == tmp_path / "in"
    with pytest.raises(ValueError, match="below"):
        within(tmp_path / "in", "way/file")
