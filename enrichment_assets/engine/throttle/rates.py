"""When the next call to a provider may leave: the shared rate, and pauses that the provider asked for.

A gate takes time slots from the database, of about a quarter of a second, so that a fast provider costs a few
statements a second and a slow one never holds time that another run could use; where others wait, it takes no more than
its calls need, and only when it is its turn (`store.limits.turns`). Within its time slots a run sends with an interval
between any two calls, and none in the last interval of a time slot: so calls of different runs have an interval between
them too. A time slot that is over (the process was busy, or stopped) is given up, never made good by a burst.

A call passes twice: `wait` before its intent is committed, which plans a moment for it and returns a little earlier,
and `acquire` when the connection stands, right before its first byte.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from enrichment_assets.domain.patience import Limits
from enrichment_assets.domain.statuses import StopCause
from enrichment_assets.engine.run.database_clock import DatabaseClock
from enrichment_assets.store.limits.turns import TimeSlot

STRETCH_SECONDS = 0.25
"""How much time is taken at once: as many intervals as fit into it, at least one."""

MARGIN, LEAST_MARGIN = 0.02, 0.005
"""Share of a time slot, and seconds, that are taken on top: so late its last call may wake up."""

MOST_LATE = 1.0
"""Seconds of lateness, of the database or this process, that a time slot makes room for."""

WAITS_ON_THE_WIRE = 2.0
"""Seconds that a call may wait with its connection open; a longer wait needs a new one."""


def interval_of(limits: Limits) -> float:
    """Seconds between two calls that keep every configured rate; 0 where none is configured.

    A daily rate does not space calls (600 a day would be one in 144 s): it is counted, not spaced.
    """
    rates = [limits.per_second, limits.per_minute and limits.per_minute / 60]
    return max((1 / rate for rate in rates if rate), default=0.0)


class Clock(Protocol):
    """Monotonic seconds and sleeping; tests use a virtual one."""

    def now(self) -> float:
        """Monotonic seconds."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; never shorter than asked."""
        ...


class LoopClock:
    """The machine's monotonic clock. uvloop's own stands still during a turn of the loop and rounds sleeps to 1 ms."""

    def now(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep until that much time has really passed."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:  # noqa: ASYNC110 - a sleep can end early
            await asyncio.sleep(left)


class Closed(Exception):
    """Nothing may leave for another `seconds`: longer than an item should wait for.

    `why` says so without the time, as it is kept; the exception's text has both.
    """

    def __init__(self, why: str, seconds: float, cause: StopCause, until: str) -> None:
        super().__init__(f"{why}{until} {round(seconds)} s")
        self.why = why
        self.seconds = seconds
        self.cause = cause


TakeTimeSlot = Callable[[float, float, float], Awaitable[TimeSlot]]
"""(seconds, seconds from now within which it is to begin, seconds before its beginning to ask for it again) -> a time
slot of this gate's key, or when to ask again."""


@dataclass(slots=True, eq=False)
class _Held:
    """A time slot by our clock: calls may leave from `opens` to `closes`, an interval before its end `until`.

    `until` is by the database's clock.
    """

    opens: float
    closes: float
    until: float


_NONE = _Held(-math.inf, -math.inf, -math.inf)


@dataclass(frozen=True, slots=True)
class Turn:
    """When one call is to leave (planned, by the gate's clock), and the time slot in which it may."""

    at: float
    held: _Held


AT_ONCE = Turn(-math.inf, _NONE)
"""The turn of a call that no rate holds back."""


class TurnMissed(Exception):
    """The call came too late for its turn, and is to wait for its next one without a connection.

    `turn`: its next one, where there is one already.
    """

    def __init__(self, turn: Turn | None) -> None:
        super().__init__("the call's turn to leave has passed")
        self.turn = turn


@dataclass
class RateGate:
    """Lets calls through at the rate of one provider key: `wait()`, then `acquire()` with what it returned.

    `waiting`: how many calls wait for a turn to be planned, or for a turn that is not due yet.
    """

    interval: float
    take: TakeTimeSlot
    clock: Clock = field(default_factory=LoopClock)
    _held: _Held = _NONE
    _planned: float = -math.inf
    _left: float = -math.inf
    _late: float = 0.0
    _ask_at: float = -math.inf
    _is_shared: bool = False
    waiting: int = 0
    _closed_until: float = -math.inf
    _theirs: DatabaseClock = field(default_factory=DatabaseClock)
    _planning: asyncio.Lock = field(default_factory=asyncio.Lock)
    _leaving: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def wait(self, patience: float = math.inf) -> Turn:
        """Return a little before a call may leave, with its turn.

        Raises:
            Closed: the provider asked for a longer quiet than `patience` seconds.
        """
        while True:
            while (closed_for := self._closed_until - self.clock.now()) > 0:
                if closed_for > patience:
                    raise self._closed(closed_for)
                await self.clock.sleep(closed_for)
            if self.interval <= 0:
                return AT_ONCE
            self.waiting += 1
            try:
                turn = await self._plan()
                await self.wait_until_due(turn)
            except Closed:
                continue
            finally:
                self.waiting -= 1
            if self.clock.now() >= self._closed_until:
                return turn
            # Closed meanwhile: the turn is given up, or all who waited would leave together when the pause ends.

    async def wait_until_due(self, turn: Turn) -> None:
        """Return early enough before a turn to commit an intent and to find or open a connection."""
        lead = min(max(self.interval / 2, 0.02), 0.5)
        if (delay := turn.at - lead - self.clock.now()) > 0:
            await self.clock.sleep(delay)

    async def turn_after(self, missed: TurnMissed) -> Turn:
        """Return early enough before the next turn of a call that missed its own. Raises `Closed`, as `wait`."""
        if missed.turn is None:
            return await self.wait()
        await self.wait_until_due(missed.turn)
        return missed.turn

    async def acquire(self, turn: Turn) -> None:
        """Return at the very moment when the call may leave, never earlier.

        Raises:
            TurnMissed: it came too late, and its next turn is too far away.
            Closed: the provider has asked for quiet meanwhile.
        """
        while self.interval > 0:
            late = await self._leaves(turn)
            if late is None:
                return
            self._late = min(max(self._late, late + LEAST_MARGIN), MOST_LATE)
            turn = await self._plan(within=WAITS_ON_THE_WIRE)
            if turn.at - self.clock.now() > WAITS_ON_THE_WIRE:
                raise TurnMissed(turn)

    def close_for(self, seconds: float) -> None:
        """Let nothing through for `seconds` (the provider said so); time already taken is given up."""
        self._closed_until = max(self._closed_until, self.clock.now() + seconds)
        self._held = _NONE

    async def _leaves(self, turn: Turn) -> float | None:
        """Wait for the moment; where its time is over, how many seconds too late it came.

        One call at a time, so that each sees when the last one left; nobody waits there for a moment that is far away,
        or those whose turn is before would miss it.
        """
        if (early := turn.at - self.clock.now()) > 0:
            await self.clock.sleep(early)
        async with self._leaving:
            while True:
                now = self.clock.now()
                if (closed_for := self._closed_until - now) > 0:
                    raise self._closed(closed_for)
                moment = max(turn.at, self._left + self.interval)
                if (late := max(moment, now) - turn.held.closes) > 0:
                    return late
                if moment <= now:
                    self._left = now
                    return None
                await self.clock.sleep(moment - now)

    async def _plan(self, within: float = math.inf) -> Turn:
        """The next moment of ours, an interval after the last one that was planned.

        Raises:
            Closed: the provider asked for quiet.
            TurnMissed: no time of ours is known `within` so many seconds.
        """
        until = self.clock.now() + within
        while True:
            async with self._planning:
                now = self.clock.now()
                if (closed_for := self._closed_until - now) > 0:
                    raise self._closed(closed_for)
                moment = max(self._planned + self.interval, self._held.opens, now)
                if moment <= self._held.closes:
                    self._planned = moment
                    return Turn(moment, self._held)
                look_at = max(self._ask_at, self._held.closes - self._ahead())
                if look_at <= now:
                    await self._ask()
                    continue
            if look_at > until:
                raise TurnMissed(None)
            await self.clock.sleep(look_at - now)

    def _ahead(self) -> float:
        """Seconds before the end of our time in which more of it is asked for.

        Where others wait, the next slot is somebody's while this one is used: nobody wakes up in time to the moment.
        """
        early = STRETCH_SECONDS + min(2 * self._late, STRETCH_SECONDS) if self._is_shared else 2 * self._late
        return max(self.interval / 2, 0.02) + LEAST_MARGIN + early

    async def _ask(self) -> None:
        """Ask for a time slot. One that follows ours without a gap prolongs it: nobody can be in between."""
        seconds, asked = self._seconds(), self.clock.now()
        ahead = self._ahead() + 2 * self._known() + (0.0 if self._is_shared else STRETCH_SECONDS)
        # Whose time ends asks an interval earlier than those who wait, and so keeps it where it is its turn again.
        slot = await self.take(seconds, self.interval + ahead + LEAST_MARGIN, ahead - max(0.01 - self.interval, 0.0))
        answered = self.clock.now()
        # How late calls come to the wire is learnt by the slots that they had: being told to wait says nothing of it.
        before = self._late if slot.opens is None else 0.8 * self._late
        self._late = min(max(before, answered - asked), MOST_LATE)
        self._theirs.learn(asked, slot.now, answered)
        self._is_shared = slot.is_shared
        if slot.opens is None:
            self._ask_at = answered + slot.ask_in
            return
        until = slot.opens + seconds
        closes = self._theirs.not_after(until) - self.interval
        if abs(slot.opens - self._held.until) < 2e-6 and self._held.until > -math.inf:
            self._held.closes, self._held.until = closes, until
        else:
            self._held = _Held(self._theirs.not_before(slot.opens), closes, until)

    def _known(self) -> float:
        """How well the database's clock is known, in seconds; 0 before it was asked."""
        known = self._theirs.uncertainty
        return known if known < math.inf else 0.0

    def _seconds(self) -> float:
        """How long a time slot to take: longer where the database answers slowly or this process wakes up late."""
        longest = 2 * STRETCH_SECONDS if self._is_shared else MOST_LATE
        calls = max(1, math.floor(min(STRETCH_SECONDS + 4 * self._late, longest) / self.interval))
        room = self._late + 2 * self._known()
        if self._is_shared:
            calls = min(calls, max(self.waiting, 1))
        return round(calls * self.interval * (1 + MARGIN) + LEAST_MARGIN + room, 6)  # microseconds, as in the database

    def _closed(self, seconds: float) -> Closed:
        return Closed("the provider asked for quiet", seconds, StopCause.QUIET, ", for another")
