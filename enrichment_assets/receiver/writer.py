"""Natural group commit: callbacks that queued up while the last commit ran go into the next one together.

What belongs here: the queue between requests and the database, the writers that empty it, and what a waiting request
is told. No timer holds a callback back: an idle receiver commits the first one alone and at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar

import psycopg

from enrichment_assets.receiver.limits import ReceiverLimits
from enrichment_assets.store.database import AsyncConnection
from enrichment_assets.store.deliveries.inbox import IncomingEvents, store_messages
from enrichment_assets.store.inbox.callbacks import (
    IncomingCallback,
    Receipt,
    known_tokens,
    prepare_session,
    store_callbacks,
)

logger = logging.getLogger("enrichment_assets.receiver")

Connect = Callable[[], Awaitable[AsyncConnection]]
Incoming = IncomingCallback | IncomingEvents

T = TypeVar("T")

RECONNECT_PAUSE = 0.05
"""Seconds a writer rests after it could not reach the database; only a waiting request makes it try again."""


class UnavailableError(Exception):
    """The callback is not stored: the queue is full, the database is away, or the receiver is stopping."""


class Sink(Protocol):
    """Where the endpoint puts a callback. The receipt means: durable."""

    async def start(self) -> None:
        """Get ready; must not fail because the database is away."""
        ...

    async def stop(self) -> None:
        """Finish what was submitted, then let go of everything."""
        ...

    def submit(self, callback: Incoming) -> asyncio.Future[Receipt]:
        """Queue a callback, or a message of events. Raises `UnavailableError`, at once or through the future."""
        ...

    def knows(self, token: str) -> asyncio.Future[bool]:
        """Whether a token names a call. Raises `UnavailableError`, at once or through the future."""
        ...

    async def probe(self) -> bool:
        """True when a callback could be stored now."""
        ...


_Waiting = tuple[Incoming, asyncio.Future[Receipt]]
_Asked = tuple[str, asyncio.Future[bool]]


class InboxWriter:
    """The real `Sink`: a bounded queue and a few connections that commit it in groups.

    A future gets its receipt after the commit of its group, never before. A group whose connection breaks is tried
    once more on a new one (the insert ignores what is there already, so a commit of unknown fate does no harm); any
    other failure makes every callback of the group `UnavailableError`, and the sender comes again.
    """

    def __init__(self, connect: Connect, limits: ReceiverLimits) -> None:
        self._connect = connect
        self._limits = limits
        self._queue: deque[_Waiting] = deque()
        self._probes: list[asyncio.Future[bool]] = []
        self._asked: list[_Asked] = []
        self._work = asyncio.Event()
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start the writers; each connects when the first group needs it."""
        self._tasks = [asyncio.create_task(self._write()) for _ in range(self._limits.writers)]

    async def stop(self) -> None:
        """Commit what is queued, then close the connections."""
        self._stopping = True
        self._work.set()
        await asyncio.gather(*self._tasks)

    # crash point: callback-is-submitted
    def submit(self, callback: Incoming) -> asyncio.Future[Receipt]:
        """Queue a callback or a message of events; see `Sink.submit`."""
        if self._stopping:
            raise UnavailableError("the receiver is stopping")
        if len(self._queue) >= self._limits.max_waiting:
            raise UnavailableError("too many callbacks are waiting")
        future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._queue.append((callback, future))
        self._work.set()
        return future

    def knows(self, token: str) -> asyncio.Future[bool]:
        """Look a token up; see `Sink.knows`."""
        if self._stopping or len(self._asked) >= self._limits.max_waiting:
            raise UnavailableError("too many tokens wait to be looked up, or the receiver is stopping")
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._asked.append((token, future))
        self._work.set()
        return future

    async def probe(self) -> bool:
        """Run the insert with no rows, through the same queue and connections as callbacks."""
        if self._stopping:
            return False
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._probes.append(future)
        self._work.set()
        return await future

    async def _write(self) -> None:
        link = _Link(self._connect, self._limits)
        while not (self._stopping and not self._queue and not self._probes and not self._asked):
            await self._work.wait()
            await asyncio.sleep(0)  # let the last group's answers leave and requests that are there already come in
            group, probes, asked = self._take(), self._probes, self._asked
            self._probes, self._asked = [], []
            if group or probes:
                await self._flush(link, group, probes)
            if asked:
                await self._look_up(link, asked)
            if not (group or probes or asked or self._stopping):
                self._work.clear()
        await link.close()

    def _take(self) -> list[_Waiting]:
        """The next group: everything that waits, within the bounds of one commit."""
        group: list[_Waiting] = []
        size = 0
        while self._queue and len(group) < self._limits.max_group:
            size += len(self._queue[0][0].body)
            if group and size > self._limits.max_group_bytes:
                break
            group.append(self._queue.popleft())
        return group

    async def _flush(self, link: _Link, group: list[_Waiting], probes: list[asyncio.Future[bool]]) -> None:
        try:
            receipts = await link.store([callback for callback, _ in group])
        except Exception as error:
            # Whatever it was, the writer lives on and the senders come again. Only the class is logged: the message of
            # a database error can quote the data.
            logger.error("callbacks not stored: %s (%d answered 503)", type(error).__name__, len(group))
            _settle(probes, False)
            _fail([future for _, future in group], "the database did not take it")
            await asyncio.sleep(RECONNECT_PAUSE)
        else:
            _settle(probes, True)
            if refused := receipts.count(Receipt.REFUSED):
                logger.warning("%d callbacks answered 429: their calls have as many as are kept", refused)
            for (_, future), receipt in zip(group, receipts, strict=True):
                if not future.done():
                    future.set_result(receipt)

    async def _look_up(self, link: _Link, asked: list[_Asked]) -> None:
        try:
            known = await link.known([token for token, _ in asked])
        except Exception as error:
            logger.error("tokens not looked up: %s (%d answered 503)", type(error).__name__, len(asked))
            _fail([future for _, future in asked], "the database did not answer")
            await asyncio.sleep(RECONNECT_PAUSE)
        else:
            for (_, future), is_known in zip(asked, known, strict=True):
                _settle([future], is_known)


class _Link:
    """One writer's connection, opened when needed and replaced when it broke."""

    def __init__(self, connect: Connect, limits: ReceiverLimits) -> None:
        self._connect = connect
        self._limits = limits
        self._connection: AsyncConnection | None = None

    async def store(self, group: list[Incoming]) -> list[Receipt]:
        """Commit one group; a connection that proves broken is replaced once.

        Callbacks and messages of events are a commit each: when the second fails, senders of the first come again too,
        and find theirs stored.
        """
        callbacks = [one for one in group if isinstance(one, IncomingCallback)]
        messages = [one for one in group if isinstance(one, IncomingEvents)]
        if not messages:
            return await self._twice(lambda connection: store_callbacks(connection, callbacks))
        stored = iter(await self._twice(lambda connection: store_messages(connection, messages)))
        receipts: Iterator[Receipt] = iter(())
        if callbacks:
            receipts = iter(await self._twice(lambda connection: store_callbacks(connection, callbacks)))
        return [_RECEIPTS[next(stored)] if isinstance(one, IncomingEvents) else next(receipts) for one in group]

    async def known(self, tokens: list[str]) -> list[bool]:
        """Which tokens name calls; a connection that proves broken is replaced once."""
        return await self._twice(lambda connection: known_tokens(connection, tokens))

    async def _twice(self, work: Callable[[AsyncConnection], Awaitable[list[T]]]) -> list[T]:
        had_connection = self._connection is not None
        try:
            return await self._attempt(work)
        except psycopg.OperationalError:
            if not had_connection or self._connection is not None:
                raise
        return await self._attempt(work)

    async def _attempt(self, work: Callable[[AsyncConnection], Awaitable[list[T]]]) -> list[T]:
        try:
            async with asyncio.timeout(self._limits.flush_seconds):
                if self._connection is None:
                    connection = self._connection = await self._connect()
                    await prepare_session(connection, self._limits.statement_seconds)
                return await work(self._connection)
        except BaseException:
            if self._connection is not None and _unusable(self._connection):
                await self.close()
            raise

    async def close(self) -> None:
        """Close the connection if there is one; a failure to say goodbye is none."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error, OSError):
                await connection.close()


_RECEIPTS = {True: Receipt.STORED, False: Receipt.ALREADY_STORED, None: Receipt.UNKNOWN_TOKEN}
"""What `store_messages` says of a message."""


def _unusable(connection: AsyncConnection) -> bool:
    return connection.closed or connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE


def _fail(futures: Iterable[asyncio.Future[Any]], why: str) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(UnavailableError(why))


def _settle(futures: list[asyncio.Future[bool]], value: bool) -> None:
    for future in futures:
        if not future.done():
            future.set_result(value)
