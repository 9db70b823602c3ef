"""A TCP proxy that harms what goes through it: late, cut, truncated, reset, half-closed, or swallowed without a word.

What happens to a connection is drawn when it is made, from a seed: a kind of fault, a direction, and after how many
bytes. Everything of one `Links` runs in one thread with an event loop of its own.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

PIECE = 65_536
NOT_TOLD_SECONDS = 20.0
"""How long the other side of a silent connection is not told that this one has left: a router forgot both of them."""

CLEAN, SLOW = "clean", "slow"
CUT, TRUNCATED, RESET, HALF_CLOSED, SILENT, REFUSED = "cut", "truncated", "reset", "half-closed", "silent", "refused"
KINDS: Mapping[str, float] = {
    CLEAN: 6,
    SLOW: 3,
    CUT: 2,
    TRUNCATED: 2,
    RESET: 2,
    HALF_CLOSED: 1,
    SILENT: 1,
    REFUSED: 1,
}
"""What becomes of a connection, and how often among so many.

`cut`: both sides see its orderly end. `truncated`: a piece is passed in part first. `reset`: both see RST.
`half-closed`: one direction ends, the other stays open. `silent`: nothing comes any more, and nothing says so.
"""

STEADY: Mapping[str, float] = {**KINDS, CLEAN: 40, SLOW: 6}
"""For links of which a run needs many at a time."""

NEVER_CLEAN: Mapping[str, float] = {kind: weight for kind, weight in KINDS.items() if kind not in (CLEAN, SLOW)}
"""For a link whose one connection is kept as long as it works."""

_RST = struct.pack("ii", 1, 0)
_EVER_SINCE = (1, 200_000)
"""Bytes after which a fault strikes: as often below a hundred as between a thousand and a hundred thousand."""


@dataclass(frozen=True)
class Fate:
    """What becomes of one connection.

    `upward`: from who connected to the server. `after`: bytes in that direction; `behind`: of these, from where the
    caller has said this word on. `late`: seconds for each piece.
    """

    kind: str = CLEAN
    upward: bool = True
    after: int = 0
    late: float = 0.0
    behind: bytes = b""


def draw(chance: random.Random, kinds: Mapping[str, float]) -> Fate:
    """The fate of one connection."""
    (kind,) = chance.choices(list(kinds), weights=list(kinds.values()))
    low, high = _EVER_SINCE
    after = round(low * (high / low) ** chance.random())
    return Fate(kind, chance.random() < 0.5, after, chance.uniform(0.001, 0.2) if kind == SLOW else 0.0)


@dataclass(eq=False)
class _End:
    """One side of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def reset(self) -> None:
        with suppress(OSError):
            self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
        self.writer.transport.abort()

    def end(self) -> None:
        with suppress(OSError, RuntimeError):
            self.writer.close()

    def end_writing(self) -> None:
        with suppress(OSError, RuntimeError):
            self.writer.write_eof()


@dataclass
class Link:
    """One way from somebody to a server.

    Attributes:
        name: In the counts.
        target: Host and port, or the path of a socket.
        port: Where it is on 127.0.0.1.
        harmless: New connections are let alone.
        counts: Kind of fault -> connections that were struck; `connections` -> all.
    """

    name: str
    target: tuple[str, int] | str
    chance: random.Random
    kinds: Mapping[str, float] = field(default_factory=lambda: KINDS)
    port: int = 0
    harmless: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    _next: list[Fate] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    @property
    def url(self) -> str:
        """For HTTP."""
        return f"http://127.0.0.1:{self.port}"

    def fated(self, fate: Fate) -> None:
        """Let this become of the next connection; whatever comes after it is let alone."""
        self._next.append(fate)
        self.harmless = True

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Break everything off."""
        if self._server is not None:
            self._server.close()
        await self.break_off()

    async def break_off(self) -> None:
        """End the connections there are."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.counts["connections"] += 1
        drawn = Fate() if self.harmless else draw(self.chance, self.kinds)
        fate = self._next.pop() if self._next else drawn
        caller = _End(reader, writer)
        if fate.kind == REFUSED:
            self.counts[REFUSED] += 1
            caller.reset()
            return
        try:
            server = _End(*await self._reach())
        except OSError:  # it is not there: restarted, perhaps
            caller.reset()
            return
        if fate.kind == SLOW:
            self.counts[SLOW] += 1
        passing = _Passing(fate, self.counts)
        with suppress(asyncio.CancelledError):  # `close`
            await asyncio.gather(passing.pass_on(caller, server, upward=True), passing.pass_on(server, caller))
        caller.end()
        server.end()

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.target, str):
            return await asyncio.open_unix_connection(self.target)
        return await asyncio.open_connection(*self.target)


@dataclass
class _Passing:
    """The bytes of one connection in both directions."""

    fate: Fate
    counts: Counter[str]
    silent: bool = False
    heard: bool = False

    async def pass_on(self, source: _End, sink: _End, *, upward: bool = False) -> None:
        """Pass on what one side says until its end, or until the fault of this direction strikes."""
        left = self.fate.after if self.fate.upward is upward and self.fate.kind not in (CLEAN, SLOW) else None
        over = False
        try:
            while piece := await source.reader.read(PIECE):
                if self.silent or over:
                    continue  # what is said now is thrown away
                if self.fate.late:
                    await asyncio.sleep(self.fate.late)
                if upward and self.fate.behind and self.fate.behind in piece:
                    self.heard = True
                if left is not None and (self.heard or not self.fate.behind):
                    if len(piece) >= left:
                        await self._strike(piece[:left], source, sink)
                        over = True
                        continue
                    left -= len(piece)
                sink.writer.write(piece)
                await sink.writer.drain()
        except (OSError, RuntimeError):
            sink.reset()
            return
        if self.silent:
            await asyncio.sleep(NOT_TOLD_SECONDS)
            sink.reset()
        sink.end_writing()

    async def _strike(self, part: bytes, source: _End, sink: _End) -> None:
        """Do what was drawn."""
        kind = self.fate.kind
        self.counts[kind] += 1
        if kind == TRUNCATED:
            sink.writer.write(part)
            with suppress(OSError):
                await sink.writer.drain()
        if kind == RESET:
            source.reset()
            sink.reset()
        elif kind == HALF_CLOSED:
            sink.end_writing()
        elif kind == SILENT:
            self.silent = True
        else:
            sink.end()
            source.end()


class Links:
    """Several links in one thread. `links()` opens and closes them."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="links", daemon=True)
        self._thread.start()
        self.all: list[Link] = []

    def add(self, name: str, target: tuple[str, int] | str, kinds: Mapping[str, float] = KINDS) -> Link:
        """A new link to a server; it listens when this returns."""
        link = Link(name, target, random.Random(self._chance.random()), kinds)
        self._run(link.open())
        self.all.append(link)
        return link

    @contextmanager
    def harmless(self, which: Sequence[Link] | None = None) -> Iterator[None]:
        """New connections are let alone for as long as the block lasts; what was struck before stays struck."""
        chosen = self.all if which is None else which
        for link in chosen:
            link.harmless = True
        try:
            yield
        finally:
            for link in chosen:
                link.harmless = False

    def break_off(self, link: Link) -> None:
        """End the connections that a link has now; those that follow have fates of their own."""
        self._run(link.break_off())

    def close(self) -> None:
        """Break everything off and end the thread."""
        for link in self.all:
            self._run(link.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(30)


@contextmanager
def links(seed: int) -> Iterator[Links]:
    """Links that are gone when the block ends."""
    opened = Links(seed)
    try:
        yield opened
    finally:
        opened.close()
