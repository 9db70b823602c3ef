"""Natural group commit: many items' writes in one transaction, without a timer.

While one transaction commits, records queue up; the next transaction takes all of them. Every caller awaits the commit
of its own record, so what it learns is durable. The first statement of each transaction share-locks the runner's row:
a runner that was retired writes nothing more, and everything waiting is told so with `LeaseLost`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

import psycopg

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.engine.commit.group_transaction import Kind, LeaseLost, Together, write_group
from enrichment_assets.store.calls.bulk import BulkIntent, BulkReceived
from enrichment_assets.store.calls.intents import Intent, IntentVerdict
from enrichment_assets.store.calls.ledger import Applied, Received, Scope
from enrichment_assets.store.calls.reuse import Reused, ReuseVerdict
from enrichment_assets.store.database import AsyncConnection
from enrichment_assets.store.database_errors import described
from enrichment_assets.store.deadlocks import again_after_deadlock
from enrichment_assets.store.states.reopening import Reopen

MAX_GROUP = 1_000
"""Records per transaction; bounds memory and how long one commit keeps the others waiting."""

TOLD_AT_ONCE = 32
"""Records told of in one turn of the event loop: what follows from an answer is work, and slots are to be refilled."""


class RecordRefused(Exception):
    """The database refuses this one record's values (never the group's): the payload cannot be stored as it is.

    Of a `Together` some payload of it; nothing of it is written.
    """


@dataclass(slots=True)
class _Waiting:
    kind: Kind
    record: Any
    future: asyncio.Future[Any]


def _resolve(outcomes: Iterable[tuple[_Waiting, Any]]) -> None:
    for waiting, result in outcomes:
        if not waiting.future.done():
            waiting.future.set_result(result)


@dataclass
class GroupWriter:
    """The one writer of a run. Start it with `run()` in a task; `close()` flushes and stops it."""

    connection: AsyncConnection
    scope: Scope
    commits: int = 0
    records: int = 0
    _queue: list[_Waiting] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _closing: bool = False
    _broken: BaseException | None = None
    _loop: asyncio.AbstractEventLoop | None = None

    @property
    def broken(self) -> bool:
        """Nothing more can be written."""
        return self._broken is not None

    async def intend(self, intent: Intent) -> IntentVerdict:
        """Make the intent durable. Only a `granted` verdict allows the call to leave."""
        verdict: IntentVerdict = await self._submit(Kind.INTEND, intent)
        return verdict

    async def intend_bulk(self, request: BulkIntent) -> list[IntentVerdict]:
        """The same of all members of one request, in one transaction with the list of those that are granted."""
        verdicts: list[IntentVerdict] = await self._submit(Kind.INTEND_BULK, request)
        return verdicts

    async def receive_bulk(self, answer: BulkReceived) -> set[int]:
        """Make the one raw answer to a bulk call durable. Ids of the members' calls that are still ours."""
        ours: set[int] = await self._submit(Kind.RECEIVE_BULK, answer)
        return ours

    # crash point: answer-is-kept
    async def receive(self, answer: Received) -> bool:
        """Make a raw answer durable. False: the call is no longer ours."""
        ours: bool = await self._submit(Kind.RECEIVE, answer)
        return ours

    async def apply(self, record: Applied) -> tuple[bool, int | None]:
        """Move a state with all that belongs to it. (moved, result id)."""
        moved: tuple[bool, int | None] = await self._submit(Kind.APPLY, record)
        return moved

    async def apply_together(self, claim: Together) -> list[bool]:
        """Move states of many items at once, in one wait; whether each did. Raises `RecordRefused` for all of them."""
        moved: list[bool] = await self._submit(Kind.TOGETHER, claim)
        return moved

    async def reuse(self, record: Reused) -> ReuseVerdict:
        """End a state with an answer that is there already."""
        verdict: ReuseVerdict = await self._submit(Kind.REUSE, record)
        return verdict

    async def release(self, item_id: int, fence: int) -> None:
        """Free an item."""
        await self._submit(Kind.RELEASE, (item_id, fence))

    async def reopen(self, record: Reopen) -> list[str]:
        """Let steps run again that were skipped for want of an answer that has now come. Those that do."""
        reopened: list[str] = await self._submit(Kind.REOPEN, record)
        return reopened

    async def mark_inbox(self, inbox_id: int, status: str, error: str | None) -> None:
        """Give a callback that moves no state its final status."""
        await self._submit(Kind.MARK, (inbox_id, status, error))

    async def _submit(self, kind: Kind, record: object) -> Any:
        if self._broken is not None:
            raise self._broken
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = self._loop.create_future()
        self._queue.append(_Waiting(kind, record, future))
        self._wake.set()
        return await future

    async def close(self) -> None:
        """Flush what is queued, then let `run` return."""
        self._closing = True
        self._wake.set()

    async def run(self) -> None:
        """Commit groups until closed. Raises what broke the writer, after telling everyone who waits."""
        try:
            while True:
                await self._wake.wait()
                await asyncio.sleep(0)  # what is ready in this turn of the loop goes into the same transaction
                self._wake.clear()
                while self._queue:
                    group, self._queue = self._queue[:MAX_GROUP], self._queue[MAX_GROUP:]
                    await self._commit(group)
                if self._closing:
                    return
        except BaseException as error:
            self._fail(error)
            raise

    def _fail(self, error: BaseException) -> None:
        told = InfrastructureError(f"the ledger cannot be written: {described(error)}", code="ledger.not_writable")
        cause = error if isinstance(error, LeaseLost) else told
        self._broken = cause
        for waiting in self._queue:
            if not waiting.future.done():
                waiting.future.set_exception(cause)
        self._queue.clear()

    async def _commit(self, group: list[_Waiting]) -> None:
        try:
            records = [(w.kind, w.record) for w in group]
            results = await again_after_deadlock(partial(write_group, self.connection, self.scope, records))
        except psycopg.DataError as error:  # guard: bad-value-ends-no-run
            await self._commit_one_by_one(group, error)
            return
        except BaseException:
            self._queue = group + self._queue
            raise
        self.commits += 1
        self.records += sum(len(w.record.moves) if w.kind is Kind.TOGETHER else 1 for w in group)
        await self._tell(zip(group, results, strict=True))

    async def _tell(self, outcomes: Iterable[tuple[_Waiting, Any]]) -> None:
        """Let everyone go on with what became of his record, a few in one turn of the event loop."""
        rest = iter(outcomes)
        try:
            while some := list(islice(rest, TOLD_AT_ONCE)):
                _resolve(some)
                await asyncio.sleep(0)
        finally:
            _resolve(rest)  # what is committed is told, also when this task is cancelled

    async def _commit_one_by_one(self, group: list[_Waiting], error: psycopg.DataError) -> None:
        """One record holds a value the database refuses: find it, so that the others are not held up by it."""
        if len(group) == 1:
            if not group[0].future.done():
                group[0].future.set_exception(RecordRefused(type(error).__name__))
            return
        middle = len(group) // 2
        await self._commit(group[:middle])
        await self._commit(group[middle:])
