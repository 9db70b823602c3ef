"""Items that share one request: each waits a little for company, and the last ones of a batch not at all.

The first item of a group leads it: it waits until the group is full, until `bulk.wait` is over, or until nobody is left
who could come, and then makes the call for all of them. Who arrives while the call waits for its turn at the provider's
rate comes along, as long as there is room.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar


class Waiting(Protocol):
    """A member of a call that is to be made."""

    @property
    def item_id(self) -> int:
        """Whose it is."""

    @property
    def name(self) -> str | None:
        """Its id in the request; two with one id cannot share one. None: it has none."""

    @property
    def kind(self) -> str:
        """With whom it can share a call: those of the same kind."""

    @property
    def future(self) -> asyncio.Future[Any]:
        """What becomes of it."""


Member = TypeVar("Member", bound=Waiting)


@dataclass(eq=False)
class Group(Generic[Member]):
    """Members of one call that is to be made."""

    members: list[Member] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    def takes(self, member: Member) -> bool:
        """Whether it can join."""
        if self.members and self.members[0].kind != member.kind:
            return False
        return member.name is None or member.name not in self.names

    def add(self, member: Member) -> None:
        """Take it in."""
        self.members.append(member)
        if member.name is not None:
            self.names.add(member.name)


Make = Callable[[Callable[[], list[Member]]], Awaitable[None]]
"""Makes the call. It asks for the members when the call may leave; what becomes of each is in its future."""


@dataclass
class Gathering(Generic[Member]):
    """The groups of one step that still have room.

    Attributes:
        at_most: Members of a group.
        wait: The longest that a group waits for company, in seconds.
        least: The shortest that one with room waits, also when nobody is known to come: items whose calls have just
            ended come back one by one.
    """

    at_most: int
    wait: float
    least: float = 0.0
    arrived: set[int] = field(default_factory=set)
    _open: list[Group[Member]] = field(default_factory=list)

    async def ask(self, crowd: Crowd, member: Member, make: Make[Member], *, alone: bool = False) -> Any:
        """What becomes of a member, in a call with others, or `alone`. Raises what broke the call."""
        group, leads = self._joined(member, alone=alone)
        crowd.arrives(member.item_id, self)
        if leads:
            await self._lead(group, make)
        return await member.future

    def close(self) -> None:
        """Nobody comes any more: whoever waits for company goes without."""
        for group in self._open:
            group.ready.set()

    def _joined(self, member: Member, *, alone: bool) -> tuple[Group[Member], bool]:
        if alone:
            group: Group[Member] = Group()
            group.ready.set()
            group.add(member)
            return group, True
        found = next((group for group in self._open if group.takes(member)), None)
        group = found or Group()
        if found is None:
            self._open.append(group)
        group.add(member)
        if len(group.members) >= self.at_most:
            self._open.remove(group)
            group.ready.set()
        return group, found is None

    async def _lead(self, group: Group[Member], make: Make[Member]) -> None:
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.wait):
                    await group.ready.wait()
                    if self.least and len(group.members) < self.at_most:
                        await asyncio.sleep(self.least)
            await make(lambda: self._closed(group))
        except BaseException as error:
            for member in self._closed(group):
                if not member.future.done():
                    member.future.set_exception(_told(error))
                    member.future.exception()  # who is gone does not ask
            raise

    def _closed(self, group: Group[Member]) -> list[Member]:
        """Its members; nobody joins from now on."""
        if group in self._open:
            self._open.remove(group)
        return group.members


def _told(error: BaseException) -> BaseException:
    """What the other members are told: where the leader's task was cancelled, theirs are too."""
    return error if isinstance(error, Exception) else RuntimeError("the call's task has ended")


@dataclass
class Crowd:
    """The items of a run that are under way, and who of them waits for others: so who may still come is known.

    Attributes:
        complete: The batch has no further item for this run now.
    """

    complete: bool = False
    _items: set[int] = field(default_factory=set)
    _waiting: set[int] = field(default_factory=set)
    _gatherings: list[Gathering[Any]] = field(default_factory=list)

    @contextmanager
    def item(self, item_id: int) -> Iterator[None]:
        """An item's time under way."""
        self._items.add(item_id)
        try:
            yield
        finally:
            self._items.discard(item_id)
            for gathering in self._gatherings:
                gathering.arrived.discard(item_id)
            self.look()

    @contextmanager
    def waits(self, item_id: int) -> Iterator[None]:
        """The time that an item waits for company, or for what another one is about to learn."""
        self._waiting.add(item_id)
        self.look()
        try:
            yield
        finally:
            self._waiting.discard(item_id)

    def arrives(self, item_id: int, gathering: Gathering[Any]) -> None:
        """An item has come to a step where items gather; it comes there once."""
        if gathering not in self._gatherings:
            self._gatherings.append(gathering)
        gathering.arrived.add(item_id)
        self.look()

    def everybody_is_here(self, is_so: bool) -> None:
        """Say whether the batch has no further item."""
        self.complete = is_so
        self.look()

    def look(self) -> None:
        """Let the groups go that nobody can join any more."""
        if self.complete:
            for gathering in self._gatherings:
                if self._items <= gathering.arrived | self._waiting:
                    gathering.close()
