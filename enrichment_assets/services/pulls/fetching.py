"""One fetch over the network: question after question, page after page; kept, then read, then written by key.

Nothing is held but the page that is being read. Whatever ends a fetch, what it has kept is not asked for again by the
one that goes on with it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from enrichment_assets.domain.pull_questions import PageRead, Question, questions, read_page
from enrichment_assets.domain.pulls import PullDefinition, Stream
from enrichment_assets.services.pulls.asking import Asker, GoneError, PullError, TooMuchError
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.pulls import pages, tables
from enrichment_assets.store.pulls.connections import Connected
from enrichment_assets.store.pulls.pages import Asked, Page

AT_ONCE = 4
"""Questions under way at a time, for each client."""

MOST_PAGES = 10_000
"""Of one question."""


@dataclass
class Fetched:
    """What a fetch brought.

    Attributes:
        rows: Table -> rows that the answers have for it.
        pages: How many answers there were.
        unfit: Values that did not fit the type of their column, and are null there; all stand in `raw`.
        without_key: Items without anything to be known by: they are left out.
        gone: Questions about something that is not there any more.
    """

    rows: Counter[str] = field(default_factory=Counter)
    pages: int = 0
    unfit: int = 0
    without_key: int = 0
    gone: int = 0

    def add(self, table: str, page: PageRead) -> None:
        """Count a page."""
        self.rows[table] += len(page.rows)
        self.pages += 1
        self.unfit += page.unfit
        self.without_key += page.without_key


@dataclass(frozen=True)
class Fetch:
    """A fetch under way: of whom, what, and since when."""

    hq: Hq
    pull: PullDefinition
    whom: Connected
    sync_id: int
    first: date
    last: date
    asker: Asker
    done: Fetched = field(default_factory=Fetched)

    async def stream(self, name: str) -> None:
        """Ask all questions of a stream. Raises `PullError`, and `ContractError` of an answer that is not as agreed."""
        stream = self.pull.streams[name]
        values = await asyncio.to_thread(self._values, stream)
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(question: Question) -> None:
            async with turns:
                await self._question(name, stream, question)

        try:
            async with asyncio.TaskGroup() as group:
                for question in questions(stream, values, self.first, self.last):
                    group.create_task(one(question))
        except ExceptionGroup as several:
            raise several.exceptions[0] from None

    def _values(self, stream: Stream) -> list[str]:
        if stream.each is None:
            return []
        with self.hq.workspace.transaction() as workspace:
            return tables.values_of(workspace, stream.each.table, stream.each.value, self.whom.client)

    async def _question(self, name: str, stream: Stream, question: Question) -> None:
        """All pages of a question; one that is too much at a time is asked in halves."""
        try:
            await self._pages(name, stream, question)
        except TooMuchError:
            halves = question.halves()
            if halves is None:
                raise
            for half in halves:
                await self._question(name, stream, half)
        except GoneError:
            if stream.each is None:
                raise
            self.done.gone += 1

    async def _pages(self, name: str, stream: Stream, question: Question) -> None:
        cursor, seen = None, set[str]()
        for _ in range(MOST_PAGES):
            asked = Asked(self.whom.client_id, self.pull.slug, self.sync_id, name, question.request(stream, cursor))
            page = await asyncio.to_thread(self._kept, asked) or await self._fetched(asked)
            read = await asyncio.to_thread(self._taken_in, asked, page, stream, question)
            cursor = read.cursor
            if not read.items or cursor is None:
                return
            if cursor in seen:
                raise PullError(f"{question.path}: the same cursor comes again: it leads round in a circle")
            seen.add(cursor)
        raise PullError(f"{question.path}: there are more than {MOST_PAGES} pages")

    def _kept(self, asked: Asked) -> Page | None:
        with self.hq.transaction() as connection:
            return pages.kept(connection, asked)

    async def _fetched(self, asked: Asked) -> Page:
        answer = await self.asker.ask(asked.request)

        def keep() -> Page:
            with self.hq.transaction() as connection:
                return pages.keep(connection, asked, answer.status, answer.body)

        return await asyncio.to_thread(keep)

    def _taken_in(self, asked: Asked, page: Page, stream: Stream, question: Question) -> PageRead:
        """Read a page, and write its rows where that was not done."""
        table = self.pull.tables[stream.table]
        read = read_page(stream, table, page.body, question.given, self.whom.client, page.fetched_at)
        if not page.is_read:
            with self.hq.workspace.transaction() as workspace:
                tables.upsert(workspace, stream.table, table, read.rows)
            with self.hq.transaction() as connection:
                pages.note_read(connection, asked, page)
        self.done.add(stream.table, read)
        return read
