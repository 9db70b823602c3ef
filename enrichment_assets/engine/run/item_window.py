"""One pass over a batch: claim items as room comes free, and let each go its way.

What belongs here: the window of items in memory, and which items enter it. What a run does before, between and after
its passes is in `engine.run.advance`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from enrichment_assets.engine.commit.group_transaction import LeaseLost
from enrichment_assets.engine.run.context import Run
from enrichment_assets.engine.run.item import process
from enrichment_assets.engine.run.loading import load_claimed
from enrichment_assets.engine.run.together import begin_together
from enrichment_assets.store.database import AsyncConnection
from enrichment_assets.store.runs import claims
from enrichment_assets.store.runs.contexts import LoadedItem

CLAIM_SIZE = 100
"""Items taken at once: few enough that loading them does not hold up the answers that come in meanwhile."""

LOCAL_CLAIM_SIZE = 500
"""The same where no step calls anybody: there are no answers, and each claim costs eight exchanges."""

LOOK_AT_WRITER = 0.5
"""Seconds between looks at whether answers can still be stored, while a run that failed lets its calls end."""

STARTED_AT_ONCE = 8
"""Items whose first requests are made in one turn of the event loop."""

MIN_WINDOW = 500
MAX_WINDOW = 2_000
"""Items in memory at once: enough to keep every slot busy, whatever the size of the batch."""


@dataclass
class _Window:
    """The items under way, and what a pass over the batch has seen.

    `beginning`: claims that are begun together, with their number of items; then each item is a task of its own.
    """

    size: int
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    beginning: dict[asyncio.Task[None], int] = field(default_factory=dict)
    _ended: list[asyncio.Task[None]] = field(default_factory=list)
    _some_ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def under_way(self) -> set[asyncio.Task[None]]:
        """All tasks."""
        return self.tasks | self.beginning.keys()

    def begin(self, work: Coroutine[Any, Any, None], items: int) -> None:
        """Begin a claim."""
        self.beginning[self._begun(work)] = items

    def let_go(self, work: Coroutine[Any, Any, None]) -> None:
        """Let one item go its way."""
        self.tasks.add(self._begun(work))

    def _begun(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        task.add_done_callback(self._note)
        return task

    def _note(self, task: asyncio.Task[None]) -> None:
        self._ended.append(task)
        self._some_ended.set()

    async def room(self, items: int) -> None:
        """Wait until so many more fit."""
        while len(self.tasks) + sum(self.beginning.values()) > self.size - items:
            await self.some_done()

    async def some_done(self) -> None:
        """Wait for at least one task; raises what broke it.

        `asyncio.wait` would begin and end to listen to hundreds of tasks, each time one has ended.
        """
        if self.under_way:
            await self._some_ended.wait()
            done = self.forget_ended()
            failures = [failure for task in done if (failure := task.exception())]
            if failures:
                raise failures[0]

    async def all_done(self) -> None:
        """Wait for all items."""
        while self.under_way:
            await self.some_done()

    async def drain(self, run: Run) -> None:
        """Let what is under way end, whatever becomes of it, as long as it can be written down."""
        while self.under_way and not run.writer.broken:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AT_WRITER):
                    await self._some_ended.wait()
            for task in self.forget_ended():
                task.exception()  # told to nobody: the first failure is

    def forget_ended(self) -> list[asyncio.Task[None]]:
        """Leave out tasks that have ended, and say which."""
        done, self._ended = self._ended, []
        self._some_ended.clear()
        for task in done:
            self.tasks.discard(task)
            self.beginning.pop(task, None)
        return done


async def one_pass(run: Run, reader: AsyncConnection) -> int:
    """Claim and process every item that has something to do, by ascending id. Returns how many were claimed."""
    window, size = _Window(_window_size(run)), _claim_size(run)
    claimed, after_id = 0, 0
    try:
        while True:
            await window.room(size)
            run.lease.check()
            if run.stopping:
                await window.all_done()
                return claimed
            ids = await _waited_for(run, reader, size)
            fresh = await claims.find_runnable(
                reader,
                run.batch.batch_id,
                run.slugs_at_work(),
                run.batch.blueprint.dependencies(),
                after_id,
                size,
                run.only,
            )
            after_id = fresh[-1] if fresh else after_id
            held = await claims.claim(reader, run.batch.batch_id, run.writer.scope.runner_id, [*ids, *fresh])
            run.crowd.everybody_is_here(not held and not fresh and not window.beginning)
            if not held and not fresh:
                if not window.under_way:
                    return claimed
                await window.some_done()
                continue
            claimed += len(held)
            load = partial(_loaded, run, reader, held)
            window.begin(_begin(run, window, await load(), load), len(held))
    except LeaseLost:
        raise
    except Exception:
        # What broke one item, or the reader's connection, must not make the fate of all other calls unknown.
        run.failing = True
        await window.drain(run)
        raise
    finally:
        await _cancelled(window)


async def _waited_for(run: Run, reader: AsyncConnection, size: int) -> list[int]:
    """Items whose answer came, is overdue or was left behind; who chose some items asks, and leaves those to others."""
    if run.only is not None:
        return []
    ids = await claims.find_called_back(reader, run.batch.batch_id, list(run.steps), size)
    ids += await claims.find_overdue(reader, run.batch.batch_id, run.slugs_looked_after(), size)
    if cancelled := run.slugs_cancelled():  # nothing of them is runnable, and what a dead run left is to be ended
        ids += await claims.find_left_behind(reader, run.batch.batch_id, cancelled, size)
    return ids


async def _loaded(run: Run, reader: AsyncConnection, held: Sequence[tuple[int, int]]) -> list[LoadedItem]:
    """The items that were claimed, with who of them may not be asked about."""
    items = await load_claimed(run, reader, held)
    await run.suppressing.mark(items)
    return items


async def _begin(
    run: Run, window: _Window, items: list[LoadedItem], load_again: Callable[[], Awaitable[list[LoadedItem]]]
) -> None:
    """Do what can be done for a claim together, then let each item go its way."""
    for number, item in enumerate(await begin_together(run, items, load_again), 1):
        window.let_go(process(run, item))
        if number % STARTED_AT_ONCE == 0:
            await asyncio.sleep(0)


async def _cancelled(window: _Window) -> None:
    """End what is under way; a claim that has just begun may have let items go meanwhile."""
    while tasks := window.under_way:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        window.forget_ended()


def _calls_nobody(run: Run) -> bool:
    return all(step.provider is None for step in run.steps.values())


def _claim_size(run: Run) -> int:
    return LOCAL_CLAIM_SIZE if _calls_nobody(run) else CLAIM_SIZE


def _window_size(run: Run) -> int:
    if _calls_nobody(run):
        return MAX_WINDOW
    slots = sum(
        step.workflow.limits.concurrency * (step.gathering.at_most if step.gathering else 1)
        for step in run.steps.values()
        if step.provider is not None
    )
    return min(max(3 * slots, MIN_WINDOW), MAX_WINDOW)
