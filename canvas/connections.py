"""A connection to the database beside the pool, for whoever holds one for long.

The pool of PostgreSQL's connections (dreamsite/stores.py) is what pages share: lent for a request and given back. Each
thread gives back its own, for `django.db.connection` is another one in every thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, Error, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper


def unpooled() -> BaseDatabaseWrapper:
    """A new connection, not open yet, to the site's database; where there is a pool, not one of its own."""
    settings = connection.settings_dict
    new = connections.create_connection(DEFAULT_DB_ALIAS)
    new.settings_dict = {**settings, "OPTIONS": {**settings["OPTIONS"], "pool": None}} if pooled() else settings
    return new


def pooled() -> bool:
    return bool(connection.settings_dict["OPTIONS"].get("pool"))


def bypass_pool() -> None:
    """Gives this thread a connection of its own. To be called before the thread has opened one."""
    if pooled():
        connections[DEFAULT_DB_ALIAS] = unpooled()


@contextmanager
def kept_open() -> Iterator[None]:
    """A room's thread keeps its connection from tick to tick, and throws it out after an error.

    No request ends here that would do it. One connection each tick would cost SQLite 20 ms instead of 0.5: whoever
    closes the last one makes a checkpoint.
    """
    try:
        yield
    except Error:
        connection.close()
        raise


def close() -> None:
    """Closes this thread's connection, or gives it back to the pool.

    To be submitted to another thread as it is: `connection.close` would be looked up in the thread that submits it.
    """
    connection.close()
