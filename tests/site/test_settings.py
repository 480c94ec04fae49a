"""What settings make of the environment: in a process of its own, as a deployment would."""

from __future__ import annotations

import json
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from dreamsite import stores
from dreamsite.env import kept_secret
from tests.site.test_checks import PRODUCTION, manage

ASK = "import json; from django.conf import settings as s; print('=' + json.dumps({expression}, default=str))"


def evaluate(var: Path, expression: str, **environment: str) -> Any:
    done = manage(var, "shell", "--no-imports", "-v", "0", "-c", ASK.format(expression=expression), **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.rpartition("=")[2])


def test_what_a_database_address_asks_for_is_kept() -> None:
    config = stores.database("postgres://ada:secret@db.example.org/dreams?sslmode=require&connect_timeout=9&pool=false")
    assert (config["NAME"], config["HOST"], config["CONN_HEALTH_CHECKS"]) == ("dreams", "db.example.org", True)
    assert config["OPTIONS"] == {
        "sslmode": "require",
        "connect_timeout": 9,
        "pool": False,
        "keepalives_idle": 10,
        "tcp_user_timeout": 10_000,
    }
    lite = stores.database("sqlite:////srv/dreams.sqlite3?timeout=5")
    assert lite["OPTIONS"] == {**stores.SQLITE, "timeout": 5}
    assert stores.database("sqlite:////srv/dreams.sqlite3")["OPTIONS"] == stores.SQLITE
    assert stores.SQLITE["timeout"] == 20, "the defaults are nobody's to change"


@pytest.mark.postgres
def test_postgresql_takes_the_options(postgres: Any) -> None:
    import psycopg

    config = stores.database(postgres.database() + "?application_name=probe")
    options = {name: value for name, value in config["OPTIONS"].items() if name != "pool"}
    address = {"dbname": config["NAME"], "user": config["USER"], "host": config["HOST"], "port": config["PORT"] or None}
    password = config["PASSWORD"] or None
    with psycopg.connect(**address, password=password, **options) as connection:
        assert connection.execute("SELECT current_setting('application_name')").fetchone() == ("probe",)
        assert connection.info.get_parameters()["connect_timeout"] == "5"


@pytest.mark.parametrize("bucket", ["dreams", "my.dreams"])
@pytest.mark.parametrize("region", ["", "eu-west-1", "cn-north-1"])
@pytest.mark.parametrize("endpoint", ["", "https://minio.example:9000", "https://x.example/storage/v1/s3"])
def test_pictures_may_come_from_where_the_bucket_says_they_are(bucket: str, region: str, endpoint: str) -> None:
    """Asks the storage itself for an address, and the policy whether it allows it."""
    from storages.backends.s3 import S3Storage

    storage = S3Storage(
        bucket_name=bucket, access_key="a", secret_key="b", endpoint_url=endpoint or None, region_name=region or None
    )
    address = storage.url("frames/a.jpg")
    hosts = stores.media_hosts(bucket, endpoint=endpoint, region=region, public_host="")
    assert any(address.startswith(host.rstrip("/") + "/") for host in hosts), (address, hosts)
    if region == "eu-west-1" and not endpoint:
        assert any("s3.eu-west-1.amazonaws.com" in host for host in hosts), "where the global address redirects to"


def test_without_a_bucket_and_behind_a_public_host() -> None:
    assert stores.media_hosts("", endpoint="", region="eu-west-1", public_host="") == []
    assert stores.media_hosts("b", endpoint="https://e", region="", public_host="m.org") == ["https://m.org"]


def test_a_plain_bucket_on_the_internet(tmp_path: Path) -> None:
    environment = {
        **PRODUCTION,
        "DATABASE_URL": PRODUCTION["DATABASE_URL"] + "?sslmode=verify-full",
        "S3_REGION": "eu-west-1",
    }
    del environment["S3_PUBLIC_HOST"]
    found = evaluate(
        tmp_path / "var",
        "[s.SECURE_CSP, s.DATABASES['default']['OPTIONS']['sslmode'], s.SECURE_HSTS_SECONDS,"
        " s.SECURE_HSTS_INCLUDE_SUBDOMAINS, s.SECURE_HSTS_PRELOAD]",
        **environment,
    )
    csp, sslmode, seconds, subdomains, preload = found
    for name in ("img-src", "connect-src", "media-src"):
        assert {"https://dreams.s3.amazonaws.com", "https://dreams.s3.eu-west-1.amazonaws.com"} <= set(csp[name])
    assert (sslmode, seconds, subdomains, preload) == ("verify-full", 31536000, False, False)
    assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o700, "password hashes are in there"


def test_hsts_for_everything_below_when_asked_for(tmp_path: Path) -> None:
    assert evaluate(tmp_path, "s.SECURE_HSTS_INCLUDE_SUBDOMAINS", **PRODUCTION, HSTS_SUBDOMAINS="1") is True


@pytest.fixture
def silent_redis() -> Iterator[str]:
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def test_while_redis_is_frozen_a_process_counts_by_itself(tmp_path: Path, silent_redis: str) -> None:
    code = (
        "from django.core.cache import cache, caches; cache.set('rate', 1); cache.incr('rate'); "
        "assert cache.get_many(['rate', 'other']) == {'rate': 2} and cache.add('rate', 5) is False; "
        "cache.delete('rate'); assert cache.get('rate') is None"
    )
    done = manage(tmp_path, "shell", "--no-imports", "-v", "0", "-c", code, REDIS_URL=silent_redis)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("out of reach") == 1, "after the first wait nobody waits again"


def test_a_secret_is_made_once_by_however_many_start(tmp_path: Path) -> None:
    """All of them start at the same moment, in a folder that is not there yet, twenty times over."""
    for turn in range(20):
        path, gate, found = tmp_path / str(turn) / "secret-key", threading.Barrier(8), []

        def start(path: Path = path, gate: threading.Barrier = gate, found: list[str] = found) -> None:
            gate.wait()
            found.append(kept_secret(path))

        threads = [threading.Thread(target=start) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 8 and len(set(found)) == 1 and len(found[0]) >= 50
        assert [file.name for file in path.parent.iterdir()] == ["secret-key"]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_crash_while_a_secret_is_made_leaves_no_empty_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "var" / "secret-key"

    def crash(*arguments: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("secrets.token_urlsafe", crash)
        with pytest.raises(KeyboardInterrupt):
            kept_secret(path)
    assert not list(path.parent.iterdir())
    assert len(kept_secret(path)) >= 50
    path.write_text("\n")
    with pytest.raises(ImproperlyConfigured, match="empty"):
        kept_secret(path)
