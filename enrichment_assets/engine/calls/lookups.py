"""Looking for answers that are there already, in bulk: while one query is under way, questions queue for the next.

Like the group writer there is no timer: what is waiting when the connection is free goes together.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from enrichment_assets.store.calls import questions
from enrichment_assets.store.calls.questions import KnownCall, Question
from enrichment_assets.store.database import AsyncConnection

MAX_GROUP = 50
"""Questions per query; fewer are answered where their answers are large (`questions.MAX_BYTES`)."""


@dataclass
class Lookups:
    """The lookups of one run: one client's answers, seen from one batch."""

    connection: AsyncConnection
    client_id: int
    batch_id: int
    queries: int = 0
    _queue: list[tuple[Question, asyncio.Future[KnownCall | None]]] = field(default_factory=list)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def find(self, asked: Question) -> KnownCall | None:
        """The known call for a question, if there is one. Raises `psycopg.Error` where the database cannot be read."""
        future: asyncio.Future[KnownCall | None] = asyncio.get_running_loop().create_future()
        self._queue.append((asked, future))
        async with self._turn:
            while not future.done():
                await self._ask(future)
        return await future

    async def _ask(self, mine: asyncio.Future[KnownCall | None]) -> None:
        group, self._queue = self._queue[:MAX_GROUP], self._queue[MAX_GROUP:]
        try:
            found = await questions.find(self.connection, self.client_id, self.batch_id, [asked for asked, _ in group])
        except BaseException:
            # Whoever waits asks again when its turn comes, and learns what is wrong by itself.
            self._queue = [entry for entry in group if entry[1] is not mine] + self._queue
            raise
        self.queries += 1
        self._queue = group[len(found) :] + self._queue
        for (_, future), known in zip(group, found, strict=False):
            if not future.done():
                future.set_result(known)
