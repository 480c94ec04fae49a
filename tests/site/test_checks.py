"""Unsafe deployments are named, safe ones are left in peace."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dreamsite import checks
from tests.forked import run

PRODUCTION = {
    "SITE_URL": "https://draw.example.org",
    "BEHIND_PROXY": "1",
    "SECRET_KEY": "qk3Jx8_vT0pZ-bNw7RfYh2LmEdC5sUaGi9oXtKVyPnHrWzQB4jM1D6lF",
    "DATABASE_URL": "postgres://dreamsite@db.example.org/dreamsite",
    "REDIS_URL": "redis://redis.example.org:6379/0",
    "WEB_PROCESSES": "4",
    "S3_BUCKET": "dreams",
    "S3_PUBLIC_HOST": "media.example.org",
    "MAIL_HOST": "mail.example.org",
    "UPLOAD_CHECK": "https://check.example.org/picture",
}


def manage(var: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    return run(["manage", *arguments], {**kept, "DREAMSITE_VAR": str(var), **environment})


def test_check_deploy_is_silent_in_production(tmp_path: Path) -> None:
    done = manage(tmp_path, "check", "--deploy", "--fail-level", "INFO", **PRODUCTION)
    assert done.returncode == 0, done.stderr
    assert "no issues (2 silenced)" in done.stdout, "HSTS below this host, and browsers' lists, are for the owner"


def test_check_is_silent_on_a_laptop(tmp_path: Path) -> None:
    done = manage(tmp_path, "check", "--fail-level", "INFO")
    assert done.returncode == 0, done.stderr


def test_a_careless_deployment_hears_about_all_of_it(tmp_path: Path) -> None:
    careless = {
        "SITE_URL": "http://draw.example.org",
        "SECRET_KEY": "secret",
        "DEBUG": "1",
        "WEB_PROCESSES": "2",
        "ADMIN_PATH": "admin",
    }
    done = manage(tmp_path, "check", "--deploy", **careless)
    assert done.returncode == 1
    for name in ("E003", "E004", "W001", "W003", "W005", "W006", "W008", "W012"):
        assert f"dreamsite.{name}" in done.stderr


CASES: dict[str, dict[str, Any]] = {
    "E003": {"WEB_PROCESSES": 2},
    "E004": {"SECRET_KEY": "x" * 80},
    "W001": {"DEBUG": True, "SITE_URL": "https://draw.example.org"},
    "W003": {"SITE_URL": "http://draw.example.org", "HTTPS": False},
    "W004": {"SITE_URL": "https://draw.example.org", "HTTPS": True, "BEHIND_PROXY": False},
    "W005": {"WEB_PROCESSES": 2},
    "W006": {"ADMIN_PATH": "Admin"},
    "W008": {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"},
    "W012": {"UPLOAD_CHECK": ""},
    "W013": {"UPLOAD_CHECK": "/nowhere/look-at-it --strict"},
}


@pytest.mark.parametrize("name", CASES)
def test_rule(name: str, settings: Any) -> None:
    rule = next(rule for rule in checks.RULES if rule.id == name)
    for setting, value in CASES[name].items():
        setattr(settings, setting, value)
    (message,) = rule.messages()
    assert message.id == f"dreamsite.{name}"
    assert message.hint


@pytest.mark.parametrize(
    ("check", "broken"), [("", 0), ("https://a.example", 0), ("cat -", 0), ("cat 'open", 1), ("  ", 1)]
)
def test_a_check_of_uploads_that_cannot_run(check: str, broken: int, settings: Any) -> None:
    settings.UPLOAD_CHECK = check
    rule = next(rule for rule in checks.RULES if rule.id == "W013")
    assert len(rule.messages()) == broken


@pytest.mark.parametrize(
    ("package", "found", "name"),
    [("redis", "8.0.0", "E001"), ("redis", "10.1.0", "E001"), ("daphne", "4.2.1", "E002"), ("daphne", "4.1.9", "E002")],
)
def test_versions_that_harm(
    package: str, found: str, name: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = "redis://localhost"
    rule = next(rule for rule in checks.RULES if rule.id == name)
    assert rule.messages() == []
    monkeypatch.setattr(checks, "version", lambda name: found if name == package else "1.0")
    assert [message.id for message in rule.messages()] == [f"dreamsite.{name}"]


def test_a_secret_key_that_others_can_read(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    rule = next(rule for rule in checks.RULES if rule.id == "W002")
    (tmp_path / "secret-key").write_text("k")
    (tmp_path / "secret-key").chmod(0o600)
    assert rule.messages() == []
    (tmp_path / "secret-key").chmod(0o644)
    assert len(rule.messages()) == 1


def test_a_state_folder_that_others_can_read(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    rule = next(rule for rule in checks.RULES if rule.id == "W010")
    for mode, broken in ((0o700, 0), (0o750, 0), (0o755, 1), (0o701, 1)):
        tmp_path.chmod(mode)
        assert len(rule.messages()) == broken


def test_a_secret_key_that_only_this_machine_has(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(checks, "_engine", lambda: "django.db.backends.postgresql")
    rule = next(rule for rule in checks.RULES if rule.id == "W007")
    assert rule.messages() == []
    (tmp_path / "secret-key").write_text(settings.SECRET_KEY + "\n")
    assert len(rule.messages()) == 1


def test_ids_are_unique() -> None:
    assert len({rule.id for rule in checks.RULES}) == len(checks.RULES)
