"""What deploy/ holds, checked by the tools it is for, as far as this machine has them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from tests import proxy
from tests.bucket import Bucket
from tests.running import ROOT

DEPLOY = ROOT / "deploy"


def said(*command: str | Path, **options: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_nginx_takes_its_file(tmp_path: Path) -> None:
    """As it stands, with a certificate: TLS, websockets and limits included."""
    program = proxy.program()
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    said(
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        key,
        "-out",
        certificate,
        "-days",
        "2",
        "-subj",
        "/CN=draw.example.org",
    )
    config = tmp_path / "nginx.conf"
    site = proxy.site_config(8443, [8001, 8002], (certificate, key))
    config.write_text(proxy._AROUND.format(folder=tmp_path, user="", site=site))
    assert "test is successful" in said(program, "-t", "-p", tmp_path, "-c", config)
    text = (DEPLOY / "nginx.conf").read_text()
    for header in ("X-Forwarded-For   $remote_addr", "X-Forwarded-Proto $scheme", 'Forwarded         ""'):
        assert f"proxy_set_header {header};" in text, "no visitor may say who they are"
    # A location that sets a header loses all others: nginx inherits them only where it sets none.
    for location in re.findall(r"(?s)    location [^{]+\{.*?\n    \}", text):
        if "proxy_set_header" in location:
            assert all(name in location for name in ("Host ", "X-Forwarded-For ", "Forwarded ", "X-Request-ID ")), (
                location
            )


def test_caddy_takes_its_file() -> None:
    program = shutil.which("caddy")
    if not program:
        pytest.skip("needs caddy: apt-get install caddy")
    assert "Valid configuration" in said(
        program, "validate", "--adapter", "caddyfile", "--config", DEPLOY / "Caddyfile"
    )


def test_systemd_takes_its_units(tmp_path: Path) -> None:
    """With this checkout in the place of /opt/dreamsite."""
    program = shutil.which("systemd-analyze")
    if not program:
        pytest.skip("needs systemd-analyze: apt-get install systemd")
    units = sorted((DEPLOY / "systemd").iterdir())
    assert len(units) == 5
    for unit in units:
        text = unit.read_text()
        for command in re.findall(r"ExecStart=(.+)", text):
            assert command.startswith("/opt/dreamsite/.venv/bin/python manage.py "), "documented commands only"
        text = text.replace("/opt/dreamsite/.venv/bin/python", sys.executable).replace("/opt/dreamsite", str(ROOT))
        (tmp_path / unit.name).write_text(text)
    complaints = said(program, "verify", "--man=no", *sorted(tmp_path.glob("dreamsite*")))
    ours = [line for line in complaints.splitlines() if "dreamsite" in line]
    assert not ours, ours


@pytest.fixture
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return loaded


def test_the_compose_file_hangs_together(compose: dict[str, Any]) -> None:
    """By our own rules; `docker compose config` looks at the rest where it is (below)."""
    services = compose["services"]
    assert set(services) == {"prepare", "web", "dreamer", "worker", "database", "redis", "storage", "caddy"}
    for name, service in services.items():
        assert "image" in service and ":latest" not in service["image"], name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (DEPLOY / source).exists(), (name, source)
        for secret in service.get("secrets", ()):
            assert secret in compose["secrets"]
        assert set(service.get("depends_on", {})) <= set(services), name
    known = {
        command.stem
        for app in ("canvas", "dreamer", "dreamsite", "gallery")
        for command in (ROOT / app / "management" / "commands").glob("*.py")
    } | {"migrate", "collectstatic"}
    for name in ("prepare", "dreamer", "worker"):
        assert set(re.findall(r"manage\.py'?,? '?(\w+)", str(services[name]["command"]))) <= known
    for line in (DEPLOY / "dreamsite.env.example").read_text().splitlines():
        name = line.partition("=")[0]
        if name and not name.startswith("#") and name not in ("SITE_HOST", "MEDIA_HOST"):
            assert f"`{name}`" in (ROOT / "docs" / "settings.md").read_text(), f"{name} is a setting"


def test_compose_takes_its_file(tmp_path: Path) -> None:
    program = shutil.which("docker")
    if not program or subprocess.run([program, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("needs docker compose")
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    shutil.copy(DEPLOY / "dreamsite.env.example", tmp_path / "deploy" / "dreamsite.env")
    said(program, "compose", "-f", tmp_path / "deploy" / "compose.yaml", "config", "--quiet")


def test_the_image_has_what_the_tests_ran_with() -> None:
    pins = dict(
        line.split()[0].split("==") for line in (ROOT / "requirements-dev.txt").read_text().splitlines() if "==" in line
    )
    text = (DEPLOY / "Containerfile").read_text()
    assert "--require-hashes -r requirements.lock -r uvicorn.lock" in text
    locked = dict(re.findall(r"(?m)^([a-z0-9-]+)==(\S+)", (DEPLOY / "uvicorn.lock").read_text()))
    assert {"uvicorn", "httptools", "uvloop", "websockets"} <= set(locked)
    assert locked == {**locked, **{name: pins[name] for name in locked if name in pins}}
    assert "USER dreamsite" in text
    # What the image takes is all that the site runs from, and nothing of anybody's state.
    kept = set(re.findall(r"(?m)^!(\S+)", (ROOT / ".dockerignore").read_text()))
    assert kept >= {
        "canvas",
        "dreamer",
        "dreamsite",
        "gallery",
        "static",
        "templates",
        "manage.py",
        "requirements.lock",
    }
    assert not kept & {"var", ".venv", "tests", ".git"}


def test_the_bucket_is_made_and_browsers_may_read_it(bucket: Bucket, settings: Any, capsys: Any) -> None:
    settings.SITE_ORIGINS = ["https://draw.example.org"]
    settings.S3_BUCKET = "brand-new"
    options = {**settings.STORAGES["default"]["OPTIONS"], "bucket_name": "brand-new"}
    settings.STORAGES = {**settings.STORAGES, "default": {**settings.STORAGES["default"], "OPTIONS": options}}
    for words in ("is made", "is there"):
        call_command("bucket")
        assert words in capsys.readouterr().out
    (rule,) = bucket.client().get_bucket_cors(Bucket="brand-new")["CORSRules"]
    assert rule["AllowedOrigins"] == ["https://draw.example.org"] and rule["AllowedMethods"] == ["GET"]
    default_storage.save("a.jpg", ContentFile(b"a"))
    bucket.set("denied")
    with pytest.raises(OSError, match="The storage failed"):
        call_command("bucket")


def test_without_a_bucket_there_is_nothing_to_make() -> None:
    with pytest.raises(CommandError, match="S3_BUCKET is not set"):
        call_command("bucket")
