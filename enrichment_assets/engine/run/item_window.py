"""One pass over a batch: claim items as room comes free, and let each go its way.

What belongs here: the window of items in memory, and which items enter it. What a run does before, between and after
its passes is in `engine.run.advance`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from enrichment_assets.engine.commit.group_transaction import LeaseLost
from enrichment_assets.engine.run.context import Run
from enrichment_assets.engine.run.item import process
from enrichment_assets.store.database import AsyncConnection
from enrichment_assets.store.runs import claims, contexts

CLAIM_SIZE = 100
"""Items taken at once: few enough that loading them does not hold up the answers that come in meanwhile."""

LOOK_AT_WRITER = 0.5
"""Seconds between looks at whether answers can still be stored, while a run that failed lets its calls end."""

STARTED_AT_ONCE = 8
"""Items whose first steps (rendering, local work) run in one turn of the event loop."""

MIN_WINDOW = 500
MAX_WINDOW = 2_000
"""Items in memory at once: enough to keep every slot busy, whatever the size of the batch."""


@dataclass
class _Window:
    """The items under way, and what a pass over the batch has seen."""

    size: int
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def room(self) -> None:
        """Wait until another claim fits."""
        while len(self.tasks) > self.size - CLAIM_SIZE:
            await self.some_done()

    async def some_done(self) -> None:
        """Wait for at least one item; raises what broke it."""
        if self.tasks:
            done, self.tasks = await asyncio.wait(self.tasks, return_when=asyncio.FIRST_COMPLETED)
            failures = [failure for task in done if (failure := task.exception())]
            if failures:
                raise failures[0]

    async def all_done(self) -> None:
        """Wait for all items."""
        while self.tasks:
            await self.some_done()

    async def drain(self, run: Run) -> None:
        """Let what is under way end, whatever becomes of it, as long as it can be written down."""
        while self.tasks and not run.writer.broken:
            done, self.tasks = await asyncio.wait(self.tasks, timeout=LOOK_AT_WRITER)
            for task in done:
                task.exception()  # told to nobody: the first failure is


async def one_pass(run: Run, reader: AsyncConnection) -> int:
    """Claim and process every item that has something to do, by ascending id. Returns how many were claimed."""
    window = _Window(_window_size(run))
    claimed, after_id = 0, 0
    try:
        while True:
            await window.room()
            run.lease.check()
            if run.stopping:
                await window.all_done()
                return claimed
            ids = await claims.find_called_back(reader, run.batch.batch_id, list(run.steps), CLAIM_SIZE)
            ids += await claims.find_overdue(reader, run.batch.batch_id, run.slugs_at_work(), CLAIM_SIZE)
            fresh = await claims.find_runnable(
                reader,
                run.batch.batch_id,
                run.slugs_at_work(),
                run.batch.blueprint.dependencies(),
                after_id,
                CLAIM_SIZE,
            )
            after_id = fresh[-1] if fresh else after_id
            held = await claims.claim(reader, run.batch.batch_id, run.writer.scope.runner_id, [*ids, *fresh])
            run.crowd.everybody_is_here(not held and not fresh)
            if not held and not fresh:
                if not window.tasks:
                    return claimed
                await window.some_done()
                continue
            claimed += len(held)
            loaded = await contexts.load_items(
                reader,
                run.batch.batch_id,
                held,
                sources=run.sources,
                with_original=run.needs_original,
            )
            for item in loaded:
                window.tasks.add(asyncio.create_task(process(run, item)))
                if len(window.tasks) % STARTED_AT_ONCE == 0:
                    await asyncio.sleep(0)
    except LeaseLost:
        raise
    except Exception:
        # What broke one item, or the reader's connection, must not make the fate of all other calls unknown.
        run.failing = True
        await window.drain(run)
        raise
    finally:
        for task in window.tasks:
            task.cancel()
        await asyncio.gather(*window.tasks, return_exceptions=True)


def _window_size(run: Run) -> int:
    slots = sum(
        step.workflow.limits.concurrency * (step.workflow.bulk.at_most if step.workflow.bulk else 1)
        for step in run.steps.values()
        if step.provider is not None
    )
    return min(max(3 * slots, MIN_WINDOW), MAX_WINDOW)
