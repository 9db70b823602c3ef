"""Callbacks: sent later, by one shared session, each exactly as often as its fate says.

Nobody retries, as most providers do not, and the platform has to live with it; one that does plans each of its tries
(`PlannedCallback.answered`). Delay, loss, duplicates,
lateness, order and garbage all follow from the seed and the question that the callback answers.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import aiohttp

from enrichment_assets.sandbox.exchange import PlannedCallback
from enrichment_assets.sandbox.faults import spoil
from enrichment_assets.sandbox.seeded_random import SeededRandom, digest
from enrichment_assets.sandbox.settings import Behaviour, SandboxSettings


@dataclass(slots=True)
class Delivery:
    """One POST to be made: `rank` is its place in a shuffled flush, `held` that only a flush sends it."""

    url: str
    body: bytes
    content_type: str
    identity: str
    rank: bytes
    headers: Mapping[str, str]
    answered: Callable[[int | None], PlannedCallback | None] | None
    held: bool


class CallbackSender:
    """Schedules and sends; `counts` says what became of them all."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self._queue: asyncio.Queue[Delivery] = asyncio.Queue()
        self._waiting: dict[int, tuple[asyncio.TimerHandle | None, Delivery]] = {}
        self._number = 0
        self._under_way = 0
        self._session: aiohttp.ClientSession | None = None
        self._workers: list[asyncio.Task[None]] = []
        self.counts: Counter[str] = Counter()
        self.recent: deque[dict[str, Any]] = deque(maxlen=settings.recent_calls)

    async def start(self) -> None:
        """Open the session and start the workers."""
        connector = aiohttp.TCPConnector(limit=self._settings.callback_concurrency)
        timeout = aiohttp.ClientTimeout(total=self._settings.callback_timeout)
        self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._settings.callback_concurrency)]

    async def stop(self) -> None:
        """Drop what was not sent yet and close the session."""
        self.clear()
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def clear(self) -> None:
        """Forget every callback that was not sent yet, and the counts."""
        for handle, _ in self._waiting.values():
            if handle is not None:
                handle.cancel()
        self._waiting.clear()
        while not self._queue.empty():
            self._queue.get_nowait()
            self._queue.task_done()
        self.counts.clear()
        self.recent.clear()

    @property
    def pending(self) -> int:
        """Callbacks that are waiting for their time, for a flush, for a worker or for the answer of the receiver."""
        return len(self._waiting) + self._queue.qsize() + self._under_way

    def schedule(self, seed: int, behaviour: Behaviour, planned: PlannedCallback, attempt: int) -> None:
        """Decide a callback's fate and arrange it; a question asked again (`attempt` 1, 2, ...) has another fate."""
        rng = SeededRandom(seed, "callback", planned.identity, attempt)
        dropped, doubled = rng.chance(behaviour.callback_drop), rng.chance(behaviour.callback_duplicate)
        late, garbled = rng.chance(behaviour.callback_late), rng.chance(behaviour.callback_garbage)
        place, delay = rng.roll(), planned.after
        self.counts["planned"] += 1
        if dropped:
            self.counts["dropped"] += 1
            return
        body, content_type = planned.body, planned.content_type
        if garbled:
            self.counts["garbage"] += 1
            body, content_type = spoil(body, content_type, behaviour.garbage_kind, rng)
        if late:
            self.counts["late"] += 1
            delay += behaviour.callback_late_by_of.sample(rng)
        if behaviour.shuffle_callbacks:
            delay += place * behaviour.shuffle_window
        rank = digest(seed, "order", planned.identity, attempt) if behaviour.shuffle_callbacks else b""
        held = behaviour.hold_callbacks
        delivery = Delivery(
            planned.url, body, content_type, planned.identity, rank, planned.headers, planned.answered, held
        )
        self._arrange(delivery, None if held else delay)
        if doubled:
            self.counts["duplicated"] += 1
            self._arrange(delivery, None if held else delay + 0.05 * rng.roll())

    async def flush(self) -> dict[str, int]:
        """Send everything that waits now, one after another, and return the counts when all are answered.

        Shuffled callbacks go in the order of the seed, others in the order in which they were asked for.
        """
        waiting = list(self._waiting.values())
        self._waiting.clear()
        for handle, _ in waiting:
            if handle is not None:
                handle.cancel()
        self._under_way += len(waiting)
        try:
            for _, delivery in sorted(waiting, key=lambda entry: entry[1].rank):
                await self._send(delivery)
        finally:
            self._under_way -= len(waiting)
        await self._queue.join()
        return {"flushed": len(waiting), **self.report()}

    def report(self) -> dict[str, int]:
        """What became of all callbacks: planned, dropped, sent, delivered, refused, failed, ... and pending.

        `foreign`: callbacks to somebody else than the receiver that the request named; they were not made.
        """
        names = [
            "planned",
            "dropped",
            "duplicated",
            "late",
            "garbage",
            "sent",
            "delivered",
            "refused",
            "failed",
            "foreign",
        ]
        return {**{name: self.counts[name] for name in names}, "pending": self.pending}

    def _arrange(self, delivery: Delivery, delay: float | None) -> None:
        number = self._number = self._number + 1
        handle = None if delay is None else asyncio.get_running_loop().call_later(delay, self._due, number)
        self._waiting[number] = (handle, delivery)

    def _due(self, number: int) -> None:
        entry = self._waiting.pop(number, None)
        if entry is not None:
            self._queue.put_nowait(entry[1])

    async def _work(self) -> None:
        while True:
            delivery = await self._queue.get()
            self._under_way += 1
            try:
                await self._send(delivery)
            finally:
                self._under_way -= 1
                self._queue.task_done()

    async def _send(self, delivery: Delivery) -> None:
        assert self._session is not None  # noqa: S101 - started before it is used
        self.counts["sent"] += 1
        headers = {**delivery.headers, "content-type": delivery.content_type}
        status: int | None = None
        try:
            async with self._session.post(delivery.url, data=delivery.body, headers=headers) as answer:
                await answer.read()
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            self.counts["failed"] += 1
        else:
            self.counts["delivered" if 200 <= status < 300 else "refused"] += 1
        self.recent.append({"identity": delivery.identity, "status": status, "bytes": len(delivery.body)})
        again = None if delivery.answered is None else delivery.answered(status)
        if again is not None:
            next_try = replace(delivery, url=again.url, body=again.body, answered=again.answered)
            self._arrange(next_try, None if delivery.held else again.after)
