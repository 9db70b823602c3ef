"""The inputs of prompts as they were kept with the intents of their calls (`store.calls.intents`), read back."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from enrichment_assets.store.database import AsyncConnection


def inputs_in(value: bytes | memoryview | None) -> Mapping[str, str] | None:
    """The column `inputs` of `prompt_inputs`: name -> text; None: there are none, or they were taken out."""
    return None if value is None else orjson.loads(bytes(value))


async def inputs_of_call(connection: AsyncConnection, call_id: int) -> Mapping[str, str] | None:
    """What the prompt of a call asked about; None: it asked none, or its inputs were taken out."""
    cursor = await connection.execute("select inputs from prompt_inputs where call_id = %s", (call_id,))
    row = await cursor.fetchone()
    return None if row is None else inputs_in(row["inputs"])
