"""Natural group commit: many items' writes in one transaction, without a timer.

While one transaction commits, records queue up; the next transaction takes all of them. Every caller awaits the commit
of its own record, so what it learns is durable. The first statement of each transaction share-locks the runner's row:
a runner that was retired writes nothing more, and everything waiting is told so with `LeaseLost`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import psycopg

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.store import aftermath, budgets, claims, ledger
from enrichment_assets.store.ledger import Applied, Intent, IntentVerdict, Received, Scope

MAX_GROUP = 1_000
"""Records per transaction; bounds memory and how long one commit keeps the others waiting."""


class LeaseLost(InfrastructureError):  # noqa: N818 - the word of the design
    """Another runner retired this one: stop at once, write nothing, call nothing."""


class RecordRefused(Exception):  # noqa: N818
    """The database refuses this one record's values (never the group's): the payload cannot be stored as it is."""


@dataclass(slots=True)
class _Waiting:
    kind: str
    record: Any
    future: asyncio.Future[Any]


@dataclass
class GroupWriter:
    """The one writer of a run. Start it with `run()` in a task; `close()` flushes and stops it."""

    connection: claims.Connection
    scope: Scope
    commits: int = 0
    records: int = 0
    _queue: list[_Waiting] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _closing: bool = False
    _broken: BaseException | None = None

    async def intend(self, intent: Intent) -> IntentVerdict:
        """Make the intent durable. Only a `granted` verdict allows the call to leave."""
        verdict: IntentVerdict = await self._submit("intend", intent)
        return verdict

    async def receive(self, answer: Received) -> bool:
        """Make a raw answer durable. False: the call is no longer ours."""
        ours: bool = await self._submit("receive", answer)
        return ours

    async def apply(self, record: Applied) -> tuple[bool, int | None]:
        """Move a state with all that belongs to it. (moved, result id)."""
        moved: tuple[bool, int | None] = await self._submit("apply", record)
        return moved

    async def release(self, item_id: int, fence: int) -> None:
        """Free an item."""
        await self._submit("release", (item_id, fence))

    async def reopen(self, item_id: int, fence: int, slugs: list[str]) -> list[str]:
        """Let steps run again that were skipped for want of an answer that has now come. Those that do."""
        reopened: list[str] = await self._submit("reopen", (item_id, fence, slugs))
        return reopened

    async def mark_inbox(self, inbox_id: int, status: str, error: str | None) -> None:
        """Give a callback that moves no state its final status."""
        await self._submit("mark", (inbox_id, status, error))

    async def _submit(self, kind: str, record: object) -> Any:
        if self._broken is not None:
            raise self._broken
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
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
        cause = error if isinstance(error, LeaseLost) else InfrastructureError(f"the ledger cannot be written: {error}")
        self._broken = cause
        for waiting in self._queue:
            if not waiting.future.done():
                waiting.future.set_exception(cause)
        self._queue.clear()

    async def _commit(self, group: list[_Waiting]) -> None:
        try:
            results = await self._transaction(group)
        except psycopg.DataError as error:
            await self._commit_one_by_one(group, error)
            return
        except BaseException:
            self._queue = group + self._queue
            raise
        self.commits += 1
        self.records += len(group)
        for waiting, result in zip(group, results, strict=True):
            if not waiting.future.done():
                waiting.future.set_result(result)

    async def _commit_one_by_one(self, group: list[_Waiting], error: psycopg.DataError) -> None:
        """One record holds a value the database refuses: find it, so that the others are not held up by it."""
        if len(group) == 1:
            if not group[0].future.done():
                group[0].future.set_exception(RecordRefused(type(error).__name__))
            return
        middle = len(group) // 2
        await self._commit(group[:middle])
        await self._commit(group[middle:])

    async def _transaction(self, group: list[_Waiting]) -> list[Any]:
        results: list[Any] = [None] * len(group)
        async with self.connection.transaction():
            if not await claims.alive(self.connection, self.scope.runner_id):
                raise LeaseLost("this run's lease expired and its items were taken over; it stops without writing")
            for kind, write in _WRITES:
                places = [place for place, waiting in enumerate(group) if waiting.kind == kind]
                if places:
                    written = await write(self.connection, self.scope, [group[place].record for place in places])
                    for place, result in zip(places, written, strict=True):
                        results[place] = result
        return results


async def _receive(connection: claims.Connection, scope: Scope, answers: Sequence[Received]) -> list[bool]:
    ours = await ledger.receive(connection, scope, answers)
    return [answer.call_id in ours for answer in answers]


async def _apply(
    connection: claims.Connection, scope: Scope, records: Sequence[Applied]
) -> list[tuple[bool, int | None]]:
    moved = await ledger.apply(connection, scope, records)
    settled = [
        (r.workflow_slug, r.reserved, r.cost or Decimal(0))
        for r in records
        if (r.reserved or r.cost) and (r.item_id, r.workflow_slug) in moved
    ]
    if settled:
        await budgets.settle(connection, scope, settled)
    return [((key := (r.item_id, r.workflow_slug)) in moved, moved.get(key)) for r in records]


async def _intend(connection: claims.Connection, scope: Scope, intents: Sequence[Intent]) -> list[IntentVerdict]:
    billed = [i for i in intents if i.estimated_cost > 0]
    room = (
        await budgets.reserve(connection, scope, [(i.workflow_slug, i.estimated_cost) for i in billed])
        if billed
        else []
    )
    refused = {i.call_key for i, fits in zip(billed, room, strict=True) if not fits}
    affordable = [i for i in intents if i.call_key not in refused]
    verdicts = dict(
        zip((i.call_key for i in affordable), await ledger.intend(connection, scope, affordable), strict=True)
        if affordable
        else ()
    )
    verdicts |= await ledger.standing(connection, list(refused)) if refused else {}
    unused = [
        (i.workflow_slug, i.estimated_cost, Decimal(0))
        for i in affordable
        if i.estimated_cost > 0 and not verdicts[i.call_key].granted
    ]
    if unused:
        await budgets.settle(connection, scope, unused)
    return [verdicts.get(i.call_key) or IntentVerdict(None, False, "budget") for i in intents]


async def _release(connection: claims.Connection, scope: Scope, held: Sequence[tuple[int, int]]) -> list[None]:
    await claims.release(connection, scope.runner_id, held)
    return [None] * len(held)


async def _reopen(
    connection: claims.Connection, scope: Scope, records: Sequence[tuple[int, int, list[str]]]
) -> list[list[str]]:
    reopened = await aftermath.reopen(connection, scope, records)
    return [[slug for slug in slugs if (item_id, slug) in reopened] for item_id, _, slugs in records]


async def _mark(connection: claims.Connection, scope: Scope, rows: Sequence[tuple[int, str, str | None]]) -> list[None]:
    await aftermath.mark_callbacks(connection, rows)
    return [None] * len(rows)


_Write = Callable[[claims.Connection, Scope, Sequence[Any]], Awaitable[Sequence[Any]]]
_WRITES: tuple[tuple[str, _Write], ...] = (
    ("receive", _receive),
    ("apply", _apply),
    ("reopen", _reopen),
    ("mark", _mark),
    ("intend", _intend),
    ("release", _release),
)
