"""Batch items: every readable row of a batch's upload becomes one, with its identity columns and original cells.

All of it is one transaction: a batch has all of its items, leases and states, or none.
"""

from __future__ import annotations

import dataclasses
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow as pa

from enrichment_assets.domain.companies import company_key
from enrichment_assets.domain.errors import InfrastructureError, NotFoundError
from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.domain.item_cells import cells_of_row
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.suppression import Hasher
from enrichment_assets.domain.uploaded_contacts import UploadedContacts
from enrichment_assets.domain.values import Reason
from enrichment_assets.services.batches import known
from enrichment_assets.services.uploads.gathered_rows import read_gathered
from enrichment_assets.services.uploads.identity_cells import Cells, IdentityReader
from enrichment_assets.services.uploads.upload import keep_erased_out, read_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches import items as store
from enrichment_assets.store.batches import known as known_store
from enrichment_assets.store.batches.launching import get_batch
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.catalog.uploads import get_upload
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.people import erasures
from enrichment_assets.store.runs.contexts import LoadedItem

_ANALYZE_FROM = 10_000
_NUMBER_COLUMNS = 2
"""row_number and line_number stand before the cells in a batch of `read_rows`."""


@dataclass(frozen=True, slots=True)
class ItemsReport:
    """Rows of the upload = items + rejected + held back, always.

    `created` counts the items that this call made (0: all there), `held_back` the readable rows behind a pilot's limit.

    `not_values`: how many cells are no value of their field, by `field: reason`; of the items that this call made.
    """

    rows: int
    items: int
    rejected: int
    created: int
    not_values: Mapping[str, int] = dataclasses.field(default_factory=dict)
    held_back: int = 0


# crash point: items-are-created
def create_items(hq: Hq, settings: Settings, batch_key: str) -> ItemsReport:
    """Lay out a batch: items, leases and PENDING states; a second call finds them there and does nothing.

    Raises:
        NotFoundError: There is no such batch.
        InfrastructureError: The upload's bytes are gone, or do not give the rows that were counted.
    """
    _keep_erased_out(hq, settings, batch_key)
    report = _lay_out_locked(hq, settings, batch_key, None)
    if report is None:
        hasher = known.ready(hq, settings, batch_key)
        report = _lay_out_locked(hq, settings, batch_key, hasher)
    assert report is not None, "with a hasher it is laid out"  # noqa: S101
    return report


def _lay_out_locked(hq: Hq, settings: Settings, batch_key: str, hasher: Hasher | None) -> ItemsReport | None:
    """Lay out what the batch lacks; None: earlier leads have to be looked at before, and it was not begun."""
    with hq.transaction() as connection:
        batch = store.lock_batch(connection, batch_key)
        if batch is None:
            raise no_such_batch(connection, batch_key)
        upload = get_upload(connection, batch["upload_id"])
        if upload is None:
            raise NotFoundError(f"the upload of batch {batch_key!r} is gone", code="upload.not_found")
        if hasher is None and batch["items_created_at"] is None and known.skips_known(batch):
            return None
        report = lay_out(connection, settings, batch, upload, hasher)
        connection.commit()
        if report.created >= _ANALYZE_FROM:
            store.analyze(connection)
        return report


def _keep_erased_out(hq: Hq, settings: Settings, batch_key: str) -> None:
    """A list that came while its process was ended may still hold somebody who was erased."""
    with hq.transaction() as connection:
        found = get_batch(connection, batch_key) if erasures.anybody(connection) else None
    if found is not None and found["upload_id"] is not None and found["items_created_at"] is None:
        keep_erased_out(hq, settings, found["upload_id"])


def lay_out(
    connection: Connection,
    settings: Settings,
    batch: dict[str, Any],
    upload: dict[str, Any],
    hasher: Hasher | None = None,
) -> ItemsReport:
    """Lay out the rows that the locked batch lacks. The caller commits. Raises `InfrastructureError`.

    `hasher`: given where leads that the client has already are skipped.
    """
    rows, rejected = upload["row_count"], upload["rejected_count"]
    readable = rows - rejected
    wanted = readable if batch["row_limit"] is None else min(batch["row_limit"], readable)
    there, last = (0, 0) if batch["items_created_at"] is None else store.laid_out(connection, batch["id"])
    created, not_values = 0, dict[str, int]()
    if there < wanted or batch["items_created_at"] is None:
        end = wanted if wanted < readable else sys.maxsize  # all of them: a row too many is noticed below
        created, not_values = _create(connection, settings, batch, upload, slice(there, end), last, hasher)
    if there + created != wanted:  # guard: every-counted-row-is-an-item
        raise InfrastructureError(
            f"upload {upload['id']} had {rows} rows with {rejected} rejections when it came, "
            f"and now gives {there + created} items of {wanted}: its kept bytes or the reader have changed",
            code="upload.bytes_changed",
        )
    return ItemsReport(rows, wanted, rejected, created, not_values, readable - wanted)


def _create(
    connection: Connection,
    settings: Settings,
    batch: dict[str, Any],
    upload: dict[str, Any],
    window: slice,
    after_row: int,
    hasher: Hasher | None,
) -> tuple[int, dict[str, int]]:
    blueprint = Blueprint.model_validate(batch["blueprint"])
    maker = ItemMaker(batch["client_id"], batch["id"], upload["columns"], blueprint.company_identity)
    # What is in the same database is read before it is written: COPY takes the connection.
    kept = list(read_gathered(connection, upload)) if upload["gathered"] else read_file(settings, upload)
    rows = rows_within(kept, window)
    items = (item for record_batch in rows for item in maker.items(record_batch))
    created = add_items(connection, batch, blueprint, items, after_row, hasher)
    store.mark_items_created(connection, batch["id"])
    return created, dict(sorted(maker.not_values.items()))


def add_items(
    connection: Connection,
    batch: Mapping[str, Any],
    blueprint: Blueprint,
    items: Iterable[tuple[Any, ...]],
    after_row: int,
    hasher: Hasher | None,
) -> int:
    """Insert items of a batch (`id`, `client_id`) that are all of rows behind `after_row`, with leases and states.

    How many there were. `hasher`: given where leads that the client has already are skipped. The caller commits.
    """
    batch_id, client_id = batch["id"], batch["client_id"]
    if hasher is not None:
        known_store.take_turn(connection, client_id)
    before = 0 if hasher is None else store.last_item(connection, batch_id)
    created = store.copy_items(connection, items)
    store.insert_leases(connection, batch_id, after_row)
    steps = [(step.position, step.slug) for step in blueprint.steps]
    if hasher is None:
        store.insert_states(connection, batch_id, steps, after_row)
    else:
        known.read_new_items(connection, batch_id, client_id, blueprint, hasher, before)
        simulated = bool(blueprint.simulated)
        store.insert_states_unless_known(connection, client_id, batch_id, steps, after_row, simulated=simulated)
    return created


def rows_within(batches: Iterable[pa.RecordBatch], window: slice) -> Iterator[pa.RecordBatch]:
    """The rows of a stream from `window.start` on, before `window.stop`; what comes after is not read."""
    seen = 0
    for batch in batches:
        first, end = max(window.start - seen, 0), min(window.stop - seen, batch.num_rows)
        seen += batch.num_rows
        if first < end:
            yield batch.slice(first, end - first)
        elif first >= end and seen > window.stop:
            return


class ItemMaker:
    """Turns rows into tuples of `store.batches.items.ITEM_COLUMNS`, by the upload's column mapping."""

    def __init__(
        self, client_id: int, batch_id: int, columns: Sequence[dict[str, Any]], company_rules: Sequence[str]
    ) -> None:
        self._client_id = client_id
        self._batch_id = batch_id
        self._keys = [column["key"] for column in columns]
        self._rules = company_rules
        self._reader = IdentityReader(columns)
        self._contacts = UploadedContacts(self._keys, self._reader.first_column("email"))
        self.not_values: Counter[str] = Counter()
        """Cells that are no value of their field, as `field: reason`."""

    def items(self, batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
        """One tuple per row of the batch."""
        numbers = batch.column(0).to_pylist()
        cells = [column.to_pylist() for column in batch.columns[_NUMBER_COLUMNS:]]
        for number, row in zip(numbers, zip(*cells, strict=True), strict=True):
            yield self.item(number, row)

    def item(self, row_number: int, row: Cells) -> tuple[Any, ...]:
        """The tuple of one row."""
        read = self._reader.read(row)
        details, rejected = read.details, read.rejected
        fields = dict(zip(IDENTITY_FIELDS, read.cells, strict=True))
        key = company_key(fields, self._rules)
        if self._contacts.says_something or read.further:
            details |= self._contacts.details(row, fields, read.sources, read.further)
        original = dict(zip(self._keys, row, strict=True))
        if None in row:  # a short row, or a null of a table: what it has no cell for is absent, not empty
            original = {name: cell for name, cell in original.items() if cell is not None}
        for name, entry in rejected.items():
            if entry["reason"] != Reason.SEVERAL:
                self.not_values[f"{name}: {entry['reason']}"] += 1
        return (
            self._client_id,
            self._batch_id,
            row_number,
            f"row:{row_number}",
            key,
            *read.cells,
            orjson.dumps(original).decode(),
            orjson.dumps(details).decode() if details else None,
            orjson.dumps(rejected).decode() if rejected else None,
        )


def loaded_row(row: Mapping[str, Any], details: Mapping[str, Any], original: Mapping[str, Any]) -> LoadedItem:
    """A row as the engine would load it, before any step; it is nobody's item.

    Args:
        row: `store.batches.items.ITEM_COLUMNS` by name.
        details: What it says beside its fields.
        original: Its cells by column.
    """
    identity = {name: row[name] for name in IDENTITY_FIELDS if row[name] is not None}
    return LoadedItem(
        item_id=0,
        fence=0,
        row_number=1,
        parent_id=None,
        company_key=row["company_key"],
        identity=identity,
        original=dict(original),
        details=details,
        cells=cells_of_row({**details, **identity}, datetime.now(UTC)),
    )
