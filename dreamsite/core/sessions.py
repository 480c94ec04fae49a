"""Sessions in the database under the digest of their key: SESSION_ENGINE.

Whoever reads the table, or a copy of it, learns no key that signs anybody in. A key is 32 letters and digits drawn at
random, so a plain digest is enough: there is nothing to guess.
"""

from __future__ import annotations

import hashlib
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone


def stored(key: str) -> str:
    """What stands in the database for a session's key: 40 hex digits of its SHA-256, as many as the column holds."""
    return hashlib.sha256(f"session {key}".encode()).hexdigest()[:40]


class SessionStore(db.SessionStore):
    """Django's. It knows a session by its key, as the browser does; towards the table the digest takes its place."""

    def _get_session_from_db(self) -> Session | None:
        found = Session.objects.filter(
            session_key=stored(self.session_key or ""), expire_date__gt=timezone.now()
        ).first()
        if found is None:
            self._session_key = None
        return found

    def exists(self, session_key: str) -> bool:
        return Session.objects.filter(session_key=stored(session_key)).exists()

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        made = super().create_model_instance(data)
        assert isinstance(made, Session)
        made.session_key = stored(made.session_key)
        return made

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            Session.objects.filter(session_key=stored(key)).delete()  # with its signal, which closes sockets

    async def _aget_session_from_db(self) -> Session | None:
        return await sync_to_async(self._get_session_from_db)()

    async def aexists(self, session_key: str) -> bool:
        return await sync_to_async(self.exists)(session_key)

    async def acreate_model_instance(self, data: dict[str, Any]) -> Session:
        return await sync_to_async(self.create_model_instance)(data)

    async def adelete(self, session_key: str | None = None) -> None:
        await sync_to_async(self.delete)(session_key)
