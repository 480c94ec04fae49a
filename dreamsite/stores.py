"""Options of what the site keeps things in, the database and the bucket, for settings.py."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import dj_database_url

SQLITE: dict[str, Any] = {
    # A transaction that will write takes its lock at once: no deadlock between two that read first.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    # WAL lets pages read while ink is written; FULL makes an acknowledged stroke survive a power cut.
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
}
POSTGRESQL: dict[str, Any] = {
    # A server that vanished without a word is noticed in seconds, not in the quarter of an hour TCP would take.
    "connect_timeout": 5,  # seconds
    "keepalives_idle": 10,  # seconds
    "tcp_user_timeout": 10_000,  # milliseconds
    # Where the server was away for long, the pool looks again at once instead of after up to five minutes.
    "pool": {"min_size": 1, "max_size": 8, "timeout": 10, "reconnect_timeout": 10},
}
_DEFAULTS = {"sqlite3": SQLITE, "postgresql": POSTGRESQL, "postgis": POSTGRESQL}


def database(url: str) -> dict[str, Any]:
    """Django's settings of the database at `url`. What the address itself asks for, as `?sslmode=require`, wins."""
    config: dict[str, Any] = {**dj_database_url.parse(url, conn_health_checks=True)}
    defaults = _DEFAULTS.get(config["ENGINE"].rpartition(".")[2], {})
    config["OPTIONS"] = {**defaults, **config.get("OPTIONS", {})}
    return config


def host_and_port(address: str) -> tuple[str, int]:
    """Of `127.0.0.1:9101`. Raises ValueError saying what is wrong."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError("expected an address and a port, like 127.0.0.1:9101")
    return host.strip("[]"), int(port)


def media_hosts(bucket: str, *, endpoint: str, region: str, public_host: str) -> list[str]:
    """The sources a browser must be allowed to load a bucket's pictures from; none without a bucket.

    Amazon has two addresses for each bucket, a global one that redirects and the region's, and takes a bucket whose
    name has dots for a folder, for no certificate covers such a host.
    """
    if not bucket:
        return []
    if public_host:
        return [f"https://{public_host}"]
    if endpoint:
        # The origin alone: a source with a path allows that one file, unless it ends in a slash.
        parts = urlsplit(endpoint)
        return [f"{parts.scheme}://{parts.netloc}"]
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    servers = [f"s3.{domain}", *([f"s3.{region}.{domain}"] if region else [])]
    return [f"https://{server}/{bucket}/" if "." in bucket else f"https://{bucket}.{server}" for server in servers]
