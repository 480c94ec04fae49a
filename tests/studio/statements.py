"""What a request says to the database, in order: whether a day's units are counted and spent under one lock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


@contextmanager
def spends_under_the_persons_lock() -> Iterator[None]:
    """What is done in here orders a work: from before the sum to after the new row the person's row is locked.

    Requests at once wait there for each other, in one transaction each. SQLite, where tests run, locks no rows: what
    stands here is the order, and what it is good for is seen on PostgreSQL (test_limits.py).
    """
    said: list[str] = []

    def listen(execute: Any, sql: str, *rest: Any) -> Any:
        said.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(listen):
        yield
    made = max(at for at, sql in enumerate(said) if sql.startswith('INSERT INTO "gallery_work"'))
    summed = max(at for at, sql in enumerate(said[:made]) if 'SUM("gallery_work"."units")' in sql)
    began = max(at for at, sql in enumerate(said[:summed]) if sql.startswith("SAVEPOINT"))
    name = said[began].split()[1]
    assert any('FROM "core_user"' in sql for sql in said[began:summed]), "the person's row is locked before the sum"
    assert not any(sql.split() == ["RELEASE", "SAVEPOINT", name] for sql in said[began:made]), "and until it is spent"
