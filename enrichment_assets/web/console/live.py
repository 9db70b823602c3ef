"""Progress that goes on: parts of pages, sent as server-sent events whenever they change.

Whoever looks at the same thing shares one look at the database: a hundred open pages of one batch cost what one does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.concurrency import run_in_threadpool

from enrichment_assets.web.console.rendering import rendered
from enrichment_assets.web.console.tables import with_links
from enrichment_assets.web.console.views import Live

SECONDS = 2.0
"""Between two looks."""

LONGEST = 600.0
"""Seconds after which a stream ends. The browser comes again by itself, and is asked anew who it is."""

_QUIET = 15.0
"""Seconds after which something is sent although nothing changed: what stands between closes silent connections."""


class _Feed:
    """One thing that is looked at, and those who wait for its next change."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self.viewers = 0
        self.version = 0
        self.text = ""
        self.is_over = False

    def start(self) -> None:
        """Begin to look, where nobody does yet."""
        if self._task is None:
            self._task = asyncio.create_task(self._look())

    def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()

    async def next(self, version: int) -> None:
        """Wait until there is another version than that, or for `_QUIET` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_QUIET), self._changed:
                await self._changed.wait_for(lambda: self.version != version or self.is_over)

    async def _look(self) -> None:
        try:
            while not self.is_over:
                template, context, is_over = await run_in_threadpool(self._live.look)
                text = with_links(rendered(template, context))
                async with self._changed:
                    if text != self.text:
                        self.text, self.version = text, self.version + 1
                    self.is_over = is_over
                    self._changed.notify_all()
                if not is_over:
                    await asyncio.sleep(SECONDS)
        finally:
            self.is_over = True  # whatever went wrong: the browser comes again, and begins another
            with suppress(asyncio.CancelledError):
                async with self._changed:
                    self._changed.notify_all()


class Feeds:
    """All that is looked at in this process."""

    def __init__(self) -> None:
        self._feeds: dict[str, _Feed] = {}

    async def stream(self, live: Live) -> AsyncIterator[bytes]:
        """Events for one browser: `part` with HTML whenever it is another one, `over` when nothing will change."""
        feed = self._feeds.get(live.key)
        if feed is None or feed.is_over:
            feed = self._feeds[live.key] = _Feed(live)
        feed.viewers += 1
        feed.start()
        try:
            async for event in _events(feed):
                yield event
        finally:
            feed.viewers -= 1
            if feed.viewers == 0:
                feed.stop()
                if self._feeds.get(live.key) is feed:
                    del self._feeds[live.key]


async def _events(feed: _Feed) -> AsyncIterator[bytes]:
    version = 0
    until = asyncio.get_running_loop().time() + LONGEST
    while asyncio.get_running_loop().time() < until:
        await feed.next(version)
        if feed.version != version:
            version = feed.version
            yield event("part", feed.text)
        elif not feed.is_over:
            yield b": still here\n\n"
        if feed.is_over:
            yield event("over", "")
            return


def event(name: str, text: str) -> bytes:
    """One event as it goes over the wire (HTML standard, "Server-sent events"): each line of data by itself."""
    lines = "\n".join(f"data: {line}" for line in text.splitlines() or [""])
    return f"event: {name}\n{lines}\n\n".encode()
