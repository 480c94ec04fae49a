"""Triggers of the database over the log of acts and its chain: they refuse to change or delete a row.

One change is let through: a name that becomes the nameless one of its own account (`models.nameless`), when somebody
leaves. Put there after every migration, since SQLite loses a table's triggers when Django rebuilds the table.
"""

from __future__ import annotations

from typing import Any

from django.db import connections

REFUSAL = "the log of acts is append-only"
ACTS = "moderation_act"
# Each table with its unique columns: REPLACE takes away whatever row stands in the way of any of them.
TABLES = {ACTS: ("id", "undoes_id"), "moderation_link": ("number", "act_id")}
_KEPT = ("id", "at", "by_id", "verb", "canvas_id", "person_id", "what", "why", "op", "undoes_id")


def _forgets(who: str) -> str:
    """The condition that a name and its salt are as they were, or were taken out."""
    same = f"NEW.{who}_name = OLD.{who}_name AND NEW.{who}_salt = OLD.{who}_salt"
    taken_out = f"NEW.{who}_name = '~' || OLD.{who}_id AND NEW.{who}_salt = ''"
    return f"(({same}) OR (OLD.{who}_id IS NOT NULL AND {taken_out}))"


_NAMES = f"{_forgets('by')} AND {_forgets('person')}"


def _sqlite(table: str) -> list[str]:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    kept = " AND ".join(f"NEW.{column} IS OLD.{column}" for column in _KEPT)
    unless = f"WHEN NOT ({kept} AND {_NAMES})" if table == ACTS else ""
    taken = " OR ".join(f"{column} = NEW.{column}" for column in TABLES[table])
    return [
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_update BEFORE UPDATE ON {table} {unless} {refuse}",
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_delete BEFORE DELETE ON {table} {refuse}",
        # REPLACE takes the old row away without asking the triggers for DELETE.
        f"""CREATE TRIGGER IF NOT EXISTS {table}_no_replace BEFORE INSERT ON {table}
            WHEN EXISTS (SELECT 1 FROM {table} WHERE {taken}) {refuse}""",
    ]


def _postgresql(table: str) -> list[str]:
    # There REPLACE is ON CONFLICT DO UPDATE, and asks the trigger for UPDATE.
    names = "ARRAY['by_name', 'by_salt', 'person_name', 'person_salt']"
    forgets = f"TG_OP = 'UPDATE' AND to_jsonb(NEW) - {names} = to_jsonb(OLD) - {names} AND {_NAMES}"
    allowed = f"IF TG_OP = 'UPDATE' THEN IF {forgets} THEN RETURN NEW; END IF; END IF;" if table == ACTS else ""
    return [
        f"""CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN {allowed} RAISE EXCEPTION '{REFUSAL}'; END $$""",
        f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}",
        f"""CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION {table}_refuse()""",
        f"DROP TRIGGER IF EXISTS {table}_no_truncate ON {table}",
        f"""CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()""",
    ]


def _release_sqlite(table: str) -> list[str]:
    return [f"DROP TRIGGER IF EXISTS {table}_no_{event}" for event in ("update", "delete", "replace")]


def _release_postgresql(table: str) -> list[str]:
    return [f"DROP TRIGGER IF EXISTS {table}_{name} ON {table}" for name in ("append_only", "no_truncate")]


_PROTECT = {"sqlite": _sqlite, "postgresql": _postgresql}
_RELEASE = {"sqlite": _release_sqlite, "postgresql": _release_postgresql}


def protect(using: str = "default", **_: Any) -> None:
    """Sets the triggers, where there is a table to protect; may be called again. Also a receiver of post_migrate."""
    _run(_PROTECT, using)


def release(using: str = "default") -> None:
    """Takes the triggers away: for tests, which empty their tables."""
    _run(_RELEASE, using)


def _run(statements: dict[str, Any], using: str) -> None:
    connection = connections[using]
    there = connection.introspection.table_names()
    with connection.cursor() as cursor:
        for table in TABLES:
            if table in there and connection.vendor in statements:
                for statement in statements[connection.vendor](table):
                    cursor.execute(statement)
