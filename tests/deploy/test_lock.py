"""The locks: whatever is pinned is in them in the same version, and every line of them has hashes."""

from __future__ import annotations

import re

import pytest

from tests.running import ROOT

PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;]+)", re.MULTILINE)


def pins(name: str) -> set[tuple[str, str]]:
    return {(found.lower().replace("_", "-"), version) for found, version in PIN.findall((ROOT / name).read_text())}


@pytest.mark.parametrize(
    ("wanted", "lock"),
    [
        ("requirements.txt", "requirements.lock"),
        ("requirements-openvino.txt", "requirements-openvino.lock"),
        ("deploy/uvicorn.txt", "deploy/uvicorn.lock"),
    ],
)
def test_a_lock_holds_every_pin_with_hashes(wanted: str, lock: str) -> None:
    assert pins(wanted) <= pins(lock), "run make lock"
    text = (ROOT / lock).read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) >= len(pins(lock))
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==\S+", entry) and "--hash=sha256:" in entry, entry[:80]
    assert "://" not in text, "nobody's index is in it"


def test_the_locks_agree() -> None:
    """pip refuses two versions of one package."""
    versions: dict[str, set[str]] = {}
    for name, version in pins("deploy/uvicorn.lock") | pins("requirements-openvino.lock") | pins("requirements.lock"):
        versions.setdefault(name, set()).add(version)
    assert {name for name, found in versions.items() if len(found) > 1} <= {"cbor2"}, "one for each interpreter"


def test_what_runs_is_installed_by_hash() -> None:
    for name in ("Makefile", "deploy/Containerfile"):
        text = (ROOT / name).read_text()
        assert re.search(r"pip install [^\n]*--require-hashes [^\n]*-r requirements.lock", text), name
        assert "-r requirements.txt" not in text.replace("-r requirements-dev.txt", ""), name
