"""A connection to the database beside the pool, for whoever holds one for long.

The pool of PostgreSQL's connections (dreamsite/stores.py) is what pages share: lent for a request and given back. Each
thread gives back its own, for `django.db.connection` is another one in every thread.
"""

from __future__ import annotations

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper


def unpooled() -> BaseDatabaseWrapper:
    """A new connection, not open yet, to the site's database; where there is a pool, it is none of the pool's."""
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


def close() -> None:
    """Closes this thread's connection, or gives it back to the pool.

    For other threads to submit: of `connection.close` the connection would be that of the thread that submits it.
    """
    connection.close()
