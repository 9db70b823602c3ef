"""A wire that is cut: a proxy before a mail server that ends the connection at a chosen point."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum

END = b"\r\n.\r\n"


class Cut(Enum):
    """Where."""

    BEFORE_THE_END = "the message goes but for its last line"
    BEFORE_THE_REPLY = "the message has gone, and the reply is lost"


@dataclass
class Wire:
    """What is cut next: one entry a connection, and none is cut where there is no entry.

    Attributes:
        port: On 127.0.0.1.
    """

    port: int = 0
    cuts: list[Cut] = field(default_factory=list)


@asynccontextmanager
async def wire_to(port: int) -> AsyncIterator[Wire]:
    """A proxy to a server on 127.0.0.1."""
    wire, running = Wire(), set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        cut = wire.cuts.pop(0) if wire.cuts else None
        there, back = await asyncio.open_connection("127.0.0.1", port)
        gone = asyncio.Event()
        replies = asyncio.create_task(_copy(there, writer, gone))
        with suppress(OSError):
            await _forward(reader, back, cut, gone)
            if cut is Cut.BEFORE_THE_REPLY and gone.is_set():
                await asyncio.sleep(1.0)  # the server takes it meanwhile
        replies.cancel()
        for end in (writer, back):
            end.close()

    def begun(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        running.add(task)
        task.add_done_callback(running.discard)

    server = await asyncio.start_server(begun, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
        for task in list(running):
            task.cancel()


async def _forward(
    reader: asyncio.StreamReader, back: asyncio.StreamWriter, cut: Cut | None, gone: asyncio.Event
) -> None:
    """What the client says goes on to the server, up to the cut."""
    while block := await reader.read(65_536):
        if cut is not None and block.endswith(END):
            if cut is Cut.BEFORE_THE_REPLY:
                gone.set()
                back.write(block)
                await back.drain()
            else:
                back.write(block[: -len(END)])
                await back.drain()
            return
        back.write(block)
        await back.drain()


async def _copy(there: asyncio.StreamReader, writer: asyncio.StreamWriter, gone: asyncio.Event) -> None:
    """Replies go back, until they are lost."""
    with suppress(OSError):
        while block := await there.read(65_536):
            if gone.is_set():
                continue
            writer.write(block)
            await writer.drain()
