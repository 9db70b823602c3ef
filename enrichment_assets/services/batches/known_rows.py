"""How many rows of an upload a client has already, before anything is launched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa

from enrichment_assets.domain.known import hashed, known_by
from enrichment_assets.domain.known_policy import CELLS
from enrichment_assets.domain.suppression import Hasher
from enrichment_assets.services.batches.items import ItemMaker, rows_within
from enrichment_assets.services.batches.known import bring_up_to_date, hasher_for
from enrichment_assets.services.batches.simulation import calls_simulator
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches.items import ITEM_COLUMNS
from enrichment_assets.store.batches.known import CHUNK, known_places
from enrichment_assets.store.hq import Hq

if TYPE_CHECKING:
    from enrichment_assets.services.batches.launch_plan import Draft

_PLACES = [(name, ITEM_COLUMNS.index(name)) for name in CELLS]
_NUMBER, _DETAILS = ITEM_COLUMNS.index("row_number"), ITEM_COLUMNS.index("details")

ComparedRow = tuple[int, bytes, dict[str, str | None]]
"""The number of a row, the hashes of its lead in a row, and the cells that say who that is."""


def known_rows(hq: Hq, settings: Settings, draft: Draft, batch_id: int) -> int:
    """How many rows of a draft the client has from earlier batches; 0 where nobody asks.

    `batch_id`: of the pilot that goes on, whose own rows do not count; 0: there is none. The index is made up to date.

    Raises:
        ConfigurationError: As `hasher_for`.
    """
    hasher = hasher_for(hq, settings, draft.blueprint)
    if hasher is None:
        return 0
    client_id = draft.upload["client_id"]
    bring_up_to_date(hq, client_id, hasher)
    simulated = calls_simulator(settings)
    rows = compared_rows(rows_within(draft.read(), draft.window), draft.upload["columns"], hasher)
    chunks = [[who for _, who, _ in chunk] for chunk in rows]  # rows that came one by one are read from HQ themselves
    with hq.transaction() as connection:
        return sum(len(known_places(connection, client_id, batch_id, simulated, whos)) for whos in chunks)


def compared_rows(
    batches: Iterable[pa.RecordBatch], columns: Sequence[dict[str, Any]], hasher: Hasher
) -> Iterator[list[ComparedRow]]:
    """By chunks, the rows of an upload, each with the hashes by which it is compared."""
    maker = ItemMaker(0, 0, columns, ())
    chunk: list[ComparedRow] = []
    for batch in batches:
        for item in maker.items(batch):
            cells = {name: item[place] for name, place in _PLACES}
            details = orjson.loads(item[_DETAILS]) if item[_DETAILS] else {}
            chunk.append((item[_NUMBER], hashed(known_by({**details, **cells}), hasher)[0], cells))
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
    if chunk:
        yield chunk
