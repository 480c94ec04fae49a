"""What the canvas is measured against: an event loop that gathers ink and sends ready bytes, and does nothing more.

    python -m tests.bench.bare_loop PORT

It has no journal, no accounts, no limits and no HTTP beside the handshake: nothing that sends the same messages to the
same sockets from one Python process can cost much less.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import sys
from typing import cast

import uvloop

from canvas import wire

TICK = 1 / 30
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 1.3

open_sockets: set[Socket] = set()
operations: list[bytes] = []


class Socket(asyncio.Protocol):
    def __init__(self) -> None:
        self.buffer, self.upgraded = bytearray(), False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class

    def connection_lost(self, error: Exception | None) -> None:
        open_sockets.discard(self)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.upgraded:
            head, found, _ = bytes(self.buffer).partition(b"\r\n\r\n")
            if not found:
                return
            lines = (line.partition(b":") for line in head.split(b"\r\n"))
            headers = {name.strip().lower(): value.strip() for name, _, value in lines}
            if b"sec-websocket-key" not in headers:  # somebody asks whether it is up
                self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                self.transport.close()
                return
            del self.buffer[: len(head) + 4]
            accept = base64.b64encode(hashlib.sha1(headers[b"sec-websocket-key"] + GUID).digest())
            self.transport.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
            )
            self.upgraded = True
            open_sockets.add(self)
        buffer = self.buffer
        while len(buffer) >= 6:  # a client's message: masked, here with zeros, and shorter than 64 KB
            size, head_size = buffer[1] & 0x7F, 6
            if size == 126:
                size, head_size = int.from_bytes(buffer[2:4], "big"), 8
            if len(buffer) < head_size + size:
                break
            message = bytes(buffer[head_size : head_size + size])
            del buffer[: head_size + size]
            if len(message) > 6 and message[2] == wire.INK:
                operations.append(message[6:])


async def main(port: int) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_server(Socket, "127.0.0.1", port, backlog=2048)
    written, at = 0, loop.time()
    while True:
        at = max(at + TICK, loop.time())
        await asyncio.sleep(at - loop.time())
        if operations:
            batch = wire.Batch(written + 1, 0, len(operations), b"".join(operations))
            written = batch.last
            operations.clear()
            data = wire.websocket_message(batch.message())
            for socket in open_sockets:
                socket.transport.write(data)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
