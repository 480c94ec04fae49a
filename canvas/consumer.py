"""The canvas' socket: translates between Channels and the room, and decides nothing."""

from __future__ import annotations

import contextlib
import logging
from typing import Any

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer

from canvas import wire
from canvas.hub import NoRoomLeft, hub
from canvas.member import LISTEN, WRITE, Member, Person
from canvas.room import Room
from canvas.wire import CloseCode
from dreamsite.core.addresses import network
from dreamsite.core.sessions import stored

log = logging.getLogger(__name__)


class LeanConsumer(AsyncWebsocketConsumer):
    """Without a channel of its own and without Channels' thread hop for each message: no handler uses the database.

    One plain loop over `receive`, where Channels makes a task for each message. What a server has queued is then
    taken in one go: a flood meets its limit at once, instead of growing while the event loop comes round.
    """

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope, self.base_send = scope, send
        try:
            with contextlib.suppress(StopConsumer):
                while True:
                    await self.dispatch(await receive())
        finally:
            self.gone()

    def gone(self) -> None:
        """The socket's end, whatever ended it: a disconnect, an error, a server that cancels. Called once."""

    async def dispatch(self, message: Any) -> None:
        match message["type"]:
            case "websocket.receive":
                await self.websocket_receive(message)
            case "websocket.connect":
                await self.websocket_connect(message)
            case "websocket.disconnect":
                # Not the base class' answer, which asks the database thread to tidy up after each socket.
                raise StopConsumer


class CanvasConsumer(LeanConsumer):
    room: Room | None = None
    member: Member

    async def connect(self) -> None:
        if hub.leaving:
            await self.close()  # not accepted: a proxy in front asks the next process
            raise StopConsumer
        await self.accept()  # first, so that a refusal can say why: before it every refusal is a bare 403
        self.slug = self.scope["url_route"]["kwargs"]["slug"]
        user, session = self.scope["user"], self.scope.get("session")
        person = None
        if user is not None and user.is_authenticated and user.is_active:
            person = Person(user.pk, user.get_username(), stored(getattr(session, "session_key", None) or ""))
        client = self.scope.get("client")
        address = network(client[0]) if client else ""
        extensions: dict[str, Any] = self.scope.get("extensions") or {}
        write = extensions.get(WRITE)
        self.member = Member(self._send, self.close, person, address, write)
        try:
            self.room = await hub.room(self.slug, address)
        except NoRoomLeft as error:
            log.warning("No room for %s: %s", self.slug, error)
            await self.close(int(CloseCode.UNAVAILABLE))
            return
        except Exception:
            log.exception("The room of %s could not be opened.", self.slug)
            await self.close(int(CloseCode.UNAVAILABLE))
            return
        if self.room is None:
            await self.close(int(CloseCode.NO_CANVAS))
            return
        self.room.enter(self.member)
        if (listen := extensions.get(LISTEN)) is not None:
            listen(self.take)

    async def _send(self, data: bytes) -> None:
        await self.send(bytes_data=data)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        self.take(bytes_data)

    def take(self, data: bytes | None) -> bool:
        """One message; None stands for text, which no browser of ours sends. Whether more may come."""
        if self.room is None or self.member.closed:
            return False
        try:
            if data is None:
                raise wire.ProtocolError("a text message, expected a binary one")
            self.room.receive(self.member, data)
        except wire.ProtocolError as error:
            log.info(
                "Socket of %s closed with %s: %s",
                self.member.person.name if self.member.person else "a visitor",
                error.code,
                error,
            )
            self.member.close(error.code)
        return not self.member.closed

    def gone(self) -> None:
        if self.room is not None:
            self.member.closed = True
            hub.left(self.slug, self.room, self.member)


class NoCanvasConsumer(LeanConsumer):
    """Any other socket address: a close code instead of a traceback."""

    async def connect(self) -> None:
        await self.accept()
        await self.close(int(CloseCode.NO_CANVAS))
