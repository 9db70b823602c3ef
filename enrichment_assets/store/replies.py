"""Statements that are on their way: in a pipeline, several are sent before the first answer is waited for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from psycopg import AsyncCursor

T = TypeVar("T")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """What a statement will answer. Outside of a pipeline it has answered already."""

    cursor: AsyncCursor[Row]
    read: Callable[[list[Row]], T]

    async def result(self) -> T:
        """Wait for the rows and read them; raises what the statement, or one before it in its pipeline, raised."""
        return self.read(await self.cursor.fetchall())
