"""`python -m tests.bench.costs`: what every address costs a stranger to ask for, as a table for docs/security.md.

Each address of tests/site/urls_table.py, asked by somebody without an account: what is answered, milliseconds of the
processor (the least of three tries, after one that warms up), queries, and KiB of the answer. `--write` puts the table
into docs/security.md, between its two marks.
"""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
from django.test.utils import CaptureQueriesContext, get_runner, setup_test_environment
from django.urls import get_resolver

from tests import environment
from tests.site.urls_table import TABLE, Row

environment.isolate()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dreamsite.settings")

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "security.md"
BEGIN, END = "<!-- costs: made by tests.bench.costs -->\n", "<!-- /costs -->\n"
TRIES = 3


def asked() -> Iterator[tuple[str, str, Row]]:
    """(address as the table writes it, method, row) of everything that a stranger is not simply refused."""
    seen: set[tuple[str, str]] = set()  # some addresses have two rows: with and without a name
    routes = dict(_routes(get_resolver().url_patterns))
    for key, row in TABLE.items():
        shown = (row.path or routes[key]) + row.query
        for method, says in (("GET", row.get), ("POST", row.post)):
            if says.split()[0] not in ("405", "login", "403", "401") and (shown, method) not in seen:
                seen.add((shown, method))
                yield shown, method, row


def _routes(patterns: list[Any], before: str = "/") -> Iterator[tuple[str, str]]:
    """(key of the table, address) of every address: "frame pk", "/frames/<pk>/"."""
    for one in patterns:
        route = re.sub(r"\(\?P(<\w+>)(?:\[[^]]*\]|[^()\[\]])*\)", r"\1", str(one.pattern)).strip("^").removesuffix("$")
        route = re.sub(r"<\w+:(\w+)>", r"<\1>", route).removesuffix("\\Z")
        if hasattr(one, "url_patterns"):
            yield from _routes(one.url_patterns, before + route)
        else:
            names = re.findall(r"<(\w+)>", before + route)
            yield " ".join([one.name or "", *names]).strip(), before + route


def rows() -> list[tuple[str, str, int, float, int, float]]:
    """(address, method, status, ms, queries, KiB) of what a stranger is answered with anything but a refusal."""
    from django.db import connection
    from django.test import Client
    from django.urls import reverse

    from tests.site.world import World

    world, found, names = World(), [], {id(row): key.split(" ")[0] for key, row in TABLE.items()}
    world.begin()
    for shown, method, row in asked():
        given = {name: make(world) if callable(make) else make for name, make in row.args.items()}
        address = (row.path or reverse(names[id(row)], kwargs=given)) + row.query
        client, best, queries, size, status = Client(raise_request_exception=False), 1e9, 0, 0.0, 0
        for _ in range(TRIES + 1):
            with CaptureQueriesContext(connection) as captured:
                began = time.process_time()
                answer: Any = getattr(client, method.lower())(address)
                body = b"".join(answer.streaming_content) if answer.streaming else answer.content
                best = min(best, 1000 * (time.process_time() - began))
            queries, size, status = len(captured), len(body) / 1024, answer.status_code
        found.append((shown, method, status, best, queries, size))
    return found


def table(found: list[tuple[str, str, int, float, int, float]]) -> str:
    lines = ["| address | | answer | ms | queries | KiB |", "|---|---|---|---|---|---|"]
    for address, method, status, ms, queries, size in sorted(found, key=lambda row: -row[3]):
        lines.append(f"| `{address}` | {method} | {status} | {ms:.1f} | {queries} | {size:.1f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.costs", description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="put the table into docs/security.md")
    options = parser.parse_args()
    django.setup()
    from django.conf import settings

    setup_test_environment()
    settings.ACCOUNT_RATE_LIMITS = False
    storage = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        made = table(rows())
    finally:
        runner.teardown_databases(databases)
    if options.write:
        text = DOCUMENT.read_text()
        before, rest = text.split(BEGIN)
        DOCUMENT.write_text(before + BEGIN + made + END + rest.split(END)[1])
    else:
        print(made)


if __name__ == "__main__":
    main()
