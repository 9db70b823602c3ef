"""Bodies that are read alone, counted before they are read: one of them may be what runs die of.

A reading is counted durably before it begins. One that ends is followed by the move that it decided; a count without
one means that the process died meanwhile, of this body or of something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncCursor

from enrichment_assets.domain.bulk_answers import Place
from enrichment_assets.store.calls.places import CALLBACK_BODY, PLACE, taken_place
from enrichment_assets.store.calls.prompt_inputs import inputs_in
from enrichment_assets.store.database import AsyncConnection

INLINE = 64 * 1024
"""Bytes of a callback that is loaded with its item; a larger one is fetched when it is read, one at a time."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A body, and how often it was begun to be read, this time included.

    `headers`, `place`: of a bulk call, and whose place it is; `inputs`: of a prompt.
    """

    body: bytes
    readings: int
    headers: Mapping[str, str] | None = None
    place: Place | None = None
    inputs: Mapping[str, str] | None = None


async def count_answer(connection: AsyncConnection, call_id: int) -> Counted:
    """Count a reading of a stored answer, and fetch it."""
    cursor = await connection.execute(
        f"""
        with counted as (
          update provider_calls set readings = readings + 1 where id = %s returning id, readings, response_body, bulk_id
        )
        select c.readings, coalesce(c.response_body, m.response_body, ''::bytea) as body, m.response_headers as headers,
               {PLACE}, p.inputs
        from counted c left join bulk_calls m on m.id = c.bulk_id left join prompt_inputs p on p.call_id = c.id
        """,
        (call_id,),
    )
    row = await _row(cursor)
    return Counted(bytes(row["body"]), row["readings"], row["headers"], taken_place(row), inputs_in(row["inputs"]))


async def count_callback(connection: AsyncConnection, inbox_id: int, counts: bool) -> Counted:
    """Fetch a callback's body; with `counts` it is counted now, else it was when its item was loaded."""
    cursor = await connection.execute(
        f"""
        update callback_inbox i set readings = readings + %s where id = %s returning readings, {CALLBACK_BODY} as body
        """,
        (int(counts), inbox_id),
    )
    row = await _row(cursor)
    return Counted(bytes(row["body"]), row["readings"])


async def _row(cursor: AsyncCursor[dict[str, Any]]) -> dict[str, Any]:
    row = await cursor.fetchone()
    assert row is not None, "nobody deletes ledger rows or callbacks"  # noqa: S101
    return row
