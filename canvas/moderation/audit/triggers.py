"""Triggers of the database over the log of acts: they refuse to change or delete a row.

Put there after every migration, since SQLite loses a table's triggers when Django rebuilds the table.
"""

from __future__ import annotations

from typing import Any

from django.db import connections

TABLE = "moderation_act"
REFUSAL = "the log of acts is append-only"

_SQLITE = [
    f"""CREATE TRIGGER IF NOT EXISTS {TABLE}_no_{event} BEFORE {event} ON {TABLE}
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"""
    for event in ("update", "delete")
] + [
    # REPLACE takes the old row away without asking the triggers for DELETE.
    f"""CREATE TRIGGER IF NOT EXISTS {TABLE}_no_replace BEFORE INSERT ON {TABLE}
        WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"""
]
_POSTGRESQL = [
    f"""CREATE OR REPLACE FUNCTION {TABLE}_refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$""",
    f"DROP TRIGGER IF EXISTS {TABLE}_append_only ON {TABLE}",
    f"""CREATE TRIGGER {TABLE}_append_only BEFORE UPDATE OR DELETE ON {TABLE}
        FOR EACH ROW EXECUTE FUNCTION {TABLE}_refuse()""",
    f"DROP TRIGGER IF EXISTS {TABLE}_no_truncate ON {TABLE}",
    f"""CREATE TRIGGER {TABLE}_no_truncate BEFORE TRUNCATE ON {TABLE}
        FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_refuse()""",
]
_PROTECT = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
_RELEASE = {
    "sqlite": [f"DROP TRIGGER IF EXISTS {TABLE}_no_{event}" for event in ("update", "delete", "replace")],
    "postgresql": [f"DROP TRIGGER IF EXISTS {TABLE}_{name} ON {TABLE}" for name in ("append_only", "no_truncate")],
}


def protect(using: str = "default", **_: Any) -> None:
    """Sets the triggers, where there is a table to protect; may be called again. Also a receiver of post_migrate."""
    _run(_PROTECT, using)


def release(using: str = "default") -> None:
    """Takes the triggers away: for tests, which empty their tables."""
    _run(_RELEASE, using)


def _run(statements: dict[str, list[str]], using: str) -> None:
    connection = connections[using]
    if TABLE not in connection.introspection.table_names():
        return
    with connection.cursor() as cursor:
        for statement in statements.get(connection.vendor, []):
            cursor.execute(statement)
