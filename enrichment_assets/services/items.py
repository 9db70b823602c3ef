"""Batch items: every readable row of a batch's upload becomes one, with its identity columns and original cells.

All of it is one transaction: a batch has all of its items, leases and states, or none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import pyarrow as pa

from enrichment_assets.domain.companies import company_key
from enrichment_assets.domain.emails import is_placeholder_email
from enrichment_assets.domain.errors import InfrastructureError, NotFoundError
from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.spreadsheets import restored
from enrichment_assets.domain.uploaded_contacts import UploadedContacts
from enrichment_assets.services.uploads import read_upload
from enrichment_assets.settings import Settings
from enrichment_assets.store import items as store
from enrichment_assets.store.database import connect, open_databases
from enrichment_assets.store.uploads import get_upload

_ANALYZE_FROM = 10_000
_NUMBER_COLUMNS = 2
"""row_number and line_number stand before the cells in a batch of `read_rows`."""

Cells = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class ItemsReport:
    """Rows of the upload = items + rejected, always. `created` counts the items that this call made (0: all there)."""

    rows: int
    items: int
    rejected: int
    created: int


def create_items(settings: Settings, batch_key: str) -> ItemsReport:
    """Lay out a batch: items, leases and PENDING states; a second call finds them there and does nothing.

    Raises:
        NotFoundError: There is no such batch.
        InfrastructureError: The upload's bytes are gone, or do not give the rows that were counted.
    """
    with connect(open_databases(settings).hq) as connection:
        batch = store.lock_batch(connection, batch_key)
        if batch is None:
            raise NotFoundError(f"no batch {batch_key!r}: `enrich status` lists them")
        upload = get_upload(connection, batch["upload_id"])
        if upload is None:
            raise NotFoundError(f"the upload of batch {batch_key!r} is gone")
        rows, rejected = upload["row_count"], upload["rejected_count"]
        if batch["items_created_at"] is not None:
            return ItemsReport(rows, rows - rejected, rejected, created=0)
        created = _create(connection, settings, batch, upload)
        if created + rejected != rows:
            raise InfrastructureError(
                f"upload {upload['id']} had {rows} rows with {rejected} rejections when it came, "
                f"and now gives {created} items: its kept bytes or the reader have changed"
            )
        connection.commit()
        if created >= _ANALYZE_FROM:
            store.analyze(connection)
        return ItemsReport(rows, created, rejected, created)


def _create(connection: Any, settings: Settings, batch: dict[str, Any], upload: dict[str, Any]) -> int:
    blueprint = Blueprint.model_validate(batch["blueprint"])
    maker = ItemMaker(batch["client_id"], batch["id"], upload["columns"], blueprint.company_identity)
    items = (item for record_batch in read_upload(settings, upload) for item in maker.items(record_batch))
    created = store.copy_items(connection, items)
    store.insert_leases(connection, batch["id"])
    store.insert_states(connection, batch["id"], [(step.position, step.slug) for step in blueprint.steps])
    store.mark_items_created(connection, batch["id"])
    return created


class ItemMaker:
    """Turns rows into tuples of `store.items.ITEM_COLUMNS`, by the upload's column mapping."""

    def __init__(
        self, client_id: int, batch_id: int, columns: Sequence[dict[str, Any]], company_rules: Sequence[str]
    ) -> None:
        self._client_id = client_id
        self._batch_id = batch_id
        self._keys = [column["key"] for column in columns]
        self._rules = company_rules
        self._sources = [_columns_of(field, columns) for field in IDENTITY_FIELDS]
        self._is_own_export = any(column.get("own") for column in columns)
        self._contacts = UploadedContacts(self._keys)

    def items(self, batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
        """One tuple per row of the batch."""
        numbers = batch.column(0).to_pylist()
        cells = [column.to_pylist() for column in batch.columns[_NUMBER_COLUMNS:]]
        for number, row in zip(numbers, zip(*cells, strict=True), strict=True):
            yield self._item(number, row)

    def _item(self, row_number: int, row: Cells) -> tuple[Any, ...]:
        identity = identity_of(row, self._sources)
        if self._is_own_export:
            identity = [
                cell and restored(cell, phone=field in ("phone", "company_phone"))
                for field, cell in zip(IDENTITY_FIELDS, identity, strict=True)
            ]
        key = company_key(dict(zip(IDENTITY_FIELDS, identity, strict=True)), self._rules)
        original = dict(zip(self._keys, row, strict=True))
        if row[-1] is None:  # a short row: what it has no cell for is absent, not empty
            original = {name: cell for name, cell in original.items() if cell is not None}
        payload = orjson.dumps(original).decode()
        origin = f"row:{row_number}"
        details = None
        if self._contacts.says_something:
            said = self._contacts.details(row, dict(zip(IDENTITY_FIELDS, identity, strict=True)))
            details = orjson.dumps(said).decode() if said else None
        return (self._client_id, self._batch_id, row_number, origin, key, *identity, payload, details, None)


def identity_of(row: Cells, sources: Sequence[Sequence[int]]) -> list[str | None]:
    """The identity cells of a row, unaltered: per field the first of its columns with content, null when empty.

    Apollo's placeholder is no e-mail address: null here, kept in the original.
    """
    identity = [_first(row, columns) if columns else None for columns in sources]
    email = identity[_EMAIL]
    if email is not None and is_placeholder_email(email):
        identity[_EMAIL] = None
    return identity


_EMAIL = IDENTITY_FIELDS.index("email")


def _first(row: Cells, columns: Sequence[int]) -> str | None:
    if len(columns) == 1:
        return row[columns[0]] or None
    blank = None
    for column in columns:
        cell = row[column]
        if cell and not cell.isspace():
            return cell
        blank = blank or cell
    return blank or None


def _columns_of(field: str, columns: Sequence[dict[str, Any]]) -> list[int]:
    found = [(column.get("rank", 0), n) for n, column in enumerate(columns) if column["field"] == field]
    return [n for _, n in sorted(found)]
